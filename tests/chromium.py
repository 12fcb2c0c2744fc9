"""Finds a Chromium for the browser tests, and with `python -m tests.chromium` installs one.

In this order: EXPLAIN_CHROMIUM, a browser on the path, Debian's package through apt, playwright's own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The shell draws pages and has no window: a tenth quicker, and smaller to install.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without these, a fresh profile looks up hosts of its own at every start.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """The path of a browser, or None."""
    named = os.environ.get("EXPLAIN_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    own = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    builds = [*own.glob("chromium-*/chrome-linux*/chrome"), *own.glob("chromium-*/chrome-mac*/*.app/Contents/MacOS/*")]
    return str(builds[-1]) if builds else None


def install() -> str:
    """Install a browser; returns its path.

    Raises:
        SystemExit: nothing worked; says what was tried and what to do.
    """
    tried = []
    if shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        installs = [["apt-get", "install", "-y", "-qq", name] for name in NAMES[:2]]
        for command in (["apt-get", "update", "-qq"], *installs):
            tried.append(" ".join([*root, *command]))
            subprocess.run([*root, *command], env=environment, check=False, stdout=subprocess.DEVNULL)
            if found := find():
                return found
    tried.append("playwright install chromium")
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if found := find():
        return found
    raise SystemExit(
        "No Chromium was found, and none could be installed. Tried: " + "; ".join(tried) + ".\n"
        "Install Chromium or Chrome yourself, or say where one is: EXPLAIN_CHROMIUM=/path/to/chrome make test"
    )


if __name__ == "__main__":
    print(f"Browser for the tests: {find() or install()}")
