"""What signs in at a vendor, and what is worth money, is in no log line, error or representation."""

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.policy.conftest import TOKEN, Account
from tests.protocol.clients import call, connect, done, envelope_of, settings
from tests.protocol.contract import WRITING, example, prepare
from voucher_mcp.config import ConfigError, Settings, load_settings

SHOP = {"project_id": "shop"}
SECRETS = [f"secret-{n}-5d1f0c" for n in range(6)]
VENDORS: dict[str, Any] = {
    "shop": {"backend": "voucherify", "app_id": "a", "app_token": SECRETS[0]},
    "oauth": {"backend": "voucherify", "oauth_token": SECRETS[1]},
    "hotel": {"backend": "mews", "client_token": SECRETS[2], "access_token": SECRETS[3]},
    "crm": {
        "backend": "bloomreach",
        "url": "https://eu.connect.loomi.ai/mcp",
        "token": SECRETS[4],
        "api_base": "https://api.exponea.com",
        "project_token": "p",
        "api_key_id": "k",
        "api_secret": SECRETS[5],
    },
}


def assert_none_of(secrets: list[str], text: str) -> None:
    assert [secret for secret in secrets if secret in text] == []


def test_no_secret_is_shown_with_the_settings() -> None:
    configured = Settings.model_validate({"projects": VENDORS})
    for shown in (
        repr(configured),
        str(configured),
        configured.model_dump_json(),
        repr(configured.model_dump()),
        *(repr(project) for project in configured.projects.values()),
    ):
        assert_none_of(SECRETS, shown)


@pytest.mark.parametrize(
    "wrong", ["app_tokn = 1", "timeout = 900", 'access = "all"', "oauth_token = 1", 'base_url = "ftp://x"']
)
def test_no_secret_is_in_what_is_said_about_a_wrong_configuration(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'[projects.shop]\nbackend = "voucherify"\napp_id = "a"\napp_token = "{TOKEN}"\n{wrong}\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {})
    assert_none_of([TOKEN], "".join(traceback.format_exception(caught.value)))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that our own loggers say, however small."""
    with caplog.at_level(logging.DEBUG, logger="voucher_mcp"):
        yield caplog


def logged(log: pytest.LogCaptureFixture) -> str:
    """What a handler would write, with the tracebacks that come along."""
    return "\n".join(
        logging.Formatter().format(record) for record in log.records if record.name.startswith("voucher_mcp")
    )


FAULTS = ["refuse", "unreachable", "lose before", "partly", "crash before", "crash after", "half a character"]
CODE = "WORTHMONEY2026"


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_vendors_failure_shows_neither_token_nor_code(
    fault: str, account: Account[Path], log: pytest.LogCaptureFixture
) -> None:
    configured = account.settings()
    account.vendor.fail(fault, fault)
    account.vendor.run("INSERT INTO cards VALUES (?, 5, 'GIFT_VOUCHER')", CODE)
    top_up: dict[str, Any] = {**SHOP, "code": CODE, "amount": 1}
    async with connect(configured) as client:
        for key in ("one", CODE):
            envelope = await call(client, "update_voucher_balance", **top_up, idempotency_key=key)
            assert_none_of([TOKEN], json.dumps(envelope))
    warned = [record for record in log.records if record.levelno > logging.INFO]
    assert bool(warned) is fault.startswith("crash")
    assert_none_of([TOKEN, CODE], logged(log))


async def test_a_state_database_that_fails_shows_no_code(
    account: Account[Path], log: pytest.LogCaptureFixture
) -> None:
    account.state.mkdir()
    top_up: dict[str, Any] = {**SHOP, "code": "CARD", "amount": 1, "idempotency_key": "CARD"}
    async with connect(account.settings(destructive="block", limits={"max_codes_per_call": 0})) as client:
        refusal = await call(client, "update_voucher_balance", **top_up)
    assert refusal["error_code"] == "limit_exceeded"
    assert "could not be put in the audit trail" in logged(log)
    assert_none_of([TOKEN, "CARD"], logged(log))


@pytest.mark.parametrize("tool", WRITING)
async def test_a_failing_call_on_the_engine_logs_no_code(
    tool: str, database: Path, log: pytest.LogCaptureFixture
) -> None:
    hostile: dict[str, Any] = {
        "code": CODE,
        "codes": [CODE, {"value": CODE, "valid_from": "x"}, None],
        "code_ids": [CODE, CODE + "\u202e"],
        "redeemables": [{"object": "voucher", "id": CODE, "gift": {"credits": -1}}],
        "vouchers": [{"code": CODE, "gift": {"amount": CODE}}, {"code": CODE, "metadata": CODE}],
        "csv": f"Code,Voucher Type,Value\n{CODE},GIFT_VOUCHER,x\n",
        "pool_id": CODE,
        "session_key": CODE,
        "redemption_id": CODE,
    }
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        await prepare(client)
        good = example(tool)
        for name in good.keys() & hostile.keys():
            spoiled = {**good, name: hostile[name], "idempotency_key": CODE}
            envelope_of(await client.call_tool(tool, spoiled), tool, spoiled)
        await done(client, "list_projects")
    assert_none_of([CODE], logged(log))
