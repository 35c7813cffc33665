"""Imports and bulk updates as an agent sees them."""

from typing import Any

from tests.databases.database import Database
from tests.engine.conftest import Agent
from tests.engine.job_support import HEADER, csv_of, finished, imported

GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 1000}}


async def test_an_import_makes_vouchers_without_a_pool(agent: Agent) -> None:
    voucher = {
        "code": "G1",
        **GIFT,
        "category": "new",
        "metadata": {"unit": "EUR"},
        "redemption": {"quantity": 5},
    }
    action = await finished(agent, "import_vouchers", vouchers=[voucher])
    assert (action["type"], action["status"]) == ("VOUCHERS.IMPORT", "DONE")
    assert (action["operation_status"], action["progress"]) == ("SUCCESS", 100)
    assert action["result"]["done_count"] == 1
    made = await agent.data("get_voucher", code="G1")
    assert made["gift"]["balance"] == 1000
    assert (made["category"], made["metadata"]) == ("new", {"unit": "EUR"})
    assert made["redemption"]["quantity"] == 5
    assert "campaign_id" not in made


async def test_a_row_that_fails_is_told_with_its_place_and_leaves_the_others_alone(agent: Agent) -> None:
    rows: list[Any] = [
        {"code": "A", **GIFT},
        {"code": "A", **GIFT},
        {"code": "B", "discount": {"type": "PERCENT", "percent_off": 101}},
        {"code": " C", **GIFT},
        {**GIFT},
        7,
        {"code": "D", "type": "LOYALTY_CARD", "loyalty_card": {"points": 1}},
        {"code": "E", **GIFT},
    ]
    result = (await finished(agent, "import_vouchers", vouchers=rows))["result"]
    assert (result["done_count"], result["failed_count"]) == (2, 6)
    assert [(failure["row"], failure["code"]) for failure in result["failed"]] == [
        (2, "A"),
        (3, "B"),
        (4, " C"),
        (5, ""),
        (6, ""),
        (7, "D"),
    ]
    assert "discount.percent_off" in result["failed"][1]["reason"]


async def test_a_done_job_of_which_nothing_worked_says_so(agent: Agent) -> None:
    action = await finished(agent, "import_vouchers", vouchers=[{"code": "A"}])
    assert (action["status"], action["operation_status"]) == ("DONE", "FAILED")
    assert action["result"]["message"] == "0 done, 1 failed"


async def test_fields_that_an_import_passes_over_are_named(agent: Agent) -> None:
    rows = [
        {"code": "A", **GIFT, "campaign": "X", "validation_rules": ["val_1"]},
        {"code": "B", **GIFT, "holder": 1},
    ]
    result = (await finished(agent, "import_vouchers", vouchers=rows))["result"]
    assert result["done_count"] == 2
    assert result["ignored"] == ["campaign", "holder", "validation_rules"]


async def test_a_deleted_voucher_keeps_its_code_from_being_imported(agent: Agent) -> None:
    await finished(agent, "import_vouchers", vouchers=[{"code": "A", **GIFT}])
    await agent.ok("delete_voucher", code="A")
    result = (await finished(agent, "import_vouchers", vouchers=[{"code": "A", **GIFT}]))["result"]
    assert result["failed"] == [
        {
            "code": "A",
            "reason": "the code is still taken by a deleted voucher; deleting that with force=true frees it",
            "row": 1,
        }
    ]


async def test_of_many_failures_a_thousand_are_listed_and_all_are_counted(
    agent: Agent, database: Database
) -> None:
    rows = [{"code": f"C{number}"} for number in range(2_500)]
    result = (await finished(agent, "import_vouchers", vouchers=rows))["result"]
    assert result["failed_count"] == 2_500
    assert [failure["row"] for failure in result["failed"]] == list(range(1, 1_001))
    assert result["failed_truncated"] is True
    assert database.rows("SELECT count(*) FROM job_failures") == [(1_000,)]


async def test_a_repeated_key_answers_the_same_job_and_imports_once(agent: Agent) -> None:
    first = await agent.ok("import_vouchers", vouchers=[{"code": "A", **GIFT}], idempotency_key="k")
    again = await agent.ok("import_vouchers", vouchers=[{"code": "A", **GIFT}], idempotency_key="k")
    assert again["data"] == first["data"]
    assert again["replayed"] is True
    await agent.refused(
        "idempotency_mismatch", "import_vouchers", vouchers=[{"code": "B"}], idempotency_key="k"
    )
    action = await agent.data("get_async_action", wait=20, **first["data"])
    assert (action["result"]["done_count"], action["result"]["failed_count"]) == (1, 0)


