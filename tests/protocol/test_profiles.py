"""A profile offers the tools of one job, and no others."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.clients import connect, done, refused, settings
from tests.protocol.contract import POOL, TRAITS, WRITING, example, prepare
from tests.protocol.test_start import EVERY_SYSTEM
from tests.protocol.wire import ROOT, start
from voucher_mcp.config import ConfigError, load_settings
from voucher_mcp.policy.access import PROFILES
from voucher_mcp.server import all_tools

LONGEST = 16_000
# What each job cannot do without, and what is none of its business.
JOBS = {
    "support": (
        {"get_voucher", "validate_vouchers", "update_voucher_balance", "rollback_redemption", "undo_change"},
        {"create_voucher_pool", "add_voucher_codes", "redeem_vouchers", "delete_voucher"},
    ),
    "marketing": (
        {"create_voucher_pool", "create_voucher", "import_vouchers_using_csv", "get_pool_health"},
        {"redeem_vouchers", "update_voucher_balance", "find_customers"},
    ),
    "checkout": (
        {"validate_vouchers", "redeem_vouchers", "rollback_redemption"},
        {"create_voucher", "update_voucher_balance", "list_changes"},
    ),
    "analyst": (
        {"list_vouchers", "list_redemptions", "get_pool_health", "get_export"},
        {*WRITING, "validate_vouchers"},
    ),
}


async def names(database: Path, **top: Any) -> set[str]:
    async with connect(settings(database, **top)) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_profile_offers_the_tools_of_its_job_alone(profile: str, database: Path) -> None:
    offered = await names(database, profile=profile)
    needed, foreign = JOBS[profile]
    assert offered == {"list_projects", *PROFILES[profile]} & TRAITS.keys()  # type: ignore[index]
    assert needed <= offered
    assert not foreign & offered


def test_every_tool_of_a_profile_exists() -> None:
    assert frozenset().union(*PROFILES.values()) <= all_tools().keys()


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_list_of_a_profile_keeps_to_its_budget_on_the_wire(profile: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'profile = "{profile}"\n{EVERY_SYSTEM}', encoding="utf-8")
    async with start(tmp_path, VOUCHER_MCP_ACCESS="write") as wire:
        await wire.open("auto")
        tools = (await wire.request("tools/list"))["tools"]
    assert {tool["name"] for tool in tools} == {"list_projects", *PROFILES[profile]}  # type: ignore[index]
    assert len(wire.lines[-1]) <= LONGEST


async def test_a_tool_of_another_job_is_refused_in_words(database: Path) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
    async with connect(settings(database, profile="checkout")) as client:
        [project] = (await done(client, "list_projects"))["data"]
        for tool in ("create_voucher_pool", "delete_voucher_pool", "get_voucher_pool", "list_changes"):
            envelope = await refused(client, "unsupported", tool, **example(tool))
            assert "profile checkout" in envelope["error"]
    assert project["unavailable_tools"] == []
    async with connect(settings(database)) as client:
        await done(client, "get_voucher_pool", project_id="shop", pool_id=POOL)


async def test_a_profile_gives_no_rights(database: Path) -> None:
    """It narrows what there is: who may only read does not redeem."""
    reading = await names(database, profile="checkout") - {*WRITING}
    async with connect(settings(database, profile="checkout", keys={"access": "read"})) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == reading


WRONG = {
    'profile = "suport"': "did you mean 'support'?",
    'profile = "support"\ntoolsets = ["pools"]': "profile stands instead of toolsets; give only the one",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_profile_that_is_wrong_or_beside_toolsets_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(WRONG[text])):
        load_settings(file, {})


def test_the_environment_narrows_a_profile_and_names_none(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('profile = "support"', encoding="utf-8")
    narrowed = load_settings(file, {"VOUCHER_MCP_TOOLSETS": "vouchers"})
    assert (narrowed.profile, narrowed.toolsets) == ("support", ("vouchers",))
    with pytest.raises(ConfigError, match="VOUCHER_MCP_PROFILE: unknown variable"):
        load_settings(file, {"VOUCHER_MCP_PROFILE": "support"})


def test_the_documents_name_each_profiles_tools() -> None:
    text = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    told = {name.lower(): set(re.findall(r"`(\w+_\w+)`", section)) for name, section in sections.items()}
    assert told == {name: set(tools) for name, tools in PROFILES.items()}
