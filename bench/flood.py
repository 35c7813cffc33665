"""A flood: `python -m bench.flood PORT CONNECTIONS < REQUEST` asks as fast as it is answered, without end.

It stands for another machine, so it leaves the processor to the others here, and imports next to nothing. It
says on standard output when it is refused for the first time.
"""

import asyncio
import os
import sys


def main() -> None:
    """Flood."""
    port, connections = int(sys.argv[1]), int(sys.argv[2])
    os.nice(19)
    asyncio.run(_flood(port, sys.stdin.buffer.read(), connections))


async def _flood(port: int, sent: bytes, connections: int) -> None:
    said = False

    async def one() -> None:
        nonlocal said
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            writer.write(sent)
            answer = await reader.readuntil(b"\r\n0\r\n\r\n")
            if not said and b"limit_exceeded" in answer:
                said = True
                print("refused", flush=True)

    await asyncio.gather(*(one() for _ in range(connections)))


if __name__ == "__main__":
    main()
