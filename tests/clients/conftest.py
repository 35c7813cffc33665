"""A company's server, for clients that other people wrote."""

import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients import node
from tests.serving.company import at_its_own_address, authorization
from tests.serving.servers import Served
from tests.standins.issuer.server import Issuer
from tests.support import held


@pytest.fixture
def program_of_node() -> Path:
    """Node, with the clients beside it."""
    if (found := node.find()) is None:
        pytest.skip(node.MISSING)
    return found


@pytest.fixture
def browser() -> Path:
    """Chromium, as the system's packages have it."""
    if (found := shutil.which("chromium")) is None:
        pytest.skip("Chromium is not installed here (`apt-get install chromium`), so nobody looks at pages.")
    return Path(found)


@pytest.fixture
def screens() -> Path:
    """Where pictures of what was looked at are kept."""
    folder = node.FOLDER.parents[1] / "build" / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with authorization("") as one:
        yield one


@pytest.fixture
async def server(program_of_node: Path, tmp_path: Path, issuer: Issuer) -> AsyncIterator[Served]:
    async with held(at_its_own_address(tmp_path, issuer)) as one:
        yield one


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """That of a person at a terminal who opens the browser themselves, and has used none of this before."""
    kept = {"MCP_AUTO_OPEN_ENABLED": "true", "MCP_INSPECTOR_SECRET_STORE": "file"}
    return {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "BROWSER": "true", **kept}
