"""Calls over HTTP with two workers, beside a bare server of the SDK with as many; and what sessions cost."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from bench import http_load, http_wear
from bench.engine import PROJECT, codes, configuration, make_pool, opened
from bench.harness import Bench, Figure, Rounds, at_least, at_most, megabytes, rate
from bench.processes import memory, python

WORKERS, CLIENTS = 2, 64
MOST_BYTES = 40_000
"""For an open session."""


def measure(bench: Bench) -> Iterator[Figure]:
    """The bare tool gives back its argument; sessions have made their handshake and wait."""
    database = bench.folder / "serving.db"
    anyio.run(_prepare, database)
    code = next(codes(1))
    ours_at, bare_at = http_load.free_port(), http_load.free_port()
    options = ("serve", "--transport", "http", "--port", str(ours_at), "--workers", str(WORKERS))
    eras = {"in sessions": (Rounds(), False), "without sessions": (Rounds(), True)}
    sessions, after, handles = Rounds(), Rounds(), Rounds()
    with (
        http_load.serving(python("bench.bare_http_server", str(bare_at), str(WORKERS)), bare_at),
        http_load.serving(
            python("voucher_mcp", "--config", str(configuration(database)), *options), ours_at
        ) as ours,
    ):
        voucher = partial(_rate, ours_at, {"project_id": PROJECT, "code": code}, bench.size(5, 2))
        nothing = partial(_rate, bare_at, {"code": code}, bench.size(5, 2))
        for modern in (False, True):
            voucher(modern), nothing(modern)  # so that all is loaded
        for _ in range(bench.size(25, 1)):
            for rounds, modern in eras.values():
                rounds.add(ours=voucher(modern), floor=nothing(modern))
        sessions.add(ours=_bytes_a_session(ours, ours_at, bench.size(1_000, 50)), floor=MOST_BYTES)
        wear = partial(_wear, ours.pid, ours_at, {"project_id": PROJECT, "code": code})
        wear(bench.size(2_000, 200), 0)
        (before, before_handles), (then, then_handles) = (
            http_wear.held(ours.pid),
            wear(bench.size(10_000, 200), 1),
        )
        after.add(ours=then, floor=before)
        handles.add(ours=then_handles, floor=before_handles)
    for name, (rounds, _) in eras.items():
        told = f"get_voucher over HTTP {name}, {CLIENTS} clients / a bare server's tool"
        yield rounds.figure(told, rate, at_least(0.9))
    yield sessions.figure("an open session", lambda size: f"{size / 1000:.1f} kB", at_most(1))

    yield after.figure("memory after 10,000 calls / before", megabytes, at_most(1.05))
    yield handles.figure("handles after 10,000 calls / before", lambda count: f"{count:.0f}", at_most(1))


def _wear(server: int, port: int, arguments: dict[str, Any], count: int, seed: int) -> tuple[int, int]:
    """What the workers hold after so many calls, in the quiet."""
    asyncio.run(http_wear.calls(port, "get_voucher", arguments, count, seed))
    time.sleep(1)
    return http_wear.held(server)


async def _prepare(database: Path) -> None:
    async with opened(database) as backend:
        await make_pool(backend, "spring", codes(1_000))


def _rate(port: int, arguments: dict[str, Any], calls: int, modern: bool) -> float:
    return asyncio.run(
        http_load.rate(port, "get_voucher", arguments, clients=CLIENTS, calls=calls, modern=modern)
    )


def _bytes_a_session(server: "subprocess.Popen[bytes]", port: int, count: int) -> float:
    """What each of so many sessions more costs, over few connections."""
    workers = http_wear.workers_of(server.pid)

    async def open_all() -> None:
        connections = [await http_load.connected(port) for _ in range(8)]
        for number in range(count):
            await http_load.session(connections[number % 8])
        for one in connections:
            one.close()

    before = sum(memory(one, "VmRSS") for one in workers)
    asyncio.run(open_all())
    return (sum(memory(one, "VmRSS") for one in workers) - before) / count
