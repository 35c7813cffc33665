"""The stand-in itself: an ordinary MCP client lists, the walk to a token works, faults are what they say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlparse

import anyio
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from mcp.types import CallToolResult

from tests.standins.bloomreach import (
    Drop,
    Era,
    Expired,
    Garbage,
    Hang,
    Html,
    RateLimited,
    Refused,
    StandIn,
    Truncated,
    serve,
)


@pytest.fixture
async def bloomreach() -> AsyncIterator[StandIn]:
    async with serve() as standin:
        yield standin


@asynccontextmanager
async def client(standin: StandIn) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {standin.sign_in.issue()}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=5) as http,
        Client(streamable_http_client(standin.url, http_client=http)) as mcp,
    ):
        yield mcp


def content(result: CallToolResult) -> Any:
    assert not result.is_error
    return result.structured_content


@pytest.mark.parametrize("era", ["handshake", "both"])
async def test_an_ordinary_client_lists_projects_pools_and_codes(era: Era) -> None:
    async with serve(era) as bloomreach:
        shop = bloomreach.data.add_project("Shop")
        summer = bloomreach.data.add_pool(shop, "Summer", total=30, assigned=4, redeemed=1)
        async with client(bloomreach) as mcp:
            assert len((await mcp.list_tools()).tools) == 5
            organizations = content(await mcp.call_tool("list_cloud_organizations", {}))["data"]
            projects = await mcp.call_tool("list_projects", {"cloud_organization_id": organizations[0]["id"]})
            assert content(projects)["data"] == [{"id": shop, "name": "Shop"}]
            pools = content(await mcp.call_tool("list_voucher_pools", {"project_id": shop}))
            assert pools["data"] == [{"id": summer, "name": "Summer", "total": 30, "available": 25}]
            place = {"project_id": shop, "pool_id": summer}
            pool = content(await mcp.call_tool("get_voucher_pool", place))["data"]
            assert (pool["company_id"], pool["used_by"]) == (shop, [])
            page = content(await mcp.call_tool("list_voucher_codes", {**place, "skip": 20}))
        assert len(page["data"]) == 10
        assert (page["matched"], page["matched_limited"], page["skip"], page["limit"]) == (30, False, 20, 20)
        assert [call.tool for call in bloomreach.calls][-1] == "list_voucher_codes"
        assert bloomreach.connections > 0


class Storage(TokenStorage):
    """Kept for the test."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def walking(standin: StandIn, storage: Storage) -> OAuthClientProvider:
    """The SDK's own client, with a person who says yes at once."""
    back: dict[str, list[str]] = {}

    async def browse(url: str) -> None:
        async with httpx2.AsyncClient() as browser:
            answer = await browser.get(url)
        assert answer.status_code == 302
        back.update(parse_qs(urlparse(answer.headers["location"]).query))

    async def wait() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=back.get("code", [""])[0], state=back["state"][0])

    metadata = OAuthClientMetadata.model_validate(
        {"redirect_uris": ["http://127.0.0.1:1/callback"], "token_endpoint_auth_method": "none"}
    )
    return OAuthClientProvider(standin.url, metadata, storage, browse, wait)


async def ask(standin: StandIn, auth: OAuthClientProvider) -> None:
    async with (
        httpx2.AsyncClient(auth=auth, timeout=5) as http,
        Client(streamable_http_client(standin.url, http_client=http)) as mcp,
    ):
        assert content(await mcp.call_tool("list_cloud_organizations", {}))["success"]


async def test_the_walk_to_a_token_and_its_refresh(bloomreach: StandIn) -> None:
    storage = Storage()
    await ask(bloomreach, walking(bloomreach, storage))
    assert [kind for kind, _ in bloomreach.sign_in.grants] == ["authorization_code"]
    first = storage.tokens
    assert first is not None
    assert first.refresh_token is not None
    auth = walking(bloomreach, storage)
    bloomreach.sign_in.end_access_tokens()
    await auth._initialize()
    auth.context.token_expiry_time = 1
    await ask(bloomreach, auth)
    assert [kind for kind, _ in bloomreach.sign_in.grants] == ["authorization_code", "refresh_token"]
    assert storage.tokens is not None
    assert storage.tokens.refresh_token != first.refresh_token


