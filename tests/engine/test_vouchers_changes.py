"""update_voucher: what it changes, what it leaves, what it refuses."""

from typing import Any

import pytest

from tests.engine.conftest import Agent, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.errors import InvalidInput, Unsupported

PERCENT = {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"}

CHANGES: dict[str, Any] = {
    "category": "Second",
    "category_id": "cat_2",
    "discount": {"type": "PERCENT", "percent_off": 45, "amount_limit": 1_800, "effect": "APPLY_TO_ORDER"},
    "start_date": "2020-02-01T00:00:00.000Z",
    "expiration_date": "2023-12-31T23:59:59.000Z",
    "validity_timeframe": {"duration": "PT2H", "interval": "P3D"},
    "validity_day_of_week": [0, 1, 2],
    "active": False,
    "additional_info": "Feel free",
    "metadata": {"Season": "Winter"},
}
CLEARABLE = sorted(CHANGES.keys() - {"discount", "active"})
HOURS = {"daily": [{"start_time": "08:00", "expiration_time": "12:00"}]}


async def voucher(agent: Agent, **body: Any) -> dict[str, Any]:
    """A new voucher X."""
    made: dict[str, Any] = await agent.data("create_voucher", code="X", **{"discount": PERCENT, **body})
    return made


async def full(agent: Agent, code: str = "X") -> dict[str, Any]:
    shown: dict[str, Any] = await agent.data("get_voucher", code=code, detail="full")
    return shown


@pytest.mark.parametrize("field", sorted(CHANGES.keys() - {"validity_timeframe"}))
async def test_one_field_is_changed_and_the_others_stay(agent: Agent, field: str) -> None:
    await voucher(agent)
    before = await full(agent)
    shown = await agent.data("update_voucher", code="X", detail="full", **{field: CHANGES[field]})
    changed = {field: CHANGES[field], "updated_at": shown["updated_at"], "status": shown["status"]}
    assert shown == {**before, **changed}
    assert await full(agent) == shown


async def test_all_fields_are_changed_at_once(agent: Agent) -> None:
    await voucher(agent)
    shown = await agent.data("update_voucher", code="X", detail="full", **CHANGES)
    assert {name: shown[name] for name in CHANGES} == CHANGES
    assert (await agent.data("update_voucher", code="X", type="DISCOUNT_VOUCHER", active=True))[
        "active"
    ] is True


async def test_hours_can_be_set(agent: Agent) -> None:
    await voucher(agent)
    assert (await agent.data("update_voucher", code="X", validity_hours=HOURS, detail="full"))[
        "validity_hours"
    ] == HOURS


@pytest.mark.parametrize("field", CLEARABLE)
async def test_clear_empties_a_field(agent: Agent, field: str) -> None:
    await voucher(agent, **{**CHANGES, "validity_timeframe": None} if field == "start_date" else CHANGES)
    await agent.ok("update_voucher", code="X", clear=[field])
    assert (await full(agent))[field] in (None, {})


NOTHING: tuple[object, ...] = (None, "", [], {})


async def test_null_for_every_argument_left_out_clears_nothing(agent: Agent) -> None:
    await voucher(agent, **CHANGES)
    before = await full(agent)
    left_out = dict.fromkeys([*CHANGES, "type", "clear", "detail", "dry_run", "idempotency_key"])
    for nothing in NOTHING:
        given = {**dict.fromkeys(left_out, nothing), "additional_info": "new", "code": "X"}
        shown = await agent.data("update_voucher", **given)
        assert await full(agent) == {**before, "additional_info": "new", "updated_at": shown["updated_at"]}


@pytest.mark.parametrize("field", ["category", "metadata"])
async def test_a_field_is_not_set_and_cleared_in_one_call(agent: Agent, field: str) -> None:
    await voucher(agent, **CHANGES)
    refused = await agent.refused(
        "invalid_input", "update_voucher", code="X", clear=[field], **{field: CHANGES[field]}
    )
    assert f"`{field}` is in `clear` and has a value too" in refused["error"]


async def test_null_for_an_argument_that_is_no_field_says_nothing(agent: Agent) -> None:
    await voucher(agent, category="kept")
    arguments: dict[str, Any] = {"code": "X", "additional_info": "a", "idempotency_key": None, "type": None}
    assert (await agent.data("update_voucher", **arguments, dry_run=None, detail=None))["category"] == "kept"
    assert (await agent.data("update_voucher", code="X", category="", additional_info="b"))[
        "category"
    ] == "kept"


async def test_elsewhere_null_is_not_given(agent: Agent) -> None:
    assert (await voucher(agent, category=None, gift=None, metadata=None))["code"] == "X"
    assert len(await agent.data("list_vouchers", category=None, ids=None, filters=None)) == 1


async def test_clearing_and_leaving_out_are_different_calls_to_a_key(agent: Agent) -> None:
    await voucher(agent, category="a", additional_info="b")
    clearing = {"clear": ["category"], "idempotency_key": "k"}
    first = await agent.ok("update_voucher", code="X", **clearing)
    again = await agent.ok("update_voucher", code="X", **clearing, category=None, active=None)
    assert (again["data"], again["replayed"]) == (first["data"], True)
    await agent.refused("idempotency_mismatch", "update_voucher", code="X", idempotency_key="k")
    await agent.refused(
        "idempotency_mismatch", "update_voucher", code="X", clear=["additional_info"], idempotency_key="k"
    )


async def test_metadata_is_merged_and_null_removes_a_key(agent: Agent) -> None:
    await voucher(agent, metadata={"a": 1, "b": {"c": 2}})
    shown = await agent.data("update_voucher", code="X", metadata={"a": None, "d": [3]})
    assert shown["metadata"] == {"b": {"c": 2}, "d": [3]}


@pytest.mark.parametrize("field", ["active", "discount", "code", "gift", "colour", None])
async def test_what_every_voucher_has_cannot_be_cleared(agent: Agent, field: str | None) -> None:
    await voucher(agent)
    refused = await agent.refused("invalid_input", "update_voucher", code="X", clear=["category", field])
    assert refused["field"] == "clear.1"
    assert "'validity_hours'" in refused["error"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "GIFT_VOUCHER"}, "type"),
        ({"discount": {"type": "AMOUNT", "amount_off": 5}}, "discount.type"),
        ({"discount": {"type": "PERCENT"}}, "discount.percent_off"),
        ({"expiration_date": "2019-01-01"}, "expiration_date"),
        ({"validity_hours": HOURS, "validity_day_of_week": [1]}, "validity_hours"),
        ({"metadata": {"k" * 101: 1}}, "metadata"),
        ({"metadata": "none"}, "metadata"),
    ],
)
async def test_a_wrong_change_is_refused_by_its_path(
    agent: Agent, changes: dict[str, Any], field: str
) -> None:
    await voucher(agent, start_date="2020-01-01")
    before = await full(agent)
    assert (await agent.refused("invalid_input", "update_voucher", code="X", **changes))["field"] == field
    assert await full(agent) == before


