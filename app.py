"""The app as a server: security headers, foreign hosts refused, the model warmed up, and whether it is ready.

Started by `explain serve`, `make run`, or `streamlit run app.py`. The pages are in `pages/`.
"""

import contextlib
import gc
import logging
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explain.core import hosts
from explain.core.errors import exit_with_message
from pages.shared.orphans import drop_orphans

HEADERS = {
    # Streamlit's own scripts need 'unsafe-inline' and 'unsafe-eval'; nothing is loaded from another host.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
        "frame-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        "frame-ancestors 'self'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

warm = threading.Event()
drop_orphans()

with exit_with_message("explain"):
    policy = hosts.host_policy(st.get_option("server.address") or "", hosts.allowed_hosts())


class SecurityHeaders:
    """Middleware that adds the headers above to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def warm_up() -> None:
    """Load the model for the first visitor and explain the example that the page opens with."""
    from pages.shared import work

    # Streamlit would warn that shared caches are filled here without a visitor.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)
    try:
        work.warm_up()
    except Exception:  # the page shows the error; a server that never becomes ready would only be restarted
        logging.getLogger(__name__).exception("The shipped model could not be warmed up.")
    # Streamlit collects garbage after every run; freezing keeps it from scanning models and libraries.
    gc.collect()
    gc.freeze()
    warm.set()


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    if policy.names is None:
        print(
            "explain: this server listens to other machines and answers to any host name. Say which names are its own: "
            f"--allowed-host NAME, or {hosts.VARIABLE}=NAME.",
            file=sys.stderr,
            flush=True,
        )
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    yield {}


async def ready(request: Request) -> JSONResponse:
    """200 when the shipped model is loaded, else 503; `/_stcore/health` says whether the server runs at all."""
    return JSONResponse({"ready": warm.is_set()}, status_code=200 if warm.is_set() else 503)


app = st.App(
    "pages/navigation.py",
    lifespan=lifespan,
    routes=[Route("/ready", ready)],
    middleware=[Middleware(SecurityHeaders), Middleware(hosts.AllowedHosts, policy=policy)],
)
