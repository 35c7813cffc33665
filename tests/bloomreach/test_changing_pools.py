"""Lists and exports of a pool that changes while it is read: nothing is lost, and nothing comes twice."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.backends.agent import Agent
from tests.bloomreach.conftest import backend_of
from tests.standins.bloomreach import Code, StandIn, Status
from tests.standins.bloomreach.accounts import Pool
from tests.support import held
from voucher_mcp.domain.errors import Unavailable

Change = Callable[[Pool], None]
Export = Callable[..., AsyncIterator[str]]


@pytest.fixture
def large(bloomreach: StandIn, shop: str) -> str:
    """The id of a pool of 2,500 codes."""
    return bloomreach.data.add_pool(shop, "Large", 2_500)


@pytest.fixture
async def export(bloomreach: StandIn, large: str) -> AsyncIterator[Export]:
    """Exports the pool: the texts of its codes."""
    async with held(backend_of(bloomreach, token=bloomreach.sign_in.issue())) as backend:

        async def texts(status: str | None = None) -> AsyncIterator[str]:
            async for batch in backend.export_codes(large, status):
                for code in batch:
                    yield code["code"]

        yield texts


def remove(*positions: int) -> Change:
    def change(pool: Pool) -> None:
        for position in sorted(positions, reverse=True):
            del pool.codes[position]

    return change


def insert(position: int, code: str) -> Change:
    return lambda pool: pool.codes.insert(position, Code(code))


def move(source: int, target: int) -> Change:
    return lambda pool: pool.codes.insert(target, pool.codes.pop(source))


def swap(one: int, other: int) -> Change:
    def change(pool: Pool) -> None:
        pool.codes[one], pool.codes[other] = pool.codes[other], pool.codes[one]

    return change


CHANGES: dict[str, Change] = {
    "a code of the first page is deleted": remove(7),
    "the code at the seam is deleted": remove(999),
    "two codes are deleted": remove(3, 1_500),
    "a code is added at the front": insert(0, "NEW"),
    "a code is added at the end": lambda pool: pool.codes.append(Code("NEW")),
    "a code moves from the last page to the first": move(2_400, 5),
    "a code moves from the first page to the last": move(5, 2_400),
    "codes of two pages change places": swap(5, 2_400),
    "the code at the seam changes places": swap(999, 2_400),
    "the order is turned round": lambda pool: pool.codes.reverse(),
    "many codes are added at the front": lambda pool: pool.codes.__setitem__(
        slice(0, 0), [Code(f"NEW-{number}") for number in range(1_200)]
    ),
}


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("change", CHANGES)
async def test_an_export_has_every_code_that_stayed_and_none_twice(
    bloomreach: StandIn,
    shop: str,
    large: str,
    export: Export,
    change: str,
    counts: bool,
) -> None:
    bloomreach.tools.counts_matches = counts
    before = {code.code for code in bloomreach.data.pool(shop, large).codes}
    bloomreach.tools.meanwhile.append(CHANGES[change])
    got = [code async for code in export()]
    stayed = before & {code.code for code in bloomreach.data.pool(shop, large).codes}
    assert len(got) == len(set(got))
    assert stayed <= set(got)


async def test_a_pool_that_does_not_change_is_read_once(bloomreach: StandIn, export: Export) -> None:
    assert len([code async for code in export()]) == 2_500
    assert [call.tool for call in bloomreach.calls].count("list_voucher_codes") == 3


async def test_an_export_of_a_pool_that_changes_all_the_while_fails(
    bloomreach: StandIn, export: Export
) -> None:
    bloomreach.tools.meanwhile += [remove(0)] * 20
    with pytest.raises(Unavailable, match="changed") as caught:
        [code async for code in export()]
    assert (caught.value.retryable, caught.value.applied) == (True, "no")
    bloomreach.tools.meanwhile.clear()
    assert len([code async for code in export()]) < 2_500


async def test_a_filtered_list_starts_over_once_and_then_says_that_it_could_not_be_read(
    agent: Agent, bloomreach: StandIn, large: str
) -> None:
    bloomreach.tools.meanwhile.append(remove(0))
    answer = await agent.ok("list_voucher_codes", pool_id=large, status="available", skip=2_490, count=20)
    assert (len(answer["data"]), answer["matched"], answer["matched_limited"]) == (10, 2_500, False)
    bloomreach.tools.meanwhile += [remove(0)] * 20
    refusal = await agent.refused("unavailable", "list_voucher_codes", pool_id=large, status="available")
    assert refusal["retryable"] is True


async def test_a_code_that_was_looked_for_beyond_a_change_is_found(
    agent: Agent, bloomreach: StandIn, large: str
) -> None:
    bloomreach.tools.meanwhile.append(remove(0))
    assert await agent.texts(large, code_ids=["LARGE-001000"]) == ["LARGE-001000"]  # first after the seam


async def test_a_page_that_takes_too_long_is_asked_in_smaller_ones(
    agent: Agent, bloomreach: StandIn, large: str
) -> None:
    await agent.ok("list_voucher_pools")
    bloomreach.fail(Status(408), tool="list_voucher_codes", times=2)  # the call, and once more
    answer = await agent.ok("list_voucher_codes", pool_id=large, skip=100, count=50)
    assert [code["code"] for code in answer["data"]] == [f"LARGE-{number:06d}" for number in range(100, 150)]
    assert (answer["matched"], answer["skip"], answer["limit"]) == (2_500, 100, 50)
    asked = [call.arguments["count"] for call in bloomreach.calls if call.tool == "list_voucher_codes"]
    assert max(asked) == 25
    bloomreach.fail(Status(408), tool="list_voucher_codes", times=100)
    await agent.refused("unavailable", "list_voucher_codes", pool_id=large, count=20)