async def test_nothing_to_change_is_said(agent: Agent) -> None:
    await voucher(agent)
    await agent.refused("invalid_input", "update_voucher", code="X")
    await agent.refused("not_found", "update_voucher", code="Y", category="a")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "Y"),
        ("campaign", "Summer"),
        ("campaign_id", "camp_1"),
        ("redemption", {"quantity": 5}),
        ("gift", {"amount": 5}),
        ("loyalty_card", {"points": 5}),
    ],
)
async def test_what_may_not_change_is_refused(engine: LocalBackend, field: str, value: Any) -> None:
    await engine.create_voucher(warrant(), "X", {"discount": PERCENT}, "concise")
    with pytest.raises(InvalidInput) as refused:
        await engine.update_voucher(warrant(), "X", {"category": "a", field: value}, "concise")
    assert refused.value.field == field
    assert "category" not in (await engine.get_voucher("X", "concise")).data


async def test_rules_cannot_be_set_either(engine: LocalBackend) -> None:
    await engine.create_voucher(warrant(), "X", {"discount": PERCENT}, "concise")
    with pytest.raises(Unsupported):
        await engine.update_voucher(warrant(), "X", {"validation_rules": ["val_1"]}, "concise")


async def test_a_code_of_a_pool_that_is_changed_leaves_the_others_alone(agent: Agent) -> None:
    template = {
        "discount": PERCENT,
        "category": "shared",
        "metadata": {"a": 1},
        "redemption": {"quantity": 3},
    }
    await agent.ok("create_voucher_pool", name="Summer", voucher=template, codes=["X", "Y"])
    shown = await agent.data("update_voucher", code="X", category="own", metadata={"a": None, "b": 2})
    assert (shown["category"], shown["metadata"]) == ("own", {"b": 2})
    assert (shown["discount"], shown["redemption"]["quantity"]) == (PERCENT, 3)
    other = await full(agent, "Y")
    assert (other["category"], other["metadata"]) == ("shared", {"a": 1})


