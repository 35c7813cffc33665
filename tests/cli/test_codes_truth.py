"""What `codes export` says of codes that are not new any more, and that no file makes them new again."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from tests.cli.conftest import Command
from tests.support import open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain.queries import Redeemable, RedemptionRequest, SessionRequest
from voucher_mcp.domain.vouchers.pool import NewCode

STATES = {
    "FRESH": "available",
    "SPENT": "redeemed",
    "PARTLY": "assigned",
    "TAKEN": "assigned",
    "OFF": "disabled",
    "HELD": "assigned",
    "BOOKED": "reserved",
    "OVER": "expired",
}
"""A card in each state, and what the file calls it."""


@pytest.fixture
def cards(database: Path) -> None:
    """A pool of gift cards of 10.00, one in each state."""

    async def run() -> None:
        async with open_store(database) as store:
            engine = LocalBackend("default", store)
            codes = [NewCode("HELD"), *(NewCode(code) for code in STATES if code not in ("HELD", "OVER"))]
            template = {"gift": {"amount": 1_000}}
            await engine.create_voucher_pool(warrant(), "Cards", template, [*codes, NewCode("OVER", None, 1)])
            await engine.assign_voucher_code(warrant(), "Cards", "alice")
            for code, credit in (("SPENT", 1_000), ("PARTLY", 300)):
                await engine.redeem_vouchers(warrant(), _request(code, credit), "concise")
            await engine.update_voucher_balance(warrant(), "TAKEN", -400, None)
            await engine.disable_voucher(warrant(), "OFF", "concise")
            session = SessionRequest("s", 3_600_000)
            await engine.validate_vouchers(warrant(), _request("BOOKED", 200, session))

    anyio.run(run)


def _request(code: str, credit: int, session: SessionRequest | None = None) -> RedemptionRequest:
    return RedemptionRequest([Redeemable(code, credits=credit)], {"amount": 2_000}, session=session)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.usefixtures("cards")
def test_an_export_says_what_each_card_is_and_holds(cli: Command) -> None:
    rows = rows_of(cli.export_codes(pool="Cards").out)
    assert {row["code"]: row["status"] for row in rows} == STATES
    assert {row["code"]: row["balance"] for row in rows if row["balance"] != "10.00"} == {
        "SPENT": "0.00",
        "PARTLY": "7.00",
        "TAKEN": "6.00",
    }


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize("status", sorted(set(STATES.values())))
def test_only_the_codes_of_a_status_come_out(cli: Command, status: str) -> None:
    found = [row["code"] for row in rows_of(cli.export_codes("--status", status, pool="Cards").out)]
    assert sorted(found) == sorted(code for code, state in STATES.items() if state == status)


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize(
    "columns",
    [
        None,
        ["metadata", "balance", "valid_until", "status", "code"],
        ["code", "status"],
        ["STATUS", "Code"],
    ],
)
@pytest.mark.parametrize("status", [(), ("--status", "available")])
def test_no_import_of_an_export_makes_a_card_new_again(
    cli: Command, columns: list[str] | None, status: Sequence[str], tmp_path: Path
) -> None:
    rows = rows_of(cli.export_codes(*status, pool="Cards").out)
    names = columns or list(rows[0])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([row[name.lower()] for name in names] for row in rows)
    other = {"VOUCHER_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}
    target = ("--project", "default", "--pool", "Cards")
    file = cli.write("cards.csv", text.getvalue())
    cli.run("codes", "import", file, *target, "--create", "--gift", "10", variables=other)
    again = rows_of(cli.run("codes", "export", *target, variables=other).out)
    kept = {row["code"]: row["status"] for row in again}
    assert kept.pop("OVER", "expired") == "expired"
    assert kept == {"FRESH": "available"}


def test_a_balance_is_held_against_what_the_pools_cards_hold(cli: Command) -> None:
    file = cli.write("cards.csv", "code,balance\nA1,35.00\nB2,12.50\nC3,\nD4,35\n")
    said = cli.import_codes(file, "--create", "--gift", "35")
    assert "Added 3 codes" in said.out
    assert "12.50" in cli.read("cards.csv.report.csv")
