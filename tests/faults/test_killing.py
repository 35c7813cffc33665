"""A process that dies in the middle of its work loses nothing acknowledged and leaves nothing half."""

import random
import time
from collections import Counter
from pathlib import Path

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import rows
from tests.faults.workers import working

ROUNDS = 6
BATCH = 300


def test_killed_processes_lose_nothing_acknowledged_and_leave_nothing_half(stocked: Path) -> None:
    moments = random.Random(7)
    said: list[str] = []
    with working("assign_timed", stocked) as survivor:
        assert survivor.says() == "ready"
        for _ in range(ROUNDS):
            with working("everything", stocked, BATCH) as victim:
                assert victim.says() == "ready"  # whoever died before it kept nothing locked
                said += [victim.says() for _ in range(moments.randrange(1, 12))]
                time.sleep(moments.uniform(0, 0.02))  # into whatever it does next
                said += victim.kill()
            for _ in range(2):
                survivor.says()
            assert_acknowledged_is_there(stocked, said)
            assert_nothing_is_half(stocked)
        survivor.kill()
    assert len({line.split()[0] for line in said}) == 4  # every kind of write was among them
    assert_counters_equal_rows(stocked)


def assert_acknowledged_is_there(path: Path, said: list[str]) -> None:
    keys = {key for (key,) in rows(path, "SELECT key FROM writes")}
    status: dict[str, int] = dict(rows(path, "SELECT code, status FROM vouchers"))
    holders = Counter(holder for (holder,) in rows(path, "SELECT holder FROM vouchers WHERE holder NOT NULL"))
    for line in said:
        kind, name, *_ = line.split()
        if kind == "import":
            assert all(f"import {name}.{n}" in status for n in range(BATCH))
            continue
        assert f"{kind} {name}" in keys
        match kind:
            case "add":
                assert all(f"add {name}.{n}" in status for n in range(3))
            case "assign":
                assert holders[f"customer {name}"] == 1
            case "delete":
                assert status[f"add {name}.2"] == 3


def assert_nothing_is_half(path: Path) -> None:
    """Of each write either all is there, with its key and its line in the audit, or nothing."""
    codes = rows(path, "SELECT code FROM vouchers WHERE code NOT LIKE 'CODE-%'")
    sizes = Counter(code.rpartition(".")[0] for (code,) in codes)
    assert {(name.split()[0], size) for name, size in sizes.items()} <= {("add", 3), ("import", BATCH)}
    keys = {key for (key,) in rows(path, "SELECT key FROM writes")}
    assert keys == {key for (key,) in rows(path, "SELECT key FROM audit WHERE key NOT NULL")}
    assert {name for name in sizes if name.startswith("add ")} == {
        key for key in keys if key.startswith("add ")
    }
    holders = rows(path, "SELECT DISTINCT holder FROM vouchers WHERE holder LIKE 'customer %'")
    assert {f"assign {holder.removeprefix('customer ')}" for (holder,) in holders} == {
        key for key in keys if key.startswith("assign ")
    }
    customers = {customer for (customer,) in rows(path, "SELECT id FROM customers")}
    assert {holder for (holder,) in holders} == customers - {"alice"}
    deleted = rows(path, "SELECT code FROM vouchers WHERE status = 3")
    assert {f"delete {code.removeprefix('add ').removesuffix('.2')}" for (code,) in deleted} == {
        key for key in keys if key.startswith("delete ")
    }
