"""The app as a server: security headers, foreign hosts refused, the model warmed up, and whether it is ready.

Started by `explain serve`, `make run`, or `streamlit run app.py`. What is seen is in `pages/`.
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

HEADERS = {
    # Streamlit's own scripts need 'unsafe-inline' and 'unsafe-eval'; nothing from another host is ever let in.
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

with exit_with_message("explain"):
    policy = hosts.host_policy(st.get_option("server.address") or "", hosts.allowed_hosts())


class SecurityHeaders:
    """Puts the headers above on every answer."""

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
    """Load what the first visitor would wait for, and explain the example the page opens with."""
    from pages.shared import state

    # What is cached for all visitors is filled here without one, which Streamlit would warn of.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)
    try:
        state.warm_up()
    except Exception:  # the page says what is wrong; a server that never gets ready would only be restarted
        logging.getLogger(__name__).exception("The shipped model could not be warmed up.")
    # Streamlit collects garbage after every run; models and libraries are never garbage, so it need not look at them.
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
