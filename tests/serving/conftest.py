"""A server over HTTP for two callers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.serving.servers import Served, served, two_callers
from tests.support import held


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """Both protocol eras, one after the other."""
    return str(request.param)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with held(served(two_callers(tmp_path))) as one:
        yield one
