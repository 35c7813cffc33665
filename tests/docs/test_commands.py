"""Every command in the documentation is run as it stands there, or is named here with the reason why not."""

import re
import tomllib
from collections.abc import Mapping

import pytest

from tests.docs.blocks import LINES, ROOT, Line
from tests.docs.conftest import FOLDERS, Home
from voucher_mcp.cli.main import _parser

NOT_OURS: Mapping[str, str] = {
    "claude": "installs what is published; tests/packaging looks at what it installs",
    "chmod": "run in tests/deploy, with the secrets that it is about",
    "curl": "asks a server that only its owner has",
    "docker": "needs Docker; tests/deploy holds it against the composition",
    "export": "is for the lines behind it",
    "gemini": "installs what is published; tests/packaging looks at what it installs",
    "install": "needs to be root",
    "make": "sets up or tests this repository; its targets are looked for",
    "mkdir": "run in tests/deploy, with the secrets that it is about",
    "openssl": "run in tests/deploy, with the secrets that it is about",
    "pip": "needs a package index; its extras are looked for",
    "python3": "needs to be root, where it is",
    "systemctl": "needs to be root",
    "uv": "installs what is published; tests/packaging installs the wheel with it",
    "uvx": "runs what is published; tests/packaging runs the wheel",
}
"""Programs of other people, and why they are not run here."""

NOT_RUN: Mapping[str, str] = {
    "copy": "needs a PostgreSQL server; run in tests/postgres",
    "login": "a person signs in at the vendor; run in tests/bloomreach against a stand-in",
    "migrate --distributed": "needs Citus",
}
"""Commands of ours that are only read, and why."""

GO_ON = ("dashboard", "serve")
"""Which end when they are ended,"""
ENDED = (0, 130)
"""with one of these: the second where the signal comes before they have begun to listen for it."""
OF_THE_MACHINE = tuple(f"/{folder}/" for folder in FOLDERS)
ASK = ("undo", "approvals approve", "approvals refuse")
"""Which ask at a terminal, and are told --yes where there is none."""

OURS = [line for line in LINES if line.program == "voucher-mcp"]
RUN = [
    line for line in OURS if not line.is_wrapped and not " ".join(line.words[1:]).startswith(tuple(NOT_RUN))
]


def as_run(words: list[str], home: Home) -> list[str]:
    """The command with what is there in this home, and any port that is free."""
    action = words[0] if words[0] == "undo" else " ".join(words[1:2])
    words = [home.names.get(re.sub(r"_[0-9a-f]+…?$", f"_{action}", word), word) for word in words]
    words = [word.removeprefix("/") if word.startswith(OF_THE_MACHINE) else word for word in words]
    if " ".join(words).startswith(ASK) and "--dry-run" not in words:
        words.append("--yes")
    if words[0] == "serve" and "--unix-socket" not in words:
        words += ["--port", "0"]
    return words


def test_there_are_commands_to_run() -> None:
    assert len(RUN) > 30


@pytest.mark.parametrize("page", sorted({line.block.page for line in RUN}))
def test_the_commands_of_a_page_work_one_after_the_other(page: str, home: Home) -> None:
    for line in RUN:
        if line.block.page == page:
            words = as_run(list(line.words[1:]), home)
            if words[0] in GO_ON:
                status, said = home.run_until(words, "mcp.sock" if "--unix-socket" in words else "://")
                assert status in ENDED, f"{line}\n{said}"
            else:
                status, said = home.run(words)
                assert status == 0, f"{line}\n{said}"
            assert said.strip(), line
            assert "Traceback" not in said, f"{line}\n{said}"


@pytest.mark.parametrize("line", [line for line in OURS if line not in RUN], ids=str)
def test_a_command_that_is_not_run_is_one_that_we_have(line: Line) -> None:
    _parser().parse_args(line.words[1:])  # which ends the test where it does not know one


def test_every_program_is_ours_or_has_a_reason_not_to_be_run() -> None:
    assert {line.program for line in LINES} - {"voucher-mcp"} == set(NOT_OURS)
    unused = [
        start for start in NOT_RUN if not any(" ".join(line.words[1:]).startswith(start) for line in OURS)
    ]
    assert unused == []


def test_every_target_of_make_is_one() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {word for line in LINES if line.program == "make" for word in line.words[1:]}
    assert targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_extra_that_is_installed_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = [word for line in LINES if line.program == "pip" for word in line.words[2:]]
    extras = {extra for word in installed for extra in re.findall(r"^voucher-mcp\[(\w+)\]$", word)}
    assert extras
    assert extras <= set(project["optional-dependencies"])
