"""What the log has, where it goes, and what never gets in."""

import asyncio
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.protocol.clients import call, connect, done, settings
from tests.serving.servers import ALICE, BOB, HEADERS, LEGACY, Served, opened, served, two_callers
from tests.serving.servers import call as message
from tests.support import held
from voucher_mcp.backends.http.connecting import connect as connect_vendor
from voucher_mcp.cli.logs.opening import logging_as
from voucher_mcp.cli.main import _parser
from voucher_mcp.tools.dispatch import Dispatcher

SECRET, CODE = "s3cret-5d1f0c", "WORTHMONEY2026"
SHOP = {"project_id": "shop"}


@contextmanager
def logged(folder: Path, form: str) -> Iterator[Path]:
    """A log of everything."""
    file = folder / "log"
    chosen = ["--log-level", "debug", "--log-file", str(file), "serve", "--log-format", form]
    with logging_as(_parser().parse_args(chosen), {"VOUCHER_MCP_LOG_LEVEL": "error"}):
        yield file


@pytest.fixture(params=["json", "text"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A log in either form."""
    with logged(tmp_path, request.param) as file:
        yield file


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """One object a line."""
    with logged(tmp_path, "json") as file:
        yield file


@pytest.fixture
def text(tmp_path: Path) -> Iterator[Path]:
    """For people."""
    with logged(tmp_path, "text") as file:
        yield file


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


WRONG = [
    (["--log-level", "loud"], {}, "--log-level: unknown value 'loud'; should be one of debug, info"),
    (["serve", "--log-format", "jsn"], {}, "did you mean 'json'?"),
    (["serve", "--log-level", ""], {}, "--log-level: unknown value ''"),
    (["check", "--log-file", ""], {}, "--log-file: names no file"),
    (["--log-file", "no/folder/log"], {}, "--log-file: no/folder/log cannot be written: No such file"),
    ([], {"VOUCHER_MCP_LOG_LEVEL": "2"}, "VOUCHER_MCP_LOG_LEVEL: unknown value '2'"),
    ([], {"VOUCHER_MCP_LOG_FORMAT": "xml"}, "VOUCHER_MCP_LOG_FORMAT: unknown value 'xml'"),
    ([], {"VOUCHER_MCP_LOG_FILE": "."}, "VOUCHER_MCP_LOG_FILE: . cannot be written: Is a directory"),
    ([], {"VOUCHER_MCP_LOG_LEVL": "info"}, "VOUCHER_MCP_LOG_LEVL: unknown variable"),
]


@pytest.mark.parametrize(("options", "variables", "said"), WRONG)
def test_a_wrong_value_stops_the_start_and_is_named(
    options: list[str], variables: dict[str, str], said: str, cli: Command
) -> None:
    told = cli.run(*options, status=2, variables=variables)
    assert said in told.err
    assert told.out == ""


def test_what_is_not_given_is_what_it_was(cli: Command) -> None:
    nothing = dict.fromkeys(("VOUCHER_MCP_LOG_LEVEL", "VOUCHER_MCP_LOG_FILE", "VOUCHER_MCP_LOG_FORMAT"), "")
    assert cli.run("serve", variables=nothing).err == ""


def test_the_log_of_a_server_on_standard_input_goes_where_the_variables_say(cli: Command) -> None:
    variables = {"VOUCHER_MCP_LOG_LEVEL": "INFO", "VOUCHER_MCP_LOG_FILE": "log"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    asked["params"] = {"name": "get_voucher", "arguments": {"project_id": "default", "code": CODE}}
    hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    sent = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        asked,
    ]
    told = cli.run(stdin="".join(json.dumps(one) + "\n" for one in sent), variables=variables)
    assert [json.loads(line)["id"] for line in told.out.splitlines()] == [0, 1]  # nothing but the protocol
    assert told.err == ""
    [line] = cli.read("log").splitlines()
    assert " INFO voucher_mcp.tools.dispatch: get_voucher: " in line  # the end of its input may cut it off


async def test_a_line_says_when_what_for_which_request_and_whose(tmp_path: Path, log: Path) -> None:
    async with served(two_callers(tmp_path)) as server, server.http(ALICE, **HEADERS) as http:
        named = await http.post(
            "/mcp", json=message("list_projects"), headers={"x-request-id": "from-proxy.1"}
        )
        unnamed = await http.post(
            "/mcp", json=message("list_projects"), headers={"x-request-id": "two words"}
        )
        session = await opened(http)
        in_session = await http.post("/mcp", json=message("list_projects"), headers=session)
        refused = await http.get("/nowhere/" + SECRET)
    assert named.headers["x-request-id"] == "from-proxy.1"
    ids = [answer.headers["x-request-id"] for answer in (named, unnamed, in_session, refused)]
    assert len(set(ids)) == 4
    calls = [line for line in lines(log) if line["message"].startswith("list_projects: ok in ")]
    assert [line["request_id"] for line in calls] == ids[:3]
    assert {line["caller"] for line in calls} == {"token:alice"}
    assert {line["level"] for line in calls} == {"info"}
    then = datetime.fromisoformat(calls[0]["time"])
    assert then.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - then) < timedelta(minutes=5)
    [last] = [line for line in lines(log) if line.get("request_id") == ids[3]]
    assert last["message"].startswith("GET …: 404 in ")


async def test_a_fault_has_the_requests_id_in_its_answer_its_header_and_the_log(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError(f"{SECRET} {CODE}")

    monkeypatch.setattr(Dispatcher, "_run", broken)
    async with served(two_callers(tmp_path)) as server, server.http(ALICE, **HEADERS) as http:
        answer = await http.post("/mcp", json=message("list_projects"))
    reference = answer.headers["x-request-id"]
    assert f"(reference {reference})" in answer.text
    [crash] = [line for line in lines(log) if line["level"] == "error"]
    assert crash["request_id"] == reference
    assert f"crash {reference} in list_projects: RuntimeError" in crash["message"]
    assert_nothing_secret(log)


async def test_what_fails_below_the_protocol_is_in_the_log_with_the_requests_id(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("voucher_mcp.http.bodies.message_in", broken)
    async with served(two_callers(tmp_path)) as server, server.http(ALICE, **HEADERS) as http:
        answer = await http.post("/mcp", json=message("list_projects"))
    assert answer.status_code == 500
    failed = [line for line in lines(log) if line["level"] == "error"]
    assert [line["request_id"] for line in failed] == [answer.headers["x-request-id"]]
    assert failed[0]["logger"] == "uvicorn.error"
    assert "RuntimeError" in failed[0]["message"]
    assert_nothing_secret(log)


def assert_nothing_secret(log: Path) -> None:
    text = log.read_text(encoding="utf-8")
    assert text
    assert [one for one in (SECRET, CODE, ALICE, BOB) if one in text] == []


async def test_at_its_chattiest_it_has_no_secret_and_no_code(tmp_path: Path, log: Path) -> None:
    async with held(served(two_callers(tmp_path))) as server:
        async with server.client(ALICE) as alice:
            card = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
            await done(alice, "create_voucher", **SHOP, code=CODE, **card)
            await call(alice, "get_voucher", **SHOP, code=CODE, nonsense=SECRET)
            await call(alice, CODE, **SHOP)
        await abused(server)
        async with connect_vendor("mews", server.url, {"authorization": f"Bearer {SECRET}"}, 5.0) as http:
            await http.get(f"{server.url}/vouchers/{CODE}?token={SECRET}")
    assert len(lines(log)) > 10
    assert_nothing_secret(log)


async def abused(server: Served) -> None:
    """Everything that libraries below us have a word for."""
    async with server.http(SECRET, **HEADERS) as http:
        await http.post("/mcp", json=message("get_voucher", **SHOP, code=CODE))
    async with server.http(BOB, **HEADERS) as http:
        session = await opened(http)
        for body in (CODE, f'{{"jsonrpc":"2.0","id":1,"method":"{CODE}","params":{{"a":"{SECRET}"}}}}'):
            await http.post("/mcp", content=body, headers=session)
        forged = {**message("get_voucher", **SHOP, code=CODE), "method": f"notifications/{CODE}"}
        await http.post("/mcp", json={**forged, "params": {"requestId": [SECRET]}}, headers=session)
        state = {"name": "get_voucher", "arguments": {"code": CODE}, "requestState": SECRET}
        await http.post("/mcp", json={**message("x"), "params": state}, headers=session)
    async with server.http(ALICE, **HEADERS) as other:  # whose session it is not
        await other.post("/mcp", json=message("list_projects"), headers=session)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"{SECRET} {CODE}\r\n\r\n".encode())
    await reader.read()
    writer.close()


async def test_of_libraries_only_warnings_are_heard_and_of_errors_only_their_kind_and_place(
    either: Path,
) -> None:

    async def fail() -> None:
        raise ValueError(SECRET)

    for name in ("httpx2", "httpcore2", "mcp.server.runner", "uvicorn.error", "asyncpg", "apsw", "anyio"):
        logger = logging.getLogger(name)
        logger.debug("reads %s", SECRET)
        logger.info(f"reads {SECRET}")
        logger.warning("reads %s of %d, %r", SECRET, 7, CODE)
    logging.getLogger("mcp").warning("a session is gone: 0-0123456789abcdef0123456789abcdef")
    lost = asyncio.create_task(fail())
    await asyncio.wait([lost])
    del lost  # nobody asked for its outcome
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("something is old", DeprecationWarning, stacklevel=1)
    assert_nothing_secret(either)
    text = either.read_text(encoding="utf-8").replace("\\u2026", "…")
    assert text.count("… of 7, …") == 7
    assert "0123456789abcdef" not in text
    assert "Task exception was never retrieved" in text
    assert "ValueError" in text


def test_no_text_passes_for_a_line_of_its_own(text: Path) -> None:
    logging.getLogger("voucher_mcp.x").warning("one\n2026-12-01T00:00:00.000Z ERROR two\r\x1b[2J\u2028\u202e")
    first, second = text.read_text(encoding="utf-8").splitlines()
    assert first.endswith("WARNING voucher_mcp.x: one")
    assert second == r"  2026-12-01T00:00:00.000Z ERROR two\r\x1b[2J\u2028\u202e"


def test_a_log_that_was_moved_away_goes_on_in_a_new_file(text: Path) -> None:
    logger = logging.getLogger("voucher_mcp.x")
    logger.info("one")
    text.rename(text.with_name("log.1"))
    logger.info("two")
    assert "two" in text.read_text(encoding="utf-8")


async def test_tasks_that_outlive_a_request_are_not_of_it(tmp_path: Path, log: Path) -> None:
    async with connect(settings(tmp_path / "vouchers.db")) as client:
        await done(client, "list_voucher_pools", **SHOP)
    assert all("request_id" not in line for line in lines(log))
