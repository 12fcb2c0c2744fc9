"""Host names that a server answers to."""

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.core.errors import SettingError
from explain.core.hosts import AllowedHosts, allowed_hosts, host_policy, is_loopback, read_allowed_host, read_host

OWN = host_policy("127.0.0.1", ())
NAMED = host_policy("127.0.0.1", ("app.example.org",))
WIDE = host_policy("0.0.0.0", ())
WIDE_NAMED = host_policy("0.0.0.0", ("app.example.org",))


@pytest.mark.parametrize(
    ("address", "alone"),
    [
        *(("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("LocalHost", True)),
        *(("0.0.0.0", False), ("::", False), ("", False), ("192.168.0.7", False), ("unix:///tmp/s", False)),
    ],
)
def test_loopback_addresses(address: str, alone: bool) -> None:
    assert is_loopback(address) is alone


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST.:8501", "localhost"),
        ("localhost:", "localhost"),
        ("[::1]:8501", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("my_host.example", "my_host.example"),
        *((header, None) for header in ("", ":80", "[::1", "::1", "[zz]", "[::::]", "a b", "a,b", "a:x", "a:123456")),
        *(
            (header, None)
            for header in ("user@localhost", "localhost/", "localhost#a", "localhost\n", "b\xfccher", "\0")
        ),
        *((header, None) for header in (".localhost", "-a", "a" * 300, "http://localhost", "*", "localhost:80:80")),
    ],
)
def test_what_a_host_header_names(header: str, name: str | None) -> None:
    assert read_host(header) == name


@pytest.mark.parametrize(
    ("host", "statuses"),  # on loopback, with a name; open, with a name
    [
        ("localhost:8501", (None, None, None, None)),
        ("127.0.0.1", (None, None, None, None)),
        ("[::1]:80", (None, None, None, None)),
        ("App.Example.Org.:443", (421, None, None, None)),
        ("evil.example:8501", (421, 421, None, 421)),
        ("localhost.evil.example", (421, 421, None, 421)),
        ("evil.example.localhost", (421, 421, None, 421)),
        ("sub.app.example.org", (421, 421, None, 421)),
        ("127.0.0.2", (421, 421, None, 421)),
        ("2130706433", (421, 421, None, 421)),
        ("localhost, evil.example", (400, 400, 400, 400)),
    ],
)
def test_which_names_are_answered_to(host: str, statuses: tuple[int | None, ...]) -> None:
    for policy, status in zip((OWN, NAMED, WIDE, WIDE_NAMED), statuses, strict=True):
        refusal = policy.refusal([host.encode()])
        assert (refusal and refusal[0]) == status, (policy, refusal)


def test_one_host_header_is_needed() -> None:
    for hosts in ([], [b"localhost", b"localhost"], [b"localhost", b"evil.example"], [b""]):
        for policy in (OWN, WIDE):
            assert policy.refusal(hosts) == (400, "The request needs one Host header that names this server.\n")


def test_an_address_of_its_own_is_answered_to() -> None:
    assert host_policy("127.0.0.2", ()).refusal([b"127.0.0.2:80"]) is None


def test_a_refusal_says_what_to_do() -> None:
    status, text = OWN.refusal([b"evil.example:8501"], 8501) or (0, "")
    assert status == 421 and "http://localhost:8501" in text and "--allowed-host evil.example" in text


@given(st.binary(max_size=60))
def test_whatever_a_header_holds_is_refused_or_one_of_its_names(header: bytes) -> None:
    name = read_host(header.decode("latin-1"))
    refusal = NAMED.refusal([header])
    assert (refusal is None) == (name in {"localhost", "127.0.0.1", "::1", "app.example.org"})
    assert refusal is None or refusal[1].isprintable() or refusal[1].replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("App.Example.org", "app.example.org"),
        (" app.example.org:8501 ", "app.example.org"),
        ("192.168.0.7", "192.168.0.7"),
        ("[2001:db8::7]:80", "2001:db8::7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("b\xfccher.example", "xn--bcher-kva.example"),
    ],
)
def test_names_as_they_are_given(text: str, name: str) -> None:
    assert read_allowed_host(text) == name


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.example.org", "https://example.org", "a/b", "a b", "\udcff", "\0", "\xfc" * 300, "a..\xfc", "."],
)
def test_what_is_no_name_of_a_host(text: str) -> None:
    with pytest.raises(SettingError, match="is no name of a host; give the name alone"):
        read_allowed_host(text)


def test_names_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed_hosts() == ()
    monkeypatch.setenv("EXPLAIN_ALLOWED_HOSTS", "a.example, B.example:80,")
    assert allowed_hosts() == ("a.example", "b.example")
    with pytest.raises(SettingError):
        allowed_hosts("a.example,https://b.example")


def ask(kind: str, *headers: tuple[bytes, bytes]) -> tuple[list[str], list[Any]]:
    """Which scopes reached the application, and what was answered."""
    reached: list[str] = []
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read of a request that is refused")

    scope = {"type": kind, "headers": list(headers), "server": ("127.0.0.1", 8501)}
    # In a thread of its own: where a browser was driven before, this one has an event loop that runs.
    thread = threading.Thread(target=lambda: asyncio.run(AllowedHosts(application, OWN)(scope, receive, send)))
    thread.start()
    thread.join()
    return reached, sent


def test_the_middleware() -> None:
    assert ask("http", (b"host", b"localhost:8501")) == (["http"], [])
    assert ask("lifespan") == (["lifespan"], [])
    reached, sent = ask("http", (b"host", b"evil.example"), (b"x-forwarded-host", b"localhost"))
    assert reached == [] and [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 421 and dict(sent[0]["headers"])[b"content-type"].startswith(b"text/plain")
    assert int(dict(sent[0]["headers"])[b"content-length"]) == len(sent[1]["body"])
    assert ask("websocket", (b"Host", b"evil.example"))[1] == [{"type": "websocket.close", "code": 1008, "reason": ""}]
    assert ask("websocket")[1][0]["type"] == "websocket.close"