async def test_a_dry_run_counts_what_would_happen_and_leaves_nothing_behind(
    agent: Agent, database: Database
) -> None:
    await imported(agent, csv_of(["OLD"]))
    csv = (
        csv_of([*(f"C{number}" for number in range(3_000)), "OLD", "C7"])
        + "X,DISCOUNT_VOUCHER,y,AMOUNT,,,,\n"
    )
    before = database.rows(
        "SELECT count(*), (SELECT count(*) FROM jobs), (SELECT count(*) FROM audit) FROM vouchers"
    )
    answer = await agent.ok("import_vouchers_using_csv", csv=csv, dry_run=True)
    assert answer["dry_run"] is True
    result = answer["data"]["result"]
    assert answer["data"]["async_action_id"] is None
    assert (result["done_count"], result["failed_count"], result["tried"]) == (3_000, 3, 3_003)
    assert {
        "code": "OLD",
        "reason": "the code is already in the project, as a voucher without a pool",
        "row": 3_002,
    } in result["failed"]
    after = database.rows(
        "SELECT count(*), (SELECT count(*) FROM jobs), (SELECT count(*) FROM audit) FROM vouchers"
    )
    assert after == before
    real = await imported(agent, csv)
    assert (real["done_count"], real["failed_count"]) == (3_000, 3)


async def test_each_voucher_gets_metadata_of_its_own_merged_into_what_it_has(agent: Agent) -> None:
    await finished(
        agent,
        "import_vouchers",
        vouchers=[{"code": "A", **GIFT, "metadata": {"x": 1, "y": 2}}, {"code": "B", **GIFT}],
    )
    pool = await agent.data("create_voucher_pool", name="P", codes=["C"])
    assert pool["total"] == 1
    updates: list[Any] = [
        {"code": "A", "metadata": {"x": None, "z": [1]}},
        {"code": "nope", "metadata": {}},
        {"code": "B", "category": "x"},
        {"code": "B"},
        "B",
        {"code": "C", "metadata": {"lang": "en"}},
    ]
    result = (await finished(agent, "update_vouchers_in_bulk", vouchers=updates))["result"]
    assert result["done_count"] == 2
    assert [(failure["row"], failure["code"]) for failure in result["failed"]] == [
        (2, "nope"),
        (3, "B"),
        (4, "B"),
        (5, ""),
    ]
    assert (await agent.data("get_voucher", code="A"))["metadata"] == {"y": 2, "z": [1]}
    assert (await agent.data("get_voucher", code="C"))["metadata"] == {"lang": "en"}
    assert "metadata" not in await agent.data("get_voucher", code="B")


async def test_the_same_metadata_reaches_all_codes(agent: Agent) -> None:
    codes = [f"C{number}" for number in range(1_500)]
    await imported(agent, csv_of(codes))
    action = await finished(
        agent, "update_vouchers_metadata_in_bulk", codes=[*codes, "nope"], metadata={"lang": "en"}
    )
    assert action["type"] == "VOUCHERS.METADATA_UPDATE"
    assert (action["result"]["done_count"], action["result"]["failed_count"]) == (1_500, 1)
    assert (await agent.data("get_voucher", code="C1499"))["metadata"] == {"lang": "en"}


async def test_metadata_that_would_grow_too_large_fails_its_row_only(agent: Agent) -> None:
    await finished(
        agent,
        "import_vouchers",
        vouchers=[{"code": "A", **GIFT, "metadata": {"x": "y" * 4_000}}, {"code": "B", **GIFT}],
    )
    action = await finished(
        agent, "update_vouchers_metadata_in_bulk", codes=["A", "B"], metadata={"z": "y" * 2_000}
    )
    assert [failure["code"] for failure in action["result"]["failed"]] == ["A"]


async def test_input_that_is_empty_or_wrong_as_a_whole_is_refused_at_the_call(agent: Agent) -> None:
    for tool, arguments, field in (
        ("import_vouchers", {"vouchers": []}, "vouchers"),
        ("import_vouchers", {"vouchers": [{"code": "A", "metadata": {"x": "y" * 10_000_000}}]}, "vouchers"),
        ("update_vouchers_in_bulk", {"vouchers": []}, "vouchers"),
        ("update_vouchers_metadata_in_bulk", {"codes": [], "metadata": {}}, "codes"),
        ("update_vouchers_metadata_in_bulk", {"codes": ["A"], "metadata": {"x": "y" * 6_000}}, "metadata"),
        ("import_vouchers_using_csv", {"csv": csv_of(["A"]) + "#" * 10_000_000}, "csv"),
        ("import_vouchers_using_csv", {"csv": HEADER}, "csv"),
        ("import_vouchers_using_csv", {}, "csv"),
        ("import_vouchers_using_csv", {"csv": HEADER, "path": "x"}, "csv"),
    ):
        assert (await agent.refused("invalid_input", tool, **arguments))["field"] == field


async def test_a_job_of_another_project_or_kind_is_not_found(agent: Agent) -> None:
    await finished(agent, "import_vouchers", vouchers=[{"code": "A", **GIFT}])
    export = await agent.data("export_voucher_transactions", code="A")
    await agent.refused("not_found", "get_async_action", async_action_id=export["id"])
    await agent.refused("not_found", "get_async_action", async_action_id="aa_0000")
    await agent.refused("not_found", "get_export", export_id="export_0000")


async def test_an_ended_job_keeps_none_of_its_input(agent: Agent, database: Database) -> None:
    await imported(agent, csv_of(f"C{number}" for number in range(30_000)))
    assert database.rows("SELECT count(*) FROM job_chunks") == [(0,)]
    await agent.refused("invalid_input", "import_vouchers_using_csv", csv=csv_of(["A"]) + '"')
    assert database.rows("SELECT count(*) FROM jobs WHERE status = 'RECEIVING'") == [(0,)]
