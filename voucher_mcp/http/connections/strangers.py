"""What an address may ask for that does not sign in, so that it cannot keep the server busy.

A proxy is one address. Whoever signs in gets through it all the same, and is counted as themselves.
"""

import time
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network

import anyio
from mcp.types import INVALID_REQUEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voucher_mcp.domain.watch import watch
from voucher_mcp.http.answers import refusal
from voucher_mcp.http.tally import Tally

REFUSED_A_MINUTE = 600
"""Requests that were answered 401, of one address over all workers (ours)."""
PAUSE_SECONDS = 1.0
"""Who comes more often waits for each refusal, on a connection that then ends (ours)."""
NETWORK_BITS = 64  # what one house has of the newer addresses


class Strangers:
    """Slows an address down that was told too often to sign in."""

    def __init__(self, app: ASGIApp, tally: Tally) -> None:
        self._app = app
        self._tally = tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def watched(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 401:
                who = f"refused {house_of(scope['client'][0] if scope['client'] else '')}"
                wait = self._tally.count(who, REFUSED_A_MINUTE, time.monotonic())
                if refused := wait > 0:
                    await self._refuse(wait, scope, receive, send)
            if not refused:
                await send(message)

        await self._app(scope, receive, watched)

    async def _refuse(self, wait: float, scope: Scope, receive: Receive, send: Send) -> None:
        watch().refused("address")
        await anyio.sleep(PAUSE_SECONDS)
        told = "This address was refused too often. Wait, then sign in with a token that is right."
        headers = {"retry-after": f"{max(1, round(wait))}"}
        await refusal(429, INVALID_REQUEST, told, headers, close=True)(scope, receive, send)


class Crowd:
    """How many connections each address has open in this worker."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = Counter[str]()

    def enter(self, address: str) -> bool:
        """Whether there is room for another one, which then is open."""
        house = house_of(address)
        if self._open[house] >= self._most:
            watch().refused("connections")
            return False
        self._open[house] += 1
        return True

    def leave(self, address: str) -> None:
        """One of them is closed."""
        house = house_of(address)
        self._open[house] -= 1
        if not self._open[house]:
            del self._open[house]


def house_of(address: str) -> str:
    """What counts as one: an address, or what a provider gives to one house; a socket in a folder is one."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ip_network((known, NETWORK_BITS), strict=False))
