"""What deploy/ and the Dockerfile say holds: of settings, commands, and the programs that read them."""

import asyncio
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.protocol.clients import done
from tests.serving.processes import process
from tests.serving.servers import ALICE, call, messages, served, two_callers
from voucher_mcp.cli.main import _parser
from voucher_mcp.config import load_settings
from voucher_mcp.http.serving import END_SECONDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    """The arguments of an instruction of the Dockerfile's last stage."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    return re.findall(rf"^\s*(?:HEALTHCHECK .*)?\b{name} (.+)$", last, re.MULTILINE)


def is_served(command: list[str]) -> dict[str, Any]:
    """What our command line makes of these words; it ends the test where it does not know one."""
    return vars(_parser().parse_args(command))


def test_the_example_of_a_configuration_is_taken(tmp_path: Path) -> None:
    for name in COMPOSE["secrets"]:
        (tmp_path / name).write_text("0123456789abcdef" * 4 + "\n")
    text = (DEPLOY / "config.toml").read_text(encoding="utf-8").replace("/run/secrets", tmp_path.as_posix())
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    settings = load_settings(tmp_path / "config.toml", {"DOMAIN": "vouchers.example.com"})
    assert [settings.unusable(project) for project in settings.projects] == [None]
    assert settings.http is not None
    assert settings.http.has_sign_in
    assert settings.http.state_key is not None
    assert settings.http.allowed_hosts == ("vouchers.example.com",)
    assert "@database/vouchers" in text
    assert "/run/secrets" not in text


def test_the_image_serves_as_nobody_of_note_what_the_command_line_knows() -> None:
    [entry], [command] = instructions("ENTRYPOINT"), instructions("CMD")[-1:]
    assert json.loads(entry) == ["voucher-mcp"]
    arguments = is_served(json.loads(command))
    assert (arguments["transport"], arguments["host"], arguments["port"]) == ("http", "0.0.0.0", 8000)
    assert instructions("USER") == ["vouchers"]
    assert instructions("VOLUME") == ["/data"]
    [extras] = re.findall(r"whl\)\[([\w,]+)\]", DOCKERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras.split(",")) == project["optional-dependencies"].keys() - {"dev"}


def test_what_is_sent_to_the_builder_is_what_the_wheel_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    made = project["tool"]["hatch"]
    packages = made["build"]["targets"]["wheel"]["packages"]
    described = [part["path"] for part in made["metadata"]["hooks"]["fancy-pypi-readme"]["fragments"]]
    needed = {*described, *project["project"]["license-files"], *packages}
    assert sent == needed | {"pyproject.toml", "constraints.txt"}
    assert all((ROOT / name).exists() for name in sent)


async def test_the_health_check_holds_while_a_server_lives_and_no_longer(tmp_path: Path) -> None:
    [check] = [found for found in instructions("CMD") if "healthz" in found]
    program, *rest = json.loads(check)
    assert program == "python"
    async with served(two_callers(tmp_path)) as server:
        command = [sys.executable, *(word.replace("8000", str(server.port)) for word in rest)]
        well = await asyncio.create_subprocess_exec(*command)
        assert await well.wait() == 0
    gone = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await gone.wait() != 0


def test_the_services_fit_together() -> None:
    services = COMPOSE["services"]
    assert is_served(services["server"]["command"])["workers"] == 2
    assert is_served(services["migrate"]["command"])["command"] == "migrate"
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert services["database"]["networks"] == ["back"]
    assert "front" not in services["migrate"]["networks"]
    assert "healthcheck" in services["database"]
    for name, service in services.items():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(service.get("depends_on", ())) <= set(services)
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        for volume in service["volumes"]:
            source, target = volume.split(":")[:2]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file(), (name, volume)
            assert target.startswith("/")
        if name != "database":  # whose first start sets up its folder as root
            assert service["read_only"]
            assert service["cap_drop"] == ["ALL"]
    [configuration] = [v for v in services["server"]["volumes"] if "config.toml" in v]
    assert configuration.split(":")[1] in DOCKERFILE
    assert int(services["server"]["stop_grace_period"].removesuffix("s")) > END_SECONDS
    named = re.findall(r"/run/secrets/(\w+)", (DEPLOY / "config.toml").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(services["server"]["secrets"])


def unit(text: str) -> configparser.RawConfigParser:
    read = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string(text)
    return read


def test_the_unit_starts_what_the_command_line_knows_and_waits_for_its_end() -> None:
    text = (DEPLOY / "voucher-mcp.service").read_text(encoding="utf-8")
    service = unit(text)["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert program.endswith("/voucher-mcp")
    parsed = is_served(arguments)
    assert (parsed["transport"], str(parsed["config"])) == ("http", "%d/config.toml")
    assert parsed["unix_socket"].parent == Path("/run", service["RuntimeDirectory"])
    assert int(service["TimeoutStopSec"]) > END_SECONDS
    assert (service["Type"], service["KillMode"], service["DynamicUser"]) == ("exec", "mixed", "yes")
    assert f"/var/lib/{service['StateDirectory']}" in service["Environment"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    text = (DEPLOY / "voucher-mcp.service").read_text(encoding="utf-8")
    file = tmp_path / "voucher-mcp.service"
    file.write_text(text.replace("/opt/voucher-mcp/bin/voucher-mcp", sys.executable), encoding="utf-8")
    for check in (["verify"], ["security", "--offline=true", "--threshold=15"]):
        found = subprocess.run(["systemd-analyze", *check, file], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr
        assert "Unknown" not in found.stderr


@asynccontextmanager
async def caddy(folder: Path, upstream: str) -> AsyncIterator[tuple[httpx2.AsyncClient, Path]]:
    """Caddy with our file in front of a server, over plain HTTP, and its log."""
    log = folder / "caddy.log"
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    text = text.replace("{\n\tlog {", f"{{\n\tadmin off\n\tlog {{\n\t\toutput file {log}", 1)
    socket = folder / "caddy.sock"
    # it also logs what it passes on, so that there is something to read
    text = text.replace("\theader Strict", f"\tbind unix/{socket}\n\tlog\n\theader Strict")
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    given = {"DOMAIN": "http://localhost", "UPSTREAM": upstream, "HOME": str(folder)}
    one = await asyncio.create_subprocess_exec(
        "caddy",
        "run",
        "--config",
        str(folder / "Caddyfile"),
        "--adapter",
        "caddyfile",
        env={**os.environ, **given},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while not socket.exists():
            assert one.returncode is None
            await asyncio.sleep(0.02)
        transport = httpx2.AsyncHTTPTransport(uds=str(socket))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http, log
    finally:
        if one.returncode is None:
            one.terminate()
        await one.wait()


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not here")
async def test_caddy_passes_on_calls_and_downloads_and_logs_no_secret(tmp_path: Path) -> None:
    shop = {"project_id": "shop"}
    async with served(two_callers(tmp_path)) as server:
        async with server.client(ALICE) as alice:
            await done(alice, "create_voucher", **shop, code="C", type="GIFT_VOUCHER", gift={"amount": 1})
            begun = await done(alice, "export_voucher_transactions", **shop, code="C")
            waiting = {**shop, "export_id": begun["data"]["id"], "wait": 30}
            export = (await done(alice, "get_export", **waiting))["data"]["result"]["download"]["url"]
        path = export.removeprefix(server.url)
        async with caddy(tmp_path, f"127.0.0.1:{server.port}") as (http, log):
            headers = {"authorization": f"Bearer {ALICE}", "accept": "application/json, text/event-stream"}
            answer = await http.post("/mcp", json=call("list_voucher_pools", **shop), headers=headers)
            [message] = messages(answer.text)
            assert message["result"]["structuredContent"]["data"] == []
            file = await http.get(path)
            assert (file.status_code, file.text[:3]) == (200, "id,")
            assert "Strict-Transport-Security" in file.headers
        logged = log.read_text(encoding="utf-8")
    assert "/mcp" in logged
    assert path not in logged
    assert ALICE not in logged


async def test_the_command_of_the_unit_serves_at_its_socket(tmp_path: Path) -> None:
    """With the words of the unit, in a folder in place of systemd's."""
    text = (DEPLOY / "voucher-mcp.service").read_text(encoding="utf-8")
    words = shlex.split(unit(text)["Service"]["ExecStart"])
    options = [word.replace("/run/voucher-mcp", str(tmp_path)) for word in words[words.index("http") + 1 :]]
    async with process(tmp_path, *options) as (one, said):
        assert said == f"voucher-mcp serves unix:{tmp_path}/mcp.sock\n"
        transport = httpx2.AsyncHTTPTransport(uds=str(tmp_path / "mcp.sock"))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get("/healthz")).json() == {"status": "ok"}
        one.terminate()
        assert await one.wait() == 0