async def test_a_code_is_worth_nothing_without_its_verifier(bloomreach: StandIn) -> None:
    async with httpx2.AsyncClient(base_url=bloomreach.base_url) as http:
        asked = {"redirect_uris": ["http://127.0.0.1:1/"], "token_endpoint_auth_method": "none"}
        registered = (await http.post("/register", json=asked)).json()["client_id"]
        query = {
            "response_type": "code",
            "client_id": registered,
            "redirect_uri": "http://127.0.0.1:1/",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
            "state": "s",
        }
        answer = await http.get("/authorize", params=query)
        code = parse_qs(urlparse(answer.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": "y" * 43}
        answer = await http.post("/token", data={**query, **form})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_without_a_token_the_metadata_is_named(bloomreach: StandIn) -> None:
    async with httpx2.AsyncClient() as http:
        answer = await http.post(bloomreach.url, json={})
        assert answer.status_code == 401
        where = answer.headers["www-authenticate"].partition('resource_metadata="')[2].rstrip('"')
        assert (await http.get(where)).json()["resource"] == bloomreach.url


async def test_faults_of_tools_are_answers_of_tools(bloomreach: StandIn) -> None:
    for fault in (RateLimited(3), Refused("no"), Garbage()):
        bloomreach.fail(fault)
    async with client(bloomreach) as mcp:
        limited = await mcp.call_tool("list_cloud_organizations", {})
        assert limited.is_error
        assert "Retry after ~3 second(s)." in str(limited.content)
        refused = content(await mcp.call_tool("list_cloud_organizations", {}))
        assert refused == {"success": False, "data": [], "error": "no"}
        with pytest.raises(RuntimeError, match="structured content"):
            await mcp.call_tool("list_cloud_organizations", {})
        assert content(await mcp.call_tool("list_cloud_organizations", {}))["success"]


async def test_a_client_that_comes_too_soon_is_refused(bloomreach: StandIn) -> None:
    bloomreach.tools.pace = 60
    bloomreach.tools.structured = False
    async with client(bloomreach) as mcp:
        first = await mcp.call_tool("list_cloud_organizations", {})
        assert (first.is_error, first.structured_content) == (False, None)
        assert (await mcp.call_tool("list_cloud_organizations", {})).is_error


@pytest.mark.parametrize("fault", [Html(), Expired(), Truncated(), Hang()])
async def test_a_spoilt_answer_reaches_the_client_as_a_failure(bloomreach: StandIn, fault: Any) -> None:
    async with client(bloomreach) as mcp:
        bloomreach.fail(fault, tool="")
        with pytest.raises((MCPError, httpx2.TransportError)):
            await mcp.call_tool("list_cloud_organizations", {}, read_timeout_seconds=0.5)
        if isinstance(fault, Expired):
            bloomreach.expire_sessions()
            with pytest.raises(MCPError):
                await mcp.list_tools()
            return
        assert content(await mcp.call_tool("list_cloud_organizations", {}))["success"]


async def test_a_dropped_connection_ends_an_ordinary_client(bloomreach: StandIn) -> None:
    bloomreach.fail(Drop(), tool="")
    with pytest.RaisesGroup(httpx2.TransportError, flatten_subgroups=True):
        async with client(bloomreach) as mcp:
            with pytest.raises(MCPError):
                await mcp.call_tool("list_cloud_organizations", {})
    assert bloomreach.calls == []


async def test_an_import_is_started_with_its_key_and_no_empty_json(bloomreach: StandIn) -> None:
    key = bloomreach.data.add_key("import-1")
    place = f"/data/v2/projects/{key.project_token}/imports/import-1/start"
    async with httpx2.AsyncClient(base_url=bloomreach.base_url, auth=(key.key_id, key.secret)) as http:
        assert (await http.post(place)).status_code == 200
        assert (await http.post(place, json={"path": "https://x.test/a.csv"})).status_code == 200
        empty = await http.post(place, headers={"content-type": "application/json"})
        assert empty.status_code == 400
        assert (await http.post(place.replace("import-1", "import-2"))).status_code == 404
        assert (await http.post(place, auth=("a", "b"))).status_code == 401
        bloomreach.fail(Drop(), path="/imports/", after_effect=True)
        with pytest.raises(httpx2.TransportError):
            await http.post(place)
    assert [body for _, body in bloomreach.imports.started] == [None, {"path": "https://x.test/a.csv"}, None]


async def test_sixteen_at_once_and_an_end_while_one_hangs(bloomreach: StandIn) -> None:
    bloomreach.fail(Hang(), path="/slow")
    async with httpx2.AsyncClient(base_url=bloomreach.base_url, timeout=None) as http:
        answers: list[int] = []

        async def get() -> None:
            answers.append((await http.get("/.well-known/oauth-authorization-server")).status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(http.get, "/slow")
            async with anyio.create_task_group() as quick:
                for _ in range(16):
                    quick.start_soon(get)
            tasks.cancel_scope.cancel()
    assert answers == [200] * 16
