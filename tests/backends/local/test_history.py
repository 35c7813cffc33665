"""Whatever happens to a pool, its pages and counts are those of a plain list of codes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import anyio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.databases.counters import assert_counters_equal_rows
from tests.databases.database import Database, open_store
from tests.support import TEN_PERCENT, held, new_key, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import InvalidInput, PoolExhausted
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest
from voucher_mcp.domain.vouchers.code_config import CodeConfig
from voucher_mcp.domain.vouchers.pool import CodesQuery, Generation, NewCode
from voucher_mcp.stores.sqlite import codes

Step = tuple[str, int, Any]
"""What happens, to which of the two pools, and with what."""


@dataclass
class Model:
    """A pool as a plain list: [code, status] in the order of adding; a deleted code is not in it."""

    name: str
    codes: list[list[str]] = field(default_factory=list)

    def texts(self, *statuses: str) -> list[str]:
        return [code for code, status in self.codes if not statuses or status in statuses]

    def find(self, text: str) -> list[str]:
        return next(entry for entry in self.codes if entry[0] == text)


def steps() -> st.SearchStrategy[Step]:
    texts = st.lists(st.sampled_from([f"C{number:02d}" for number in range(40)]), max_size=12)
    positions = st.lists(st.integers(0, 99), min_size=1, max_size=6)
    pool = st.integers(0, 1)
    return st.one_of(
        st.tuples(st.just("add"), pool, texts),
        st.tuples(st.just("generate"), pool, st.integers(1, 9)),
        st.tuples(st.just("assign"), pool, st.integers(1, 4)),
        st.tuples(st.just("redeem"), pool, positions),
        st.tuples(st.just("delete"), pool, positions),
        st.tuples(st.just("delete_foreign"), pool, positions),
    )


class History:
    """Plays steps on the engine and on the models side by side."""

    def __init__(self, database: Database, engine: LocalBackend) -> None:
        self.database = database
        self.engine = engine
        self.pools = (Model(new_key()), Model(new_key()))
        self.taken: set[str] = set()

    async def play(self, history: list[Step]) -> None:
        for pool in self.pools:
            await self.engine.create_voucher_pool(warrant(), pool.name, TEN_PERCENT, [])
        for name, which, what in history:
            await getattr(self, name)(self.pools[which], what)
        for pool in self.pools:
            await self.compare(pool)
        assert_counters_equal_rows(self.database)

    async def add(self, pool: Model, texts: list[str]) -> None:
        # of this history's own, so that those before it did not take them
        wanted = [NewCode(self.pools[0].name + text) for text in texts]
        answer = await self.engine.add_voucher_codes(warrant(), pool.name, wanted)
        for code, fate in zip(wanted, answer.data, strict=True):
            new = code.value not in self.taken
            assert fate["result"] == ("added" if new else "duplicate")
            self.taken.add(code.value)
            pool.codes += [[code.value, "available"]] if new else []

    async def generate(self, pool: Model, count: int) -> None:
        form = CodeConfig(length=3, charset="0123456789", prefix=self.pools[0].name)
        answer = await self.engine.add_voucher_codes(warrant(), pool.name, Generation(count, form))
        made = [fate["code"] for fate in answer.data]
        assert len(set(made)) == count
        assert not self.taken & set(made)
        self.taken |= set(made)
        pool.codes += [[code, "available"] for code in made]

    async def assign(self, pool: Model, times: int) -> None:
        for _ in range(times):
            free = pool.texts("available")
            try:
                answer = await self.engine.assign_voucher_code(warrant(), pool.name, "alice")
            except PoolExhausted:
                assert not free
            else:
                assert answer.data["code"] == free[0]
                pool.find(free[0])[1] = "assigned"

    async def redeem(self, pool: Model, positions: list[int]) -> None:
        for text in chosen(pool.texts("available", "assigned"), positions):
            request = RedemptionRequest([Redeemable(text)], None)
            await self.engine.redeem_vouchers(warrant(), request, "concise")
            pool.find(text)[1] = "redeemed"

    async def delete(self, pool: Model, positions: list[int]) -> None:
        if texts := chosen(pool.texts(), positions):
            answer = await self.engine.delete_voucher_codes(warrant(), pool.name, texts)
            assert answer.data["deleted"] == len(texts)
            pool.codes = [entry for entry in pool.codes if entry[0] not in texts]

    async def delete_foreign(self, pool: Model, positions: list[int]) -> None:
        """One code of the other pool among one's own: nothing happens."""
        other = self.pools[pool is self.pools[0]]
        foreign = chosen(other.texts(), positions)[:1] or ["NONE"]
        try:
            await self.engine.delete_voucher_codes(
                warrant(), pool.name, chosen(pool.texts(), positions) + foreign
            )
        except InvalidInput:
            return
        raise AssertionError("deleted a code of another pool")

    async def compare(self, pool: Model) -> None:
        shown = (await self.engine.get_voucher_pool(pool.name)).data
        assert (shown["total"], shown["available"]) == (len(pool.codes), len(pool.texts("available")))
        for status in (None, "available", "assigned", "redeemed"):
            expected = [tuple(entry) for entry in pool.codes if status in (None, entry[1])]
            for skip, count in pages(len(expected)):
                query = CodesQuery(skip, count, status)
                answer = await self.engine.list_voucher_codes(pool.name, query)
                page = [(code["code"], code["status"]) for code in answer.data]
                assert page == expected[skip : skip + count]
                assert answer.beside["matched"] == len(expected)
            batches = [batch async for batch in self.engine.export_codes(pool.name, status)]
            assert [code["code"] for batch in batches for code in batch] == [code for code, _ in expected]


def chosen(texts: list[str], positions: list[int]) -> list[str]:
    """The texts at these positions, counted round and round, each once."""
    return list(dict.fromkeys(texts[position % len(texts)] for position in positions)) if texts else []


def pages(length: int) -> Iterator[tuple[int, int]]:
    """Pages of three from every start, beyond the end too, and all at once."""
    yield from ((skip, 3) for skip in range(length + 2))
    yield 0, 1_000


def in_one_loop(database: Database, work: Callable[[LocalBackend], Any]) -> None:
    async def run() -> None:
        async with held(open_store(database)) as store:
            await work(LocalBackend("shop", store))

    anyio.run(run)


TWELVE = [f"C{number:02d}" for number in range(12)]


@settings(max_examples=60)
@given(history=st.lists(steps(), max_size=14))
@example(history=[("add", 0, TWELVE), ("delete", 0, [0, 1, 2, 3]), ("add", 0, ["C20"])])
@example(history=[("add", 0, ["C00", "C01"]), ("add", 1, ["C00"]), ("add", 0, ["C02", "C03", "C04", "C05"])])
def test_pages_and_counts_are_those_of_a_plain_list(database: Database, history: list[Step]) -> None:
    if database.dialect == "postgres":
        # shortly before the end of a block, which has 8192
        database.rows("SELECT setval('vouchers_n', ((nextval('vouchers_n') + 12 >> 13) + 1) * 8192 - 12)")
    with mock.patch.object(
        codes, "BLOCK_SIZE", 4
    ):  # in a file a history of a few codes then fills many blocks
        in_one_loop(database, lambda engine: History(database, engine).play(history))
