"""The whole process `voucher-mcp codes import`, from a CSV file into a fresh database, beside bare SQLite."""

from collections.abc import Iterator
from pathlib import Path

from bench.engine import PROJECT, codes, configuration, remove
from bench.harness import Bench, Figure, Rounds, at_least, at_most, megabytes, rate
from bench.processes import Finished, python, run
from voucher_mcp.stores.sqlite.ends import CACHE_KIB

PEAK = 200e6
FLOORS = (
    ("bare, a lean table", "lean", 0, at_least(0.5)),
    ("the same with our page cache", "lean", CACHE_KIB, None),
    ("bare, our table and page cache", "same", CACHE_KIB, None),
)


def measure(bench: Bench) -> Iterator[Figure]:
    """Rows a second against the floors, and the most memory against imports of other sizes."""
    count = bench.size(1_000_000, 100_000)
    rounds = [Rounds() for _ in FLOORS]
    less, more = Rounds(), Rounds()
    quarter, whole, double = (csv_file(bench, size) for size in (count // 4, count, 2 * count))
    for _ in range(bench.size(3, 1)):
        ours = import_file(bench, whole)
        for (_, kind, cache, _), each in zip(FLOORS, rounds, strict=True):
            each.add(ours=count / ours.seconds, floor=count / _bare(bench, kind, whole, cache))
        less.add(ours=ours.peak, floor=import_file(bench, quarter).peak)
    more.add(ours=import_file(bench, double).peak, floor=less.ours)
    for (name, _, _, target), each in zip(FLOORS, rounds, strict=True):
        yield each.figure(f"codes import of {count:,} / {name}", rate, target)
    yield Figure(
        f"most memory of it / of {count // 4:,}",
        megabytes(less.ours),
        megabytes(less.floor),
        less.ours / less.floor,
        f"≤ {megabytes(PEAK)}",
        less.ours <= PEAK,
    )
    yield more.figure(f"most memory of {2 * count:,} / of {count:,}", megabytes, at_most(1.1))


def csv_file(bench: Bench, count: int) -> Path:
    """A CSV file of so many codes."""
    file = bench.folder / f"codes-{count}.csv"
    if not file.exists():
        with file.open("w", encoding="ascii") as lines:
            lines.write("code\n")
            lines.writelines(f"{value}\n" for value in codes(count))
    return file


def command(database: Path, file: Path) -> list[str]:
    """The command line that imports a file into a new pool."""
    where = ["--project", PROJECT, "--pool", "imported", "--create", "--percent", "10"]
    return python(
        "voucher_mcp", "--config", str(configuration(database)), "codes", "import", str(file), *where
    )


def import_file(bench: Bench, file: Path) -> Finished:
    """Import a file into a fresh database."""
    database = bench.folder / "importing.db"
    remove(database)
    return run(command(database, file), bench.folder / "importing.log")


def _bare(bench: Bench, table: str, file: Path, cache_kib: int) -> float:
    """Seconds."""
    database = bench.folder / "bare.db"
    remove(database)
    bare = python("bench.floor_import", table, str(file), str(database), str(cache_kib))
    return float(run(bare, bench.folder / "bare.log").output)
