"""What tools/list says: plain schemas, right hints, and answers that keep to them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp.types import Tool

from tests.protocol.clients import Person, connect, done, local, refused, settings
from tests.protocol.contract import TRAITS, WITH_DETAIL, example, prepare, ready
from voucher_mcp.backends.mews.pools import adding as mews
from voucher_mcp.backends.voucherify.jobs.job_tools import WALKED
from voucher_mcp.backends.voucherify.pools import pool_lookups as voucherify
from voucher_mcp.domain.job import MAX_FILE_BYTES, MAX_INPUT_BYTES
from voucher_mcp.domain.redeeming.redemption import MAX_REDEEMABLES
from voucher_mcp.domain.vouchers.pool import MAX_CODES_A_CALL, MAX_GENERATED_A_CALL
from voucher_mcp.tools.toolsets.vouchers import MAX_IDS

Schema = dict[str, Any]
# Where a schema holds schemas: by name, in a list, or one alone.
MAPS, LISTS, SINGLES = ("properties",), ("anyOf", "oneOf", "allOf"), ("items", "additionalProperties")
KEYWORDS = {
    *MAPS,
    *LISTS,
    *SINGLES,
    "type",
    "description",
    "required",
    "default",
    "enum",
    "minimum",
    "maximum",
    "maxItems",
}
"""The only ones that a tool may use: each client knows fewer of them than it should."""

every_tool = pytest.mark.parametrize("name", TRAITS)


async def tools(database: Path, era: str = "auto") -> dict[str, Tool]:
    async with connect(settings(database), era) as client:
        return {tool.name: tool for tool in (await client.list_tools()).tools}


def walk(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """The schema and every schema in it, each with its path."""
    yield path, schema
    for keyword in MAPS:
        for name, part in schema.get(keyword, {}).items():
            yield from walk(part, f"{path}.{name}")
    for keyword in LISTS:
        for number, part in enumerate(schema.get(keyword, [])):
            yield from walk(part, f"{path}.{keyword}.{number}")
    for keyword in SINGLES:
        if isinstance(schema.get(keyword), dict):
            yield from walk(schema[keyword], f"{path}.{keyword}")


def allows_null(schema: Schema) -> bool:
    kinds = schema.get("type", [])
    return "null" in ([kinds] if isinstance(kinds, str) else kinds) or any(
        allows_null(choice) for keyword in LISTS for choice in schema.get(keyword, [])
    )


def schemas_of(tool: Tool) -> Iterator[tuple[str, Schema]]:
    """Every schema of a tool, with its path."""
    assert tool.output_schema is not None
    yield from walk(tool.input_schema, f"{tool.name}(input)")
    yield from walk(tool.output_schema, f"{tool.name}(output)")


async def test_a_name_is_at_most_32_plain_characters(era: str, database: Path) -> None:
    for name in await tools(database, era):
        assert len(name) <= 32
        assert name.replace("_", "").isalpha()
        assert name.islower()


@every_tool
async def test_a_title_and_all_four_hints_are_there_and_right(name: str, era: str, database: Path) -> None:
    tool, expected = (await tools(database, era))[name], TRAITS[name]
    assert tool.title == expected.title
    assert tool.annotations is not None
    assert tool.annotations.model_dump(by_alias=True, exclude_none=True) == {
        "title": expected.title,
        "readOnlyHint": not (expected.writes or expected.reserves),
        "destructiveHint": expected.irreversible,
        "idempotentHint": expected.idempotent,
        "openWorldHint": expected.on_projects,
    }


@every_tool
async def test_a_description_is_a_short_sentence(name: str, database: Path) -> None:
    description = (await tools(database))[name].description
    assert description is not None
    assert 20 <= len(description) <= 200
    assert description.endswith(".")
    assert "\n" not in description


@every_tool
async def test_a_schema_is_plain(name: str, database: Path) -> None:
    for path, schema in schemas_of((await tools(database))[name]):
        assert schema.keys() <= KEYWORDS, path  # so no $ref, no title, no format, no const
        if schema.get("type") == "array":
            assert isinstance(schema.get("items"), dict), path
        if isinstance(schema.get("type"), list):
            assert path.endswith("(output).error") or path.endswith("(output).data"), path


@every_tool
async def test_nothing_that_an_agent_sends_may_be_null(name: str, database: Path) -> None:
    nullable = [path for path, part in walk((await tools(database))[name].input_schema) if allows_null(part)]
    assert nullable == []


@every_tool
async def test_items_are_no_nullable_union(name: str, database: Path) -> None:
    within_items = [
        path
        for path, schema in schemas_of((await tools(database))[name])
        if ".items" in path and allows_null(schema)
    ]
    assert within_items == []


@every_tool
async def test_an_input_is_flat_and_closed(name: str, database: Path) -> None:
    schema = (await tools(database))[name].input_schema
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema.get("required", [])) <= schema["properties"].keys()
    for argument, part in schema["properties"].items():
        assert part["type"] in {"string", "integer", "number", "boolean", "array", "object"}, argument
        assert "properties" not in part, argument


@every_tool
async def test_journalled_tools_take_a_key_and_a_dry_run_and_no_others_do(name: str, database: Path) -> None:
    arguments = (await tools(database))[name].input_schema["properties"].keys()
    assert {"idempotency_key", "dry_run"} & arguments == (
        {"idempotency_key", "dry_run"} if TRAITS[name].journalled else set()
    )
    assert ("project_id" in arguments) is TRAITS[name].on_projects


@every_tool
async def test_an_output_is_the_envelope_and_data_at_most_one_level_deep(name: str, database: Path) -> None:
    schema = (await tools(database))[name].output_schema
    assert schema is not None
    assert schema["type"] == "object"
    assert schema["properties"].keys() == {"success", "data", "error"}
    data = schema["properties"]["data"]
    for field, part in {**data.get("properties", {}), **data.get("items", {}).get("properties", {})}.items():
        assert part.keys() <= {"type", "items"}, field
        assert part.get("items", {}).keys() <= {"type"}, field


@every_tool
async def test_a_success_keeps_to_the_output_schema(name: str, era: str, database: Path) -> None:
    async with connect(settings(database), era, Person()) as client:
        [schema] = [t.output_schema for t in (await client.list_tools()).tools if t.name == name]
        await prepare(client)
        envelope = await done(client, name, **await ready(client, name))
    assert schema is not None
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(envelope, schema)


@every_tool
async def test_a_failure_keeps_to_the_output_schema(name: str, era: str, database: Path) -> None:
    async with connect(settings(database), era) as client:
        [schema] = [t.output_schema for t in (await client.list_tools()).tools if t.name == name]
        result = await client.call_tool(name, {"colour": "red"})
    assert schema is not None
    assert result.is_error
    jsonschema.validate(result.structured_content, schema)


@every_tool
async def test_an_example_keeps_to_the_input_schema(name: str, database: Path) -> None:
    jsonschema.validate(example(name), (await tools(database))[name].input_schema)


async def test_both_eras_and_every_call_list_the_same_tools_in_the_same_order(database: Path) -> None:
    listings = [list((await tools(database, era)).values()) for era in ("auto", "legacy", "auto")]
    assert listings[0] == listings[1] == listings[2]


async def test_the_tools_that_return_vouchers_and_no_others_take_a_detail(database: Path) -> None:
    listed = await tools(database)
    taking = {name for name, tool in listed.items() if "detail" in tool.input_schema["properties"]}
    assert taking == set(WITH_DETAIL)


def vouchers_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every voucher in an answer."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and "code" in value and "type" in value:
        yield value
    for part in parts:
        yield from vouchers_in(part)


@pytest.mark.parametrize("name", WITH_DETAIL)
async def test_a_detail_says_how_much_of_a_voucher_is_shown(name: str, database: Path) -> None:
    shown = {}
    for detail in ("", "concise", "full", None, "FULL", "all"):
        async with connect(settings(database.with_name(f"{detail}.db"))) as client:
            await prepare(client)
            arguments = {**await ready(client, name), "detail": detail}
            if detail in ("FULL", "all"):
                assert (await refused(client, "invalid_input", name, **arguments))["field"] == "detail"
            else:
                [voucher, *_] = vouchers_in((await done(client, name, **arguments))["data"])
                shown[detail] = voucher
    assert shown[""].keys() == shown[None].keys() == shown["concise"].keys() < shown["full"].keys()
    assert not any(value in (None, [], {}) for value in shown["concise"].values())
    whole = set() if name == "list_redemptions" else {"active", "redemption", "created_at"}
    assert shown["concise"].keys() >= {"id", "code", "type"} | whole  # a row of a list says whose it is
    assert shown["full"]["object"] == "voucher"


@every_tool
async def test_free_objects_and_answers_say_that_they_are_open(name: str, database: Path) -> None:
    tool = (await tools(database))[name]
    for path, schema in schemas_of(tool):
        if path != f"{name}(input)" and (schema.get("type") == "object" or "properties" in schema):
            assert schema["additionalProperties"] is True, path


async def test_a_list_of_mixed_kind_is_shown_as_its_plain_kind(database: Path) -> None:
    listed = await tools(database)
    for name in ("create_voucher_pool", "add_voucher_codes"):
        codes = listed[name].input_schema["properties"]["codes"]
        assert codes["items"] == {"type": "string"}
        assert "{value, valid_from, valid_until}" in codes["description"]
    for tool in listed.values():
        assert not [path for path, schema in schemas_of(tool) if schema.keys() & set(LISTS)]


async def test_closed_sets_are_enums(database: Path) -> None:
    shown = {name: tool.input_schema["properties"] for name, tool in (await tools(database)).items()}
    for name in ("create_voucher", "generate_random_code", "update_voucher"):
        assert shown[name]["type"]["enum"] == ["DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"]
    assert shown["list_redemptions"]["result"]["enum"] == ["SUCCESS", "FAILURE"]
    assert shown["list_voucher_codes"]["status"]["enum"][:3] == ["available", "assigned", "redeemed"]
    for name in ("list_voucher_transactions", "list_customer_redeemables"):
        assert shown[name]["order"]["enum"] == ["id", "-id"]
    assert set(shown["list_vouchers"]["order"]["enum"]) >= {"created_at", "-updated_at", "-code"}
    assert shown["export_voucher_transactions"]["order"]["enum"] == ["created_at", "-created_at"]
    assert "amount" in shown["export_voucher_transactions"]["fields"]["items"]["enum"]
    assert shown["update_voucher_pool"]["clear"]["items"]["enum"] == ["start_date", "expiration_date"]
    assert "expiration_date" in shown["update_voucher"]["clear"]["items"]["enum"]


SYSTEMS: dict[str, dict[str, Any]] = {
    "shop": {
        "backend": "voucherify",
        "base_url": "https://api.voucherify.io",
        "app_id": "a",
        "app_token": "t",
    },
    "hotel": {
        "backend": "mews",
        "base_url": "https://api.mews.com",
        "client_token": "a",
        "access_token": "b",
    },
    "crm": {
        "backend": "bloomreach",
        "url": "https://eu.connect.loomi.ai/mcp",
        "upstream_project_id": "x",
        "token": "t",
        "api_base": "https://api.exponea.com",
        "project_token": "p",
        "api_key_id": "k",
        "api_secret": "s",
    },
}


@pytest.mark.parametrize(("access", "most"), [("write", 42_000), ("read", 18_000)])
async def test_the_list_of_tools_stays_small_with_every_system_configured(
    access: str, most: int, database: Path
) -> None:
    projects = {"here": local(database), **SYSTEMS}
    configured = settings(
        database, projects={name: {**keys, "access": access} for name, keys in projects.items()}
    )
    async with connect(configured) as client:
        listed = (await client.list_tools()).model_dump(mode="json", by_alias=True, exclude_none=True)
        assert len((client.instructions or "").encode()) <= 2_000
    assert len(listed["tools"]) > 10
    assert len(json.dumps(listed, separators=(",", ":"), ensure_ascii=False).encode()) <= most


async def test_bulk_tools_say_how_much_one_call_takes(database: Path) -> None:
    projects = {"here": local(database), **SYSTEMS}
    configured = settings(
        database, projects={name: {**keys, "access": "write"} for name, keys in projects.items()}
    )
    async with connect(configured) as client:
        shown = {tool.name: tool.input_schema["properties"] for tool in (await client.list_tools()).tools}
    for name in ("create_voucher_pool", "add_voucher_codes"):
        assert shown[name]["codes"]["maxItems"] == MAX_CODES_A_CALL
        said = shown[name]["generate"]["description"]
        assert f"count ≤ {MAX_GENERATED_A_CALL}," in said
        assert f"in Mews count ≤ {mews.MAX_GENERATED}" in said
    for name in ("list_voucher_codes", "delete_voucher_codes"):
        ids = shown[name]["code_ids"]
        assert (ids["items"], ids["maxItems"]) == ({"type": "string"}, MAX_CODES_A_CALL)
        assert f"in Voucherify at most {voucherify.LOOKED_UP}" in ids["description"]
    for name in ("validate_vouchers", "redeem_vouchers"):
        assert shown[name]["redeemables"]["maxItems"] == MAX_REDEEMABLES
    assert shown["list_vouchers"]["ids"]["maxItems"] == MAX_IDS
    large = f"t most {MAX_INPUT_BYTES // 1_000_000} MB"
    for name, argument in (
        ("import_vouchers", "vouchers"),
        ("import_vouchers_using_csv", "csv"),
        ("update_vouchers_in_bulk", "vouchers"),
        ("update_vouchers_metadata_in_bulk", "codes"),
    ):
        assert large in shown[name][argument]["description"]
    assert f"{MAX_FILE_BYTES // 1_000_000} MB" in shown["import_vouchers_using_csv"]["path"]["description"]
    pool = shown["update_vouchers_metadata_in_bulk"]["pool_id"]["description"]
    assert f"in Voucherify at most {WALKED}" in pool


async def test_nobody_reads_of_a_system_that_nobody_has(database: Path) -> None:
    for tool in (await tools(database)).values():
        assert not re.search("Mews|in Voucherify|Bloomreach", tool.model_dump_json()), tool.name
