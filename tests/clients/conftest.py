"""A company's server, for clients that other people wrote."""

from collections.abc import AsyncIterator, Iterator
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
def issuer() -> Iterator[Issuer]:
    with authorization("") as one:
        yield one


@pytest.fixture
async def server(program_of_node: Path, tmp_path: Path, issuer: Issuer) -> AsyncIterator[Served]:
    async with held(at_its_own_address(tmp_path, issuer)) as one:
        yield one
