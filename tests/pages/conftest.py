"""A running app, and visitors who complain of every error and of every request to elsewhere."""

import contextlib
import functools
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext
from streamlit.components.v2 import manifest_scanner

from tests.pages.servers import ROOT, free_port
from tests.pages.visits import Visit
from tests.waiting import PATIENCE, wait_for

# The notes of a first visit would lie over what a test looks at; frames without an origin have no storage.
NO_FIRST_STEPS = "try { localStorage.setItem('explain.first_steps', '1'); } catch {}"

# Each run of an AppTest reads what every installed package says of itself, for longer than the page takes.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


def is_ready(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server has loaded what the first visitor needs."""
    assert server.poll() is None, "the server ended"
    with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(f"{url}/ready"):
        return True
    return False


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app, started as a user starts it, with a history of its own."""
    folder = tmp_path_factory.mktemp("history")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "explain", "serve", "--port", str(port)],
        cwd=ROOT,
        env={  # the browser needs the other core
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "EXPLAIN_THREADS": "1",
            "EXPLAIN_HISTORY": str(folder),
            "EXPLAIN_RUNS": str(folder / "runs"),
        },
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
            made[key].add_init_script(NO_FIRST_STEPS)
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
