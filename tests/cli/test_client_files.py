"""`client-config --write`: an entry comes into a client's own file, and nothing else of it changes."""

import json
import os
import stat
import threading
import tomllib
from pathlib import Path
from typing import Any

import json5
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import Command
from voucher_mcp.cli.clients import writing
from voucher_mcp.cli.clients.catalogue import CLIENTS
from voucher_mcp.cli.clients.formats.merging import with_entry
from voucher_mcp.cli.clients.places import file_of
from voucher_mcp.domain.errors import Conflict

ENTRY = {"command": "/bin/voucher-mcp", "args": ["--config", "/c.toml"], "env": {"TOKEN": "<TOKEN>"}}
WANTED = {"mcpServers": {"vouchers": ENTRY}}
PATH = ("mcpServers", "vouchers")

COMMENTED = """{
\t// Mine: do not touch
\t"theme": "dark", /* really */
\t"mcpServers": {
\t\t// the files
\t\t"files": { "command": "npx", "args": ["-y", "files"], }, // of /home
\t\t// "old": {},
\t},
}
"""
CODEX = """# my settings
model = "o9" # the best

[mcp_servers.docs] # ours
command = "npx"
args = [
  "-y", # yes
  "docs",
]

[tui]
theme = "dark"
"""
LIBRECHAT = """# For more information, see the guide
version: 1.3.17

interface:
  customWelcome: 'Hello!'
endpoints:
  custom:
    # Groq
    - name: 'groq'
      models:
        default:
          - "llama3"   # small

mcpServers:
  # the files
  files:
    command: npx
    args:
      - -y
      - "files"
# the end
"""


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_without_a_file_gets_one_at_its_place(cli: Command, client: str) -> None:
    target = cli.folder / "librechat.yaml" if client == "librechat" else None
    options = ["--file", str(target)] if target else []
    said = cli.run("client-config", client, "--write", *options)
    [made] = [Path(line.split(" was made")[0]) for line in said.out.splitlines() if " was made" in line]
    assert made == target or made == file_of(client, {}, home=cli.folder)
    snippet = cli.run("client-config", client).out
    if client != "claude-code":
        assert made.read_text().strip() == snippet.strip()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert "nothing was changed" in cli.run("client-config", client, "--write", *options).out
    assert [file.name for file in made.parent.iterdir() if "bak" in file.name] == []


def test_comments_order_commas_and_tabs_of_json_stay(cli: Command) -> None:
    file = cli.folder / cli.write("mcp.json", COMMENTED)
    said = cli.run("client-config", "cursor", "--write", "--file", file)
    text = file.read_text()
    head, tail = COMMENTED.split('\t\t// "old"')
    assert text.startswith(head)
    assert text.endswith(f'\t\t// "old"{tail}')
    assert '\n\t\t"vouchers": {\n\t\t\t"command": ' in text
    found = json5.loads(text)
    assert list(found["mcpServers"]) == ["files", "vouchers"]
    assert found["mcpServers"]["files"] == {"command": "npx", "args": ["-y", "files"]}
    assert (cli.folder / "mcp.json.bak").read_text() == COMMENTED
    assert "mcp.json.bak" in said.out
    cli.run("client-config", "cursor", "--write", "--file", file)
    assert file.read_text() == text
    assert (cli.folder / "mcp.json.bak").read_text() == COMMENTED  # not the file that has it already


def test_comments_and_order_of_toml_stay(cli: Command) -> None:
    file = cli.folder / cli.write("config.toml", CODEX)
    cli.run("client-config", "codex", "--write", "--file", file)
    text = file.read_text()
    kept = [line for line in text.splitlines() if line.strip()]
    old = [line for line in CODEX.splitlines() if line.strip()]
    at = kept.index("[mcp_servers.vouchers]")
    assert kept[:at] + kept[-2:] == old
    assert list(tomllib.loads(text)["mcp_servers"]) == ["docs", "vouchers"]


def test_comments_and_quotes_of_yaml_stay(cli: Command) -> None:
    file = cli.folder / cli.write("librechat.yaml", LIBRECHAT)
    cli.run("client-config", "librechat", "--write")
    text = file.read_text()
    head, tail = LIBRECHAT.split("  # the files")
    assert text.startswith(f"{head}  vouchers:\n    type: stdio\n")
    assert text.endswith(f"\n  # the files{tail}")
    assert yaml.safe_load(text)["mcpServers"].keys() == {"files", "vouchers"}


