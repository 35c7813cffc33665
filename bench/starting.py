"""How long an agent waits for the tools, and what the process then holds, beside a bare server of the SDK."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench.engine import configuration
from bench.harness import Bench, Figure, Rounds, at_most, duration, megabytes
from bench.processes import memory, python

INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
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
    yield times.figure("start to tools/list / bare server", duration, at_most(1.3))
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
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        _ask(process, "initialize", INITIALIZE, 1)
        _send(process, {"method": "notifications/initialized"})
        tools = _ask(process, "tools/list", {}, 2)["tools"]
        seconds, size = time.perf_counter() - started, memory(process.pid, "VmRSS")
        assert tools
        assert process.stdin is not None
        process.stdin.close()
    return seconds, size


def _ask(process: "subprocess.Popen[bytes]", method: str, params: Any, number: int) -> Any:
    _send(process, {"id": number, "method": method, "params": params})
    assert process.stdout is not None
    while True:
        answer = json.loads(process.stdout.readline())
        if answer.get("id") == number:
            return answer["result"]


def _send(process: "subprocess.Popen[bytes]", message: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    process.stdin.flush()
