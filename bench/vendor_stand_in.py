"""The stand-in of a vendor's API in a process of its own, with one voucher; ends when standard input closes.

Prints its address, app id and app token; then, for each line that comes in, how many connections it accepted.
"""

import sys

import anyio
import anyio.to_thread

from tests.standins.voucherify import StandIn, serve

CODE = "BENCH-1"


async def main() -> None:
    async with serve() as standin:
        standin.limit_rate(10_000_000, 60)
        standin.add_voucher(CODE)
        _say(standin.base_url, standin.app_id, standin.app_token)
        await anyio.to_thread.run_sync(_answer, standin)


def _answer(standin: StandIn) -> None:
    for _ in sys.stdin:
        _say(str(standin.connections))


def _say(*words: str) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    anyio.run(main)