async def test_a_date_cleared_in_a_pool_is_the_pools_again(agent: Agent) -> None:
    pool: dict[str, Any] = {
        "discount": PERCENT,
        "start_date": "2026-01-01",
        "expiration_date": "2030-01-01T00:00Z",
    }
    made = await agent.data("create_voucher_pool", name="Summer", voucher=pool, codes=["X"])
    frame = {"duration": "PT1H", "interval": "P1D"}
    await agent.ok("update_voucher", code="X", expiration_date="2027-01-01T00:00Z", validity_timeframe=frame)
    await agent.ok("update_voucher_pool", pool_id=made["id"], expiration_date="2031-01-01T00:00Z")
    assert (await full(agent))["expiration_date"] == "2027-01-01T00:00:00.000Z"
    await agent.ok("update_voucher", code="X", clear=["expiration_date", "start_date"])
    shown = await full(agent)
    assert shown["expiration_date"] == "2031-01-01T00:00:00.000Z"
    assert shown["start_date"] == "2026-01-01T00:00:00.000Z"


async def test_a_dry_run_shows_the_change_and_makes_none(agent: Agent) -> None:
    await voucher(agent)
    before = await full(agent)
    assert (await agent.data("update_voucher", code="X", category="a", dry_run=True))["category"] == "a"
    assert await full(agent) == before


async def test_dates_that_a_pool_has_made_unfit_keep_nobody_from_another_change(agent: Agent) -> None:
    may = {"value": "X", "valid_from": "2026-05-01T00:00:00Z"}
    await agent.ok("create_voucher_pool", name="pool", voucher={"discount": PERCENT}, codes=[may])
    await agent.ok("update_voucher_pool", pool_id="pool", expiration_date="2026-04-01T00:00:00Z")
    changed = await agent.data("update_voucher", code="X", active=False, metadata={"a": 1})
    assert (changed["active"], changed["metadata"]) == (False, {"a": 1})
    job = await agent.data("update_vouchers_in_bulk", vouchers=[{"code": "X", "metadata": {"b": 2}}])
    ended = await agent.data("get_async_action", async_action_id=job["async_action_id"], wait=20)
    assert ended["operation_status"] == "SUCCESS"
    refused = await agent.refused("invalid_input", "update_voucher", code="X", start_date="2026-04-02")
    assert refused["field"] == "start_date"
    await agent.ok("update_voucher", code="X", start_date="2026-03-01")


async def test_a_pool_keeps_the_start_from_which_its_time_frame_counts(agent: Agent) -> None:
    template = {
        "discount": PERCENT,
        "start_date": "2026-01-01",
        "validity_timeframe": CHANGES["validity_timeframe"],
    }
    await agent.ok("create_voucher_pool", name="pool", voucher=template)
    cleared = {"pool_id": "pool", "clear": ["start_date"]}
    refused = await agent.refused("invalid_input", "update_voucher_pool", **cleared)
    assert refused["field"] == "start_date"
    await agent.ok("update_voucher_pool", pool_id="pool", start_date="2026-02-01")
