"""`voucher-mcp serve --transport http`: one server for many people."""

import argparse
import gc
import socket
import sys
from contextlib import ExitStack

from voucher_mcp.cli.logs.opening import announce
from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.http import workers
from voucher_mcp.http.connections.places import listen, listen_at
from voucher_mcp.http.watching.metrics import check_installed

HOST, PORT = "127.0.0.1", 8000
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it.

    Raises:
        ConfigError: anybody could use it.
        InvalidInput: there cannot be so many workers, or such a socket.
        OSError: the address cannot be had.
    """
    http = settings.http or HttpSettings()
    count = 1 if arguments.workers is None else arguments.workers
    if not 1 <= count <= workers.MOST_WORKERS:
        raise InvalidInput(f"--workers should be 1 to {workers.MOST_WORKERS}")
    if http.metrics:
        check_installed()
    if count > 1 and sys.platform == "win32":
        raise InvalidInput("--workers: on Windows there is one")
    if arguments.unix_socket is not None and not hasattr(socket, "AF_UNIX"):
        raise InvalidInput("--unix-socket: this system's Python has none; use --host and --port")
    with ExitStack() as last:
        if arguments.unix_socket is not None:
            sockets, names = [listen_at(arguments.unix_socket, http)], []
            last.callback(arguments.unix_socket.unlink, missing_ok=True)
            where = f"unix:{arguments.unix_socket}"
        else:
            host = HOST if arguments.host is None else arguments.host
            sockets = listen(host, PORT if arguments.port is None else arguments.port, http)
            names = [] if host in EVERYWHERE else [host]
            where = f"http://{_shown(host, sockets[0])}/mcp"
        for one in sockets:
            last.callback(one.close)
        announce(f"voucher-mcp serves {where}")
        gc.freeze()
        workers.run(settings, sockets, names, count)
    return 0


def _shown(host: str, one: socket.socket) -> str:
    port: int = one.getsockname()[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
