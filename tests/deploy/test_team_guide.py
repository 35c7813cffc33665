"""What docs/team.md has for Docker, Caddy and nginx is right: read by what it is for, or held against it.

All other commands and configurations of the documentation are in tests/docs.
"""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.docs.blocks import LINES, ROOT, blocks
from tests.protocol.clients import done
from tests.serving.servers import ALICE, call, messages, served, two_callers
from voucher_mcp.cli.main import _parser

SERVICES = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]


def texts(kind: str) -> list[str]:
    found = [block.text for block in blocks(kind, "team.md")]
    assert found
    return found


def test_every_command_of_docker_names_services_and_commands_that_are_there() -> None:
    composed = [line.words for line in LINES if line.program == "docker"]
    assert composed
    for words in composed:
        assert words[1:4] == ["compose", "--file", "deploy/compose.yaml"]
        action, rest = words[4], [word for word in words[5:] if word not in ("--rm", "--no-deps", "--no-TTY")]
        if action in ("run", "exec"):
            service, *inside = rest
            assert service in SERVICES
            if action == "run":  # what stands behind goes to the image's entry point
                _parser().parse_args(inside)
            elif inside[0] == "voucher-mcp":
                _parser().parse_args(inside[1:])
            else:
                assert inside[0] in ("pg_dump", "pg_restore")
        else:
            assert action in ("build", "up", "restart", "stop")
            assert {word for word in rest if not word.startswith("--")} <= set(SERVICES)


def test_the_secrets_of_the_composition_are_made_as_it_wants_them(tmp_path: Path) -> None:
    [first] = [text for text in texts("sh") if "deploy/secrets" in text]
    lines = [line for line in first.splitlines() if "deploy/secrets" in line]
    (tmp_path / "deploy").mkdir()
    subprocess.run(["bash", "-euc", "\n".join(lines)], cwd=tmp_path, check=True)
    made = tmp_path / "deploy" / "secrets"
    assert made.stat().st_mode & 0o777 == 0o700
    assert {file.name for file in made.iterdir()} == set(SERVICES["server"]["secrets"])
    assert all(re.fullmatch(r"[0-9a-f]{64}\n", file.read_text()) for file in made.iterdir())


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not here")
def test_caddy_takes_its_block(tmp_path: Path) -> None:
    for number, text in enumerate(texts("caddyfile")):
        file = tmp_path / f"{number}"
        file.write_text(text, encoding="utf-8")
        command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(file)]
        environment = {**os.environ, "HOME": str(tmp_path)}
        found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert found.returncode == 0, found.stderr


@asynccontextmanager
async def nginx(folder: Path, port: int) -> AsyncIterator[httpx2.AsyncClient]:
    """Nginx with the block of the guide, without TLS, in front of a server at that port."""
    [text] = texts("nginx")
    socket = folder / "nginx.sock"
    text = text.replace("unix:/run/voucher-mcp/mcp.sock", f"127.0.0.1:{port}")
    text = text.replace("listen 443 ssl", f"listen unix:{socket}").replace(
        "vouchers.example.com", "localhost"
    )
    text = re.sub(r"ssl_certificate\w* .*", "", text)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    whole = (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; {user} "
        f"events {{}} http {{ access_log {folder}/access.log; {temporary} {text} }}"
    )
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    one = await asyncio.create_subprocess_exec(
        "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        while not socket.exists():
            assert one.returncode is None, (folder / "error.log").read_text()
            await asyncio.sleep(0.02)
        transport = httpx2.AsyncHTTPTransport(uds=str(socket))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http
    finally:
        if one.returncode is None:
            one.terminate()
        await one.wait()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not here")
async def test_nginx_passes_on_calls_and_downloads_at_once_and_logs_no_address_of_an_export(
    tmp_path: Path,
) -> None:
    shop = {"project_id": "shop"}
    async with served(two_callers(tmp_path, allowed_hosts=["localhost"])) as server:
        async with server.client(ALICE) as alice:
            await done(alice, "create_voucher", **shop, code="C", type="GIFT_VOUCHER", gift={"amount": 1})
            begun = await done(alice, "export_voucher_transactions", **shop, code="C")
        headers = {"authorization": f"Bearer {ALICE}", "accept": "application/json, text/event-stream"}
        async with nginx(tmp_path, server.port) as http:
            asked = call("get_export", **shop, export_id=begun["data"]["id"], wait=30)
            [message] = messages((await http.post("/mcp", json=asked, headers=headers)).text)
            url = message["result"]["structuredContent"]["data"]["result"]["download"]["url"]
            assert url.startswith("http://localhost/exports/")
            file = await http.get(url)
            assert (file.status_code, file.text[:3]) == (200, "id,")
    logged = (tmp_path / "access.log").read_text(encoding="utf-8")
    assert "POST /mcp" in logged
    assert "/exports/" not in logged
