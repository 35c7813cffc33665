"""Lists that change while they are read: nothing is lost, nothing comes twice, and nobody is lied to."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.backends.agent import Agent, Envelope
from tests.standins.voucherify import Request, StandIn
from tests.standins.voucherify.vouchers import remove
from tests.support import held
from tests.voucherify.conftest import PROJECT
from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import Unavailable

Change = Callable[[int], object]
"""What somebody does after the page of that number; the first is 1."""


def names(count: int, word: str = "CODE") -> list[str]:
    return [f"{word}-{number:05d}" for number in range(count)]


def between_pages(shop: StandIn, path: str, change: Change) -> None:
    """Let somebody change the project after each page that was read of a list."""
    pages = 0

    def after(request: Request, body: Any) -> Any:
        nonlocal pages
        if request.method == "GET" and request.path == path:
            pages += 1
            change(pages)
        return body

    shop.decorate(after)


def delete(shop: StandIn, code: str) -> None:
    if code in shop.state.vouchers:
        remove(shop.state, shop.state.voucher(code), force=False)


def texts(answer: Envelope) -> list[str]:
    return [code["code"] for code in answer["data"]]


def expect_moved(answer: Envelope) -> None:
    assert (answer["error_code"], answer["retryable"]) == ("unavailable", True)
    assert answer["data"] == []
    assert "changed" in answer["error"]


@pytest.fixture
async def adapter(shop: StandIn, tmp_path: Path) -> AsyncIterator[Backend]:
    """The backend itself, which a person's commands use."""
    table = {
        "backend": "voucherify",
        "base_url": shop.base_url,
        "app_id": shop.app_id,
        "app_token": shop.app_token,
    }
    whole = {"state": f"sqlite:///{tmp_path / 'adapter.db'}", "projects": {PROJECT: table}}
    async with held(open_backends(Settings.model_validate(whole))) as backends:
        yield await backends.get(PROJECT)


async def exported(adapter: Backend, pool: str) -> list[str]:
    return [code["code"] async for batch in adapter.export_codes(pool, None) for code in batch]


