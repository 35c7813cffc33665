"""Finished exports as files that their owner opens in a browser, without signing in there."""

import asyncio
import logging
import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.backends.opening import SYSTEMS
from tests.protocol.clients import Table, connect, done, local
from tests.serving.servers import ALICE, BOB, HEADERS, Served, call, messages, served, token, two_callers
from tests.support import held
from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.domain.values.times import now, parse_time
from voucher_mcp.http.sign_in.known import Known
from voucher_mcp.http.sign_in.seals import Broken, Expired, Seal
from voucher_mcp.policy.callers import Caller

KEY = "k" * 64
SHOP = {"project_id": "shop"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with held(served(two_callers(tmp_path), key=KEY)) as one:
        yield one


async def exported(client: Any, **project: str) -> Table:
    """A finished export of a card, as get_export answers it."""
    project = project or SHOP
    await done(client, "create_voucher", **project, code="CARD", type="GIFT_VOUCHER", gift={"amount": 500})
    await done(client, "update_voucher_balance", **project, code="CARD", amount=7, idempotency_key="one")
    begun = await done(client, "export_voucher_transactions", **project, code="CARD", fields=["amount"])
    answer = await done(client, "get_export", **project, export_id=begun["data"]["id"], wait=30)
    data: Table = answer["data"]
    return data


async def address(server: Served, secret: str = ALICE) -> str:
    """Where a finished export of the shop can be had."""
    async with server.client(secret) as client:
        return str((await exported(client))["result"]["download"]["url"])


async def opened(server: Served, url: str, method: str = "GET", **headers: str) -> httpx2.Response:
    """What a browser gets there."""
    async with server.http() as browser:
        return await browser.request(method, urlsplit(url).path, headers=headers)


async def test_a_finished_export_opens_in_a_browser_for_an_hour(
    server: Served, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with server.client(ALICE, era) as alice:
        before = now()
        export = await exported(alice)
        [resource] = (await alice.read_resource(export["result"]["url"])).contents
    download = export["result"]["download"]
    assert download.keys() == {"url", "expires_at"}
    assert 0 <= parse_time(download["expires_at"], "") - before - 3_600_000 < 60_000
    assert download["url"].startswith(f"{server.url}/exports/")
    file, head = await opened(server, download["url"]), await opened(server, download["url"], "HEAD")
    assert (file.status_code, file.text) == (200, resource.text)  # type: ignore[union-attr]
    assert file.text == "amount\r\n7\r\n"
    assert (head.status_code, head.text) == (200, "")
    for answer in (file, head):
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="shop-{export["id"]}.csv"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    path = urlsplit(download["url"]).path
    logged = {record.name for record in caplog.records if path in record.getMessage()}
    assert logged == {"httpx2"}  # the browser's own


async def test_over_standard_input_there_is_no_such_address(tmp_path: Path) -> None:
    settings = Settings.model_validate({"projects": {"shop": local(tmp_path / "shop.db")}})
    async with connect(settings) as client:
        assert "download" not in (await exported(client))["result"]


async def test_an_export_of_a_vendor_is_had_from_the_server_which_signs_in_there(tmp_path: Path) -> None:
    async with held(SYSTEMS["voucherify"](tmp_path)) as system:
        tables = {
            "state": f"sqlite:///{tmp_path}/state.db",
            "projects": {"shop": {**system.table, "access": "write"}},
            "http": {"tokens": {"alice": token(ALICE, ["shop"], "write")}},
        }
        async with served(Settings.model_validate(tables)) as server, server.client(ALICE) as alice:
            export = await exported(alice)
            file = await opened(server, export["result"]["download"]["url"])
            [resource] = (await alice.read_resource(export["result"]["url"])).contents
    assert (file.status_code, file.text) == (200, resource.text)  # type: ignore[union-attr]
    assert "7" in file.text.split()


@pytest.mark.parametrize("proxy", [{}, {"x-forwarded-proto": "https"}, {"x-forwarded-proto": "file"}])
async def test_the_address_is_what_its_caller_knows_the_server_by(
    tmp_path: Path, proxy: dict[str, str]
) -> None:
    async with served(two_callers(tmp_path, allowed_hosts=["vouchers.example.com"])) as server:
        url = await address(server)
        name = (await opened(server, url)).headers["content-disposition"].partition("shop-")[2]
        export = {**SHOP, "export_id": name.removesuffix('.csv"')}
        async with server.http(ALICE, **HEADERS, host="vouchers.example.com", **proxy) as http:
            [message] = messages((await http.post("/mcp", json=call("get_export", **export))).text)
        shown = message["result"]["structuredContent"]["data"]["result"]["download"]["url"]
    scheme = "https" if proxy.get("x-forwarded-proto") == "https" else "http"
    assert shown.startswith(f"{scheme}://vouchers.example.com/exports/")


async def test_the_address_begins_as_the_audience_does(tmp_path: Path) -> None:
    known = {"issuer": "https://auth.example.com", "audience": "https://example.com/vouchers/mcp"}
    async with served(two_callers(tmp_path, **known)) as server:
        assert (await address(server)).startswith("https://example.com/vouchers/exports/")


async def test_what_was_changed_or_made_by_others_opens_nothing(server: Served) -> None:
    url = await address(server)
    start, _, sealed = url.rpartition("/")
    other = Seal(KEY, "session").closed({"caller": "token:alice", "groups": []}, now() + 60_000)
    middle = len(sealed) // 2
    changed = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
    wrong = [changed, sealed[:-4], sealed + "A", "v1.", "v1.%ff", "x" * 9_000, "v1.\u00e9", other, "a.b.c"]
    for forged in wrong:
        answer = await opened(server, f"{start}/{forged}")
        assert (answer.status_code, answer.text) == (404, "This address opens nothing.\n"), forged
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await opened(server, url, "POST")).status_code == 405
    assert (await opened(server, url, host="elsewhere.example.com")).status_code == 421


async def test_after_its_hour_it_says_how_to_have_a_new_one(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voucher_mcp.http.pages.links.now", lambda: now() - 3_600_000)
    answer = await opened(server, await address(server))
    assert answer.status_code == 410
    assert answer.text == "This address was good for an hour. Ask for the export again to have a new one.\n"


async def test_any_host_with_the_same_key_serves_it_and_none_with_another(
    server: Served, tmp_path: Path
) -> None:
    url = await address(server)
    async with served(two_callers(tmp_path), key=KEY) as same, served(two_callers(tmp_path)) as other:
        assert (await opened(same, url)).text == "amount\r\n7\r\n"
        assert (await opened(other, url)).status_code == 404


@pytest.mark.parametrize(
    "now_configured",
    [
        {"alice": token(ALICE, ["hotel"], "write")},
        {"alice": token("another secret", ["shop"])},
        {"bob": token(BOB, ["shop"])},
    ],
    ids=["project lost", "token changed", "token gone"],
)
async def test_who_has_lost_the_project_or_the_token_since_has_nothing_of_it(
    server: Served, tmp_path: Path, now_configured: Table
) -> None:
    url = await address(server)
    async with served(two_callers(tmp_path, tokens=now_configured), key=KEY) as after:
        answer = await opened(after, url)
    assert answer.status_code == 404
    assert not {"shop", "alice", "amount"} & set(answer.text.lower().split())


async def test_an_export_that_was_cleared_since_is_gone(server: Served, tmp_path: Path) -> None:
    url = await address(server)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("DELETE FROM job_chunks")
        database.execute("DELETE FROM jobs")
    database.close()
    for method in ("GET", "HEAD"):
        assert (await opened(server, url, method)).status_code == 404


async def test_downloads_count_among_what_a_caller_may_ask(tmp_path: Path) -> None:
    async with served(two_callers(tmp_path, max_calls_per_minute=8)) as server:
        url = await address(server)
        assert (await opened(server, url)).status_code == 200
        while (answer := await opened(server, url)).status_code == 200:
            pass
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_large_one_goes_out_as_it_is_read_and_breaks_off_where_it_is_cleared(
    server: Served, tmp_path: Path
) -> None:
    path = urlsplit(await address(server)).path
    with sqlite3.connect(tmp_path / "shop.db") as database:
        row = database.execute("SELECT project, job, number, line FROM job_chunks").fetchone()
        piece = b"7\r\n" * 50_000
        more = [(row[0], row[1], row[2] + number, row[3], piece) for number in range(1, 100)]
        database.executemany(
            "INSERT INTO job_chunks (project, job, number, line, content) VALUES (?, ?, ?, ?, ?)", more
        )
    with socket.socket() as small:
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        small.connect(("127.0.0.1", server.port))
        small.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=small, limit=4_096)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b"200 OK" in await reader.readline()
        with sqlite3.connect(tmp_path / "shop.db") as database:
            database.execute("DELETE FROM job_chunks")
            database.execute("DELETE FROM jobs")
        rest = await reader.read(-1)
        writer.close()
    assert 0 < len(rest) < 80 * len(piece)
    assert not rest.endswith(b"\r\n0\r\n\r\n")


def test_who_signs_in_at_the_issuer_is_known_by_name_and_groups() -> None:
    grant = {"projects": ["shop"], "access": "read"}
    tables = {
        "issuer": "https://auth.example.com",
        "audience": "https://v.example.com/mcp",
        "access": {"subject": {"ann": {"projects": ["hotel"], "access": "write"}}, "group": {"desk": grant}},
    }
    known = Known(HttpSettings.model_validate(tables))
    how = known.how("user:ann")
    assert how == "https://auth.example.com"
    assert known.caller("user:ann", ["desk", "gone"], how) == Caller(
        "user:ann", frozenset({("hotel", "write"), ("shop", "read")}), ("desk", "gone")
    )
    assert known.caller("user:ann", [], "https://another.example.com") is None
    for nobody in ("http", "token:ann", "stdio", ""):
        assert known.how(nobody) is None
    assert Known(HttpSettings()).caller("http", [], "") == Caller("http")


def test_a_seal_is_good_for_its_time_its_use_and_its_key() -> None:
    seal = Seal(KEY, "one")
    assert seal.opened(seal.closed({"a": "\u00e9"}, now() + 60_000)) == {"a": "\u00e9"}
    with pytest.raises(Expired):
        seal.opened(seal.closed({}, now()))
    for other in (Seal(KEY, "two"), Seal("x" * 64, "one")):
        with pytest.raises(Broken):
            seal.opened(other.closed({}, now() + 60_000))
