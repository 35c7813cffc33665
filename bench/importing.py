"""The whole process `voucher-mcp codes import`, from a CSV file into a fresh database, beside bare SQLite."""

from collections.abc import Iterator
from pathlib import Path

from bench.engine import PROJECT, codes, configuration, remove
from bench.harness import Bench, Figure, Rounds, at_least, megabytes, rate
from bench.processes import Finished, python, run
from voucher_mcp.backends.local.stores.sqlite import CACHE_KIB

PEAK = 200e6
FLAT = 1.25
FLOORS = (
    ("a bare lean table", "lean", 0, at_least(0.5)),
    ("a lean table with our page cache", "lean", CACHE_KIB, None),
    ("our table, bare, with our page cache", "same", CACHE_KIB, None),
)


def measure(bench: Bench) -> Iterator[Figure]:
    """Rows a second against the floors, and the most memory against an import of a quarter of the codes."""
    count = bench.size(1_000_000, 100_000)
    rounds = [Rounds() for _ in FLOORS]
    peaks = Rounds()
    file, quarter = csv_file(bench, count), csv_file(bench, count // 4)
    for _ in range(bench.size(3, 1)):
        ours = import_file(bench, file)
        for (_, kind, cache, _), each in zip(FLOORS, rounds, strict=True):
            each.add(ours=count / ours.seconds, floor=count / _bare(bench, kind, file, cache))
        peaks.add(ours=ours.peak, floor=import_file(bench, quarter).peak)
    for (name, _, _, target), each in zip(FLOORS, rounds, strict=True):
        yield each.figure(f"codes import of {count:,}, against {name}", rate, target)
    flat = peaks.ours <= PEAK and peaks.ours <= peaks.floor * FLAT
    yield Figure(
        f"its most memory, against that of {count // 4:,}",
        megabytes(peaks.ours),
        megabytes(peaks.floor),
        peaks.ours / peaks.floor,
        f"≤ {megabytes(PEAK)}, ≤ {FLAT}",
        flat,
    )


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
    where = ["--project", PROJECT, "--pool", "imported", "--create"]
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
