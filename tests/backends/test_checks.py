"""What `check` finds of a project: it reads as a reader would, and changes nothing."""

from pathlib import Path

import pytest

from tests.backends.opening import PROJECT, SECRETS, System
from voucher_mcp.backends.opening import open_backends
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import Unauthorized


def settings(system: System, tmp_path: Path, **changed: str) -> Settings:
    table = {**system.table, "access": "read", **changed}
    return Settings.model_validate(
        {"state": f"sqlite:///{tmp_path / 'state.db'}", "projects": {PROJECT: table}}
    )


async def test_a_project_that_can_be_reached_says_so_in_a_sentence(system: System, tmp_path: Path) -> None:
    async with open_backends(settings(system, tmp_path)) as backends:
        found = await (await backends.get(PROJECT)).check()
    assert found
    assert found.isprintable()
    assert system.writes() == 0


@pytest.mark.needs("vendor")
async def test_a_wrong_secret_is_unauthorized_and_not_repeated(
    system: System, backend: str, tmp_path: Path
) -> None:
    async with open_backends(settings(system, tmp_path, **{SECRETS[backend]: "wr0ng-secret"})) as backends:
        adapter = await backends.get(PROJECT)
        with pytest.raises(Unauthorized) as refused:
            await adapter.check()
    assert "wr0ng-secret" not in str(refused.value)
