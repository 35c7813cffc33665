"""`voucher-mcp dashboard`: the pages on one's own machine."""

import asyncio
import re
import signal
import sys
from pathlib import Path

import httpx2

from tests.protocol.wire import spawned

TABLES = """
[projects.shop]
backend = "local"
url = "sqlite:///vouchers.db"
name = "Corner Shop"
[projects.archive]
backend = "local"
url = "sqlite:///archive.db"
access = "read"
"""


async def test_a_link_opens_the_pages_once_for_who_started_it_and_ctrl_c_ends_them(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(TABLES, encoding="utf-8")
    command = (sys.executable, "-m", "voucher_mcp", "dashboard", "--no-browser")
    async with spawned(tmp_path, command) as process:
        assert process.stdout is not None
        lines = [(await asyncio.wait_for(process.stdout.readline(), 60)).decode() for _ in range(3)]
        found = re.fullmatch(r"(http://127\.0\.0\.1:\d+)(/welcome/\S{40,})\n", lines[1])
        assert found, lines
        origin = {"origin": found[1]}
        async with (
            httpx2.AsyncClient(base_url=found[1]) as stranger,
            httpx2.AsyncClient(base_url=found[1], headers=origin, follow_redirects=True) as person,
        ):
            assert (await stranger.get("/pools")).status_code == 303
            assert (await stranger.post("/mcp", json={})).status_code == 401
            assert (await stranger.get("/welcome/" + "x" * 43)).status_code == 410
            pools = await person.get(found[2])
            assert (pools.status_code, pools.url.path) == (200, "/pools")
            assert "Corner Shop" in pools.text
            assert (await stranger.get(found[2])).status_code == 410
            assert (await stranger.get("/changes")).status_code == 303
            form = {"project": "archive", "change": "ch_1"}
            assert "archive" in (await person.get("/changes", params={"project": "archive"})).text
            refused = await person.post("/changes/undo", data=form)
            assert (refused.status_code, "may only read" in refused.text) == (409, True)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
