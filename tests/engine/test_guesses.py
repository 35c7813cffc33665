"""Guesses at neighbouring codes: counted where calls fail, told of by the health of the pool."""

import random
from collections.abc import Collection
from itertools import cycle

import anyio
import pytest

from tests.databases.database import Database, open_store
from tests.engine.conftest import PROJECT, Agent, open_agent, open_engine, warrant
from tests.support import TEN_PERCENT
from voucher_mcp.backends.local import guesses
from voucher_mcp.backends.local.guesses import Guesses
from voucher_mcp.domain.errors import Unavailable
from voucher_mcp.domain.health.guesses import LEAST, MOST_USES, conspicuous
from voucher_mcp.domain.health.guesses import Guesses as Counted
from voucher_mcp.domain.values.times import DAY, now
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.stores.base import T, Work
from voucher_mcp.stores.housekeeping import GUESSES_KEPT, Housekeeping

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses are counted as soon as there are any."""
    monkeypatch.setattr(guesses, "MOMENT", 0.0)


async def look_up(agent: Agent, code: str) -> None:
    await agent.refused("not_found", "get_voucher", code=code)


async def validate(agent: Agent, code: str) -> None:
    shown = await agent.data("validate_vouchers", redeemables=[{"object": "voucher", "id": code}])
    assert shown["valid"] is False


async def reserve(agent: Agent, code: str) -> None:
    redeemables = [{"object": "voucher", "id": code}]
    shown = await agent.data("validate_vouchers", redeemables=redeemables, session={"type": "LOCK"})
    assert shown["valid"] is False


async def redeem(agent: Agent, code: str) -> None:
    await agent.refused("not_found", "redeem_vouchers", redeemables=[{"object": "voucher", "id": code}])


async def rehearse(agent: Agent, code: str) -> None:
    redeemables = [{"object": "voucher", "id": code}]
    await agent.refused("not_found", "redeem_vouchers", redeemables=redeemables, dry_run=True)


async def counted(database: Database, number: int) -> None:
    """Wait until so many guesses are counted."""
    with anyio.fail_after(10):
        while (found := sum(n for (n,) in database.rows("SELECT guesses FROM pool_guesses"))) != number:
            assert found < number
            await anyio.sleep(0.002)


async def warnings(agent: Agent) -> dict[str, str]:
    (pool,) = await agent.data("get_pool_health")
    return {warning["kind"]: warning["text"] for warning in pool["warnings"]}


@pytest.fixture
async def pool(agent: Agent) -> str:
    """A pool with one code, of which none was used."""
    made = await agent.data("create_voucher_pool", name="Summer", codes=["SUMMER-7KQ2", "SUMMER-9ABC"])
    return str(made["id"])


async def test_many_codes_tried_beside_those_of_a_pool_are_told_of(
    agent: Agent, pool: str, database: Database
) -> None:
    tried = [f"SUMMER-{number:04}" for number in range(LEAST)]
    attempts = cycle((look_up, validate, reserve, redeem, rehearse))
    for code in tried[1:]:
        await next(attempts)(agent, code)
    await counted(database, LEAST - 1)
    assert "guesses" not in await warnings(agent)
    await next(attempts)(agent, tried[0])
    await counted(database, LEAST)
    text = (await warnings(agent))["guesses"]
    assert f"{LEAST} texts" in text
    assert not [code for code in tried if code in str(database.dump()) + text], "what was tried is not kept"


async def test_of_a_stack_only_what_does_not_exist_counts(
    agent: Agent, pool: str, database: Database
) -> None:
    stack = [{"object": "voucher", "id": code} for code in ("SUMMER-7KQ2", "SUMMER-7KQ3", "SUMMER-9ABC")]
    await agent.refused("not_found", "redeem_vouchers", redeemables=stack)
    await counted(database, 1)
    await look_up(agent, "SUMMER-0000")
    await counted(database, 2)


async def test_what_reads_otherwise_or_was_a_code_once_is_no_guess(
    agent: Agent, pool: str, database: Database
) -> None:
    gone = ["SUMMER-GONE", "SUMMER-FREE"]
    await agent.ok("add_voucher_codes", pool_id=pool, codes=gone)
    await agent.ok(
        "create_voucher", code="WINTER-LONE", type="DISCOUNT_VOUCHER", discount=TEN_PERCENT["discount"]
    )
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=gone[:1])
    await agent.ok("delete_voucher_codes", pool_id=pool, code_ids=gone[1:], force=True)
    others = ("SUMMER-7KQ", "SUMMER-7KQ22", "SUNMER-7KQ2", "7KQ2-SUMMER", "A", "v_0123456789", "WINTER-LOOO")
    for code in (*gone, *others, "X" * 500, "夏" * 11):
        await look_up(agent, code)
    await look_up(agent, "SUMMER-LAST")
    await counted(database, 1)


async def test_customers_with_typing_errors_are_not_taken_for_guessers(
    agent: Agent, database: Database
) -> None:
    """One in four types the code wrong, in one place, half of these twice, before it is right."""
    chance = random.Random(14)
    codes = ["S" + "".join(chance.choices(LETTERS, k=7)) for _ in range(120)]
    await agent.ok("create_voucher_pool", name="Summer", codes=codes)
    wrong: set[str] = set()
    for code in codes:
        errors = chance.choices((0, 1, 2), (6, 1, 1))[0]
        for _ in range(errors):
            at = chance.randrange(len(code))
            typed = code[:at] + chance.choice(LETTERS) + code[at + 1 :]
            if typed not in codes and typed not in wrong:
                await (validate if chance.random() < 0.5 else redeem)(agent, typed)
                wrong.add(typed)
        await agent.ok("redeem_vouchers", redeemables=[{"object": "voucher", "id": code}])
    like = [typed for typed in wrong if any(typed[:4] == code[:4] for code in codes)]
    assert len(like) >= 10, "or there is nothing to tell apart"
    await counted(database, len(like))
    for number in range(LEAST):  # so that there are enough of them
        await look_up(agent, codes[0][:-2] + f"{number:02}".translate(str.maketrans("01", "OI")))
    await counted(database, len(like) + LEAST)
    assert "guesses" not in await warnings(agent)


def test_more_than_one_guess_for_two_uses_is_conspicuous() -> None:
    assert not conspicuous(Counted(1, LEAST - 1, 0))
    assert conspicuous(Counted(1, LEAST, 0))
    assert not conspicuous(Counted(1, 500, 1_000))
    assert conspicuous(Counted(1, 501, 1_000))
    assert conspicuous(Counted(1, MOST_USES, MOST_USES)), "however much it is used"


async def test_codes_that_each_are_used_often_make_room_for_errors(agent: Agent, database: Database) -> None:
    often = {**TEN_PERCENT, "redemption": {"quantity": 1_000}}
    await agent.ok("create_voucher_pool", name="Ten", voucher=often, codes=["INFLUENCER10"])
    for number in range(LEAST):
        await validate(agent, f"INFLUENCER{number + 20}")
    await counted(database, LEAST)
    for _ in range(2 * LEAST - 1):
        await agent.ok("redeem_vouchers", redeemables=[{"object": "voucher", "id": "INFLUENCER10"}])
    assert "guesses" in await warnings(agent)
    await agent.ok("redeem_vouchers", redeemables=[{"object": "voucher", "id": "INFLUENCER10"}])
    assert "guesses" not in await warnings(agent)


async def test_where_nothing_may_be_written_nothing_is_counted(
    agent: Agent, pool: str, database: Database
) -> None:
    async with open_agent(database, access="read") as reader:
        for number in range(LEAST):
            await look_up(reader, f"SUMMER-{number:04}")
    assert database.rows("SELECT * FROM pool_guesses") == []


async def test_a_flood_of_guesses_is_one_small_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "MOMENT", 3_600.0)
    async with open_engine(database) as engine, anyio.create_task_group() as tasks:
        for name in ("A", "B"):
            codes = [NewCode(f"{name}-CODE-00000")]
            await engine.create_voucher_pool(warrant(), name, TEN_PERCENT, codes)
        writes = 0
        write = engine.store.write

        async def counting(work: Work[T], *, kept: bool = True) -> T:
            nonlocal writes
            writes += 1
            return await write(work, kept=kept)

        monkeypatch.setattr(engine.store, "write", counting)
        flood = Guesses(PROJECT, engine.store)
        for number in range(1, 10_000):
            flood.note([f"{'AB'[number % 2]}-CODE-{number:05}"])
        tasks.start_soon(flood.run)
        await counted(database, guesses.MOST_AT_ONCE)
        for number in range(10_000, 20_000):
            flood.note([f"A-CODE-{number:05}"])
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        assert (writes, len(flood._texts)) == (1, guesses.MOST_AT_ONCE)
        assert len(database.rows("SELECT * FROM pool_guesses")) == 2
        tasks.cancel_scope.cancel()


async def test_a_count_that_fails_is_forgotten_and_the_next_one_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_engine(database) as engine, anyio.create_task_group() as tasks:
        await engine.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, [NewCode("SUMMER-7KQ2")])
        write, failed = engine.store.write, anyio.Event()

        async def once(work: Work[T], *, kept: bool = True) -> T:
            if not failed.is_set():
                failed.set()
                raise Unavailable("The disk is full.")
            return await write(work, kept=kept)

        monkeypatch.setattr(engine.store, "write", once)
        noted = Guesses(PROJECT, engine.store)
        tasks.start_soon(noted.run)
        noted.note(["SUMMER-0000"])
        await failed.wait()
        noted.note(["SUMMER-0001", "SUMMER-0002"])
        await counted(database, 2)
        tasks.cancel_scope.cancel()


async def test_counts_of_long_ago_are_forgotten(agent: Agent, pool: str, database: Database) -> None:
    today = now() // DAY
    kept: Collection[int] = (today, today - GUESSES_KEPT)
    for day in (*kept, today - GUESSES_KEPT - 1):
        database.rows("INSERT INTO pool_guesses (project, day, pool, guesses) VALUES (1, ?, 1, 5)", day)
    async with open_store(database) as store:
        await Housekeeping(store, audit_days=365)._clear()
    assert {day for (day,) in database.rows("SELECT day FROM pool_guesses")} == set(kept)
