"""Over HTTP the second person is another caller: who asked does not decide, nor who may not write there."""

from pathlib import Path

import pytest

from tests.policy.deciding import decide, waiting
from tests.protocol.clients import done, refused
from tests.serving.servers import ALICE, served, token, two_callers
from tests.support import TEN_PERCENT
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import AccessDenied, NotFound

SHOP = {"project_id": "shop"}
DAVE = "dave-token"


def shop(folder: Path) -> Settings:
    """Alice and Dave may write in the shop, Bob may read there, Carol does not see it."""
    tables = two_callers(folder)
    assert tables.http is not None
    http = tables.http.model_dump(exclude={"tokens"}) | {
        "tokens": {
            "alice": token(ALICE, ["shop"], "write"),
            "dave": token(DAVE, ["shop"], "write"),
        }
    }
    project = tables.projects["shop"].model_copy(update={"destructive": "approve"})
    projects = {**tables.projects, "shop": project}
    return Settings.model_validate({"state": tables.state, "projects": projects, "http": http})


async def test_another_caller_decides_and_the_one_who_asked_does_not(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    writer, reader = settings.granted({"shop": "write"}), settings.granted({"shop": "read"})
    delete = {**SHOP, "pool_id": "Summer"}
    async with served(settings) as server, server.client(ALICE) as alice, server.client(DAVE) as dave:
        await done(alice, "create_voucher_pool", **SHOP, name="Summer", voucher=TEN_PERCENT)
        asked = await refused(alice, "approval_required", "delete_voucher_pool", **delete)
        own = await refused(dave, "approval_required", "delete_voucher_pool", **delete)
        assert own["approval_id"] != asked["approval_id"]
        assert [one.question.caller for one in await waiting(reader)] == ["token:alice", "token:dave"]
        assert await waiting(settings.granted({"hotel": "write"})) == []
        with pytest.raises(AccessDenied, match="a second person"):
            await decide(writer, asked["approval_id"], by="token:alice")
        with pytest.raises(AccessDenied, match="may write"):
            await decide(reader, asked["approval_id"], by="token:bob")
        with pytest.raises(NotFound):
            await decide(settings.granted({"hotel": "write"}), asked["approval_id"], by="token:carol")
        await decide(writer, asked["approval_id"], by="token:dave")
        await refused(dave, "approval_required", "delete_voucher_pool", **delete)  # it is not theirs
        await done(alice, "delete_voucher_pool", **delete)
