"""The vendor's OpenAPI documents: operations, schemas, examples.

They are not part of this repository. VOUCHER_MCP_SPECS names their folder; without it they are looked for
beside the checkout. Where they are not, the tests that need them are skipped.

OpenAPI 3.0 schemas are read as JSON Schema with these departures, each because the documents' own examples
ask for it:

- `nullable` is the type null, and in answers every field may be null (most examples have `"discount": null`).
- `oneOf` is read as `anyOf`: several branches are equal, so that no value could ever meet exactly one.
- What KNOWN_EXCEPTIONS lists.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.support import SPECS

Json = dict[str, Any]
TAGS = (
    "vouchers",
    "campaigns",
    "publications",
    "customers",
    "redemptions",
    "validations",
    "async-actions",
    "exports",
)

_QUANTITY = ("properties", "redemption", "properties", "quantity")
_IN = ("properties", "voucher_id", "properties", "conditions", "properties", "$in", "items")
KNOWN_EXCEPTIONS: Sequence[tuple[str, str, tuple[str | int, ...], str, Any]] = (
    # tag, schema, where in it, keyword, what the keyword should be (None: it should not be there)
    # The vendor reckons the balance; no example of a request has it.
    ("vouchers", "Gift", (), "required", ["amount"]),
    ("campaigns", "Gift", (), "required", ["amount"]),
    # A code is made where neither `code` nor `code_config` is given; so it is said of all three types.
    ("vouchers", "VoucherCreateGiftWithCodeConfig", ("allOf", 1), "required", None),
    # The examples of requests have items without `object`.
    ("validations", "OrderItem", (), "required", None),
    ("redemptions", "OrderItem", (), "required", None),
    # A campaign's vouchers are worth what the campaign says; the examples of its import leave it out.
    ("campaigns", "VoucherImportLoyaltyCard", ("allOf", 1), "required", None),
    ("campaigns", "VoucherImportGift", ("allOf", 1), "required", None),
    ("campaigns", "VoucherImportDiscount", ("allOf", 1), "required", None),
    # Unlimited is null: in an example, and in the text of an error (`should be number,null`).
    ("vouchers", "VoucherCreateBase", _QUANTITY, "nullable", True),
    ("vouchers", "VoucherImportBase", _QUANTITY, "nullable", True),
    ("campaigns", "VoucherImportBase", _QUANTITY, "nullable", True),
    ("campaigns", "CampaignsVouchersCreateBaseRequestBody", _QUANTITY, "nullable", True),
    # The list holds one id; an id of one letter was not meant.
    ("vouchers", "VoucherTransactionsExportFilterConditions", _IN, "maxLength", None),
    # The example answers the channel that was asked for, not API.
    ("publications", "PublicationsCreateBaseResponseBody", ("properties", "channel"), "enum", None),
    # In the examples of publications a customer has no summary, loyalty and referrals.
    ("publications", "CustomerWithSummaryLoyaltyReferrals", ("allOf", 0), "required", ["object"]),
)


def specs() -> Path:
    """The folder of the documents; skips the test where there is none."""
    if not (SPECS / "voucherify-vouchers.openapi.json").is_file():
        pytest.skip(
            f"the vendor's OpenAPI documents are not in {SPECS}; VOUCHER_MCP_SPECS can name another folder"
        )
    return SPECS


@dataclass(frozen=True)
class Example:
    """One documented example of a request or an answer."""

    operation: "Operation"
    status: str | None
    """None: of the request."""
    name: str
    value: Any


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    document: "Document"
    method: str
    template: str
    spec: Json
    shared: Json

    @property
    def title(self) -> str:
        """E.g. `GET /v1/vouchers/{code}`."""
        return f"{self.method} {self.template}"

    @cached_property
    def path(self) -> re.Pattern[str]:
        """The paths it is about."""
        return re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(self.template)))

    @cached_property
    def parameters(self) -> dict[str, Json]:
        """Query parameters by name."""
        given = [*self.shared.get("parameters", []), *self.spec.get("parameters", [])]
        found = [self.document.resolved(one) for one in given]
        return {one["name"]: one for one in found if one["in"] == "query"}

    @property
    def request_body(self) -> Json:
        """By content type; {} when it takes none."""
        body: Json = self.spec.get("requestBody", {}).get("content", {})
        return body

    def examples(self) -> Iterator[Example]:
        """All that the document shows."""
        for content in self.request_body.values():
            yield from self._examples(None, content)
        for status, response in self.spec["responses"].items():
            for content in response.get("content", {}).values():
                yield from self._examples(status, content)

    def _examples(self, status: str | None, content: Json) -> Iterator[Example]:
        shown = dict(content.get("examples", {}))
        if "example" in content:
            shown["example"] = {"value": content["example"]}
        for name, example in shown.items():
            yield Example(self, status, name, self.document.resolved(example).get("value"))


class Document:
    """One of the vendor's documents."""

    def __init__(self, path: Path, tag: str) -> None:
        self.raw: Json = json.loads(path.read_text())
        for about, schema, place, keyword, value in KNOWN_EXCEPTIONS:
            if about == tag:
                part: Any = self.raw["components"]["schemas"][schema]
                for step in place:
                    part = part[step]
                part.pop(keyword, None)
                part.update({} if value is None else {keyword: value})
        self._registries: dict[bool, Any] = {}

    def operations(self) -> Iterator[Operation]:
        """Those that are not deprecated."""
        for template, item in self.raw["paths"].items():
            for method, spec in item.items():
                if method in ("get", "post", "put", "delete") and not spec.get("deprecated"):
                    yield Operation(self, method.upper(), template, spec, item)

    def resolved(self, part: Json) -> Json:
        """What a `$ref` points at."""
        while "$ref" in part:
            target: Any = self.raw
            for name in part["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            part = target
        return part

    def errors(self, schema: Json, value: Any, *, answer: bool) -> list[str]:
        """What is wrong with a value."""
        judge = Draft202012Validator(
            _as_json_schema(_absolute(schema), answer),
            registry=self._registry(answer),
            format_checker=FormatChecker(["date"]) if answer else FormatChecker(),
        )
        return [_told(error) for error in judge.iter_errors(value)]

    def _registry(self, lenient: bool) -> Any:
        if lenient not in self._registries:
            resource = DRAFT202012.create_resource(_as_json_schema(self.raw, lenient))
            self._registries[lenient] = Registry().with_resource("urn:document", resource)
        return self._registries[lenient]

    def unknown(self, schema: Json, value: Any, where: str = "") -> list[str]:
        """The fields of a value that no branch of the schema knows, at any depth."""
        if isinstance(value, list):
            inner = [
                self.unknown(item, one, f"{where}[]")
                for one in value
                for item in self._branch(schema, "items")
            ]
            return [name for names in inner for name in names]
        if not isinstance(value, dict):
            return []
        known: dict[str, list[Json]] = {}
        for part in self.parts(schema):
            for name, inner_schema in part.get("properties", {}).items():
                known.setdefault(name, []).append(inner_schema)
        if not known:  # any object, such as metadata
            return []
        strange = [f"{where}.{name}" for name in value if name not in known]
        for name, schemas in known.items():
            if name in value:
                strange += self.unknown({"anyOf": schemas}, value[name], f"{where}.{name}")
        return strange

    def _branch(self, schema: Json, name: str) -> list[Json]:
        found = [part[name] for part in self.parts(schema) if name in part]
        return [{"anyOf": found}] if found else []

    def parts(self, schema: Json) -> Iterator[Json]:
        """A schema and all that it is put together from."""
        schema = self.resolved(schema)
        yield schema
        for word in ("allOf", "oneOf", "anyOf"):
            for part in schema.get(word, []):
                yield from self.parts(part)


def _told(error: Any) -> str:
    deepest = error
    while deepest.context:  # of the branches, the one that got furthest
        deepest = max(deepest.context, key=lambda one: len(one.absolute_path))
    return f"{'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:300]}"


def _absolute(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_absolute(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: _absolute(one) for name, one in schema.items()}
    if isinstance(changed.get("$ref"), str) and changed["$ref"].startswith("#"):
        changed["$ref"] = f"urn:document{changed['$ref']}"
    return changed


def _as_json_schema(part: Any, lenient: bool, field: bool = False) -> Any:
    if isinstance(part, list):
        return [_as_json_schema(one, lenient) for one in part]
    if not isinstance(part, dict):
        return part
    changed: Json = {}
    for key, value in part.items():
        if key in ("example", "examples", "discriminator", "nullable"):
            continue
        if key == "properties" and isinstance(value, dict):
            changed[key] = {one: _as_json_schema(inner, lenient, field=True) for one, inner in value.items()}
        else:
            changed["anyOf" if key == "oneOf" else key] = _as_json_schema(value, lenient)
    if part.get("nullable") is True or (lenient and field):
        return {"anyOf": [changed, {"type": "null"}]}
    return changed


@cache
def _documents(folder: Path) -> tuple[Document, ...]:
    return tuple(Document(folder / f"voucherify-{tag}.openapi.json", tag) for tag in TAGS)


def operations() -> list[Operation]:
    """Of all documents."""
    return [operation for document in _documents(specs()) for operation in document.operations()]
