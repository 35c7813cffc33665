"""A flood: `python -m bench.flood PORT TOKEN CONNECTIONS` calls as fast as it is answered, until it is ended.

It stands for another machine, so that it leaves the processor to the others here.
"""

import asyncio
import os
import sys

from bench.one_caller import request


def main() -> None:
    """Flood."""
    port, token, connections = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    os.nice(19)
    asyncio.run(_flood(port, request(token), connections))


async def _flood(port: int, sent: bytes, connections: int) -> None:
    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            writer.write(sent)
            await reader.readuntil(b"\r\n0\r\n\r\n")

    await asyncio.gather(*(one() for _ in range(connections)))


if __name__ == "__main__":
    main()
