"""Every outcome of every tool is one envelope."""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.types import ResourceLink, TextResourceContents

from tests.protocol.clients import (
    ERROR_CODES,
    Person,
    call,
    connect,
    done,
    envelope_of,
    local,
    refused,
    settings,
)
from tests.protocol.contract import CARD, ON_PROJECTS, TRAITS, WRITING, example, prepare, ready
from tests.protocol.wire import start
from tests.support import TEN_PERCENT
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.domain import errors
from voucher_mcp.domain.answer import Answer
from voucher_mcp.tools import dispatch

every_tool = pytest.mark.parametrize("tool", TRAITS)
every_tool_on_projects = pytest.mark.parametrize("tool", ON_PROJECTS)


def every_error(kind: type[errors.VoucherError] = errors.VoucherError) -> Iterator[type[errors.VoucherError]]:
    """Those of the table in `domain.errors`; an adapter may have a finer one of the same code."""
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from every_error(each)


async def test_the_tables_of_this_suite_have_every_tool(database: Path) -> None:
    async with connect(settings(database)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TRAITS.keys()


@every_tool
async def test_a_success_is_an_envelope(tool: str, era: str, database: Path) -> None:
    async with connect(settings(database), era, Person()) as client:
        await prepare(client)
        await done(client, tool, **await ready(client, tool))


@every_tool
async def test_an_unknown_argument_is_an_envelope(tool: str, era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        envelope = await refused(client, "invalid_input", tool, **example(tool), colour="red")
    assert 'no argument "colour"' in envelope["error"]
    assert envelope["field"] == "colour"


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("pool", "pool_id"), ("projectId", "project_id"), ("Skip", "skip")]
)
async def test_an_unknown_argument_names_the_nearest(wrong: str, nearest: str, database: Path) -> None:
    async with connect(settings(database)) as client:
        envelope = await refused(client, "invalid_input", "list_voucher_codes", **{wrong: "x"})
    assert f'no argument "{wrong}"; did you mean `{nearest}`?' in envelope["error"]
    assert "?." not in envelope["error"]


