"""Every block of configuration in the documentation is one that the server takes."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.blocks import BLOCKS, Block, blocks
from voucher_mcp.config import load_settings

KINDS = {"", "caddyfile", "json", "nginx", "python", "sh", "toml"}
"""Of blocks; Caddy and nginx read theirs in tests/deploy, a plain one is a drawing."""

_SECRET = "0123456789abcdef" * 4
_ADDRESSES = {"APPROVALS_WEBHOOK": "https://hooks.example.com/vouchers"}
"""Variables in whose place an address has to stand."""

PROJECTS = ("shop", "hotel")
"""Whom a block may grant something without showing them."""


def filled(text: str, folder: Path) -> tuple[str, dict[str, str]]:
    """The block with what it leaves out, projects and values and mounted files, and an environment for it."""
    (folder / "secret").write_text(_SECRET, encoding="utf-8")
    there = tomllib.loads(text).get("projects", {})
    more = [f'[projects.{name}]\nbackend = "local"\n' for name in PROJECTS if name not in there]
    text = re.sub(r"\$\{file:[^}]+\}", "${file:secret}", text.replace("…", "ab" * 32))
    names = re.findall(r"\$\{(\w+)\}", text)
    return text + "\n" + "".join(more), {name: _ADDRESSES.get(name, _SECRET) for name in names}


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_every_configuration_is_taken_whole(block: Block, tmp_path: Path) -> None:
    text, environment = filled(block.text, tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    settings = load_settings(file, environment)
    assert [name for name in settings.projects if settings.unusable(name)] == []


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_what_an_answer_or_a_snippet_looks_like_is_json(block: Block) -> None:
    text = block.text.strip()
    while text:  # several may stand below each other
        _, end = json.JSONDecoder().raw_decode(text)
        text = text[end:].lstrip()


def test_there_is_no_block_that_nothing_looks_at() -> None:
    assert {block.kind for block in BLOCKS} == KINDS
