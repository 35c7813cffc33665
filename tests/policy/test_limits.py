"""The operator's limits: exactly at one a call passes, beyond it nothing happens."""

from pathlib import Path
from typing import Any

import pytest

from tests.databases.database import Database
from tests.policy.conftest import Account
from tests.policy.minting import (
    AMOUNTS,
    CODES,
    GIFT,
    POINTED,
    SHOP,
    attempt,
    contents,
    limited,
    stock,
)
from tests.policy.state import minted, outcomes
from tests.policy.vendor import FlakyBackend
from tests.protocol.clients import connect, done, local, refused, settings
from tests.protocol.contract import CARD, POOL, TRAITS
from tests.support import TEN_PERCENT


@pytest.mark.parametrize("limit", ["max_amount_per_call", "max_amount_per_day"])
@pytest.mark.parametrize("case", AMOUNTS)
async def test_an_amount_passes_at_the_limit_and_not_beyond(case: str, limit: str, either: Database) -> None:
    tool, arguments, amount = AMOUNTS[case]
    await stock(either)
    spent = minted(either)[0] if limit == "max_amount_per_day" else 0
    before = contents(either)
    for dry_run in (True, False):
        if dry_run or TRAITS[tool].journalled:
            envelope = await attempt(
                either, tool, {**arguments, "dry_run": dry_run}, **{limit: spent + amount - 1}
            )
            assert (envelope.get("error_code"), envelope.get("applied")) == ("limit_exceeded", "no"), envelope
            assert limit in envelope["error"]
            assert f"{amount:,}" in envelope["error"]
            left = amount - 1
            assert f"{left:,}" in envelope["error"]
    assert contents(either) == before
    assert outcomes(either)[-1] == (tool, "limit_exceeded")
    passed = await attempt(either, tool, arguments, **{limit: spent + amount})
    assert passed["success"], passed
    assert minted(either)[0] - before["minted"][0][2] == amount


@pytest.mark.parametrize("case", POINTED)
async def test_points_have_a_limit_of_their_own(case: str, either: Database) -> None:
    tool, arguments = POINTED[case]
    await stock(either)
    before = contents(either)
    envelope = await attempt(either, tool, arguments, max_points_per_day=999)  # 500 are spent
    assert envelope["error_code"] == "limit_exceeded"
    for said in ("500 points", "max_points_per_day is 999", "499 are left"):
        assert said in envelope["error"]
    assert contents(either) == before
    none = {"max_amount_per_call": 0, "max_amount_per_day": 0}  # which points are not held against
    passed = await attempt(either, tool, arguments, max_points_per_day=1_000, **none)
    assert passed["success"], passed
    assert minted(either)[1] == 1_000


@pytest.mark.parametrize("tool", CODES)
async def test_a_call_touches_no_more_codes_than_it_may(tool: str, either: Database) -> None:
    await stock(either)
    before = contents(either)
    envelope = await attempt(either, tool, CODES[tool], max_codes_per_call=2)
    assert (envelope["error_code"], envelope["applied"]) == ("limit_exceeded", "no")
    for said in ("touch 3 codes", "max_codes_per_call is 2", "Only the operator can raise"):
        assert said in envelope["error"]
    assert contents(either) == before
    assert (await attempt(either, tool, CODES[tool], max_codes_per_call=3))["success"]


async def test_the_codes_of_a_pool_that_a_bulk_update_names_are_counted(either: Database) -> None:
    await stock(either)
    call = {"pool_id": POOL, "metadata": {"a": 1}}
    envelope = await attempt(either, "update_vouchers_metadata_in_bulk", call, max_codes_per_call=2)
    assert envelope["error_code"] == "limit_exceeded"
    assert (await attempt(either, "update_vouchers_metadata_in_bulk", call, max_codes_per_call=1_000))[
        "success"
    ]


async def test_every_tool_that_takes_several_codes_is_among_these(either: Database) -> None:
    async with connect(settings(either)) as client:
        tools = (await client.list_tools()).tools
    plural = {"codes", "code_ids", "vouchers", "redeemables", "csv", "generate"}
    found = {
        tool.name
        for tool in tools
        if plural & tool.input_schema["properties"].keys()
        and (TRAITS[tool.name].writes or TRAITS[tool.name].reserves)
    }
    assert found | {"delete_voucher_pool"} == CODES.keys()


async def test_what_mints_nothing_passes_a_limit_of_nothing(either: Database) -> None:
    await stock(either)
    nothing = {"max_amount_per_call": 0, "max_amount_per_day": 0, "max_points_per_day": 0}
    async with connect(limited(either, **nothing)) as client:
        await done(client, "create_voucher", **SHOP, code="D", discount={"type": "AMOUNT", "amount_off": 9})
        await done(client, "create_voucher_pool", **SHOP, name="N", voucher=GIFT)
        await done(client, "update_voucher_balance", **SHOP, code=CARD, amount=-100, idempotency_key="1")
        await done(
            client, "assign_voucher_code", **SHOP, pool_id=POOL, customer_id="bob", idempotency_key="2"
        )
        redeemed = await done(
            client,
            "redeem_vouchers",
            **SHOP,
            redeemables=[{"object": "voucher", "id": CARD, "gift": {"credits": 100}}],
            order={"amount": 500},
            idempotency_key="3",
        )
        given_back = redeemed["data"]["redemptions"][0]["id"]
        await done(client, "rollback_redemption", **SHOP, redemption_id=given_back)


async def test_a_projects_own_limit_stands_instead_of_the_one_for_all(either: Database) -> None:
    projects = {
        "shop": local(either, limits={"max_amount_per_call": 900}),
        "other": local(either, limits={"max_codes_per_call": 1}),
    }
    configured = settings(either, projects=projects, limits={"max_amount_per_call": 100})
    async with connect(configured) as client:
        for project, most in (("shop", 900), ("other", 100)):
            card: dict[str, Any] = {"project_id": project, "code": "X"}
            beyond = {"amount": most + 1}
            await refused(client, "limit_exceeded", "create_voucher", **card, gift=beyond)
            await done(client, "create_voucher", **card, gift={"amount": most})
        codes: dict[str, Any] = {"name": "N", "voucher": TEN_PERCENT, "codes": ["A", "B"]}
        await done(client, "create_voucher_pool", project_id="shop", **codes)
        await refused(client, "limit_exceeded", "create_voucher_pool", project_id="other", **codes)


async def test_a_pool_of_which_nobody_knows_how_many_codes_it_has_is_not_deleted_within_a_limit(
    account: Account[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FlakyBackend, "_count", lambda _: {"total": None, "available": None})
    deletion: dict[str, Any] = {**SHOP, "pool_id": POOL}
    async with connect(account.settings(limits={"max_codes_per_call": 1_000})) as client:
        for dry_run in (True, False):
            envelope = await refused(
                client, "limit_exceeded", "delete_voucher_pool", **deletion, dry_run=dry_run
            )
            assert "max_codes_per_call" in envelope["error"]
    assert account.vendor.effects == []
    async with connect(account.settings(limits={"max_amount_per_call": 0})) as client:
        await done(client, "delete_voucher_pool", **deletion)
