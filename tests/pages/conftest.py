"""A running app, and visitors who complain of every error and of every request to elsewhere."""

import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.pages.visits import Visit
from tests.waiting import PATIENCE, wait_for

ROOT = Path(__file__).parents[2]


def is_ready(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server has loaded what the first visitor needs."""
    assert server.poll() is None, "the server ended"
    with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(f"{url}/ready"):
        return True
    return False


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """A running app, started as a user starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "explain", "serve", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "EXPLAIN_THREADS": "1"},  # the browser needs the other core
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: is_ready(url, server))
        yield url
    finally:
        server.terminate()  # what was started is the server: nothing is left behind
        server.wait(PATIENCE)
        with socket.socket() as gone:
            assert gone.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="session")
def profile(browser: Browser, address: str) -> Callable[..., BrowserContext]:
    """A browser's profile with given options, made once: it keeps Streamlit's scripts, and its window open.

    A window of its own for each visit costs the browser a third of what drawing the app in it costs.
    """
    made: dict[str, BrowserContext] = {}

    def make(**options: object) -> BrowserContext:
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
            made[key].grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
            made[key].new_page()
        return made[key]

    return make


@pytest.fixture
def visit(profile: Callable[..., BrowserContext], address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    visitor = Visit(profile(**getattr(request, "param", {})), address)
    yield visitor
    visitor.leave()
    assert visitor.outside == []
    assert visitor.complaints == []