@every_tool_on_projects
async def test_a_missing_argument_is_an_envelope_that_names_it(tool: str, era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        envelope = await refused(client, "invalid_input", tool)
    assert "`project_id` is required" in envelope["error"]
    assert envelope["field"] == "project_id"


@every_tool_on_projects
async def test_a_wrong_type_is_an_envelope_that_names_the_argument(
    tool: str, era: str, database: Path
) -> None:
    async with connect(settings(database), era) as client:
        envelope = await refused(client, "invalid_input", tool, **{**example(tool), "project_id": 7})
    assert "`project_id` must be a valid string" in envelope["error"]
    assert envelope["field"] == "project_id"


@every_tool_on_projects
async def test_a_project_that_the_caller_does_not_have_is_an_envelope(
    tool: str, era: str, database: Path
) -> None:
    async with connect(settings(database), era) as client:
        envelope = await refused(client, "not_found", tool, **{**example(tool), "project_id": "other"})
    assert envelope["field"] == "project_id"
    assert '"other"' in envelope["error"]
    assert '"shop"' in envelope["error"]


async def test_an_unknown_tool_is_an_envelope_that_names_the_nearest(era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        envelope = await refused(client, "not_found", "get_voucher_pools")
        await refused(client, "not_found", "x" * 100_000)
        await refused(client, "not_found", "")
    assert "get_voucher_pool?" in envelope["error"]


@pytest.mark.parametrize("tool", WRITING)
async def test_a_tool_that_is_not_registered_answers_an_envelope(tool: str, era: str, database: Path) -> None:
    async with connect(settings(database, read_only=True), era) as client:
        assert tool not in {each.name for each in (await client.list_tools()).tools}
        await refused(client, "access_denied", tool, **example(tool))


async def test_a_database_that_cannot_be_opened_is_an_envelope(era: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is not a database " * 100)
    async with connect(settings(broken), era) as client:
        envelope = await refused(client, "unavailable", "list_voucher_pools", project_id="shop")
        await done(client, "list_projects")
    assert envelope["retryable"] is False
    assert str(tmp_path) not in envelope["error"]


@every_tool
async def test_a_crash_is_internal_and_its_reference_is_in_the_log(
    tool: str,
    era: str,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = bytes(range(40, 48)).hex()  # made here: the log may show lines of the source

    def crash(*_: object, **__: object) -> None:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise RuntimeError(secret) from error

    async with connect(settings(database), era, Person()) as client:
        await prepare(client)
        arguments = await ready(client, tool)
        if TRAITS[tool].on_projects:
            monkeypatch.setattr(LocalBackend, TRAITS[tool].needs or tool, crash)
        else:
            monkeypatch.setattr(dispatch, "offer", crash)
        envelope = await call(client, tool, **arguments)
    assert envelope["error_code"] == "internal"
    assert envelope.get("applied") == ("unknown" if TRAITS[tool].journalled else None)
    assert secret not in str(envelope)
    [reference] = re.findall(r"reference ([0-9a-f]{8})\b", envelope["error"])
    [record] = [record for record in caplog.records if reference in record.getMessage()]
    assert record.levelno == logging.ERROR
    assert "RuntimeError" in record.getMessage()
    assert tool in record.getMessage()
    assert secret not in caplog.text


@pytest.mark.parametrize(
    ("tool", "code", "applied"),
    [("get_voucher_pool", "unavailable", None), ("update_voucher_pool", "outcome_unknown", "unknown")],
)
async def test_a_call_that_takes_too_long_is_an_envelope(
    tool: str, code: str, applied: str | None, era: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(LocalBackend, tool, hang)
    monkeypatch.setattr(dispatch, "CALL_SECONDS", 0.05)
    async with connect(settings(database), era) as client:
        envelope = await call(client, tool, **example(tool))
    assert (envelope["error_code"], envelope.get("applied")) == (code, applied)


# What a second person is asked has an id and an end of its own: tests/policy/test_approvals.py.
@pytest.mark.parametrize("kind", [kind for kind in every_error() if kind is not errors.ApprovalRequired])
async def test_every_error_of_a_backend_arrives_with_all_that_it_says(
    kind: type[errors.VoucherError], database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise kind(
            "It failed.",
            field="pool_id",
            retryable=True,
            retry_after=1.5,
            applied="partly",
            request_id="req-1",
        )

    monkeypatch.setattr(LocalBackend, "update_voucher_pool", fail)
    async with connect(settings(database)) as client:
        envelope = await call(client, "update_voucher_pool", **example("update_voucher_pool"))
    assert envelope == {
        "success": False,
        "data": None,
        "error": "It failed.",
        "error_code": kind.code,
        "retryable": True,
        "retry_after": 1.5,
        "applied": "partly",
        "field": "pool_id",
        "request_id": "req-1",
    }


def test_the_errors_have_exactly_the_codes_of_the_design() -> None:
    codes = [errors.VoucherError.code, *(kind.code for kind in every_error())]
    assert sorted(codes) == sorted(ERROR_CODES)  # each once: a code has one class


LATER = [tool for tool in WRITING if "import" in tool or "in_bulk" in tool]  # whose job says what failed
SAYS_SO = re.compile(r"nothing was changed|nothing was written", re.IGNORECASE)
MAKING = ("create_voucher_pool", "create_voucher", "generate_random_code")


@pytest.mark.parametrize("tool", [*WRITING, "export_voucher_transactions"])
async def test_a_write_that_failed_says_that_nothing_was_changed_and_says_it_once(
    tool: str, database: Path
) -> None:
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        for wrong in ({"colour": "red"}, {"dry_run": "no"}, {"project_id": 7}, {"project_id": "other"}, {}):
            envelope = await call(client, tool, **{**example(tool), **wrong})  # nothing is there yet
            assert envelope["success"] is (not wrong and (tool in MAKING or tool in LATER))
            assert len(SAYS_SO.findall(envelope["error"] or "")) == (not envelope["success"]), envelope


@every_tool_on_projects
async def test_whether_anything_was_changed_is_said_of_writes_alone(
    tool: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, errors.Applied, str]] = [
        ("It failed.", "no", "It failed. Nothing was changed."),
        ("Who knows?", "unknown", "Who knows?"),
        ("Half of it was done.", "partly", "Half of it was done."),
    ]
    async with connect(settings(database, keys={"destructive": "allow"})) as client:
        await prepare(client)
        arguments = await ready(client, tool)
        for message, applied, shown in said:

            async def fail(
                *_: object, message: str = message, applied: errors.Applied = applied, **__: object
            ) -> None:
                raise errors.Conflict(message, applied=applied)

            monkeypatch.setattr(LocalBackend, TRAITS[tool].needs or tool, fail)
            envelope = await call(client, tool, **arguments)
            written = TRAITS[tool].journalled
            assert envelope.get("applied") == (applied if written else None)
            assert envelope["error"] == (shown if written else message)


async def test_what_a_list_knows_besides_stands_beside_its_data(era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        await prepare(client)
        pools = await done(client, "list_voucher_pools", project_id="shop")
        codes = await done(client, "list_voucher_codes", project_id="shop", pool_id="Summer", skip=1, count=1)
    assert pools.keys() == {"success", "data", "error", "has_more"}
    beside = {name: value for name, value in codes.items() if name != "data"}
    assert beside == {
        "success": True,
        "error": None,
        "matched": 3,
        "matched_limited": False,
        "skip": 1,
        "limit": 1,
    }


async def test_text_from_a_voucher_system_that_is_half_a_character_does_not_break_the_wire(
    era: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(*_: object, **__: object) -> Answer[Any]:
        return Answer({"id": "1", "name": "Sun \ud83d"})

    monkeypatch.setattr(LocalBackend, "get_voucher_pool", answer)
    async with connect(settings(database), era) as client:
        envelope = await done(client, "get_voucher_pool", **example("get_voucher_pool"))
    assert envelope["data"] == {"id": "1", "name": "Sun "}


async def test_names_are_not_escaped_where_they_need_not_be(era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        await done(client, "create_voucher_pool", project_id="shop", voucher=TEN_PERCENT, name="Été 夏 🎉")
        result = await client.call_tool("list_voucher_pools", {"project_id": "shop"})
    assert "Été 夏 🎉" in str(result.content[0])


async def test_a_project_without_a_call_leaves_no_file_behind(database: Path) -> None:
    async with connect(settings(database, projects={"shop": local(database)})) as client:
        await done(client, "list_projects")
        await client.list_tools()
    assert not database.exists()


async def crashing(*_: object, **__: object) -> None:
    raise RuntimeError


async def hanging(*_: object, **__: object) -> None:
    await anyio.sleep_forever()


@pytest.mark.parametrize(
    ("session", "fault", "code", "applied"),
    [
        (None, crashing, "internal", None),
        ("", crashing, "internal", None),
        ({"key": "k"}, crashing, "internal", "unknown"),
        (None, hanging, "unavailable", None),
        ({"key": "k"}, hanging, "outcome_unknown", "unknown"),
    ],
)
async def test_a_validation_that_reserves_may_have_done_so_when_it_fails(
    session: object,
    fault: object,
    code: str,
    applied: str | None,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LocalBackend, "validate_vouchers", fault)
    monkeypatch.setattr(dispatch, "CALL_SECONDS", 0.5)
    async with connect(settings(database)) as client:
        envelope = await call(client, "validate_vouchers", **example("validate_vouchers"), session=session)
    assert (envelope["error_code"], envelope.get("applied")) == (code, applied)


async def test_a_finished_export_is_a_link_to_a_resource_that_can_be_read(era: str, database: Path) -> None:
    async with connect(settings(database, resource_links=True), era) as client:
        await prepare(client)
        result = await client.call_tool("get_export", await ready(client, "get_export"))
        envelope = envelope_of(result, "get_export", {})
        [_, link] = result.content
        assert isinstance(link, ResourceLink)
        assert link.uri == envelope["data"]["result"]["url"]
        [resource] = (await client.read_resource(link.uri)).contents
    assert link.mime_type == resource.mime_type == "text/csv"
    assert isinstance(resource, TextResourceContents)
    assert resource.text.startswith("id,")


async def test_an_export_has_nothing_hidden_in_it_and_keeps_its_line_ends(era: str, database: Path) -> None:
    hidden = "\u202e\u200b\U000e0041\u3164"
    top_up = {"project_id": "shop", "code": CARD, "amount": 1, "idempotency_key": "k"}
    async with connect(settings(database), era) as client:
        await prepare(client)
        await done(client, "update_voucher_balance", **top_up, reason="birthday, really")
        with closing(sqlite3.connect(database)) as stored:  # as an older version kept it
            stored.execute("UPDATE transactions SET reason = ?", (f"birth{hidden}day, really",))
            stored.commit()
        export = await done(client, "get_export", **await ready(client, "get_export"))
        [resource] = (await client.read_resource(export["data"]["result"]["url"])).contents
    assert isinstance(resource, TextResourceContents)
    assert not set(resource.text) & set(hidden)
    assert '"birthday, really"' in resource.text
    assert resource.text.count("\r\n") == 2  # the names and the one transaction
    assert resource.text.endswith("\r\n")


@pytest.mark.parametrize(
    ("configured", "version", "linked"),
    [
        (True, "2025-11-25", True),
        (True, "2025-06-18", True),
        (True, "2025-03-26", False),
        (True, "2024-11-05", False),
        (False, "2025-11-25", False),
        (False, "2024-11-05", False),
    ],
)
async def test_an_export_is_linked_only_where_it_is_configured_and_the_session_knows_links(
    configured: bool, version: str, linked: bool, database: Path, tmp_path: Path
) -> None:
    async with connect(settings(database)) as client:
        await prepare(client)
        arguments = await ready(client, "get_export")
        await done(client, "get_export", **arguments)
    config = tmp_path / "config.toml"
    text = f"resource_links = {str(configured).lower()}\n[projects.shop]\nbackend = 'local'\n"
    config.write_text(text + f"url = 'sqlite:///{database}'\n", encoding="utf-8")
    async with start(tmp_path) as wire:
        hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
        assert (await wire.request("initialize", **hello))["protocolVersion"] == version
        await wire.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        result = await wire.request("tools/call", name="get_export", arguments=arguments)
    assert [block["type"] for block in result["content"]] == ["text", *["resource_link"] * linked]
