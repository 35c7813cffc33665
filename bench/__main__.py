"""`python -m bench [NAME …] [--quick]`: measure, and print the table."""

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import apsw

from bench.harness import Bench, Figure, table

FIGURES = {
    "starting": "spawn to tools/list, and memory",
    "calling": "calls over standard input and output, beside a bare server's",
    "serving": "calls over HTTP, beside a bare server's, and what sessions cost",
    "flooding": "what a flood of one caller over HTTP makes the others wait",
    "assigning": "codes handed out a second",
    "pools": "one pool and the list of pools, whatever they hold",
    "health": "the health of 200 pools, whatever they hold",
    "generating": "random codes made and stored, beside an import",
    "importing": "`codes import` of a CSV file, beside bare SQLite",
    "waiting": "what an import makes another process wait",
    "paging": "deep pages of a large pool",
    "redeeming": "redemptions, and validating, beside a bare loop",
    "undoing": "writes taken back, beside the writes",
    "redeemables": "what customers hold, over a million holders",
    "csv_job": "a CSV import job, beside bare SQLite",
    "postgresql.importing": "a million codes into PostgreSQL, beside COPY",
    "postgresql.large": "20 million codes in PostgreSQL, beside 20 thousand",
    "postgresql.writing": "redemptions and assigns on PostgreSQL, beside pgbench",
    "vendor_calls": "reading from a vendor's API, beside a bare server",
}
"""Each is a module here, with a function `measure`."""


def main() -> int:
    """The exit status is 1 where a target was missed; a quick run shows only that everything works."""
    parser = _parser()
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(FIGURES):
        parser.error(f"there is no figure {sorted(unknown)[0]}; there are {', '.join(FIGURES)}")
    print(machine(), flush=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="voucher-mcp-bench-") as temporary:
        folder: Path = arguments.workdir or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder.resolve(), arguments.quick)
        try:
            for name in arguments.names or FIGURES:
                print(f"{name}: {FIGURES[name]} …", file=sys.stderr, flush=True)
                measure: Callable[[Bench], Iterator[Figure]] = import_module(f"bench.{name}").measure
                figures += measure(bench)
        finally:
            print("\n" + table(figures))
    return 1 if any(figure.ok is False for figure in figures) and not bench.quick else 0


def machine() -> str:
    """What this ran on, without its name."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    release = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return (
        f"{model}, {os.cpu_count()} cores, {release}, Python {platform.python_version()}, "
        f"SQLite {apsw.sqlite_lib_version()} (ours), {sqlite3.sqlite_version} (the standard library's)"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Each figure beside its floor.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="; ".join(f"{name}: {what}" for name, what in FIGURES.items()),
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke run, no figures to quote")
    parser.add_argument(
        "--workdir", type=Path, metavar="DIR", help="keep the files there, and use the large pool again"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
