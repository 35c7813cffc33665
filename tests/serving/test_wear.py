"""Calls leave nothing behind. `python -m bench serving` makes 10,000 of them and shows the memory too."""

import re
from pathlib import Path

from bench import http_wear
from tests.serving.processes import process, until


async def test_calls_leave_no_handle_and_no_connection_in_either_era(tmp_path: Path) -> None:
    async with process(tmp_path, "--port", "0", "--workers", "2") as (server, said):
        found = re.search(r":(\d+)/mcp", said)
        assert found is not None

        async def call_often(seed: int) -> None:
            await http_wear.calls(int(found[1]), "list_projects", {}, 500, seed)

        await call_often(1)
        memory, handles = http_wear.held(server.pid)
        await call_often(2)
        await until(lambda: http_wear.held(server.pid)[1] <= handles)
        assert http_wear.held(server.pid)[0] - memory < 16 * 2**20
