"""What the stand-in does beyond shapes: paths, pages, the bin, jobs, balances, stacks, sessions, faults."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import anyio
import httpx2
import pytest

from tests.standins.voucherify import StandIn, faults, serve
from tests.support import held

Json = dict[str, Any]
GIFT: Json = {"type": "GIFT_VOUCHER", "gift": {"amount": 1_000}}


class Caller:
    """A client with the keys."""

    def __init__(self, standin: StandIn, client: httpx2.AsyncClient) -> None:
        self.standin, self.client = standin, client

    async def __call__(self, method: str, path: str, status: int = 200, json: Any = None) -> Any:
        reply = await self.client.request(method, f"/v1{path}", json=json)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content else None

    async def refused(self, method: str, path: str, status: int, key: str, json: Any = None) -> None:
        assert (await self(method, path, status, json))["key"] == key


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    """An empty project."""
    async with held(serve()) as standin:
        keys = {"X-App-Id": standin.app_id, "X-App-Token": standin.app_token}
        async with httpx2.AsyncClient(base_url=standin.base_url, headers=keys, timeout=5) as client:
            yield Caller(standin, client)


async def test_without_its_keys_nobody_gets_in(call: Caller) -> None:
    for headers in ({"X-App-Token": "wrong"}, {"X-App-Id": ""}, {"Authorization": "Bearer none"}):
        reply = await call.client.get("/v1/vouchers", headers=headers)
        assert (reply.status_code, reply.json()["key"]) == (401, "unauthorized")
    call.standin.bearer_tokens.add("token")
    reply = await call.client.get("/v1/vouchers", headers={"Authorization": "Bearer token"})
    assert reply.is_success
    version = {"X-Voucherify-API-Version": "v1999-01-01"}
    assert (await call.client.get("/v1/vouchers", headers=version)).status_code == 400


async def test_a_segment_of_a_path_is_decoded_once(call: Caller) -> None:
    for raw, code in (("A%2FB%20c%3F%23%25v", "A/B c?#%v"), ("%252F", "%2F"), ("a+b", "a+b")):
        assert (await call("POST", f"/vouchers/{raw}", json=GIFT))["code"] == code
        assert (await call("GET", f"/vouchers/{raw}"))["code"] == code
        assert call.standin.requests[-1].path == f"/v1/vouchers/{raw}"


async def test_nested_keys_of_a_query_are_read_raw_and_encoded_alike(call: Caller) -> None:
    for code in ("a", "b", "c"):
        call.standin.add_voucher(code, gift={"amount": 1}, metadata={"n": code})
    call.standin.add_voucher("d")
    for query in (
        "filters[junction]=and&filters[voucher_type][conditions][$in][0]=GIFT_VOUCHER&filters[code][conditions][$is]=a",
        "filters%5Bcode%5D%5Bconditions%5D%5B%24in%5D%5B0%5D=a",
        "filters[metadata.n][conditions][$is]=a",
        "[filters][code][conditions][$starts_with]=a",
        "code=a",
    ):
        assert [one["code"] for one in (await call("GET", f"/vouchers?{query}"))["vouchers"]] == ["a"]
    ids = [call.standin.state.vouchers[code]["id"] for code in ("a", "c")]
    found = await call("GET", f"/vouchers?ids[0]={ids[0]}&ids[1]={ids[1]}&order=code")
    assert [one["code"] for one in found["vouchers"]] == ["a", "c"]
    either = "filters[junction]=or&filters[code][conditions][$is]=a"
    either += "&filters[voucher_type][conditions][$is]=DISCOUNT_VOUCHER"
    assert (await call("GET", f"/vouchers?{either}"))["total"] == 2


@pytest.mark.parametrize(
    "query",
    [
        "limit=101",
        "limit=0",
        "limit=ten",
        "page=0",
        "order=name",
        "ids[0=x",
        "created_at[since]=2024-01-01",
        "created_at[after]=soon",
        "filters[shape][conditions][$is]=round",
        "filters[code][$is]=a",
        "filters[code][conditions][$in]=a",
        "filters[code][conditions][$like]=a",
    ],
)
async def test_a_query_that_no_document_knows_is_refused(query: str, call: Caller) -> None:
    await call.refused("GET", f"/vouchers?{query}", 400, "invalid_query_params")


async def test_pages_end_at_the_99th_and_are_empty_past_the_end(call: Caller) -> None:
    for number in range(5):
        call.standin.add_voucher(f"v{number}")
    pages = [await call("GET", f"/vouchers?limit=2&order=code&page={page}") for page in (1, 3, 4)]
    assert [[one["code"] for one in page["vouchers"]] for page in pages] == [["v0", "v1"], ["v4"], []]
    assert {page["total"] for page in pages} == {5}
    await call.refused("GET", "/vouchers?page=100", 400, "page_over_limit")


async def test_an_update_skips_what_it_may_not_change(call: Caller) -> None:
    call.standin.add_voucher("a", gift={"amount": 100})
    changes = {"gift": {"amount": 9}, "code": "b", "redemption": {"quantity": 9}, "additional_info": "new"}
    changed = await call("PUT", "/vouchers/a", json=changes)
    assert (changed["code"], changed["gift"]["amount"], changed["redemption"]["quantity"]) == ("a", 100, None)
    assert changed["additional_info"] == "new"


async def test_a_code_in_the_bin_stays_taken_until_it_is_deleted_with_force(call: Caller) -> None:
    for force, status in (("?force=true", 200), ("", 409)):
        call.standin.add_voucher("a") if force else None
        await call("DELETE", f"/vouchers/a{force}", 204)
        await call("GET", "/vouchers/a", 404)
        await call("POST", "/vouchers/a", status, json=GIFT)


async def test_the_ledger_is_the_balance(call: Caller) -> None:
    await call("POST", "/vouchers/card", json=GIFT)
    for amount in (500, -200, 30):
        await call("POST", "/vouchers/card/balance", json={"amount": amount, "source_id": f"s{amount}"})
    await call.refused(
        "POST", "/vouchers/card/balance", 400, "invalid_add_balance_params", {"amount": -9_000}
    )
    body: Json = {"redeemables": [{"object": "voucher", "id": "card", "gift": {"credits": 400}}]}
    redemption = (await call("POST", "/redemptions", json=body))["redemptions"][0]["id"]
    assert (await call("GET", "/vouchers/card"))["gift"]["balance"] == 930
    await call("POST", f"/redemptions/{redemption}/rollback", json={})
    seen, query = [], "limit=2&order=id"
    while True:
        page = await call("GET", f"/vouchers/card/transactions?{query}")
        seen += page["data"]
        if not page["has_more"]:
            break
        query = f"limit=2&order=id&starting_after_id={page['more_starting_after']}"
    assert [one["type"].removeprefix("CREDITS_") for one in seen] == (
        ["ADDITION", "ADDITION", "REMOVAL", "ADDITION", "REDEMPTION", "REFUND"]
    )
    balance = 0
    for one in seen:
        balance += one["details"]["balance"]["amount"]
        assert one["details"]["balance"]["balance"] == balance
    assert balance == (await call("GET", "/vouchers/card"))["gift"]["balance"] == 1_330


async def test_a_stack_is_redeemed_as_a_whole_or_not_at_all(call: Caller) -> None:
    call.standin.add_voucher("ten", discount={"type": "PERCENT", "percent_off": 10})
    call.standin.add_voucher("card", gift={"amount": 300})
    call.standin.add_voucher("off", active=False)
    both = [{"object": "voucher", "id": "ten"}, {"object": "voucher", "id": "card"}]
    body: Json = {"redeemables": [*both, {"object": "voucher", "id": "off"}], "order": {"amount": 2_000}}
    validation = await call("POST", "/validations", json=body)
    assert [one["status"] for one in validation["redeemables"]] == ["SKIPPED", "SKIPPED", "INAPPLICABLE"]
    await call.refused("POST", "/redemptions", 400, "voucher_disabled", body)
    assert (await call("GET", "/vouchers/card"))["gift"]["balance"] == 300
    done = await call("POST", "/redemptions", json={**body, "redeemables": both})
    assert done["order"]["total_discount_amount"] == 200 + 300
    assert done["order"]["total_amount"] == 1_500
    parent, child = done["parent_redemption"]["id"], done["redemptions"][0]["id"]
    await call.refused("POST", f"/redemptions/{child}/rollback", 400, "invalid_redemption_parent", {})
    await call.refused("POST", f"/redemptions/{parent}/rollback", 400, "invalid_redemption", {})
    assert len((await call("POST", f"/redemptions/{parent}/rollbacks", json={}))["rollbacks"]) == 2
    assert (await call("GET", "/vouchers/card"))["gift"]["balance"] == 300
    await call.refused("POST", f"/redemptions/{parent}/rollbacks", 400, "already_rolled_back", {})
    listed = (await call("GET", "/redemptions?limit=100"))["redemptions"]
    kinds = [(one["object"], one["result"]) for one in listed]
    assert kinds.count(("redemption_rollback", "SUCCESS")) == 3
    assert kinds.count(("redemption", "FAILURE")) == 1


async def test_a_session_holds_a_voucher_until_it_ends(call: Caller) -> None:
    call.standin.add_voucher("once", redemption={"quantity": 1})
    body: Json = {"redeemables": [{"object": "voucher", "id": "once"}], "order": {"amount": 2_000}}
    session = {"type": "LOCK", "key": "mine", "ttl": 1, "ttl_unit": "MINUTES"}
    for _ in range(2):  # the same key replaces what it held
        assert (await call("POST", "/validations", json={**body, "session": session}))["valid"]
    await call.refused("POST", "/redemptions", 400, "quantity_exceeded", body)
    await call("DELETE", "/vouchers/once/sessions/other", 404)
    state, now = call.standin.state, call.standin.state.clock()
    state.clock = lambda: now + timedelta(seconds=61)
    assert (await call("POST", "/validations", json=body))["valid"]
    state.clock = lambda: now
    assert (await call("POST", "/redemptions", json={**body, "session": session}))["redemptions"]
    assert not state.sessions


async def test_a_static_campaign_runs_out_of_codes_and_a_source_id_gets_the_same_one(call: Caller) -> None:
    call.standin.add_campaign("Summer", ["a", "b"])
    body: Json = {"campaign": {"name": "Summer"}, "customer": {"source_id": "bob"}, "source_id": "s1"}
    first = await call("POST", "/publications", json=body)
    assert (await call("POST", "/publications", json=body))["id"] == first["id"]
    other = {**body, "customer": {"source_id": "eve"}}
    await call.refused("POST", "/publications", 400, "duplicate_source_id", other)
    second = await call("POST", "/publications", json={**other, "source_id": "s2"})
    assert {first["voucher"]["code"], second["voucher"]["code"]} == {"a", "b"}
    key = "no_voucher_suitable_for_publication"
    await call.refused("POST", "/publications", 400, key, {**body, "source_id": "s3"})
    await call.refused(
        "POST",
        "/publications",
        400,
        "voucher_already_published",
        {**other, "voucher": "a", "source_id": "s4"},
    )


async def test_a_job_is_done_after_so_many_looks(call: Caller) -> None:
    call.standin.state.polls = 2
    action = (await call("POST", "/vouchers/import", 202, json=[{"code": "a", **GIFT}]))["async_action_id"]
    statuses = [(await call("GET", f"/async-actions/{action}"))["status"] for _ in range(3)]
    assert statuses == ["ENQUEUED", "ENQUEUED", "DONE"]
    again = (await call("POST", "/vouchers/import", 202, json=[{"code": "a", **GIFT}]))["async_action_id"]
    call.standin.finish_jobs()
    result = (await call("GET", f"/async-actions/{again}"))["result"]
    assert (result["done_count"], result["failed_count"]) == (0, 1)
    assert result["failed"][0]["code"] == "a"


async def test_a_download_wants_the_keys_and_the_token(call: Caller) -> None:
    call.standin.add_voucher("card", gift={"amount": 100})
    export = (await call("POST", "/vouchers/card/transactions/export", json={}))["id"]
    call.standin.finish_jobs()
    url = (await call("GET", f"/exports/{export}"))["result"]["url"]
    assert "CREDITS_ADDITION" in (await call.client.get(url)).text
    assert (await call.client.get(url + "0")).status_code == 401
    assert (await call.client.get(url, headers={"X-App-Token": ""})).status_code == 401


async def test_a_lost_answer_leaves_the_effect_only_where_it_is_told_to(call: Caller) -> None:
    for after_effect in (False, True):
        for fault in (faults.drop(), faults.status(500), faults.html_page()):
            call.standin.state.vouchers.clear()
            call.standin.fail(fault, path="/vouchers/a", method="POST", after_effect=after_effect)
            with suppress(httpx2.TransportError):
                assert (await call.client.post("/v1/vouchers/a", json=GIFT)).status_code >= 500
            assert ("a" in call.standin.state.vouchers) is after_effect


async def test_faults_meet_so_many_requests_of_a_path(call: Caller) -> None:
    call.standin.add_voucher("a")
    call.standin.fail(faults.too_many(7), times=2, path="/vouchers/a")
    assert (await call.client.get("/v1/vouchers")).is_success
    for _ in range(2):
        reply = await call.client.get("/v1/vouchers/a")
        assert (reply.status_code, reply.headers["Retry-After"]) == (429, "7")
        assert "key" not in reply.json()
    assert (await call.client.get("/v1/vouchers/a")).headers["X-Rate-Limit-Limit"] == "2000"
    call.standin.fail(faults.quota_spent())
    assert (await call.client.get("/v1/vouchers")).headers["X-Rate-Limit-Type"] == "api_calls_cycle"
    call.standin.fail(faults.truncated())
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        (await call.client.get("/v1/vouchers/a")).json()
    call.standin.fail(faults.decorated(faults.strange))
    assert "new_in_2030" in (await call.client.get("/v1/vouchers/a")).json()


async def test_too_many_requests_are_turned_away(call: Caller) -> None:
    call.standin.limit_rate(3, 60)
    statuses = [(await call.client.get("/v1/vouchers")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_a_body_of_more_than_10_mb_has_an_envelope_of_its_own(call: Caller) -> None:
    much = [{"code": "a", "metadata": {"text": "x" * 10_485_760}}]
    reply = await call.client.post("/v1/vouchers/bulk/async", json=much)
    assert (reply.status_code, reply.json()["statusCode"]) == (413, 413)


async def test_the_server_ends_while_requests_hang_and_serves_many_at_once(call: Caller) -> None:
    call.standin.add_voucher("a")
    async with anyio.create_task_group() as tasks:
        for _ in range(16):
            tasks.start_soon(call, "GET", "/vouchers/a")
    assert 1 <= call.standin.connections <= 16
    async with serve() as other, httpx2.AsyncClient(base_url=other.base_url) as client:
        other.fail(faults.hang())
        with pytest.raises(httpx2.ReadTimeout):
            await client.get("/v1/vouchers", timeout=0.05)
        other.fail(faults.hang())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_unanswered, client)
            while len(other.requests) < 2:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()


async def _unanswered(client: httpx2.AsyncClient) -> None:
    await client.get("/v1/vouchers")


async def test_a_generation_that_runs_out_of_codes_fails_and_makes_none(call: Caller) -> None:
    campaign = call.standin.add_campaign("Digits", [str(digit) for digit in range(9)])
    form = {"code_config": {"length": 1, "charset": "0123456789"}}
    begun = await call("POST", f"/campaigns/{campaign}/vouchers?vouchers_count=2", 202, form)
    call.standin.finish_jobs()
    action = await call("GET", f"/async-actions/{begun['async_action_id']}")
    assert (action["status"], action["result"]["done_count"]) == ("FAILED", 0)
    assert (await call("GET", f"/campaigns/{campaign}"))["vouchers_generation_status"] == "FAILED"
    assert len(call.standin.state.vouchers) == 9
