"""Holds requests and replies against the vendor's own description of its voucher operations.

The description is not part of this repository: it is looked for in `shared/specs` beside it, or where the
environment variable VOUCHER_MCP_SPECS says. Without it, `documents()` skips the test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from tests.standins.mews import Request, StandIn
from tests.standins.mews.shapes import instant
from tests.support import SPECS

FILE = "mews-vouchers.openapi.yaml"
API = "/api/connector/v1/"
ERROR = {"$ref": "#/components/schemas/ConnectorApiExceptionResult"}

# What the description of July 2025 lacks. Each line is a known gap of it, not of ours.
VOUCHER_ADDITIONS = {"EnterpriseId": {"type": "string", "format": "uuid"}}  # added in November 2025
REQUEST_ADDITIONS = {
    "LanguageCode": {"type": "string"},
    "CultureCode": {"type": "string"},
}  # in the guidelines
REQUIRED_SINCE = "IsActive"  # required of a Voucher, yet missing from every example
# The whole operation services/getAll, of which only what the product uses is described here.
SERVICES_REQUEST = {
    "type": "object",
    "required": ["ClientToken", "AccessToken", "Client", "Limitation"],
    "properties": {
        **{
            name: {"$ref": f"#/components/schemas/VoucherCodeFilterParameters/properties/{name}"}
            for name in ("ClientToken", "AccessToken", "Client", "Limitation", "EnterpriseIds", "UpdatedUtc")
        },
        "ServiceIds": {"$ref": "#/components/schemas/VoucherCodeFilterParameters/properties/VoucherIds"},
        "ServiceType": {"type": "string"},
        **REQUEST_ADDITIONS,
    },
    "additionalProperties": False,
}
SERVICES_REPLY = {
    "type": "object",
    "required": ["Services"],
    "properties": {
        "Services": {
            "type": "array",
            "maxItems": 1000,
            "items": {
                "type": "object",
                "required": ["Id", "IsActive", "CreatedUtc", "UpdatedUtc", "Data"],
                "properties": {
                    "Id": {"type": "string", "format": "uuid"},
                    "EnterpriseId": {"type": "string", "format": "uuid"},
                    "IsActive": {"type": "boolean"},
                    "CreatedUtc": {"type": "string", "format": "date-time"},
                    "UpdatedUtc": {"type": "string", "format": "date-time"},
                },
            },
        },
        "Cursor": {"$ref": "#/components/schemas/VoucherCodeResult/properties/Cursor"},
    },
    "additionalProperties": False,
}


def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or bool(instant(value))


def _formats() -> FormatChecker:
    formats = FormatChecker(formats=())
    formats.checks("uuid", raises=ValueError)(_is_uuid)
    formats.checks("date-time", raises=ValueError)(_is_date_time)
    return formats


@dataclass(frozen=True)
class Documents:
    """The description, its schemas in the words of JSON Schema."""

    operations: dict[str, Any]
    schemas: dict[str, Any]

    def request_problems(self, operation: str, body: Any) -> list[str]:
        """What the description does not allow in a request of `voucherCodes/add` and the like."""
        if operation == "services/getAll":
            return self._problems(SERVICES_REQUEST, body)
        content = self.operations[operation]["requestBody"]["content"]
        return self._problems(content["application/json"]["schema"], body)

    def reply_problems(self, operation: str, status: int, body: Any) -> list[str]:
        """The same of a reply; any status but 200 and 204 has the envelope of errors."""
        if status == 204:
            return [] if body is None else ["a 204 with a body"]
        if status != 200:
            return self._problems(ERROR, body)
        if operation == "services/getAll":
            return self._problems(SERVICES_REPLY, body)
        content = self.operations[operation]["responses"]["200"]["content"]
        return self._problems(content["application/json"]["schema"], body)

    def examples(self) -> Iterator[tuple[str, Any, Any]]:
        """Each operation with the request and the reply that the description shows; {} for an empty reply."""
        for name, operation in self.operations.items():
            answer = operation["responses"]["200"]["content"]["application/json"]
            yield (
                name,
                operation["requestBody"]["content"]["application/json"]["example"],
                answer.get("example", {}),
            )

    def _problems(self, schema: dict[str, Any], body: Any) -> list[str]:
        whole = {**schema, "components": {"schemas": self.schemas}}
        errors = Draft202012Validator(whole, format_checker=_formats()).iter_errors(body)
        return [f"{leaf.json_path}: {leaf.message}" for error in errors for leaf in _leaves(error)]


def documents() -> Documents:
    """The description; skips the test where it is not at hand."""
    path = SPECS / FILE
    if not path.is_file():
        pytest.skip(f"{FILE} is not at hand; VOUCHER_MCP_SPECS can name its folder")
    return _read(path)


def check_exchanges(standin: StandIn) -> None:
    """Every recorded request, and every reply that no fault of a test stands behind, is as described.

    Without the description it checks nothing, so that tests of behaviour can end with it anywhere.
    """
    path = SPECS / FILE
    if not path.is_file():
        return
    described = _read(path)
    problems = [
        f"{number}. {request.method} {request.path}: {problem}"
        for number, request in enumerate(standin.requests, 1)
        for problem in _exchange_problems(described, request)
    ]
    assert not problems, "\n".join(problems)


def _exchange_problems(described: Documents, request: Request) -> Iterator[str]:
    known = {*described.operations, "services/getAll"}
    if request.method != "POST" or request.operation not in known:
        yield "there is no such operation"
        return
    if request.query:
        yield f"a query, {request.query}"
    for problem in described.request_problems(request.operation, request.json):
        yield f"request: {problem}"
    if request.reply is not None and request.fault is None:
        reply = request.reply
        if not any(name.lower() == "request-id" for name in reply.headers):
            yield "reply: no Request-Id"
        for problem in described.reply_problems(request.operation, reply.status, reply.body):
            yield f"reply {reply.status}: {problem}"


@cache
def _read(path: Path) -> Documents:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    schemas = _nullable_spelled_out(content["components"]["schemas"])
    schemas["Voucher"]["properties"] |= VOUCHER_ADDITIONS
    for schema in schemas.values():
        if "ClientToken" in schema.get("properties", ()):
            schema["properties"] |= REQUEST_ADDITIONS
    operations = {name.removeprefix(API): path["post"] for name, path in content["paths"].items()}
    return Documents(operations, schemas)


def _leaves(error: Any) -> Iterator[Any]:
    """What is wrong inside a value that was neither null nor right; the last alternative is the real one."""
    if error.validator != "anyOf":
        yield error
        return
    last = max(inner.schema_path[0] for inner in error.context)
    for inner in error.context:
        if inner.schema_path[0] == last:
            yield from _leaves(inner)


def _nullable_spelled_out(schema: Any) -> Any:
    """OpenAPI 3.0 writes `nullable: true` where JSON Schema lists null among the types."""
    if isinstance(schema, list):
        return [_nullable_spelled_out(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    spelled = {name: _nullable_spelled_out(part) for name, part in schema.items() if name != "nullable"}
    return {"anyOf": [{"type": "null"}, spelled]} if schema.get("nullable") is True else spelled
