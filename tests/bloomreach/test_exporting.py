"""`voucher-mcp codes export`, which walks a whole pool at the vendor's pace."""

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.bloomreach.conftest import table_of
from tests.standins.bloomreach import Odd, StandIn, Status, ToolFailed, running
from tests.standins.bloomreach.accounts import Pool
from tests.standins.bloomreach.faults import Fault
from voucher_mcp.cli.main import main

Export = Callable[..., Sequence[str]]


@pytest.fixture
def crm() -> Iterator[StandIn]:
    """The voucher system, for tests that are no coroutines, with one pool of 2,500 codes."""
    with running() as standin:
        standin.data.add_pool(standin.data.add_project("Shop"), "Large", 2_500, assigned=10)
        yield standin


@pytest.fixture
def export(crm: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    """Runs the command; answers the codes of the file that it wrote."""
    monkeypatch.setattr("voucher_mcp.backends.bloomreach.pools.code_pages.PAUSES", (0.0, 0.0, 0.0))
    settings = {**table_of(crm), "token": crm.sign_in.issue()}
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    config, output = tmp_path / "config.toml", tmp_path / "codes.csv"
    config.write_text(f"[projects.crm]\n{lines}", encoding="utf-8")

    def run(*more: str, status: int = 0) -> Sequence[str]:
        command = ("codes", "export", "--project", "crm", "--pool", "Large", "--output", str(output))
        assert main(["--config", str(config), *command, *more]) == status
        if status:
            assert not output.exists()
            return []
        with output.open(encoding="utf-8", newline="") as file:
            return [row["code"] for row in csv.DictReader(file)]

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody watches the progress."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def large(crm: StandIn) -> Pool:
    """The only pool."""
    ((pool,),) = [project.pools.values() for project in crm.data.projects.values()]
    return pool


def pages(crm: StandIn) -> int:
    return [call.tool for call in crm.calls].count("list_voucher_codes")


@pytest.mark.usefixtures("terminal")
def test_a_pool_is_walked_once_whatever_is_looked_for(crm: StandIn, export: Export) -> None:
    assert len(export()) == 2_500
    assert pages(crm) == 3
    for status, count in (("assigned", 10), ("available", 2_490)):
        crm.calls.clear()
        assert len(export("--status", status)) == count
        assert pages(crm) == 3


@pytest.mark.usefixtures("terminal")
def test_a_pool_that_the_vendor_does_not_count_is_exported(crm: StandIn, export: Export) -> None:
    crm.tools.counts_matches = False
    crm.fail(Odd({"data": [{"id": large(crm).id, "name": "Large"}]}), tool="list_voucher_pools")
    crm.fail(Odd({"data": {}}), tool="get_voucher_pool")
    assert len(export()) == 2_500


@pytest.mark.parametrize("fault", [Status(503), ToolFailed("Too many requests. Retry after ~0 second(s).")])
def test_a_vendor_that_is_away_for_a_while_is_waited_for(crm: StandIn, export: Export, fault: Fault) -> None:
    first = [code.shown() for code in large(crm).codes[:1_000]]
    crm.fail(Odd({"data": first, "matched": 2_500}), tool="list_voucher_codes")
    crm.fail(fault, tool="list_voucher_codes", times=5)
    assert len(export()) == 2_500


def test_an_export_that_breaks_leaves_no_half_of_it(crm: StandIn, export: Export) -> None:
    crm.tools.deepest = 2_000
    export(status=1)


def test_odd_times_are_left_out_and_no_status_becomes_a_formula(
    crm: StandIn, export: Export, tmp_path: Path
) -> None:
    odd = {"code": "A", "status": "=1+1", "assigned_time": 1e300, "redeemed_time": -1e300}
    crm.fail(Odd({"data": [odd], "matched": 1}), tool="list_voucher_codes")
    assert export() == ["A"]
    assert (tmp_path / "codes.csv").read_text().splitlines()[1] == "A,'=1+1,,,,,,"
