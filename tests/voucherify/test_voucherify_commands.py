"""`voucher-mcp codes` and `journal` on Voucherify."""

import json
from pathlib import Path

import anyio.to_thread
import pytest

from tests.cli.conftest import Command
from tests.standins.voucherify import StandIn
from tests.standins.voucherify.faults import status

TARGET = ("--project", "shop", "--pool", "Summer")
CREATE = ("--create", "--percent", "10")


@pytest.fixture
def shop_cli(shop: StandIn, tmp_path: Path) -> Command:
    """The command with the stand-in as its project `shop`."""
    keys = {"backend": "voucherify", "base_url": shop.base_url, "access": "write"}
    keys |= {"app_id": shop.app_id, "app_token": shop.app_token}
    lines = "".join(f'{name} = "{value}"\n' for name, value in keys.items())
    config = tmp_path / "config.toml"
    config.write_text(f'state = "sqlite:///state.db"\n[projects.shop]\n{lines}', encoding="utf-8")
    home = Path(__file__).parents[2]
    return Command(
        tmp_path,
        {
            "HOME": str(tmp_path),
            "PYTHONPATH": str(home),
            "VOUCHER_MCP_CONFIG": str(config),
            "PATH": "/usr/bin:/bin",
        },
    )


async def run(cli: Command, *arguments: str, status: int = 0) -> str:
    """What the command says, while the stand-in goes on serving."""
    said = await anyio.to_thread.run_sync(lambda: cli.run(*arguments, status=status))
    return said.out + said.err


async def journal(cli: Command) -> list[tuple[str, str, str, int | None]]:
    lines = (json.loads(line) for line in (await run(cli, "journal", "--format", "jsonl")).splitlines())
    return [(line["tool"], line["outcome"], line["subject"], line["codes"]) for line in lines]


async def test_an_import_is_one_line_of_the_journal_with_its_count(shop_cli: Command) -> None:
    file = shop_cli.write("codes.txt", "".join(f"CODE-{n}\n" for n in range(2_500)))
    said = await run(shop_cli, "codes", "import", file, *TARGET, *CREATE)
    assert 'Made the pool "Summer"' in said
    assert "Added 2,500 codes" in said
    assert "Each code gives 10 % off an order, works once" in said
    assert await journal(shop_cli) == [("codes import", "success", "Summer", 2_500)]


async def test_an_import_that_breaks_off_says_in_the_journal_how_far_it_came(
    shop: StandIn, shop_cli: Command
) -> None:
    shop.add_campaign("Summer", [])
    file = shop_cli.write("codes.txt", "".join(f"CODE-{n}\n" for n in range(1_500)))
    shop.fail(status(401), path="/import", method="POST", times=1)
    await run(shop_cli, "codes", "import", file, *TARGET, status=1)
    [(tool, outcome, subject, codes)] = await journal(shop_cli)
    assert (tool, subject) == ("codes import", "Summer")
    assert outcome == "unauthorized"
    assert not codes


async def test_an_import_in_which_nothing_fits_leaves_no_campaign(shop: StandIn, shop_cli: Command) -> None:
    shop.add_campaign("Winter", ["A1", "B2"])
    file = shop_cli.write("codes.txt", "A1\nB2\n")
    said = await run(shop_cli, "codes", "import", file, *TARGET, *CREATE)
    assert 'the pool "Summer" was not made' in said
    assert "no pool" in await run(shop_cli, "codes", "export", *TARGET, status=1)


async def test_a_dry_run_sends_nothing(shop: StandIn, shop_cli: Command) -> None:
    file = shop_cli.write("codes.txt", "A1\nB2\n")
    said = await run(shop_cli, "codes", "import", file, *TARGET, *CREATE, "--dry-run")
    assert "Would add 2 codes" in said
    assert {request.method for request in shop.requests} == {"GET"}
    assert not (shop_cli.folder / "state.db").exists()


async def test_a_code_of_dots_and_one_taken_elsewhere_are_told_apart(
    shop: StandIn, shop_cli: Command
) -> None:
    shop.add_campaign("Winter", ["A1"])
    shop.add_campaign("Summer", ["B2"])
    file = shop_cli.write("codes.txt", "code\nA1\nB2\n..\nC3\n")
    said = await run(shop_cli, "codes", "import", file, *TARGET)
    assert "Added 1 code " in said
    for reason in ("1 already in the pool", "1 already in the project, outside this pool", "1 of dots alone"):
        assert reason in said