async def test_a_code_deleted_between_two_pages_hides_no_other(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", names(250))
    between_pages(shop, "/v1/vouchers", lambda page: delete(shop, "CODE-00003"))
    answer = await agent.ok("list_voucher_codes", pool_id=pool, count=1_000)
    assert texts(answer) == [name for name in names(250) if name != "CODE-00003"]
    assert answer["matched"] == 249


async def test_a_code_that_comes_in_before_the_others_makes_none_come_twice(
    agent: Agent, shop: StandIn
) -> None:
    pool = shop.add_campaign("Summer", names(250))

    def add(page: int) -> None:
        if page == 2:
            early = shop.add_voucher("EARLY", campaign=pool)
            early["created_at"] = "2020-01-01T00:00:00.000Z"

    between_pages(shop, "/v1/vouchers", add)
    answer = await agent.ok("list_voucher_codes", pool_id=pool, count=1_000)
    assert texts(answer) == ["EARLY", *names(250)]


async def test_codes_that_come_in_at_the_end_are_no_reason_to_start_over(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", names(250))
    between_pages(shop, "/v1/vouchers", lambda page: shop.add_voucher(f"LATE-{page}", campaign=pool))
    answer = await agent.ok("list_voucher_codes", pool_id=pool, count=200)
    assert texts(answer) == names(200)
    assert sum(request.path == "/v1/vouchers" for request in shop.requests) == 3


async def test_a_list_that_never_stands_still_is_not_shown(agent: Agent, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", names(400))
    between_pages(shop, "/v1/vouchers", lambda page: delete(shop, names(400)[page]))
    expect_moved(await agent.call("list_voucher_codes", pool_id=pool, count=1_000))
    assert shop.state.vouchers.keys() >= {"CODE-00399"}


@pytest.mark.parametrize(
    "asked", [{"status": "available"}, {"status": "assigned"}, {"updated_after": 1_600_000_000}]
)
async def test_every_kind_of_list_is_checked(agent: Agent, shop: StandIn, asked: dict[str, Any]) -> None:
    pool = shop.add_campaign("Summer", names(250))
    shop.add_customer("ann", *(names(250) if asked == {"status": "assigned"} else []))
    between_pages(shop, "/v1/vouchers", lambda page: delete(shop, "CODE-00003"))
    answer = await agent.ok("list_voucher_codes", pool_id=pool, count=1_000, **asked)
    assert sorted(texts(answer)) == [name for name in names(250) if name != "CODE-00003"]


@pytest.mark.parametrize("total", [3, 7, 500])
async def test_a_total_that_is_not_what_was_listed_is_not_passed_on(
    agent: Agent, shop: StandIn, total: int
) -> None:
    pool = shop.add_campaign("Summer", names(5))
    shop.decorate(lambda request, body: {**body, "total": total} if "vouchers" in body else body)
    expect_moved(await agent.call("list_voucher_codes", pool_id=pool))


async def test_a_page_that_shows_one_code_twice_lacks_another_and_is_not_shown(
    agent: Agent, shop: StandIn
) -> None:
    pool = shop.add_campaign("Summer", names(5))

    def double(request: Request, body: Any) -> Any:
        return (
            {**body, "vouchers": [body["vouchers"][0], *body["vouchers"][:-1]]}
            if "vouchers" in body
            else body
        )

    shop.decorate(double)
    expect_moved(await agent.call("list_voucher_codes", pool_id=pool))


async def test_a_pool_deleted_between_two_pages_hides_no_other(agent: Agent, shop: StandIn) -> None:
    pools = [shop.add_campaign(name) for name in names(230, "POOL")]
    between_pages(shop, "/v1/campaigns", lambda page: shop.state.campaigns.pop(pools[5], None))
    rows = await agent.data("list_voucher_pools")
    assert [row["name"] for row in rows] == [name for name in names(230, "POOL") if name != "POOL-00005"]


async def test_an_export_starts_over_once_and_has_every_code_once(adapter: Backend, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", names(350))
    between_pages(shop, "/v1/vouchers", lambda page: delete(shop, "CODE-00003"))
    assert await exported(adapter, pool) == [name for name in names(350) if name != "CODE-00003"]


async def test_an_export_of_what_never_stands_still_gives_nothing(adapter: Backend, shop: StandIn) -> None:
    pool = shop.add_campaign("Summer", names(350))
    between_pages(shop, "/v1/vouchers", lambda page: delete(shop, names(400)[page]))
    with pytest.raises(Unavailable) as caught:
        await anext(aiter(adapter.export_codes(pool, None)))
    assert caught.value.retryable is True


def made(number: int) -> str:
    """The time at which the row of that number was made; five in each moment."""
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number // 5)).strftime(
        "%Y-%m-%dT%H:%M:%S.%f"
    )[:-3] + "Z"


def fill(kept: dict[str, Any], key: str, texts: list[str], word: str) -> None:
    """Many rows like the one that is there, each with a name and a time of its own."""
    (one,) = kept.values()
    kept.clear()
    for number, text in enumerate(texts):
        row = {**one, word: text, "id": f"{one['id']}-{number:05d}", "created_at": made(number)}
        kept[row[key]] = row


async def test_pools_beyond_ten_thousand_are_listed(agent: Agent, shop: StandIn) -> None:
    shop.add_campaign("First")
    every = names(10_250, "POOL")
    fill(shop.state.campaigns, "id", every, "name")
    for skip in (9_150, 9_950, 10_000, 10_240):
        answer = await agent.ok("list_voucher_pools", skip=skip)
        assert [row["name"] for row in answer["data"]] == every[skip : skip + 1_000]
        assert answer["has_more"] is (skip + 1_000 < 10_250)
    assert await agent.data("list_voucher_pools", skip=20_000) == []


async def test_what_is_beyond_is_not_made_up_where_the_vendor_passes_over_the_filter(
    agent: Agent, shop: StandIn
) -> None:
    shop.add_campaign("First")
    fill(shop.state.campaigns, "id", names(10_050, "POOL"), "name")
    shop.state.ignored_filters = {"created_date"}
    await agent.refused("upstream_error", "list_voucher_pools", skip=10_000)


async def test_codes_beyond_the_last_page_are_listed_and_exported(
    agent: Agent, adapter: Backend, shop: StandIn
) -> None:
    pool = shop.add_campaign("Summer", ["First"])
    every = names(10_020)
    fill(shop.state.vouchers, "code", every, "code")
    shop.state.campaigns[pool]["vouchers_count"] = len(every)
    answer = await agent.ok("list_voucher_codes", pool_id=pool, skip=9_850, count=100)
    assert texts(answer) == every[9_850:9_950]
    assert answer["matched"] == 10_020
    assert await exported(adapter, pool) == every
