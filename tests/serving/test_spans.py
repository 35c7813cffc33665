"""OpenTelemetry: a span for each call, in the trace that it came with, and nothing in it that was sent."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from mcp.shared import _otel
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.protocol.clients import call, done
from tests.serving.servers import ALICE, BOB, HEADERS, Served, opened, served, two_callers
from tests.serving.servers import call as message
from tests.serving.servers import request as asked
from tests.support import held

SHOP = {"project_id": "shop"}
CODE = "WORTHMONEY2026"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What is made in this process; the provider of all could be set only once in it."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(_otel, "_tracer", provider.get_tracer("mcp-python-sdk"))
    yield exporter
    provider.shutdown()


@pytest.fixture
async def server(tmp_path: Path, spans: InMemorySpanExporter) -> AsyncIterator[Served]:
    async with held(served(two_callers(tmp_path, max_calls_per_minute=30))) as one:
        yield one


def of_server(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.kind.name == "SERVER"]


async def test_each_call_has_a_span_in_either_era(
    server: Served, spans: InMemorySpanExporter, era: str
) -> None:
    async with server.client(ALICE, era) as alice:
        await done(alice, "list_projects")
        await call(alice, "get_voucher", **SHOP, code=CODE)
    made = {span.name: span for span in of_server(spans)}
    assert made["tools/call list_projects"].status.is_unset
    assert not made["tools/call get_voucher"].status.is_ok
    attributes = made["tools/call get_voucher"].attributes or {}
    assert attributes["error.type"] == "tool_error"
    assert attributes["gen_ai.tool.name"] == "get_voucher"


async def test_a_span_belongs_to_the_trace_of_its_request_or_of_its_message(
    server: Served, spans: InMemorySpanExporter
) -> None:
    in_message = message("list_projects")
    in_message["params"]["_meta"] = {"traceparent": PARENT}
    async with server.http(ALICE, **HEADERS) as http:
        session = await opened(http)
        await http.post("/mcp", json=message("list_projects"), headers={"traceparent": PARENT})
        await http.post("/mcp", json=message("list_projects"), headers={"traceparent": PARENT, **session})
        await http.post("/mcp", json=in_message)
        await http.post("/mcp", json=message("list_projects"))
    traces = [
        f"{span.context.trace_id:032x}" for span in of_server(spans) if span.name.startswith("tools/call")
    ]
    assert traces[:3] == [TRACE] * 3
    assert traces[3] != TRACE


async def test_nothing_that_was_sent_is_in_a_span(server: Served, spans: InMemorySpanExporter) -> None:
    async with server.http(BOB, **HEADERS) as http:
        session = await opened(http)
        for body in (
            message("get_voucher", **SHOP, code=CODE),
            message(CODE, code=CODE),
            asked(CODE),
            asked("prompts/get", name=CODE),
            asked("resources/read", uri=f"voucher-export://{CODE}/{CODE}"),
            {**asked("tools/call"), "params": {"name": [CODE]}},
        ):
            await http.post("/mcp", json=body, headers=session)
    assert of_server(spans)
    assert CODE not in "".join(span.to_json() for span in of_server(spans))