@pytest.mark.parametrize(
    ("client", "text"), [("cursor", COMMENTED), ("codex", CODEX), ("librechat", LIBRECHAT)]
)
def test_line_ends_and_byte_order_marks_of_windows_stay(cli: Command, client: str, text: str) -> None:
    file = cli.folder / "settings"
    before = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    file.write_bytes(before)
    cli.run("client-config", client, "--write", "--file", file)
    after = file.read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\r\n") == after.count(b"\n") > before.count(b"\n")
    assert file.with_name("settings.bak").read_bytes() == before


def test_an_entry_of_ours_is_updated_and_what_a_person_put_there_stays(cli: Command) -> None:
    shop = '[projects.shop]\nbackend = "mews"\nclient_token = "${A}"\naccess_token = "${B}"\n'
    mine = {"command": "/old", "env": {"A": "the-value", "MORE": "1"}, "disabled": True}
    file = cli.folder / cli.write("mcp.json", json.dumps({"mcpServers": {"vouchers": mine}}, indent=4))
    config = cli.write("shop.toml", shop)
    cli.run("--config", config, "client-config", "cline", "--write", "--file", file)
    found = json.loads(file.read_text())["mcpServers"]["vouchers"]
    assert found["command"] != "/old"
    assert found["args"][-2:] == ["--config", str(cli.folder / config)]
    assert found["env"] == {"A": "the-value", "MORE": "1", "B": "<B>"}
    assert found["disabled"] is True
    assert '\n        "vouchers": {' in file.read_text()


def test_vs_code_keeps_the_inputs_of_others(cli: Command) -> None:
    config = cli.write(
        "shop.toml", '[projects.shop]\nbackend = "mews"\nclient_token = "${A}"\naccess_token = "${B}"\n'
    )
    text = '{\n  "inputs": [\n    {"id": "A", "type": "promptString"} // mine\n  ]\n}\n'
    file = cli.folder / cli.write("mcp.json", text)
    for _ in range(2):
        cli.run("--config", config, "client-config", "vscode", "--write", "--file", file)
    found = json5.loads(file.read_text())
    assert [one["id"] for one in found["inputs"]] == ["A", "B"]
    assert found["inputs"][0] == {"id": "A", "type": "promptString"}
    assert "// mine" in file.read_text()


REFUSED = (
    ("cursor", '{"mcpServers": ', "not JSON"),
    ("cursor", "{'mcpServers': {}}", "not JSON"),
    ("cursor", '{"mcpServers": []}', "`mcpServers` holds something else"),
    ("cursor", '{"mcpServers": {}, "mcpServers": {}}', "'mcpServers' stands twice"),
    ("cursor", "[]", "holds no table"),
    ("cursor", '{"a": [,]}', "not JSON"),
    ("cursor", '{"a": NaN}', "NaN is no number"),
    pytest.param("cursor", f'{{"a": {"[" * 100_000}{"]" * 100_000}}}', "nested too deeply", id="nested"),
    ("cursor", '{"mcpServers": {"vouchers": {"url": "https://v.example/mcp"}}}', "connects to https://v.ex"),
    ("cursor", "\udcff{}", "not UTF-8"),
    ("vscode", '{"servers": {}, "inputs": {}}', "`inputs` is no list"),
    ("codex", "model = ", "not TOML"),
    ("codex", 'mcp_servers = { docs = { command = "x" } }\n', "cannot be edited"),
    ("codex", 'mcp_servers = "none"\n', "`mcp_servers` holds something else"),
    ("librechat", "a: [\n", "not YAML"),
    ("librechat", "a: 1\na: 2\n", "not YAML"),
    ("librechat", "mcpServers:\n  vouchers:\n    command:    x\n", "layout"),
    ("librechat", "- a\n", "holds no table"),
)


@pytest.mark.parametrize(("client", "text", "why"), REFUSED)
def test_a_file_that_is_not_understood_is_left_as_it_is(
    cli: Command, client: str, text: str, why: str
) -> None:
    config = cli.write(
        "c.toml", '[projects.s]\nbackend = "mews"\nclient_token = "${A}"\naccess_token = "${B}"\n'
    )
    file = cli.folder / "settings"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = file.read_bytes()
    said = cli.run("--config", config, "client-config", client, "--write", "--file", file, status=1)
    assert f"{file} is left as it is: " in said.err
    assert why in said.err
    assert file.read_bytes() == before
    assert sorted(one.name for one in cli.folder.iterdir()) == ["c.toml", "settings"]


