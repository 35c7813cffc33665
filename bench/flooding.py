"""What a flood of one caller over HTTP makes the others wait, beside the same calls without it."""

import hashlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

from bench.engine import PROJECT, codes, configuration, make_pool, opened
from bench.harness import Bench, Figure, Rounds, at_most, duration
from bench.one_caller import latency, request
from bench.processes import python

WORKERS = 2
CROWDS = (64, 512)
"""Connections of the flood."""
FLOODS_SECONDS = 3.0
"""After its first refusal, before others are measured: a flood lasts."""


def measure(bench: Bench) -> Iterator[Figure]:
    """The median latency of somebody else's calls of get_voucher."""
    database = bench.folder / "flooding.db"
    anyio.run(_prepare, database)
    rounds, calls = bench.size(7, 1), bench.size(100, 5)
    for connections in CROWDS:
        pairs = Rounds()
        callers = [f"caller-{number}" for number in range(rounds)]
        with _serving(database, ["flood", *callers]) as port:
            latency(port, callers[0], calls)
            for caller in callers:
                alone = latency(port, caller, calls)
                with _flooded(port, connections):
                    time.sleep(bench.size(FLOODS_SECONDS, 0.5))
                    pairs.add(ours=latency(port, caller, calls), floor=alone)
        name = f"get_voucher beside another caller's flood over {connections} connections / without it"
        yield pairs.figure(name, duration, at_most(1.2))


async def _prepare(database: Path) -> None:
    async with opened(database) as backend:
        await make_pool(backend, "spring", codes(10))


@contextmanager
def _serving(database: Path, callers: list[str]) -> Iterator[int]:
    file = configuration(database)
    tables = "".join(
        f'[http.tokens.{caller}]\nsha256 = "{hashlib.sha256(caller.encode()).hexdigest()}"\n'
        f'projects = ["{PROJECT}"]\n'
        for caller in callers
    )
    file.write_text(file.read_text(encoding="utf-8") + tables, encoding="utf-8")
    options = ("serve", "--transport", "http", "--port", "0", "--workers", str(WORKERS))
    command = python("voucher_mcp", "--config", str(file), *options)
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as server:
        assert server.stderr is not None
        try:
            said = server.stderr.readline().strip().removesuffix("/mcp")
            yield int(said.rpartition(":")[2])
        finally:
            server.terminate()


@contextmanager
def _flooded(port: int, connections: int) -> Iterator[None]:
    command = python("bench.flood", str(port), str(connections))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as flood:
        assert flood.stdin is not None
        assert flood.stdout is not None
        flood.stdin.write(request("flood"))
        flood.stdin.close()
        try:
            assert flood.stdout.readline() == b"refused\n"
            yield
        finally:
            flood.kill()
