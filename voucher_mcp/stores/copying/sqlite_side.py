"""The ends of a copy in SQLite files. They wait for nothing: nobody else is in the process."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from voucher_mcp.domain.errors import Conflict, Unavailable
from voucher_mcp.stores.copying.side import Span, Standing
from voucher_mcp.stores.copying.statements import page, removal
from voucher_mcp.stores.copying.tables import Record, Table
from voucher_mcp.stores.sqlite.codes import BLOCK_SIZE
from voucher_mcp.stores.sqlite.ends import connect
from voucher_mcp.stores.sqlite.failures import as_unavailable
from voucher_mcp.stores.sqlite.places import real_path
from voucher_mcp.stores.sqlite.reading import open_to_look, schema_of
from voucher_mcp.stores.sqlite.schema import bring_up_to_date, is_current
from voucher_mcp.stores.sqlite.turnstile import Turnstile

_BESIDE: Final = ("-wal", "-shm", "-gate", "-turn", "-migration")
"""What may lie beside a file while it is written."""

_COUNTS: Final = "SELECT n, available, assigned, redeemed FROM pools"
_LAST_LINE: Final = "SELECT coalesce(max(n), 0) FROM audit"
_COUNT_AGAIN: Final = f"""
DELETE FROM code_blocks;
INSERT INTO code_blocks (project, pool, first_n, size, available, assigned, redeemed)
SELECT project, pool, min(n), count(*), sum(status = 0), sum(status = 1), sum(status = 2)
FROM (
    SELECT project, pool, n, status,
        (row_number() OVER (PARTITION BY project, pool ORDER BY n) - 1) / {BLOCK_SIZE} AS block
    FROM vouchers WHERE pool IS NOT NULL
)
GROUP BY project, pool, block;
UPDATE pools SET (available, assigned, redeemed) = (
    SELECT coalesce(sum(b.available), 0), coalesce(sum(b.assigned), 0), coalesce(sum(b.redeemed), 0)
    FROM code_blocks AS b WHERE b.project = pools.project AND b.pool = pools.n
);
"""  # noqa: S608 - a number of ours


class _Rows:
    """What is read of a file on one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    async def rows(self, table: Table, span: Span, most: int) -> Sequence[Record]:
        # a table with row numbers is read in their order, and no index is looked up for each of its rows
        hint = " NOT INDEXED" if table.key == ("n",) else ""
        text, values = page(table, span, most, _place, hint)
        rows: list[Any] = self._connection.execute(text, values).fetchall()
        return rows

    async def counts(self) -> Mapping[int, tuple[int, int, int]]:
        return {n: (available, *rest) for n, available, *rest in self._connection.execute(_COUNTS)}


class SqliteSource(_Rows):
    """A file that is read in one state."""

    def __init__(self, connection: apsw.Connection, now: apsw.Connection) -> None:
        super().__init__(connection)
        self._now = now

    async def last_line(self) -> int:
        [(line,)] = self._now.execute(_LAST_LINE)
        return int(line)


class SqliteTarget(_Rows):
    """A new file, which has its name once it is whole, or a whole one, to which nothing is written."""

    def __init__(self, connection: apsw.Connection, begun: Path, path: Path) -> None:
        super().__init__(connection)
        self._begun = begun
        self._path = path

    async def standing(self) -> Standing:
        if not self._connection.table_exists("main", "copying"):
            return Standing(None, holds_anything=self._begun == self._path)
        [(store,)] = self._connection.execute("SELECT store FROM copying")
        return Standing(store, holds_anything=True)

    async def begin(self, store: str) -> None:
        with self._connection:
            self._connection.execute("CREATE TABLE copying (store TEXT NOT NULL) STRICT")
            self._connection.execute("INSERT INTO copying VALUES (?)", (store,))

    async def replace(self, table: Table, span: Span, rows: Sequence[Record]) -> None:
        names, places = ", ".join(table.columns), ", ".join("?" * len(table.columns))
        with self._connection:
            self._connection.execute(*removal(table, span, _place))
            self._connection.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({places})", rows)  # noqa: S608
        self._connection.wal_checkpoint()

    async def count_again(self) -> None:
        with self._connection:
            self._connection.execute(_COUNT_AGAIN)

    async def finish(self) -> None:
        self._connection.execute("DROP TABLE copying")
        self._connection.pragma("journal_mode", "DELETE")  # all of it is in the one file then
        self._connection.close()
        try:
            os.link(self._begun, self._path)  # which never takes the place of a file that is there
        except FileExistsError:
            raise Conflict(f"{self._path} was made by somebody else meanwhile. Name another file.") from None
        _remove(self._begun)


@contextmanager
def open_source(given: Path) -> Iterator[SqliteSource]:
    """Read a file in one state.

    Raises:
        Unavailable: there is none, it cannot be read, or it has not this version's schema.
    """
    if not schema_of(given):
        raise Unavailable(f"{given} does not exist yet, so there is nothing to copy.")
    with (
        as_unavailable(given),
        closing(_opened(given)) as connection,
        closing(open_to_look(given)) as now,
    ):
        connection.execute("BEGIN")
        yield SqliteSource(connection, now)


@contextmanager
def open_target(given: Path) -> Iterator[SqliteTarget]:
    """Write a new file, or go on with one; one that is whole already is only read.

    Raises:
        Unavailable: it cannot be written.
        Conflict: another copy into it runs, or an empty database has its name.
    """
    with as_unavailable(given):
        path = real_path(given)
        if path.exists():
            with closing(_opened(path)) as connection:
                if connection.execute("SELECT 1 FROM projects").fetchone() is None:
                    raise Conflict(f"{given} exists already, although it holds nothing. Remove it first.")
                yield SqliteTarget(connection, path, path)
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun = path.with_name(f"{path.name}.copying")
        os.close(os.open(begun, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(connect(begun)) as connection, closing(Turnstile(begun)) as turnstile:
            _have_alone(connection, begun)
            bring_up_to_date(connection, turnstile, begun, threading.Event())
            yield SqliteTarget(connection, begun, path)


def _opened(path: Path) -> apsw.Connection:
    """A connection that only reads a file of this version's schema."""
    connection = open_to_look(path)
    if not is_current(connection):
        connection.close()
        raise Unavailable(f"{path} has an older schema. Run `voucher-mcp migrate` first.")
    return connection


def _have_alone(connection: apsw.Connection, path: Path) -> None:
    """Raises Conflict where somebody else has the file open."""
    connection.pragma("locking_mode", "EXCLUSIVE")
    try:
        connection.execute("BEGIN EXCLUSIVE; COMMIT")
    except apsw.BusyError:
        raise Conflict(f"{path} is in use: another copy into it runs. Wait for its end.") from None


def _remove(begun: Path) -> None:
    for rest in ("", *_BESIDE):
        begun.with_name(f"{begun.name}{rest}").unlink(missing_ok=True)


def _place(number: int) -> str:
    return f"?{number}"
