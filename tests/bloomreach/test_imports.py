"""Starting an import that was defined in the product."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from tests.bloomreach.conftest import Agents, backend_of, project_of
from tests.standins.bloomreach import Drop, Hang, StandIn, Status
from tests.standins.bloomreach.accounts import ApiKey
from tests.standins.bloomreach.faults import Fault
from tests.support import warrant
from voucher_mcp.backends.bloomreach.adapter import BloomreachBackend
from voucher_mcp.domain.errors import NotFound, OutcomeUnknown, VoucherError

IMPORT = "66a1b2"
PATH = "https://files.example.com/codes.csv"


@pytest.fixture
def key(bloomreach: StandIn) -> ApiKey:
    return bloomreach.data.add_key(IMPORT)


def opened_by(bloomreach: StandIn, key: ApiKey) -> dict[str, Any]:
    """The four settings of an API key."""
    return {
        "api_base": bloomreach.base_url,
        "project_token": key.project_token,
        "api_key_id": key.key_id,
        "api_secret": key.secret,
    }


async def start(
    bloomreach: StandIn,
    key: ApiKey,
    import_id: str = IMPORT,
    path: str | None = None,
    patience: float = 30.0,
    **write: Any,
) -> Any:
    async with backend_of(bloomreach, timeout=patience, **opened_by(bloomreach, key)) as backend:
        given = replace(warrant("start_voucher_import"), **write)
        try:
            return await backend.start_voucher_import(given, import_id, path)
        except VoucherError as error:
            failure = error
    raise failure


async def refused(code: str, *arguments: Any, **write: Any) -> VoucherError:
    with pytest.raises(VoucherError) as caught:
        await start(*arguments, **write)
    assert (caught.value.code, caught.value.applied) == (code, "no")
    return caught.value


async def test_an_import_is_started_without_a_body(bloomreach: StandIn, key: ApiKey) -> None:
    answer = await start(bloomreach, key)
    assert answer.data == {"import_id": IMPORT, "started": True, "success": True}
    assert bloomreach.imports.started == [(IMPORT, None)]
    (request,) = bloomreach.requests_to("/imports/")
    assert "content-type" not in request.headers
    pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == f"{key.key_id}:{key.secret}"


async def test_a_path_replaces_the_source(bloomreach: StandIn, key: ApiKey) -> None:
    answer = await start(bloomreach, key, path=PATH)
    assert answer.data["path"] == PATH
    assert bloomreach.imports.started == [(IMPORT, {"path": PATH})]


@pytest.mark.parametrize(
    "said", [None, b"\r\n", b'["x"]', b'{"success": null}', b'{"import_id": "other", "run": 5}']
)
async def test_a_started_import_may_answer_any_json_or_nothing(
    bloomreach: StandIn, key: ApiKey, said: bytes | None
) -> None:
    bloomreach.imports.answer = said
    data = (await start(bloomreach, key)).data
    assert (data["import_id"], data["started"]) == (IMPORT, True)


@pytest.mark.parametrize(
    "said",
    [
        b"<html>",
        b"OK",
        b'{"success": tru',
        b'{"success": "no"}',
        b'{"a": NaN}',
        b'{"errors": ["import 7 does not exist"]}',
        b'{"success": null, "error": "no such import"}',
    ],
)
async def test_an_answer_that_cannot_be_read_leaves_it_unknown_whether_the_import_runs(
    bloomreach: StandIn, key: ApiKey, said: bytes
) -> None:
    bloomreach.fail(Status(200, said), path="/imports/")
    with pytest.raises(OutcomeUnknown, match="cannot be read") as caught:
        await start(bloomreach, key)
    assert_advises_rightly(caught.value)


def assert_advises_rightly(error: OutcomeUnknown) -> None:
    """No repeat finds out what became of an import; a person does."""
    assert error.applied == "unknown"
    assert "imports page" in error.message
    assert "new idempotency_key" in error.message
    assert "finds out by itself" not in error.message


async def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(bloomreach: StandIn, key: ApiKey) -> None:
    answer = await start(bloomreach, key, path=PATH, dry_run=True)
    assert answer.data == {"import_id": IMPORT, "started": True, "path": PATH}
    assert answer.beside == {"dry_run": True}
    assert bloomreach.requests == []


async def test_an_import_id_is_one_segment_of_the_address(bloomreach: StandIn, key: ApiKey) -> None:
    await refused("not_found", bloomreach, key, "../../x?y#z")
    (request,) = bloomreach.requests
    assert request.path.endswith("/imports/..%2F..%2Fx%3Fy%23z/start")
    await refused("invalid_input", bloomreach, key, "")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Status(400, b'{"errors": ["bad path"]}'), "invalid_input"),
        (Status(401), "unauthorized"),
        (Status(403), "forbidden"),
        (Status(404, b'{"errors": ["import not found"]}'), "not_found"),
        (Status(405), "upstream_error"),
        (Status(409), "conflict"),
        (Status(200, b'{"success": false, "errors": ["no"]}'), "upstream_error"),
    ],
)
async def test_a_refusal_starts_nothing(bloomreach: StandIn, key: ApiKey, fault: Fault, code: str) -> None:
    bloomreach.fail(fault)
    error = await refused(code, bloomreach, key)
    assert key.secret not in error.message
    assert len(bloomreach.requests) == 1


async def test_a_refusal_that_repeats_the_sign_in_is_told_without_it(
    bloomreach: StandIn, key: ApiKey
) -> None:
    basic = base64.b64encode(f"{key.key_id}:{key.secret}".encode()).decode()
    bloomreach.fail(Status(401, f'{{"error": "bad header Basic {basic}"}}'.encode()))
    error = await refused("unauthorized", bloomreach, key)
    assert "bad header" in error.message
    assert basic not in error.message


@pytest.mark.parametrize("fault", [Drop(), Status(502), Hang()])
async def test_a_lost_answer_is_never_sent_again(bloomreach: StandIn, key: ApiKey, fault: Fault) -> None:
    bloomreach.fail(fault, after_effect=True)
    patience = 2.0 if isinstance(fault, Hang) else 30.0
    with pytest.raises(OutcomeUnknown) as caught:
        await start(bloomreach, key, patience=patience)
    assert_advises_rightly(caught.value)
    assert len(bloomreach.imports.started) == 1
    with pytest.raises(OutcomeUnknown, match="nothing was sent again") as again:
        await start(bloomreach, key, recovering=True)
    assert_advises_rightly(again.value)
    assert len(bloomreach.requests) == 1


NO_ROUTE = [
    Status(404),
    Status(404, b"<html>nginx</html>", {"content-type": "text/html"}),
    Status(404, b'{"errors": ["not found"], "success": false}'),
    Status(404, b'{"message": "Cannot POST /data/v2/projects/project-token/imports/66a1b2/start"}'),
]


def versions_asked(bloomreach: StandIn) -> list[str]:
    return [request.path.split("/")[2] for request in bloomreach.requests]


@pytest.mark.parametrize("fault", NO_ROUTE)
@pytest.mark.parametrize("path", [None, PATH])
async def test_an_address_that_does_not_exist_leads_on_to_the_other_version(
    bloomreach: StandIn, key: ApiKey, fault: Status, path: str | None
) -> None:
    bloomreach.imports.versions = {"v1"}
    bloomreach.fail(fault)
    answer = await start(bloomreach, key, path=path)
    assert answer.data["started"] is True
    assert versions_asked(bloomreach) == ["v2", "v1"]
    assert bloomreach.imports.started == [(IMPORT, None if path is None else {"path": path})]


@pytest.mark.parametrize(("served", "asked"), [("v1", ["v2", "v1", "v1", "v1"]), ("v2", ["v2", "v2", "v2"])])
async def test_the_version_that_exists_is_remembered(
    bloomreach: StandIn, key: ApiKey, served: str, asked: list[str]
) -> None:
    bloomreach.imports.versions = {served}
    async with backend_of(bloomreach, **opened_by(bloomreach, key)) as backend:
        for _ in range(2):
            await backend.start_voucher_import(warrant("start_voucher_import"), IMPORT, None)
        with pytest.raises(NotFound):
            await backend.start_voucher_import(warrant("start_voucher_import"), "unknown", None)
    assert versions_asked(bloomreach) == asked
    assert len(bloomreach.imports.started) == 2


async def test_a_version_that_was_given_up_meanwhile_leads_on_again(bloomreach: StandIn, key: ApiKey) -> None:
    async with backend_of(bloomreach, **opened_by(bloomreach, key)) as backend:
        for version in ("v2", "v1", "v1"):
            bloomreach.imports.versions = {version}
            await backend.start_voucher_import(warrant("start_voucher_import"), IMPORT, None)
    assert versions_asked(bloomreach) == ["v2", "v2", "v1", "v1"]
    assert len(bloomreach.imports.started) == 3


async def test_where_no_version_of_the_address_exists_nothing_is_started(
    bloomreach: StandIn, key: ApiKey
) -> None:
    bloomreach.imports.versions = set()
    error = await refused("not_found", bloomreach, key)
    assert "project_token" in error.message
    assert versions_asked(bloomreach) == ["v2", "v1"]


@pytest.mark.parametrize("fault", [Drop(), Hang(), Status(502), Status(408), Status(200, b"<html>")])
async def test_a_second_version_is_not_tried_where_the_first_may_have_started_it(
    bloomreach: StandIn, key: ApiKey, fault: Fault
) -> None:
    bloomreach.imports.versions = {"v1", "v2"}
    bloomreach.fail(fault, after_effect=True)
    with pytest.raises(OutcomeUnknown):
        await start(bloomreach, key, patience=2.0 if fault == Hang() else 30.0)
    assert versions_asked(bloomreach) == ["v2"]
    assert len(bloomreach.imports.started) <= 1


async def test_an_import_whose_answer_is_lost_at_the_second_version_stays_unknown(
    agents: Agents, bloomreach: StandIn, key: ApiKey
) -> None:
    bloomreach.imports.versions = {"v1"}
    bloomreach.fail(Status(404), path="/data/v2")
    bloomreach.fail(Drop(), path="/data/v1", after_effect=True)
    async with agents(**opened_by(bloomreach, key)) as agent:
        for _ in range(2):
            lost = await agent.call("start_voucher_import", import_id=IMPORT, idempotency_key="k")
            assert lost["error_code"] == "outcome_unknown"
    assert bloomreach.imports.started == [(IMPORT, None)]


@pytest.mark.parametrize("path", ["", "a\nb", "x" * 2_001])
async def test_a_path_that_is_none_is_refused_before_sending(
    bloomreach: StandIn, key: ApiKey, path: str
) -> None:
    assert (await refused("invalid_input", bloomreach, key, IMPORT, path)).field == "path"
    assert bloomreach.requests == []


async def test_without_an_api_key_nothing_can_be_started(bloomreach: StandIn, key: ApiKey) -> None:
    serves = BloomreachBackend.serves
    assert not serves(project_of(bloomreach), "start_voucher_import")
    assert serves(project_of(bloomreach, **opened_by(bloomreach, key)), "start_voucher_import")
    assert serves(project_of(bloomreach), "list_voucher_pools")


async def test_an_agent_starts_an_import_where_it_may_write(
    agents: Agents, bloomreach: StandIn, key: ApiKey
) -> None:
    given = opened_by(bloomreach, key)
    async with agents(**given) as agent:
        rehearsed = await agent.ok("start_voucher_import", import_id=IMPORT, dry_run=True)
        assert (rehearsed["dry_run"], bloomreach.imports.started) == (True, [])
        first = await agent.ok("start_voucher_import", import_id=IMPORT, idempotency_key="k")
        again = await agent.ok("start_voucher_import", import_id=IMPORT, idempotency_key="k")
        assert (first["data"], again["replayed"]) == (again["data"], True)
        assert bloomreach.imports.started == [(IMPORT, None)]
    async with agents(**given, access="read") as agent:
        await agent.refused("access_denied", "start_voucher_import", import_id=IMPORT)
    async with agents() as agent:
        await agent.refused("unsupported", "start_voucher_import", import_id=IMPORT)


async def test_a_lost_answer_stays_unknown_for_its_key_and_the_import_runs_once(
    agents: Agents, bloomreach: StandIn, key: ApiKey
) -> None:
    bloomreach.fail(Drop(), path="/imports/", after_effect=True)
    async with agents(**opened_by(bloomreach, key)) as agent:
        for _ in range(2):
            lost = await agent.call("start_voucher_import", import_id=IMPORT, idempotency_key="k")
            assert (lost["error_code"], lost["applied"]) == ("outcome_unknown", "unknown")
            assert "imports page" in lost["error"]
    assert bloomreach.imports.started == [(IMPORT, None)]
