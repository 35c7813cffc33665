"""`voucher-mcp serve --transport http`: one server for many people."""

import argparse
import gc
import socket
import sys
from contextlib import ExitStack
from functools import partial

import anyio

from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.http.places import listen, listen_at
from voucher_mcp.http.serving import serve

HOST, PORT = "127.0.0.1", 8000
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it.

    Raises:
        ConfigError: anybody could use it.
        OSError: the address cannot be had.
    """
    http = settings.http or HttpSettings()
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
        print(f"voucher-mcp serves {where}", file=sys.stderr, flush=True)
        gc.freeze()
        anyio.run(partial(serve, settings, sockets, names))
    return 0


def _shown(host: str, one: socket.socket) -> str:
    port: int = one.getsockname()[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
