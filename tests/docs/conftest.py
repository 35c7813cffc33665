"""A home in which everything is that the documentation works with."""

import hashlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from tests.docs.blocks import ROOT
from tests.forking import forker
from tests.protocol.clients import call, done
from tests.serving.servers import served
from voucher_mcp.config import load_settings

BOT, OWNER = "a token of support-bot", "a token of the owner"
CONFIG = f"""
[projects.default]
backend = "local"
url = "sqlite:///vouchers.db"
[projects.shop]
backend = "local"
url = "sqlite:///vouchers.db"
destructive = "approve"
[http.tokens.support-bot]
sha256 = "{hashlib.sha256(BOT.encode()).hexdigest()}"
projects = ["default"]
access = "write"
[http.tokens.owner]
sha256 = "{hashlib.sha256(OWNER.encode()).hexdigest()}"
projects = ["shop"]
access = "write"
"""
FOLDERS = ("run/voucher-mcp", "var/backups", "var/log")
"""Of the machine; here they are in the home."""


@dataclass(frozen=True)
class Home:
    """A folder that is somebody's home and working directory."""

    folder: Path
    names: Mapping[str, str]
    """The ids of changes and questions, by how they begin and what a command does with them."""

    def run(self, words: Sequence[str]) -> tuple[int, str]:
        """The exit status of a command of ours, and what it said."""
        said = self.folder / "said"
        with said.open("wb") as out, Path(os.devnull).open("rb") as nothing:
            streams = [nothing.fileno(), out.fileno(), out.fileno()]
            status = forker().start(words, self._environment, self.folder, streams).wait()
        return status, said.read_text(encoding="utf-8", errors="replace")

    def run_until(self, words: Sequence[str], mark: str) -> tuple[int, str]:
        """The same of one that goes on until it is ended, which it is once it has said the mark."""
        reading, writing = os.pipe()
        with Path(os.devnull).open("rb") as nothing:
            one = forker().start(words, self._environment, self.folder, [nothing.fileno(), writing, writing])
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as lines:
            said = ""
            for line in lines:
                said += line
                if mark in line:
                    os.kill(one.pid, signal.SIGINT)
                    break
            return one.wait(), said

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {
            **kept,
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "VOUCHER_MCP_CONFIG": "config.toml",
            "BROWSER": "true",
        }


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A pool, a voucher that support-bot worked on, and two deletions that wait for a second person."""
    folder = tmp_path_factory.mktemp("furnished")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "codes.csv").write_text("code\nSUN-1\nSUN-2\n", encoding="utf-8")
    return Home(folder, anyio.run(_furnish, folder))


async def _furnish(folder: Path) -> dict[str, str]:
    here, shop = {"project_id": "default"}, {"project_id": "shop"}
    off = {"type": "PERCENT", "percent_off": 20, "effect": "APPLY_TO_ORDER"}
    summer = {"type": "DISCOUNT_VOUCHER", "discount": off, "expiration_date": "2027-09-30"}
    card = {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
    async with (
        served(load_settings(folder / "config.toml", {})) as server,
        server.client(BOT) as bot,
        server.client(OWNER) as owner,
    ):
        await done(bot, "create_voucher_pool", **here, name="Summer 2027", voucher=summer, codes=["SUN-0"])
        await done(bot, "create_voucher", **here, code="GIFT", **card)
        await done(bot, "disable_voucher", **here, code="GIFT")
        [disabled, *_] = (await done(bot, "list_changes", **here))["data"]
        names = dict.fromkeys(("ch_show", "ch_undo"), str(disabled["id"]))
        for code, action in (("A", "approve"), ("B", "refuse")):
            await done(owner, "create_voucher", **shop, code=code, **card)
            asked = await call(owner, "delete_voucher", **shop, code=code)
            names[f"apr_{action}"] = str(asked["approval_id"])
    return names


@pytest.fixture
def home(furnished: Home, tmp_path: Path) -> Home:
    """The same, as nobody has used it yet."""
    folder = tmp_path / "home"
    shutil.copytree(furnished.folder, folder)
    return Home(folder, furnished.names)
