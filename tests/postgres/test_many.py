"""What is written for many rows goes to the server together, and as a whole or not at all."""

import re
from typing import Any

import asyncpg
import pytest

from tests.databases.postgres import PostgresDatabase
from tests.engine.conftest import warrant
from tests.engine.job_support import ended, open_backend
from tests.support import TEN_PERCENT
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import Conflict
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import Transaction

_ASKING = ("execute", "executemany", "fetch", "fetchrow", "fetchval")
_WRITING = re.compile(r"(UPDATE|DELETE FROM|INSERT INTO) (vouchers|holders|holdings|sessions|code_moves)\b")


class Asked:
    """How often a server was asked to write something of vouchers."""

    count = 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    for name in _ASKING:
        ask = getattr(asyncpg.Connection, name)

        async def counted(self: Any, text: str, *arguments: Any, ask: Any = ask, **named: Any) -> Any:
            asked.count += _WRITING.search(text) is not None
            return await ask(self, text, *arguments, **named)

        monkeypatch.setattr(asyncpg.Connection, name, counted)
    return asked


async def pool_of(backend: LocalBackend, name: str, size: int) -> list[str]:
    codes = [f"{name}-{number}" for number in range(size)]
    await backend.create_voucher_pool(warrant(), name, TEN_PERCENT, [NewCode(code) for code in codes])
    return codes


async def test_deleting_many_codes_asks_the_server_no_more_often_than_deleting_a_few(
    database: PostgresDatabase, asked: Asked
) -> None:
    counts = []
    async with open_backend(database) as backend:
        for name, size in (("few", 3), ("many", 300)):
            codes = await pool_of(backend, name, size)
            asked.count = 0
            await backend.delete_voucher_codes(warrant(), name, codes)
            counts.append(asked.count)
    assert counts[0] == counts[1] > 0
    assert database.rows("SELECT DISTINCT status FROM vouchers") == [(3,)]


async def test_changing_many_vouchers_asks_the_server_no_more_often_than_changing_a_few(
    database: PostgresDatabase, asked: Asked
) -> None:
    counts = []
    async with open_backend(database) as backend:
        for size in (2, 200):
            codes = await pool_of(backend, f"P{size}", size)
            asked.count = 0
            changes = [{"code": code, "metadata": {"size": size}} for code in codes]
            job = (await backend.update_vouchers_in_bulk(warrant(), changes)).data["async_action_id"]
            assert (await ended(backend, job))["result"]["done_count"] == size
            counts.append(asked.count)
    assert counts == [1, 1]
    assert database.rows("SELECT count(*), metadata FROM vouchers GROUP BY metadata ORDER BY 1") == [
        (2, '{"size":2}'),
        (200, '{"size":200}'),
    ]


async def test_where_one_of_many_was_overtaken_none_is_written(database: PostgresDatabase) -> None:
    async with open_backend(database) as backend:
        await pool_of(backend, "pool", 3)
        rows = database.rows("SELECT n, version FROM vouchers ORDER BY n")
        before = database.dump()["vouchers"]

        async def work(transaction: Transaction) -> None:
            seen = [(n, version + (n == rows[1][0])) for n, version in rows]
            values = [(1, n, None, True, None, None, "{}", 0, version) for n, version in seen]
            await transaction.many("voucher_set", values, overtakes="The voucher")

        with pytest.raises(Conflict, match="The voucher was changed by someone else") as failure:
            await backend.store.write(work)
    assert failure.value.retryable
    assert database.dump()["vouchers"] == before
