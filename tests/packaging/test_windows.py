"""Windows: what its Python lacks, its code page, its line ends, and the years that its clock knows."""

import re
import subprocess
import sys
from datetime import UTC
from pathlib import Path, PureWindowsPath
from typing import Self

import pytest

from tests.packaging.conftest import ROOT
from tests.protocol.wire import Wire, environment, start
from tests.support import TEN_PERCENT
from voucher_mcp.config import values
from voucher_mcp.domain.values.times import LATEST, to_datetime, to_iso

WINDOWS = ("-W", "error", "-m", "tests.packaging.windows")
CODE_PAGE = {"PYTHONIOENCODING": "cp1252"}
NAME = "Grün 漢字"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a configuration as Notepad saves it: a byte order mark, and CRLF."""
    text = f'[projects.shop]\nbackend = "local"\nname = "{NAME}"\nurl = "sqlite:///Grün vouchers.db"\n'
    folder = tmp_path / "Grün 漢字"
    folder.mkdir()
    (folder / "config.toml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    return folder


def run(folder: Path, *arguments: str, status: int = 0) -> str:
    """What a command says, both streams in the code page of a western console."""
    ended = subprocess.run(
        [sys.executable, *WINDOWS, *arguments],
        cwd=folder,
        env=environment(folder, **CODE_PAGE),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = ended.stdout.decode("cp1252")
    assert ended.returncode == status, said
    assert "Traceback" not in said
    return said


async def send(wire: Wire, tool: str, **arguments: object) -> dict[str, object]:
    """A call in a line that ends as a program on Windows ends lines."""
    message = wire.call_message(tool, **arguments)
    await wire.send(wire.encoded(message) + b"\r")
    answer = await wire.receive()
    return dict(answer["result"]["structuredContent"])


def test_every_module_imports_without_what_windows_lacks(tmp_path: Path) -> None:
    modules = run(tmp_path, "import", "everything", status=1).split()
    files = {path for path in (ROOT / "voucher_mcp").rglob("*.py") if path.name != "__main__.py"}
    assert len(modules) == len(files) - 1  # the package itself


async def test_a_client_that_ends_its_lines_with_crlf_works(home: Path) -> None:
    """From a first call to a file of codes, in a folder and with a name beyond the code page."""
    (home / "codes.csv").write_bytes(f"code;note\r\nA-1;{NAME}\r\nA-2;\r\n".encode("utf-8-sig"))
    async with start(home, WINDOWS, **CODE_PAGE) as wire:
        await wire.open()
        made = await send(
            wire, "create_voucher_pool", project_id="shop", name=NAME, voucher=TEN_PERCENT, codes=["B-1"]
        )
        assert made["data"]["name"] == NAME  # type: ignore[index]
        await wire.close_input()
    assert wire.log == ""
    added = run(home, "codes", "import", "codes.csv", "--project", "shop", "--pool", NAME)
    assert "Added 2 codes" in added
    run(home, "codes", "export", "--project", "shop", "--pool", NAME, "--output", "out.csv")
    assert {"A-1", "A-2", "B-1"} <= set(re.split(r"[,\s]+", (home / "out.csv").read_text(encoding="utf-8")))


@pytest.mark.parametrize("command", ["check", "demo"])
def test_commands_run_on_a_console_of_its_code_page(home: Path, command: str) -> None:
    run(home, command)


def test_a_unix_socket_is_refused_in_a_sentence(tmp_path: Path) -> None:
    said = run(tmp_path, "serve", "--transport", "http", "--unix-socket", "mcp.sock", status=1)
    assert said.startswith("voucher-mcp: --unix-socket: ")
    assert said.count("\n") == 1


class _WindowsPath(PureWindowsPath):
    """A path as it is there, of somebody at home in C: who works in D:."""

    def expanduser(self) -> Self:
        return type(self)("C:/Users/Grün", *self.parts[1:]) if self.parts[:1] == ("~",) else self

    def absolute(self) -> Self:
        return self if self.is_absolute() else type(self)("D:/work") / self


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///C:/Data/v.db", "C:/Data/v.db"),
        (r"sqlite:///C:\Data\v.db", "C:/Data/v.db"),
        ("sqlite:///~/v.db", "C:/Users/Grün/v.db"),
        ("sqlite:///v.db", "D:/conf/v.db"),
        (r"sqlite:///sub\v.db", "D:/conf/sub/v.db"),
        ("sqlite://///server/share/v.db", "//server/share/v.db"),
    ],
)
def test_a_database_is_named_by_the_rules_of_its_paths(
    monkeypatch: pytest.MonkeyPatch, url: str, file: str
) -> None:
    monkeypatch.setattr(values, "Path", _WindowsPath)
    parsed = values.parse_database(url, _WindowsPath("D:/conf"))  # type: ignore[arg-type]
    assert str(parsed) == str(_WindowsPath(file))


def test_times_are_of_years_that_its_clock_does_not_know() -> None:
    """Its C library refuses moments before 1970 and after 3000, and vouchers often end in 9999."""
    for module in (ROOT / "voucher_mcp" / "domain").rglob("*.py"):
        assert "fromtimestamp(" not in module.read_text(encoding="utf-8").replace(".fromtimestamp`", ""), (
            module
        )
    assert to_datetime(-1, UTC).isoformat() == "1969-12-31T23:59:59.999000+00:00"
    assert to_iso(LATEST) == "9999-12-31T23:59:59.999Z"
