"""The wheel holds all that the program needs, starts from it alone, and says what a stranger can follow."""

import re
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.packaging.conftest import ROOT, Installed, at_home
from tests.protocol.clients import done
from tests.support import TEN_PERCENT
from voucher_mcp import __version__

REPOSITORY = "https://github.com/voucher-mcp/voucher-mcp"
LINK = re.compile(r"\]\(([^)\s]+)|(?:href|src)=\"([^\"]+)\"")


@pytest.fixture(scope="module")
def metadata(installed: Installed) -> Message:
    with zipfile.ZipFile(installed.wheel) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
        return message_from_bytes(wheel.read(name))


def test_the_wheel_holds_every_file_of_the_package(installed: Installed) -> None:
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "voucher_mcp").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(path).suffix for path in here} >= {".sql", ".html", ".css", ".js", ".csv", ".typed"}
    with zipfile.ZipFile(installed.wheel) as wheel:
        assert {name for name in wheel.namelist() if ".dist-info/" not in name} == here


def test_it_says_where_the_project_is(metadata: Message) -> None:
    urls = dict(url.split(", ", 1) for url in metadata.get_all("Project-URL", []))
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= urls.keys()
    assert all(url.startswith(REPOSITORY) for url in urls.values())
    classifiers = metadata.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= {*classifiers}
    assert {"Operating System :: MacOS", "Operating System :: Microsoft :: Windows"} <= {*classifiers}


def test_no_link_of_its_description_is_dead(metadata: Message) -> None:
    """What leads into the repository leads to a file that is there, of this version."""
    text = metadata.get_payload()
    assert isinstance(text, str)
    links = [one or other for one, other in LINK.findall(text)]
    ours = [link for link in links if "/voucher-mcp/voucher-mcp/" in link and "/releases/" not in link]
    assert len(ours) > 10
    for link in links:
        assert re.match(r"https://|cursor:|vscode:|#", link), link
    for link in ours:
        named = re.fullmatch(rf"https://[\w./-]+/v{re.escape(__version__)}/([^#]+)(#.*)?", link)
        assert named, link
        assert (ROOT / named[1]).exists(), link


async def test_it_serves_from_the_wheel_alone(installed: Installed, tmp_path: Path) -> None:
    server = StdioServerParameters(
        command=str(installed.program), env=at_home(tmp_path, PYTHONWARNINGS="error"), cwd=tmp_path
    )
    with (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(server, errlog=log), mode="legacy") as client:
            assert len((await client.list_tools()).tools) > 30
            pool = {"name": "Summer", "voucher": TEN_PERCENT, "codes": ["HI-1"]}
            await done(client, "create_voucher_pool", project_id="default", **pool)
            [page] = (await client.read_resource("ui://voucher-mcp/voucher")).contents
            assert "<script" in page.text  # type: ignore[union-attr]
    assert (tmp_path / "log").read_text() == ""


@pytest.mark.parametrize(
    ("command", "said"),
    [((), ""), (("check",), "default"), (("demo",), "Summer"), (("dashboard", "--help"), "--no-browser")],
)
def test_warnings_are_no_noise_of_a_start(
    installed: Installed, tmp_path: Path, command: tuple[str, ...], said: str
) -> None:
    ended = installed.run(
        installed.python, "-W", "error", "-m", "voucher_mcp", *command, folder=tmp_path, COLUMNS="100"
    )
    assert said in ended.stdout
    assert ended.stderr == ""


def test_the_command_says_its_version(installed: Installed, tmp_path: Path) -> None:
    said = installed.run(installed.program, "--version", folder=tmp_path).stdout
    assert said == f"voucher-mcp {__version__}\n"
    place = installed.run(
        installed.python, "-c", "import voucher_mcp; print(voucher_mcp.__file__)", folder=tmp_path
    )
    assert Path(place.stdout.strip()).is_relative_to(installed.python.parents[1])
