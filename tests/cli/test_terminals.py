"""Letters that the terminal cannot show are shown replaced; no command ends with a fault for them."""

import tomllib
from collections.abc import Sequence

import pytest
import yaml

from tests.cli.conftest import Command, put_pool

JOURNAL = ("journal", "--format", "jsonl", "--project", "default")
NAME = "Grün 漢字 🎁 –"


@pytest.fixture
def config(cli: Command) -> str:
    put_pool(cli.folder / "Grün 漢字.db", "default", NAME, ["CODE-É"])
    return cli.write(
        "Grün 漢字.toml",
        f'[projects.default]\nbackend = "local"\nurl = "sqlite:///Grün 漢字.db"\nname = "{NAME}"\n'
        f'[projects.lame]\nbackend = "local"\nname = "{NAME}"\nurl = "${{file:漢字.txt}}"\n',
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_every_command_shows_what_the_terminal_can(cli: Command, config: str, encoding: str) -> None:
    terminal = {"PYTHONIOENCODING": encoding}
    cli.write("漢字.csv", "code\nCODE-É\nCODE-漢\n")
    for status, arguments in _COMMANDS:
        said = cli.run("--config", config, *arguments, status=status, variables=terminal, lossy=True)
        assert "codec can't" not in said.out + said.err


def test_what_other_programs_read_loses_nothing(cli: Command, config: str) -> None:
    terminal = {"PYTHONIOENCODING": "ascii"}
    export = ("codes", "export", "--project", "default", "--pool", NAME)
    assert "CODE-É" in cli.run("--config", config, *export, variables=terminal).out
    assert NAME in cli.run("--config", config, *JOURNAL, variables=terminal).out
    snippet = cli.run("--config", config, "client-config", "cursor", variables=terminal).out
    assert r"Gr\u00fcn" in snippet
    for client, read in (("codex", tomllib.loads), ("librechat", yaml.safe_load)):
        told = cli.run("--config", config, "client-config", client, variables=terminal).out
        [servers] = read(told).values()
        assert servers["vouchers"]["args"][-1] == str(cli.folder / config)


_COMMANDS: Sequence[tuple[int, Sequence[str]]] = (
    (1, ("check",)),
    (1, ("migrate",)),
    (1, ("journal",)),
    (2, ("journal", "--tool", NAME)),
    (2, ("journal", "--since", NAME)),
    (1, ("journal", "--project", NAME)),
    (0, ("client-config", "cursor")),
    (0, ("client-config", "claude-code")),
    (0, ("codes", "export", "--project", "default", "--pool", NAME, "--output", "漢字 out.csv")),
    (1, ("codes", "export", "--project", "default", "--pool", f"no {NAME}")),
    (0, ("codes", "import", "漢字.csv", "--project", "default", "--pool", NAME)),
    (1, ("codes", "import", "no 漢字.csv", "--project", "default", "--pool", NAME)),
    (1, ("login", "lame")),
    (0, ("demo",)),
    (2, ("漢字",)),
)
