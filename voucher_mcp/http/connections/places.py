"""Where the server listens: an address of this machine, or a socket in a folder."""

import os
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from voucher_mcp.config import ConfigError, HttpSettings, is_loopback

BACKLOG = 2048


def listen(host: str, port: int, http: HttpSettings) -> list[socket.socket]:
    """Sockets on all addresses of a host, which listen already; port 0 is any that is free.

    Raises:
        ConfigError: others could reach them, and nobody would be asked who they are.
        OSError: one cannot be had.
    """
    if not http.has_sign_in and not is_loopback(host):
        raise ConfigError(
            f"--host {host}: others can reach that address, and nobody would have to sign in; configure "
            "[http.tokens] (voucher-mcp token new NAME) or an issuer under [http]"
        )
    sockets: list[socket.socket] = []
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )
    try:
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            chosen = (address[0], port or (sockets[0].getsockname()[1] if sockets else 0), *address[2:])
            sockets.append(_listening(family, chosen))
    except OSError as error:
        for one in sockets:
            one.close()
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from None
    return sockets


def _listening(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    """A socket that says that it is TCP: only then asyncio lets small parts of answers go at once."""
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # where it would let two servers have one address
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except OSError:
        one.close()
        raise
    return one


def listen_at(path: Path, http: HttpSettings) -> socket.socket:
    """A socket at that path. Where nobody has to sign in, its owner alone can reach it.

    Raises:
        OSError: it cannot be had, or another server listens there.
    """
    _make_room(path)
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o111 if http.has_sign_in else 0o177)
        try:
            one.bind(str(path))
        finally:
            os.umask(before)
        one.listen(BACKLOG)
    except OSError as error:
        one.close()
        raise OSError(error.errno, error.strerror, str(path)) from None
    return one


def _make_room(path: Path) -> None:
    """Take away the socket of a server that is no more."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            return  # which then is in use
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
