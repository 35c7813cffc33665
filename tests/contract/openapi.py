"""Requests and answers held against the vendor's OpenAPI documents: paths, parameters, bodies, statuses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from tests.contract.vendor_documents import Document, Operation, operations
from tests.standins.voucherify import qs

Json = dict[str, Any]


class Answered(Protocol):
    """What is judged of an answer."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def json(self) -> Any: ...


class Asked(Protocol):
    """What is judged of a request; paths and queries are still percent-encoded."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def json(self) -> Any: ...
    @property
    def answer(self) -> Answered | None: ...
    @property
    def faulty(self) -> bool: ...


class RecordsRequests(Protocol):
    """A stand-in."""

    @property
    def requests(self) -> Sequence[Asked]: ...


_ERROR: Json = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "key": {"type": "string"}},
}
_UNDOCUMENTED = {
    # status codes the documents name in general, and operations do not repeat
    *("401", "402", "403", "405", "406", "413", "415", "429"),
    # each operation checks its payload, its parameters and whether what it names exists
    *("400", "404", "409"),
}

_BODY_MAY_BE_MISSING = ("/v1/vouchers/{code}/transactions/export",)
"""It is said to be required, and an example of an answer is called `No request body`."""


def check_exchanges(standin: RecordsRequests) -> None:
    """Fails when a request that the stand-in got, or an answer that it gave, is not what the documents say.

    Answers that a fault made are not judged. Skips where the documents are not at hand.
    """
    problems = []
    for asked in standin.requests:
        found = check_request(asked)
        if asked.answer is not None and not asked.faulty and not found:
            found = check_answer(asked)
        problems += [f"{asked.method} {asked.path}?{asked.query}: {problem}" for problem in found]
    assert not problems, "\n".join(dict.fromkeys(problems))


def check_request(asked: Asked) -> list[str]:
    """What is wrong with a request; nothing when it fits one operation."""
    tried = [[*_query(op, asked), *_body(op, asked)] for op in _meant(asked)]
    return min(tried, key=len, default=["no operation of the documents"])


def check_answer(asked: Asked) -> list[str]:
    """What is wrong with the answer to a request."""
    assert asked.answer is not None
    tried = [_answer(op, asked.answer) for op in _meant(asked)]
    return min(tried, key=len, default=["no operation of the documents"])


def _meant(asked: Asked) -> list[Operation]:
    """`/v1/vouchers/import` is also a code called import: the most literal template is meant."""
    fitting = [op for op in operations() if op.method == asked.method and op.path.fullmatch(asked.path)]
    fewest = min((op.template.count("{") for op in fitting), default=0)
    return [op for op in fitting if op.template.count("{") == fewest]


def _query(operation: Operation, asked: Asked) -> Iterator[str]:
    for name, value in qs.parse(asked.query).items():
        if (parameter := operation.parameters.get(name)) is not None:
            yield from _parameter(operation.document, name, parameter["schema"], value)
        elif not isinstance(value, dict):
            yield f"no query parameter {name}"
        else:  # some documents name `created_at[before]` and `created_at[after]` one by one
            for part, inner in value.items():
                single = operation.parameters.get(f"{name}[{part}]")
                if single is None:
                    yield f"no query parameter {name}[{part}]"
                else:
                    yield from _parameter(operation.document, name, single["schema"], inner)


def _parameter(document: Document, name: str, schema: Json, value: Any) -> Iterator[str]:
    value = _typed(document, schema, value)
    for error in document.errors(schema, value, answer=False):
        yield f"query parameter {name}: {error}"
    for field in document.unknown(schema, value):
        yield f"query parameter {name}: the documents know no {field}"


def _typed(document: Document, schema: Json, value: Any) -> Any:
    """Texts of a query as the types that the schema wants."""
    parts = list(document.parts(schema))
    if isinstance(value, dict):
        known = {name: inner for part in parts for name, inner in part.get("properties", {}).items()}
        return {name: _typed(document, known.get(name, {}), one) for name, one in value.items()}
    kinds = {part.get("type") for part in parts}
    if isinstance(value, str):
        if "integer" in kinds and value.lstrip("-").isdecimal():
            return int(value)
        if "boolean" in kinds and value in ("true", "false"):
            return value == "true"
        if "object" in kinds and value == "":
            return {}  # conditions without a value
        if "object" in kinds and value == "true":
            return {}  # the documents write `[conditions][$active]=true`
    return value


def _body(operation: Operation, asked: Asked) -> Iterator[str]:
    described = operation.request_body
    kind = asked.headers.get("content-type", "").partition(";")[0]
    if not asked.body:
        if kind:
            yield f"content type {kind} without a body"
        if described and operation.template not in _BODY_MAY_BE_MISSING:
            yield "no body"
    elif kind not in described:
        yield f"content type {kind or 'missing'}, not {list(described) or 'none'}"
    elif kind == "application/json":
        schema = described[kind]["schema"]
        for error in operation.document.errors(schema, asked.json, answer=False):
            yield f"body: {error}"
        for field in operation.document.unknown(schema, asked.json):
            yield f"body: the documents know no {field}"


def _answer(operation: Operation, answer: Answered) -> list[str]:
    status = str(answer.status)
    response = operation.spec["responses"].get(status)
    if response is None:
        if status not in _UNDOCUMENTED:
            return [f"status {status} is not documented"]
        is_413 = status == "413"  # it has an envelope of its own
        return [] if is_413 else operation.document.errors(_ERROR, answer.json, answer=True)
    content = response.get("content", {})
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if not content:
        return ["a body is not documented"] if answer.body else []
    if kind not in content:
        return [f"content type {kind}, not {list(content)}"]
    if kind != "application/json":
        return []
    return operation.document.errors(content[kind]["schema"], answer.json, answer=True)
