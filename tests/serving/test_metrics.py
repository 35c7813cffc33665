"""Numbers for Prometheus: right over all workers, and of nobody in particular."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from tests.http.vendor import account, drop, json_answer, send
from tests.protocol.clients import call, done
from tests.serving.processes import TABLES, children_of, http_at, process
from tests.serving.servers import ALICE, HEADERS, Served, messages, opened, served, token, two_callers
from tests.serving.servers import call as message
from voucher_mcp.config import ConfigError
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.watch import watched_by
from voucher_mcp.http.watching import metrics
from voucher_mcp.http.watching.metrics import Metrics, check_installed

SHOP = {"project_id": "shop"}
CODE = "WORTHMONEY2026"
Numbers = dict[tuple[str, ...], float]


def numbers(text: str) -> Numbers:
    """Each number by its name and the values of its labels, in the order of their names."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (one.name.removeprefix("voucher_mcp_"), *(one.labels[name] for name in sorted(one.labels))): one.value
        for one in samples
    }


async def read(http: httpx2.AsyncClient) -> Numbers:
    answer = await http.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return numbers(answer.text)


async def test_they_are_not_there_unless_they_are_wanted(server: Served) -> None:
    async with server.http(ALICE) as http:
        assert (await http.get("/metrics")).status_code == 404


async def test_who_looks_after_the_server_sees_calls_refusals_and_sessions(tmp_path: Path) -> None:
    async with served(two_callers(tmp_path, metrics=True, max_calls_per_minute=9)) as server:
        async with server.http(ALICE, **HEADERS) as http:
            await opened(http)
            await http.post("/mcp", json=message("create_voucher", **SHOP, code=CODE))
            for number in range(6):
                await http.post("/mcp", json=message("get_voucher", **SHOP, code=f"{CODE}{number}"))
            await http.post("/mcp", json=message(CODE, **SHOP))
            await http.post("/mcp", json=message("get_voucher", **SHOP, code=CODE))  # beyond the limit
            seen = await read(http)
            everything = (await http.get("/metrics")).text
        async with server.http("wrong") as http:
            assert (await http.get("/metrics")).status_code == 401
        async with server.http() as http:
            assert (await http.get("/metrics")).status_code == 401
        async with server.http(ALICE) as http:
            later = await read(http)
    assert seen["calls_total", "not_found", "get_voucher"] == 6
    assert seen["calls_total", "invalid_input", "create_voucher"] == 1
    assert seen["calls_total", "not_found", "unknown"] == 1
    assert seen["call_seconds_count", "get_voucher"] == 6
    assert seen["refused_total", "calls_per_minute"] == 1
    assert seen["sessions",] == 1
    assert seen["calls_in_flight",] == seen["calls_waiting",] == 0
    assert seen["workers",] == seen["worker_starts_total",] == 1
    assert seen["connections",] >= 1
    assert later["refused_total", "sign_in"] == 1
    assert later["http_requests_total", "401"] == 2
    assert [word for word in (CODE, ALICE, "alice", "shop") if word in everything] == []


async def test_a_token_that_opens_no_project_reads_them_and_nothing_else(tmp_path: Path) -> None:
    tokens = {"prometheus": token("numbers", [])}
    settings = two_callers(tmp_path, metrics=True, tokens=tokens)
    async with served(settings) as server:
        async with server.http("numbers", host="10.1.2.3:8000") as http:  # by its address, as it is scraped
            assert ("workers",) in await read(http)
        async with server.client("numbers") as client:
            assert (await done(client, "list_projects"))["data"] == []
            assert (await call(client, "list_voucher_pools", **SHOP))["error_code"] == "not_found"


async def test_what_vendors_answer_is_counted_by_system_and_status() -> None:
    counted = Metrics()
    with watched_by(counted):
        async with account() as (vendor, client):
            vendor.answers = [json_answer(200, {}), drop, json_answer(400, {"code": CODE})]
            await send(client, f"/{CODE}", writing=False)
            for _ in range(2):
                with pytest.raises(VoucherError):
                    await send(client, f"/{CODE}", writing=True)
    text = bytes((await counted.show(Request({"type": "http"}))).body).decode()
    seen = numbers(text)
    assert [seen["vendor_requests_total", status, "mews"] for status in ("200", "none", "400")] == [1, 1, 1]
    assert seen["vendor_request_seconds_count", "mews"] == 3
    assert CODE not in text


def test_without_the_library_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'voucher-mcp\[metrics\]'"):
        check_installed()


async def test_workers_add_up_and_what_one_that_died_has_counted_stays_counted(
    tmp_path: Path,
) -> None:
    sign_in = f"""
[http]
metrics = true
[http.tokens.ci]
sha256 = "{token("ci-token", [])["sha256"]}"
projects = ["shop"]
"""
    async with process(tmp_path, "--port", "0", "--workers", "2", tables=TABLES + sign_in) as (server, said):
        sessions = [await asked(said) for _ in range(24)]
        async with http_at(said, authorization="Bearer ci-token") as http:
            before = await read(http)
        assert before["calls_total", "ok", "list_projects"] == 24
        assert before["workers",] == 2
        worker = min(children_of(server.pid))
        os.kill(worker, signal.SIGKILL)
        for _ in range(200):
            async with http_at(said, authorization="Bearer ci-token") as http:
                after = await read(http)
            if after["worker_starts_total",] == 3 and after["workers",] == 2:
                break
            await asyncio.sleep(0.05)
    assert after["calls_total", "ok", "list_projects"] == 24
    assert after["workers",] == 2
    assert len(sessions) == 24


async def asked(said: str) -> Any:
    """From a connection of its own, which any worker may take."""
    async with http_at(said, authorization="Bearer ci-token") as http:
        [answer] = messages((await http.post("/mcp", json=message("list_projects"))).text)
        return answer
