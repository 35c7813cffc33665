"""How long an agent waits for the tools, and what the process then holds, beside a bare server of the SDK."""

import time
from collections.abc import Iterator, Sequence

from bench.engine import configuration
from bench.harness import Bench, Figure, Rounds, at_most, duration, megabytes
from bench.pipe import served
from bench.processes import memory, python

MORE_MEMORY = 20e6


def measure(bench: Bench) -> Iterator[Figure]:
    """From the process's start to the answer of tools/list, over bare pipes."""
    config = configuration(bench.folder / "starting.db")
    times, sizes = Rounds(), Rounds()
    for _ in range(bench.size(21, 5)):
        floor, floor_size = _start(python("bench.bare_server"))
        ours, ours_size = _start(python("voucher_mcp", "--config", str(config)))
        times.add(ours=ours, floor=floor)
        sizes.add(ours=ours_size, floor=floor_size)
    yield times.figure("start to tools/list / bare server", duration, at_most(1.15))
    more = sizes.ours - sizes.floor
    yield Figure(
        "resident memory then / bare server",
        megabytes(sizes.ours),
        megabytes(sizes.floor),
        sizes.ours / sizes.floor,
        f"≤ {megabytes(MORE_MEMORY)} more",
        more <= MORE_MEMORY,
    )


def _start(command: Sequence[str]) -> tuple[float, int]:
    """Seconds until the tools were listed, and the bytes that were resident then."""
    started = time.perf_counter()
    with served(command) as server:
        tools = server.ask("tools/list", {})["tools"]
        seconds, size = time.perf_counter() - started, memory(server.pid, "VmRSS")
        assert tools
    return seconds, size
