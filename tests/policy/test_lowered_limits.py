"""A limit that the operator lowers holds for what is new; what was done already is answered as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.databases.database import Database
from tests.policy.conftest import Account
from tests.policy.minting import SHOP, attempt, stock
from tests.policy.state import keys, minted
from tests.protocol.clients import Envelope, call, connect
from tests.protocol.contract import CARD

TOP_UP: Mapping[str, Any] = {"code": CARD, "amount": 100, "idempotency_key": "top-up"}
LOWERED = [{"max_amount_per_call": 99}, {"max_codes_per_call": 0}, {"max_amount_per_day": 0}]
every_limit = pytest.mark.parametrize("limits", LOWERED, ids=lambda limits: next(iter(limits)))


async def top_up(account: Account[Path], limits: dict[str, int], **changed: Any) -> Envelope:
    """The call on a vendor, from a server of its own with those limits."""
    async with connect(account.settings(limits=limits)) as client:
        return await call(client, "update_voucher_balance", **SHOP, **{**TOP_UP, **changed})


@every_limit
async def test_a_spent_key_answers_its_first_result(limits: dict[str, int], either: Database) -> None:
    await stock(either)
    before = minted(either)[0]
    first = await attempt(either, "update_voucher_balance", TOP_UP)
    again = await attempt(either, "update_voucher_balance", TOP_UP, **limits)
    assert again == {**first, "replayed": True}
    for changed, code in (({"idempotency_key": "new"}, "limit_exceeded"), ({"amount": 101}, None)):
        envelope = await attempt(either, "update_voucher_balance", {**TOP_UP, **changed}, **limits)
        assert envelope["error_code"] == (code or "idempotency_mismatch")
    assert minted(either)[0] == before + 100


@every_limit
async def test_on_a_vendor_too(limits: dict[str, int], account: Account[Path]) -> None:
    first = await top_up(account, {})
    assert await top_up(account, limits) == {**first, "replayed": True}
    assert (await top_up(account, limits, idempotency_key="new"))["error_code"] == "limit_exceeded"
    assert (await top_up(account, limits, amount=101))["error_code"] == "idempotency_mismatch"
    assert account.vendor.effects == ["update_voucher_balance"]
    assert minted(account.state) == (100, 0)


@every_limit
@pytest.mark.parametrize("fault", ["lose after", "lose before"])
async def test_a_key_whose_outcome_is_not_known_is_looked_into(
    fault: str, limits: dict[str, int], account: Account[Path]
) -> None:
    account.vendor.fail(fault)
    assert (await top_up(account, {}))["error_code"] == "outcome_unknown"
    found = await top_up(account, limits)
    assert found["data"] == {"amount": 100, "balance": 1_100, "object": "balance"}
    assert await top_up(account, limits) == {**found, "replayed": True}
    assert account.vendor.count("looked") == 1
    assert account.vendor.effects == ["update_voucher_balance"]
    assert keys(account.state) == {"top-up": "done"}
    assert minted(account.state) == (100, 0)
