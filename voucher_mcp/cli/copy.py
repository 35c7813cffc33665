"""`voucher-mcp copy`: a whole store from one database to another, of the same kind or of the other."""

import argparse
from pathlib import Path

import anyio

from voucher_mcp.cli.codes.progress import progress_bar
from voucher_mcp.cli.main import DONE
from voucher_mcp.config import ConfigError, Database
from voucher_mcp.config.values import parse_database
from voucher_mcp.stores.opening import copy


def run(arguments: argparse.Namespace) -> int:
    """Copy, and say how much there was."""
    source = _database("--from", arguments.source)
    target = _database("--to", arguments.target)
    if source == target:
        raise ConfigError("--from and --to name the same database.")
    rows, already = anyio.run(_copy, source, target)
    if already:
        print(f"{target} holds the same {rows:,} rows as {source} already; nothing was changed.")
        return DONE
    print(
        f"{rows:,} rows were copied from {source} to {target}, read there again and found equal. Set the new "
        "address as `url`, and start the servers on it. The old database is as it was."
    )
    return DONE


async def _copy(source: Database, target: Database) -> tuple[int, bool]:
    done = 0
    with progress_bar("Copying", None, unit="rows") as step:

        def told(_table: str, rows: int) -> None:
            nonlocal done
            done += rows
            step(done, done)

        return await copy(source, target, told)


def _database(option: str, url: str) -> Database:
    try:
        return parse_database(url, Path.cwd())
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error
