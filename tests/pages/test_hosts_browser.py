"""The running app over raw sockets: which `Host` it answers to, on every kind of route and on the websocket."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.pages.servers import ROOT, running

UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
ROUTES = {  # with what a host of its own gets
    "GET /": 200,
    "GET /attention": 200,
    "GET /static/index.html": 200,
    "GET /component/nothing/index.html": 404,
    "GET /media/nothing.png": 404,
    "GET /_stcore/health": 200,
    "GET /_stcore/host-config": 200,
    "GET /_stcore/metrics": 200,
    "PUT /_stcore/upload_file/session/file": 403,  # without the token that guards it
}


def status(port: int, line: str, headers: str) -> int:
    """The status of an answer."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(f"{line} HTTP/1.1\r\n{headers}\r\n".encode("latin-1"))
        return int(connection.makefile("rb").readline().split()[1])


def plain(port: int, host: str, line: str = "GET /ready") -> int:
    return status(port, line, f"Host: {host}\r\nContent-Length: 0\r\nConnection: close\r\n")


def websocket(port: int, host: str) -> int:
    return status(port, "GET /_stcore/stream", f"Host: {host}\r\nOrigin: http://{host}\r\n{UPGRADE}")


def test_on_loopback_only_its_own_names_are_answered_to(address: str) -> None:
    port = urlsplit(address).port or 0
    for line, answer in ROUTES.items():
        assert plain(port, f"localhost:{port}", line) == answer, line
        assert plain(port, f"evil.example:{port}", line) == 421, line
    for host in ("LOCALHOST.", "127.0.0.1:1", "[::1]"):
        assert plain(port, host) == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "0.0.0.0", "127.0.0.2", "[::2]"):
        assert plain(port, host) == 421
    assert (websocket(port, f"localhost:{port}"), websocket(port, f"evil.example:{port}")) == (101, 403)


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Host: \r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: localhost, evil.example\r\n",
        "Host: user@localhost\r\n",
        "Host: localhost/\r\n",
        "Host: localhost:x\r\n",
        "Host: b\xfccher\r\n",
    ],
)
def test_garbled_hosts_are_refused(address: str, headers: str) -> None:
    port = urlsplit(address).port or 0
    assert status(port, "GET /ready", f"{headers}Connection: close\r\n") == 400
    assert status(port, "GET /_stcore/stream", headers + UPGRADE) in (400, 403)


def test_what_a_proxy_forwards_is_not_believed(address: str) -> None:
    port = urlsplit(address).port or 0
    forwarded = "X-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\nConnection: close\r\n"
    assert status(port, "GET /", f"Host: evil.example\r\n{forwarded}") == 421


def test_open_to_other_machines_any_name_is_answered_to_and_the_server_says_so(tmp_path: Path) -> None:
    command = ("streamlit", "run", "app.py", "--server.port", "PORT", "--server.address", "0.0.0.0")
    with running(*command, said=str(tmp_path / "said")) as (port, said):
        for host in ("localhost", "any.example"):
            assert plain(port, host, "GET /") == 200 and websocket(port, host) == 101
        assert status(port, "GET /", "Host: a b\r\nConnection: close\r\n") == 400
        assert "answers to any host name" in said.read_text() and "--allowed-host NAME" in said.read_text()


def test_open_to_other_machines_with_names_only_these_are_answered_to(tmp_path: Path) -> None:
    command = ("explain", "serve", "--port", "PORT", "--host", "0.0.0.0", "--allowed-host", "App.example.org")
    environment = {"EXPLAIN_ALLOWED_HOSTS": "other.example", "said": str(tmp_path / "said")}
    with running(*command, **environment) as (port, said):
        for host in ("app.example.org:1", "OTHER.example.", "localhost", "127.0.0.1"):
            assert plain(port, host, "GET /") == 200 and websocket(port, host) == 101
        assert (plain(port, "evil.example", "GET /"), websocket(port, "evil.example")) == (421, 403)
        assert "any host name" not in said.read_text()


def test_started_without_the_command_the_app_guards_itself(tmp_path: Path) -> None:
    command = ("streamlit", "run", "app.py", "--server.port", "PORT")
    with running(*command, said=str(tmp_path / "said"), EXPLAIN_ALLOWED_HOSTS="app.example.org") as (port, _):
        for host, answer in (("localhost", 200), ("app.example.org", 200), ("evil.example", 421)):
            assert plain(port, host, "GET /") == answer


@pytest.mark.parametrize("command", [("explain", "serve"), ("streamlit", "run", "app.py")])
def test_a_name_that_is_none_is_told_at_start(command: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "EXPLAIN_ALLOWED_HOSTS": "https://example.org"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert "explain: 'https://example.org' is no name of a host" in ended.stderr and "Traceback" not in ended.stderr
