"""A channel is told of questions: signed, tried again, within bounds, and never in anybody's way."""

import hashlib
import hmac
import json
import logging
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from tests.http.vendor import Vendor, answer, drop, nobody, vendor
from tests.protocol.clients import connect, done, local, refused
from tests.support import TEN_PERCENT
from voucher_mcp.backends.http import webhook
from voucher_mcp.backends.http.webhook import open_webhook
from voucher_mcp.config import ConfigError, Settings, load_settings

SHOP = {"project_id": "shop"}
SECRET = "whsec-5d1f0c"
PATH = "/hooks/T0-secret-path?token=q-secret"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "FIRST_PAUSE", 0.001)


def configured(folder: Path, address: str) -> Settings:
    """A shop whose questions go to that receiver."""
    return Settings.model_validate(
        {
            "projects": {"shop": local(folder / "shop.db", name="Shop EU", destructive="approve")},
            "approvals": {"webhook": f"{address}{PATH}", "webhook_secret": SECRET},
            "limits": {"approve_above": 50},
        }
    )


async def ask(settings: Settings) -> list[dict[str, Any]]:
    """Three calls that have to be approved, one of them twice; answers the three envelopes."""
    card = {**SHOP, "code": "GIFT-4711-XY", "type": "GIFT_VOUCHER", "gift": {"amount": 50}}
    top_up = {**SHOP, "code": "GIFT-4711-XY", "amount": 12_345, "idempotency_key": "k"}
    async with connect(settings) as client:
        await done(client, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT, codes=["A"])
        await done(client, "create_voucher", **card)
        found = [
            await refused(client, "approval_required", "delete_voucher_pool", **SHOP, pool_id="Summer"),
            await refused(client, "approval_required", "delete_voucher", **SHOP, code="GIFT-4711-XY"),
            await refused(client, "approval_required", "update_voucher_balance", **top_up),
        ]
        await refused(client, "approval_required", "update_voucher_balance", **top_up)
    return found


async def until(server: Vendor, count: int) -> None:
    with anyio.fail_after(30):
        while len(server.requests) < count:  # noqa: ASYNC110 - it comes over a socket
            await anyio.sleep(0.005)


async def test_each_question_is_told_once_signed_and_without_a_code(tmp_path: Path) -> None:
    async with vendor() as server:
        asked = await ask(configured(tmp_path, server.base_url))
        await until(server, 3)
    told = [json.loads(request.body) for request in server.requests]
    assert [one["approval_id"] for one in told] == [one["approval_id"] for one in asked]
    assert all(request.target == PATH for request in server.requests)
    for request in server.requests:
        moment, _, made = request.headers["x-voucher-signature"].partition(",v1=")
        seconds = moment.removeprefix("t=")
        assert abs(time.time() - int(seconds)) < 60
        signed = f"{seconds}.".encode() + request.body
        assert made == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert "4711" not in request.body.decode()
    pool, _, balance = told
    assert pool["question"] == 'Delete the pool "Summer" with its 1 code in the project "Shop EU"?'
    assert balance == {
        "type": "approval_required",
        "approval_id": asked[2]["approval_id"],
        "project": {"id": "shop", "name": "Shop EU"},
        "tool": "update_voucher_balance",
        "caller": "stdio",
        "client": balance["client"],
        "question": 'Add or remove balance "GIFT…": 1 code worth 123.45 EUR, in the project "Shop EU"?',
        "amount": 12_345,
        "points": None,
        "codes": 1,
        "currency": "EUR",
        "asked_at": balance["asked_at"],
        "expires_at": asked[2]["expires_at"],
        "text": balance["text"],
    }
    assert f"voucher-mcp approvals approve {asked[2]['approval_id']}" in balance["text"]


async def test_what_is_not_taken_is_sent_again_and_signed_anew(tmp_path: Path) -> None:
    async with vendor() as server, open_webhook(SecretStr(server.base_url), SecretStr(SECRET)) as hook:
        server.answers = [answer(503), drop, answer(429), answer(204)]
        hook.tell({"n": 1})
        with anyio.fail_after(30):
            await hook.told()
    assert [json.loads(request.body) for request in server.requests] == [{"n": 1}] * 4


@pytest.mark.parametrize(("reply", "tries"), [(answer(400), 1), (answer(302), 1), (answer(500), 6)])
async def test_it_gives_up_says_so_and_names_neither_address_nor_content(
    reply: bytes, tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with vendor() as server:
        server.always = reply
        address = SecretStr(f"{server.base_url}{PATH}")
        async with open_webhook(address, SecretStr(SECRET)) as hook:
            hook.tell({"question": "GIFT-4711-XY"})
            with anyio.fail_after(30):
                await hook.told()
    assert len(server.requests) == tries
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "the webhook did not take a question: status" in warning.getMessage()
    for secret in ("T0-secret-path", "q-secret", SECRET, "4711"):
        assert secret not in caplog.text


async def test_a_receiver_that_hangs_holds_up_no_call_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhook, "END_SECONDS", 0.05)
    async with vendor() as server:
        server.always = server.hang
        settings = configured(tmp_path, server.base_url)
        with anyio.fail_after(webhook.ANSWER_SECONDS):  # less than one try of three questions
            assert len(await ask(settings)) == 3
        with anyio.fail_after(10):
            await server.hung_up.wait()
    assert len(server.requests) == 1


async def test_where_nobody_listens_the_calls_go_on(tmp_path: Path) -> None:
    async with nobody() as address:
        assert len(await ask(configured(tmp_path, address))) == 3


async def test_more_than_so_many_do_not_wait(caplog: pytest.LogCaptureFixture) -> None:
    async with vendor() as server, open_webhook(SecretStr(server.base_url), SecretStr(SECRET)) as hook:
        for number in range(webhook.WAITING + 5):
            hook.tell({"n": number})
        with anyio.fail_after(30):
            await hook.told()
    assert len(server.requests) == webhook.WAITING
    assert caplog.text.count("messages wait already") == 5


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('webhook = "http://hooks.example.com/s3cr3t"', "approvals.webhook: plain http is for loopback only"),
        ('webhook = "https://a:s3cr3t@example.com"', "approvals.webhook: should hold no user name"),
        ('webhook = "s3cr3t"', "approvals.webhook: should be an address"),
        ('webhook = "https://example.com/s3cr3t"', "approvals: webhook and webhook_secret need each other"),
        ('webhok = "https://example.com/s3cr3t"', "did you mean 'webhook'?"),
    ],
)
def test_a_wrong_receiver_stops_the_start_and_is_not_repeated(line: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    secret = "" if "need each other" in says else f'webhook_secret = "{SECRET}"\n'
    text = f'[projects.shop]\nbackend = "local"\n[approvals]\n{line}\n{secret}'
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {})
    assert says in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert SECRET not in str(caught.value)