def test_what_cannot_be_read_or_named_is_said(cli: Command) -> None:
    (cli.folder / "settings").mkdir()
    said = cli.run("client-config", "cursor", "--write", "--file", cli.folder / "settings", status=1)
    assert "settings" in said.err
    assert "--write" in cli.run("client-config", "cursor", "--file", "x", status=1).err
    assert "--file" in cli.run("client-config", "librechat", "--write", status=1).err
    assert list(cli.folder.iterdir()) == [cli.folder / "settings"]


def test_a_link_stays_a_link_and_permissions_stay(cli: Command) -> None:
    real = cli.folder / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_text("{}\n")
    real.chmod(0o640)
    link = cli.folder / "mcp.json"
    link.symlink_to(real)
    cli.run("client-config", "cursor", "--write", "--file", link)
    assert link.is_symlink()
    assert "vouchers" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert stat.S_IMODE(real.with_name("mcp.json.bak").stat().st_mode) == 0o640


def test_what_another_program_writes_meanwhile_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mcp.json"
    file.write_text("{}")
    put = writing.replace

    def meanwhile(target: Path, content: bytes, *, like: Path) -> None:
        put(target, content, like=like)
        file.write_text('{"new": 1}')

    monkeypatch.setattr(writing, "replace", meanwhile)
    with pytest.raises(Conflict, match="Nothing was changed"):
        writing.merge_into_file(file, "json", WANTED, PATH)
    assert file.read_text() == '{"new": 1}'


def test_a_write_that_fails_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mcp.json"
    file.write_text("{}")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        writing.merge_into_file(file, "json", WANTED, PATH)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"mcp.json": "{}"}


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {}, "filler": "x" * 200_000}))
    seen: set[bool] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            seen.add("vouchers" in json.loads(file.read_text())["mcpServers"])

    reader = threading.Thread(target=look)
    reader.start()
    try:
        writing.merge_into_file(file, "json", WANTED, PATH)
    finally:
        ended.set()
        reader.join()
    assert seen <= {True, False}
    assert "vouchers" in json.loads(file.read_text())["mcpServers"]


_SPACE = st.sampled_from(["", " ", "\n", "\n  ", "\t", ' // a, "b": {}\n', "/* } */", "\n    // ]\n    "])
_SCALAR = st.sampled_from(["1", "-2.5e3", '"a\\"}//"', "true", "null", '"ü"'])


@st.composite
def _objects(draw: st.DrawFn, depth: int = 2) -> str:
    """JSON with comments, trailing commas and any spacing."""
    keys = draw(st.lists(st.sampled_from(["a", "b", "mcpServers", "vouchers"]), unique=True, max_size=3))
    parts: list[str] = []
    for key in keys:
        nested = key in ("mcpServers", "vouchers") or (depth > 0 and draw(st.booleans()))
        value = draw(_objects(depth - 1)) if nested and depth >= 0 else draw(_SCALAR)
        if nested and depth < 0:
            value = "{}"
        parts.append(f'{draw(_SPACE)}"{key}"{draw(_SPACE)}:{draw(_SPACE)}{value}{draw(_SPACE)}')
    comma = draw(st.sampled_from(["", ","])) if parts else ""
    return f"{{{','.join(parts)}{comma}{draw(_SPACE)}}}"


@given(_objects())
def test_however_json_is_written_the_entry_comes_in_and_all_else_stays(text: str) -> None:
    after = with_entry("json", text, WANTED, PATH)
    before, found = json5.loads(text), json5.loads(after)
    expected: dict[str, Any] = {**before}
    expected["mcpServers"] = {**before.get("mcpServers", {})}
    mine = expected["mcpServers"].get("vouchers", {})
    expected["mcpServers"]["vouchers"] = {**mine, **ENTRY}
    assert found == expected
    for piece in ("//", "/*"):
        assert after.count(piece) >= text.count(piece)
    assert with_entry("json", after, WANTED, PATH) == after
