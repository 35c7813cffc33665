"""A second person approves a write on the embedded engine: exactly what was shown, once, within a day."""

import time
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.databases.database import Database
from tests.policy.deciding import BOSS, decide, moment, waiting
from tests.policy.state import audit
from tests.protocol.clients import Envelope, Person, call, connect, done, refused, settings
from tests.support import TEN_PERCENT
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import AccessDenied, Conflict, NotFound

SHOP = {"project_id": "shop"}
DELETE: dict[str, Any] = {**SHOP, "pool_id": "Summer"}
CARDS: dict[str, Any] = {
    **SHOP,
    "name": "Cards",
    "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 5_000}},
    "generate": {"count": 21},
}


def strict(database: Database, above: int | str | None = 100_000, **keys: Any) -> Settings:
    """A shop in which a second person is asked about deletions, and above so much value."""
    limits = {} if above is None else {"approve_above": above}
    return settings(database, keys={"destructive": "approve", "limits": limits, **keys})


async def stock(configured: Settings) -> None:
    """A pool of two codes."""
    async with connect(configured) as client:
        await done(
            client, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT, codes=["A", "B"]
        )


async def ask(configured: Settings, tool: str, /, **arguments: Any) -> str:
    """Call a tool that has to be approved; answers the question's id."""
    async with connect(configured) as client:
        envelope = await refused(client, "approval_required", tool, **arguments)
    assert envelope["approval_id"] in envelope["error"]
    assert envelope["retryable"] is True
    return str(envelope["approval_id"])


