"""Servers that tests start, each with a port of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def running(*command: str, **environment: str) -> Iterator[tuple[int, Path]]:
    """A server's port, and the file of what it says."""
    port = free_port()
    said = Path(environment.pop("said"))
    with said.open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *(part.replace("PORT", str(port)) for part in command)],
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "EXPLAIN_THREADS": "1", **environment},
            stdout=log,
            stderr=log,
        )
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}/_stcore/health"):
                break
            assert server.poll() is None, said.read_text()
            time.sleep(0.1)
        yield port, said
    finally:
        server.kill()
        server.wait()
