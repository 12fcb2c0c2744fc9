"""`explain serve`: Streamlit on the app, in this process where the system allows it."""

import argparse
import contextlib
import errno
import os
import socket
import subprocess
import sys

from explain.cli.options import Commands
from explain.core.arguments import host_name, not_empty, whole_number
from explain.core.errors import ExplainError
from explain.core.hosts import VARIABLE, allowed_hosts
from explain.core.installation import site_folder

DEFAULT_PORT = 8501


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("serve", help="start the app, for a browser")
    command.add_argument(
        "--port",
        type=whole_number(1, 65535),
        default=DEFAULT_PORT,
        help="the port to listen on (default: %(default)s)",
    )
    command.add_argument(
        "--host",
        type=not_empty,
        default="127.0.0.1",
        metavar="ADDRESS",
        help="the address to listen on (default: %(default)s, this machine only)",
    )
    command.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        type=host_name,
        metavar="NAME",
        help="a host name the server answers to, besides localhost; repeatable (also EXPLAIN_ALLOWED_HOSTS, with "
        "commas). Without one, a server that other machines reach answers to any name",
    )
    command.add_argument(
        "--allow-any-model", action="store_true", help="let visitors of any host name any folder or hub model"
    )
    command.add_argument("--allow-training", action="store_true", help="let visitors of any host train models")
    command.add_argument(
        "--allow-saving",
        action="store_true",
        help="let visitors of any host save explanations, which only a link opens and which end by themselves",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start the app; on POSIX the server takes the place of this process.

    Raises:
        ExplainError: no server can listen there.
    """
    environment = dict(os.environ)
    if options.allow_any_model:
        environment["EXPLAIN_ALLOW_ANY_MODEL"] = "1"
    if options.allow_training:
        environment["EXPLAIN_ALLOW_TRAINING"] = "1"
    if options.allow_saving:
        environment["EXPLAIN_ALLOW_SAVING"] = "1"
    environment[VARIABLE] = ",".join([*allowed_hosts(), *options.allowed_host])
    check_address(options.host, options.port)
    command = [sys.executable, "-m", "streamlit", "run", str(site_folder() / "app.py")]
    command += [
        "--server.port",
        str(options.port),
        "--server.address",
        options.host,
        "--logger.hideWelcomeMessage=true",
    ]
    shown = f"[{options.host}]" if ":" in options.host else options.host
    shown = "localhost" if shown == "127.0.0.1" else shown
    print(f"explain: http://{shown}:{options.port}", flush=True)
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # signals reach the server itself, and its exit is ours
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0


def check_address(host: str, port: int) -> None:
    """Check that a server can listen there; Streamlit would tell with a traceback.

    Raises:
        ExplainError: it can't.
    """
    in_use = f"Port {port} is in use. Take another with --port, or end what runs there."
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            if os.name == "posix":  # as Streamlit does; elsewhere it would let two servers share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, UnicodeError, TypeError) as error:  # of names that no encoding takes
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ExplainError(in_use) from error
        reason = getattr(error, "strerror", None) or "no such address"
        raise ExplainError(
            f"No server can listen on {host[:80]!r}, port {port}: {reason}. Give --host an address of this machine."
        ) from error
    with contextlib.suppress(OSError), socket.socket(family) as probe:  # some systems let a port be bound twice
        probe.settimeout(1)
        if probe.connect_ex((host, port)) == 0:
            raise ExplainError(in_use)
