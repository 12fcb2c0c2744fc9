"""Host names that a server answers to: a guard against DNS rebinding.

A foreign web page can point its own name at 127.0.0.1 and then speak to a server there as if it were its own. Its
requests carry that name in the `Host` header, so a server that answers to its own names only is out of reach. IP
addresses and `localhost` can't be pointed elsewhere and are always its own.
"""

import ipaddress
import os
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from explain.core.errors import SettingError

VARIABLE = "EXPLAIN_ALLOWED_HOSTS"
OWN_NAMES = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9_](?:[a-z0-9_.-]{0,252})))(?::\d{0,5})?", re.I)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def is_loopback(address: str) -> bool:
    """Return whether an address is reachable from its own machine alone; an empty address means every machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address.casefold() == "localhost"


def read_host(host: str) -> str | None:
    """Return the name in a `Host` header, in lower case, without port and last dot; None if it can't be read."""
    parts = _HOST.fullmatch(host)
    if parts is None:
        return None
    if parts["six"]:
        try:
            return str(ipaddress.IPv6Address(parts["six"]))
        except ValueError:
            return None
    return parts["name"].lower().removesuffix(".")


def read_allowed_host(text: str) -> str:
    """Read a host name from a user: letters of any script, with or without a port.

    Raises:
        SettingError: the text is no name of a host.
    """
    try:
        address = ipaddress.ip_address(text.strip())
        return str(address)
    except ValueError:
        pass
    try:
        name = read_host(text.strip() if text.isascii() else text.strip().encode("idna").decode("ascii"))
    except UnicodeError:
        name = None
    if not name:
        raise SettingError(f"{text[:80]!r} is no name of a host; give the name alone, such as explain.example.org.")
    return name


def allowed_hosts(text: str | None = None) -> tuple[str, ...]:
    """Return the host names in a text with commas; by default those of the environment.

    Raises:
        SettingError: a part of the text is no name of a host.
    """
    listed = os.environ.get(VARIABLE, "") if text is None else text
    return tuple(read_allowed_host(part) for part in listed.split(",") if part.strip())


@dataclass(frozen=True)
class HostPolicy:
    """The names that a server answers to.

    Attributes:
        names: the allowed names; None: every name.
    """

    names: frozenset[str] | None

    def refusal(self, hosts: Iterable[bytes], port: int | None = None) -> tuple[int, str] | None:
        """Return status and text of the answer to a refused request; None if the request is served.

        Args:
            hosts: the contents of its `Host` headers.
            port: the server's own.
        """
        headers = [header.decode("latin-1") for header in hosts]
        name = read_host(headers[0]) if len(headers) == 1 else None
        if name is None:
            return 400, "The request needs one Host header that names this server.\n"
        if self.names is None or name in self.names:
            return None
        place = "localhost" if port is None else f"localhost:{port}"
        return 421, (
            f"This server does not answer to the name {name}.\n"
            f"On the server's own machine, open http://{place} instead. To let it answer to {name}, start it with\n"
            f"--allowed-host {name} or with {VARIABLE}={name}.\n"
        )


def host_policy(address: str, names: Iterable[str]) -> HostPolicy:
    """Return the policy of a server.

    On a loopback address: its own names and `names`. On any other: `names` and the loopback names, which health checks
    inside a container use; without `names`, every name.

    Args:
        address: the address it listens on; empty: all.
        names: the allowed host names; see `allowed_hosts`.
    """
    named = frozenset(names)
    if not is_loopback(address):
        return HostPolicy(named | frozenset(OWN_NAMES) if named else None)
    own = address if address.casefold() == "localhost" else str(ipaddress.ip_address(address))
    return HostPolicy(named | {*OWN_NAMES, own.casefold()})


class AllowedHosts:
    """ASGI middleware that refuses requests and websockets for other hosts.

    Headers that a proxy adds (`X-Forwarded-Host`) are not read: anyone can send them.
    """

    def __init__(self, app: Application, policy: HostPolicy) -> None:
        self._app, self._policy = app, policy

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            hosts = [content for name, content in scope["headers"] if name.lower() == b"host"]
            server = scope.get("server") or (None, None)
            refusal = self._policy.refusal(hosts, server[1])
            if refusal is not None:
                await _refuse(scope["type"], send, *refusal)
                return
        await self._app(scope, receive, send)


async def _refuse(kind: str, send: Send, status: int, text: str) -> None:
    if kind == "websocket":  # closed before it is accepted: the handshake is answered with 403
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
