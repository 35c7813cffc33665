"""What the server tells those who look after it."""

from pathlib import Path

from tests.protocol.clients import done, local
from tests.serving.processes import TABLES, http_at, process
from tests.serving.servers import ALICE, Served, call, served, token
from tests.support import TEN_PERCENT
from voucher_mcp.config import Settings


async def test_without_sign_in_only_that_it_lives_and_is_ready(server: Served) -> None:
    async with server.http() as http:
        alive, ready = await http.get("/healthz"), await http.get("/readyz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_with_sign_in_each_of_the_callers_projects_and_when_it_was_reached(server: Served) -> None:
    async with server.http(ALICE) as http, server.client(ALICE) as alice:
        before = (await http.get("/readyz")).json()["projects"]
        await done(alice, "create_voucher_pool", project_id="shop", name="S", voucher=TEN_PERCENT)
        [after] = (await http.get("/healthz")).json()["projects"]
    assert before == [{"id": "shop", "in_reach": None, "last_reached": None, "last_failed": None}]
    assert (after["id"], after["in_reach"], after["last_failed"]) == ("shop", True, None)
    assert after["last_reached"].endswith("+00:00")


async def test_a_wrong_token_is_refused_there_too(server: Served) -> None:
    async with server.http("wrong") as http:
        assert (await http.get("/readyz")).status_code == 401


async def test_it_is_not_ready_where_its_own_database_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    tables = {
        "state": f"sqlite:///{tmp_path}/folder.db",
        "projects": {"shop": local(tmp_path / "shop.db")},
        "http": {"tokens": {"alice": token(ALICE, ["shop"])}},
    }
    async with served(Settings.model_validate(tables)) as server, server.http() as http:
        ready = await http.get("/readyz")
        alive = await http.get("/healthz")
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable"})
    assert alive.status_code == 200


async def test_each_worker_knows_what_another_one_reached(tmp_path: Path) -> None:
    sign_in = f'''
[http.tokens.ci]
sha256 = "{token("ci-token", [])["sha256"]}"
projects = ["shop"]
'''
    signed = {"authorization": "Bearer ci-token"}
    async with process(tmp_path, "--port", "0", "--workers", "2", tables=TABLES + sign_in) as (_, said):
        async with http_at(said, **signed) as http:
            answer = await http.post("/mcp", json=call("list_voucher_pools", project_id="shop"))
            assert '"success":true' in answer.text
        for _ in range(12):
            async with http_at(said, **signed) as http:  # whichever worker takes it
                [shop] = (await http.get("/readyz")).json()["projects"]
                assert shop["in_reach"] is True