@pytest.fixture(params=["deletion", "value"])
def wanted(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A call of either kind that has to be approved."""
    return {
        "deletion": ("delete_voucher_pool", DELETE),
        "value": ("create_voucher_pool", CARDS),
    }[request.param]


async def test_what_is_approved_goes_through_once(
    either: Database, wanted: tuple[str, dict[str, Any]]
) -> None:
    configured = strict(either)
    await stock(configured)
    tool, arguments = wanted
    person = Person()  # who uses the client, and is not asked
    async with connect(configured, person=person) as client:
        rehearsed = await done(client, tool, **arguments, dry_run=True)
        assert rehearsed["would_ask"] is True
        first = await refused(client, "approval_required", tool, **arguments)
        assert 86_000 < moment(first["expires_at"]) - time.time() < 86_401
        again = await refused(client, "approval_required", tool, **arguments)
        assert (again["approval_id"], again["expires_at"]) == (first["approval_id"], first["expires_at"])
        (pending,) = await waiting(configured)
        assert pending.question.id == first["approval_id"]
        assert 'in the project "shop"?' in pending.question.text
        await decide(configured, first["approval_id"])
        assert await waiting(configured) == []
        await done(client, tool, **arguments)
        line = audit(either)[-1]
        assert (line["tool"], line["outcome"], line["approved_by"]) == (tool, "success", BOSS)
        if tool == "create_voucher_pool":
            await done(client, "update_voucher_pool", **SHOP, pool_id="Cards", name="Others")
        else:
            await done(client, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
        anew = await refused(client, "approval_required", tool, **arguments)
        assert anew["approval_id"] != first["approval_id"]
    assert person.asked == []
    with pytest.raises(Conflict, match="and it is done"):
        await decide(configured, first["approval_id"])


async def test_a_repeated_key_answers_the_first_result_and_needs_no_approval(either: Database) -> None:
    configured = strict(either)
    await stock(configured)
    key = {"idempotency_key": "k"}
    await decide(configured, await ask(configured, "delete_voucher_pool", **DELETE, **key))
    async with connect(configured) as client:
        first = await done(client, "delete_voucher_pool", **DELETE, **key)
        assert await done(client, "delete_voucher_pool", **DELETE, **key) == {**first, "replayed": True}
    assert await waiting(configured) == []


async def test_another_call_is_not_what_was_approved(either: Database) -> None:
    """Other arguments, another key or none: each asks anew."""
    configured = strict(either)
    await stock(configured)
    first = await ask(configured, "delete_voucher_pool", **DELETE, idempotency_key="k")
    await decide(configured, first)
    others: list[dict[str, Any]] = [
        {"idempotency_key": "k", "force": True},
        {"idempotency_key": "other"},
        {},
    ]
    asked = {await ask(configured, "delete_voucher_pool", **{**DELETE, **other}) for other in others}
    assert len(asked | {first}) == 4


async def test_what_changed_since_it_was_shown_is_asked_anew(either: Database) -> None:
    configured = strict(either, destructive="approve")
    await stock(configured)
    first = await ask(configured, "delete_voucher_pool", **DELETE)
    await decide(configured, first)
    async with connect(configured) as client:
        await done(client, "add_voucher_codes", **DELETE, codes=["C"], idempotency_key="c")
    second = await ask(configured, "delete_voucher_pool", **DELETE)
    assert second != first
    (pending,) = await waiting(configured)
    assert 'the pool "Summer" with its 3 codes' in pending.question.text
    async with connect(configured) as client:
        await done(client, "add_voucher_codes", **DELETE, codes=["D"], idempotency_key="d")
    await ask(configured, "delete_voucher_pool", **DELETE)
    with pytest.raises(Conflict, match="what it would do has changed"):
        await decide(configured, second)


async def test_what_was_refused_stays_refused_and_says_by_whom(either: Database) -> None:
    configured = strict(either)
    await stock(configured)
    await decide(configured, await ask(configured, "delete_voucher_pool", **DELETE), approve=False)
    async with connect(configured) as client:
        envelope = await refused(client, "declined", "delete_voucher_pool", **DELETE)
    assert f'"{BOSS}" refused this' in envelope["error"]


async def test_an_approval_ends_a_day_after_the_question(either: Database) -> None:
    configured = strict(either)
    await stock(configured)
    first = await ask(configured, "delete_voucher_pool", **DELETE)
    await decide(configured, first)
    either.rows("UPDATE approvals SET expires_at = expires_at - 86400001")
    second = await ask(configured, "delete_voucher_pool", **DELETE)
    assert second != first
    either.rows("UPDATE approvals SET expires_at = expires_at - 86400001")
    with pytest.raises(Conflict, match="has expired"):
        await decide(configured, second)
    assert await ask(configured, "delete_voucher_pool", **DELETE) not in (first, second)


async def test_an_id_that_nobody_gave_out_approves_nothing(either: Database) -> None:
    configured = strict(either)
    await stock(configured)
    for forged in ("apr_0000000000000000", "", "' OR 1=1 --", "apr_" + "é" * 500):
        with pytest.raises(NotFound):
            await decide(configured, forged)


async def test_who_asked_does_not_decide(either: Database) -> None:
    configured = strict(either)
    await stock(configured)
    asked = await ask(configured, "delete_voucher_pool", **DELETE)
    with pytest.raises(AccessDenied, match="second person"):
        await decide(configured, asked, by="stdio")
    with pytest.raises(AccessDenied, match="may write"):
        await decide(configured.granted({"shop": "read"}), asked)
    with pytest.raises(NotFound):
        await decide(configured.granted({}), asked)
    assert [pending.question.status for pending in await waiting(configured)] == ["open"]


async def test_of_two_who_decide_at_once_one_does(either: Database) -> None:
    configured = strict(either)
    await stock(configured)
    asked = await ask(configured, "delete_voucher_pool", **DELETE)
    said: list[str] = []

    async def one(by: str, approve: bool) -> None:
        try:
            said.append((await decide(configured, asked, approve=approve, by=by)).status)
        except Conflict as error:
            said.append(error.message)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, "user:ann", True)
        tasks.start_soon(one, "user:ben", False)
    first, second = sorted(said, key=len)
    assert first in ("approved", "refused")
    assert f"was {first} by" in second


async def all_at_once(configured: Settings, tool: str, /, **arguments: Any) -> list[Envelope]:
    """The answers of twelve such calls at once, over two servers."""
    got: list[Envelope] = []

    async def retry(client: Client) -> None:
        got.append(await call(client, tool, **arguments))

    async with connect(configured) as one, connect(configured) as two, anyio.create_task_group() as tasks:
        for client in (one, two) * 6:
            tasks.start_soon(retry, client)
    return got


CARD: dict[str, Any] = {**SHOP, "type": "GIFT_VOUCHER", "gift": {"amount": 100}}


async def test_with_a_key_an_approval_is_used_once_however_many_retry(either: Database) -> None:
    configured, keyed = strict(either, 50), {**CARD, "idempotency_key": "k"}
    asked = await all_at_once(configured, "generate_random_code", **keyed)
    (approval_id,) = {envelope["approval_id"] for envelope in asked}
    await decide(configured, approval_id)
    got = await all_at_once(configured, "generate_random_code", **keyed)
    assert all(envelope["success"] for envelope in got), got
    assert sum("replayed" not in envelope for envelope in got) == 1
    assert either.number("SELECT count(*) FROM vouchers") == 1
    assert either.rows("SELECT status FROM approvals") == [("used",)]


async def test_without_a_key_one_uses_it_and_all_others_put_one_question(either: Database) -> None:
    configured, wanted = strict(either, 50), {**SHOP, "vouchers": [{"code": "A", "gift": {"amount": 100}}]}
    approval_id = await ask(configured, "import_vouchers", **wanted)
    await decide(configured, approval_id)
    got = await all_at_once(configured, "import_vouchers", **wanted)
    assert sum(envelope["success"] for envelope in got) == 1, got
    assert either.number("SELECT count(*) FROM jobs WHERE status <> 'RECEIVING'") == 1
    (anew,) = {envelope["approval_id"] for envelope in got if not envelope["success"]}
    assert sorted(either.rows("SELECT id, status FROM approvals")) == sorted(
        [(approval_id, "used"), (anew, "open")]
    )


async def test_so_many_questions_wait_at_most(either: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voucher_mcp.journal.approvals.MOST_WAITING", 2)
    configured = strict(either)
    await stock(configured)
    for number in range(2):
        await ask(configured, "delete_voucher_pool", **DELETE, idempotency_key=str(number))
    async with connect(configured) as client:
        many = {**DELETE, "idempotency_key": "2"}
        envelope = await refused(client, "limit_exceeded", "delete_voucher_pool", **many)
        assert "2 questions of this caller wait" in envelope["error"]
        await refused(client, "approval_required", "delete_voucher_pool", **{**many, "idempotency_key": "1"})


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_what_holds_of_both_limits_and_what_is_shown_of_them(either: Database) -> None:
    """Above approve_above a second person is asked and the user is not; in between the user is."""
    person = Person()
    limits = {"confirm_above": 50_000, "approve_above": 100_000}
    configured = settings(either, keys={"destructive": "allow", "limits": limits})
    async with connect(configured, person=person) as client:
        await done(client, "create_voucher_pool", **{**CARDS, "generate": {"count": 20}})
        assert len(person.asked) == 1
        await refused(client, "approval_required", "create_voucher_pool", **{**CARDS, "name": "More"})
        assert len(person.asked) == 1
        (shop,) = (await done(client, "list_projects"))["data"]
    assert shop["confirm_above"] == 50_000
    assert shop["limits"] == {"approve_above": {"limit": 100_000, "left": 100_000}}
    off = settings(either, keys={"destructive": "allow", "limits": {"approve_above": "none"}}, limits=limits)
    async with connect(off, person=person) as client:
        await done(client, "create_voucher_pool", **{**CARDS, "name": "More"})
        (shop,) = (await done(client, "list_projects"))["data"]
    assert shop["limits"] == {}
