"""People who sign in at the company's own authorization server."""

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from tests.protocol.clients import done, refused
from tests.serving.company import AUDIENCE, at_its_own_address, authorization, settings_for
from tests.serving.servers import HEADERS, Served, call, messages, served
from tests.standins.issuer.server import Issuer, Person, new_key
from tests.support import held
from voucher_mcp.http.sign_in import issuer as issuer_module

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with authorization(AUDIENCE) as one:
        yield one


@pytest.fixture
async def server(tmp_path: Path, issuer: Issuer) -> AsyncIterator[Served]:
    async with held(served(settings_for(tmp_path, issuer))) as one:
        yield one


async def asked(server: Served, secret: str) -> httpx2.Response:
    """The answer to a call with that token."""
    async with server.http(secret, **HEADERS) as http:
        return await http.post("/mcp", json=call("list_projects"))


async def projects_of(server: Served, secret: str) -> dict[str, str]:
    """The projects that a token opens, with the access that it gives."""
    answer = await asked(server, secret)
    assert answer.status_code == 200, answer.text
    [message] = messages(answer.text)
    return {one["id"]: one["access"] for one in message["result"]["structuredContent"]["data"]}


async def test_a_person_may_what_they_and_their_groups_may(server: Served, issuer: Issuer) -> None:
    assert await projects_of(server, issuer.token()) == {"shop": "write"}
    assert await projects_of(server, issuer.token(sub="bob", groups=["support"])) == {"shop": "read"}
    both = issuer.token(groups=["support", "front-desk", "strangers"])
    assert await projects_of(server, both) == {"shop": "write", "hotel": "write"}
    assert await projects_of(server, issuer.token(sub="bob", groups="front-desk")) == {"hotel": "write"}
    assert await projects_of(server, issuer.token(sub="bob", groups=[{}, 7])) == {}
    assert await projects_of(server, "ci-token") == {"shop": "read"}


async def test_who_may_use_nothing_is_told_so_and_sees_nothing(server: Served, issuer: Issuer) -> None:
    async with server.client(issuer.token(sub="stranger")) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["list_projects"]
        assert "You may use no project" in (client.instructions or "")
        error = await refused(client, "not_found", "list_voucher_pools", project_id="shop")
    assert '"hotel"' not in error["error"]


async def test_with_the_scope_to_read_alone_a_write_is_refused(server: Served, issuer: Issuer) -> None:
    async with server.client(issuer.token(scope="openid vouchers:read")) as client:
        await done(client, "list_voucher_pools", project_id="shop")
        await refused(client, "access_denied", "create_voucher", project_id="shop", code="X")


@pytest.mark.parametrize("claims", [{"scp": ["vouchers:write"]}, {"scp": "a vouchers:write"}])
async def test_scopes_may_be_called_scp(server: Served, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await projects_of(server, issuer.token(scope=None, **claims)) == {"shop": "write"}


async def test_the_journal_has_the_person(server: Served, issuer: Issuer, tmp_path: Path) -> None:
    async with server.client(issuer.token()) as client:
        await done(
            client, "create_voucher", project_id="shop", code="A", type="GIFT_VOUCHER", gift={"amount": 1}
        )
    connection = sqlite3.connect(tmp_path / "shop.db")
    assert connection.execute("SELECT caller FROM audit").fetchall() == [("user:alice@example.com",)]
    connection.close()


async def test_who_comes_without_a_token_is_told_where_to_sign_in(server: Served, issuer: Issuer) -> None:
    where = f"https://vouchers.example.com{WELL_KNOWN}/mcp"
    async with server.http(**HEADERS) as http:
        answer = await http.post("/mcp", json=call("list_projects"))
        assert answer.status_code == 401
        assert f'resource_metadata="{where}"' in answer.headers["www-authenticate"]
        assert "error=" not in answer.headers["www-authenticate"]
        for path in (WELL_KNOWN, f"{WELL_KNOWN}/mcp"):
            metadata = (await http.get(path, headers={"host": "vouchers.example.com"})).json()
            assert (metadata["resource"], metadata["authorization_servers"]) == (AUDIENCE, [issuer.url])
            assert metadata["scopes_supported"] == ["vouchers:read", "vouchers:write"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": 1_700_000_000}, "has expired"),
    "no expiry": ({"exp": None}, "lacks one of"),
    "not valid yet": ({"nbf": 4_000_000_000}, "not valid yet"),
    "made in the future": ({"iat": 4_000_000_000}, "not valid yet"),
    "another audience": ({"aud": "https://other.example.com/mcp"}, "another service"),
    "several, none ours": ({"aud": ["a", "b"]}, "another service"),
    "no audience": ({"aud": None}, "lacks one of"),
    "another issuer": ({"iss": "https://evil.example"}, "another issuer"),
    "no issuer": ({"iss": None}, "lacks one of"),
    "no subject": ({"sub": None}, "lacks one of"),
    "an empty subject": ({"sub": ""}, "names its user"),
    "a subject with a line end": ({"sub": "a\nb"}, "names its user"),
    "a subject that is no text": ({"sub": 7}, "cannot be read"),
    "a very long subject": ({"sub": "x" * 256}, "names its user"),
    "expiry as a text": ({"exp": "tomorrow"}, "cannot be read"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_token_that_is_not_right(
    server: Served, issuer: Issuer, wrong: tuple[dict[str, Any], str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = await asked(server, issuer.token(**wrong[0]))
    assert answer.status_code == 401
    assert wrong[1] in answer.json()["error_description"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "resource_metadata" in answer.headers["www-authenticate"]
    assert caplog.records == []


async def test_a_token_without_a_scope_of_ours_is_told_which(server: Served, issuer: Issuer) -> None:
    answer = await asked(server, issuer.token(scope="openid profile"))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert 'scope="vouchers:read vouchers:write"' in answer.headers["www-authenticate"]


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    """A token that nobody signed."""
    parts = ({"alg": algorithm, "typ": "JWT", "kid": "key-1"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return ".".join((*encoded, ""))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "RS256", ""])
async def test_a_token_that_nobody_signed(server: Served, issuer: Issuer, algorithm: str) -> None:
    assert (await asked(server, unsigned(issuer.claims(), algorithm))).status_code == 401


async def test_a_token_that_somebody_else_signed(server: Served, issuer: Issuer) -> None:
    forged = new_key("key-1")
    shared = new_key("key-1", "oct", "HS256")
    for key in (forged, shared):
        answer = await asked(server, issuer.token(key=key))
        assert answer.status_code == 401
    changed = issuer.token().split(".")
    changed[1] = unsigned(issuer.claims(sub="mallory"), "RS256").split(".")[1]
    assert "signature is wrong" in (await asked(server, ".".join(changed))).json()["error_description"]


@pytest.mark.parametrize("junk", ["x.y.z", "e30.e30.e30", "...", "a" * 10_000, "\u00e9"])
async def test_what_is_no_token(server: Served, junk: str) -> None:
    async with server.http(**HEADERS) as http:
        answer = await http.post(
            "/mcp",
            json=call("list_projects"),
            headers={b"authorization": b"Bearer " + junk.encode("latin-1")},
        )
    assert answer.status_code == 401


@pytest.mark.filterwarnings("ignore:EdDSA")  # newer names say the curve; issuers still say this
@pytest.mark.parametrize(
    ("kind", "alg"), [("EC", "ES256"), ("OKP", "EdDSA"), ("RSA", "PS256"), ("RSA", None)]
)
async def test_keys_of_each_kind(server: Served, issuer: Issuer, kind: str, alg: str | None) -> None:
    issuer.rotate(new_key("other", kind, alg))
    assert await projects_of(server, issuer.token()) == {"shop": "write"}


async def test_a_new_key_is_found_and_one_that_vanished_opens_nothing(
    server: Served, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_module, "PAUSE_SECONDS", 0)
    before = issuer.token()
    assert (await asked(server, before)).status_code == 200
    issuer.rotate(new_key("key-2"), keep=True)
    assert (await asked(server, issuer.token())).status_code == 200
    assert (await asked(server, before)).status_code == 200
    issuer.rotate(new_key("key-3"))
    assert (await asked(server, issuer.token())).status_code == 200
    assert "does not have" in (await asked(server, before)).json()["error_description"]


async def test_keys_are_not_asked_for_with_each_token(server: Served, issuer: Issuer) -> None:
    for number in range(3):
        assert (await asked(server, issuer.token())).status_code == 200
        assert (await asked(server, issuer.token(key=new_key(f"unknown-{number}")))).status_code == 401
    assert issuer.asked.count("/keys") == 1


async def test_a_token_that_names_no_key_is_checked_against_the_only_one(
    server: Served, issuer: Issuer
) -> None:
    assert (await asked(server, issuer.token(header={"kid": None}))).status_code == 200


async def test_an_issuer_that_is_down_keeps_out_nobody_with_a_fixed_token(
    server: Served, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_module, "PAUSE_SECONDS", 0)
    issuer.down = True
    answer = await asked(server, issuer.token())
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert await projects_of(server, "ci-token") == {"shop": "read"}
    issuer.down = False
    assert (await asked(server, issuer.token())).status_code == 200
    issuer.down = True
    monkeypatch.setattr(issuer_module, "FRESH_SECONDS", 0)
    assert (await asked(server, issuer.token())).status_code == 200  # what is known serves a while
    monkeypatch.setattr(issuer_module, "STALE_SECONDS", 0)
    assert (await asked(server, issuer.token())).status_code == 503


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"jwks_uri": None}, {"jwks_uri": "http://evil.example/keys"}],
    ids=["another issuer", "no keys", "keys over plain HTTP"],
)
async def test_an_issuer_that_says_strange_things_of_itself(
    server: Served, issuer: Issuer, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    assert (await asked(server, issuer.token())).status_code == 503


class Storage:
    """Where a client keeps what it was given."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def test_the_sdks_client_finds_the_way_and_signs_in(tmp_path: Path, issuer: Issuer, era: str) -> None:
    """It knows the server's address only; the person at the browser agrees."""
    issuer.person = Person("alice@example.com", ["front-desk"])
    landed: dict[str, list[str]] = {}

    async def browse(url: str) -> None:
        async with httpx2.AsyncClient() as browser:
            landed.update(parse_qs(urlsplit((await browser.get(url)).headers["location"]).query))

    async def come_back() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=landed["code"][0], state=landed["state"][0])

    async with at_its_own_address(tmp_path, issuer) as server:
        metadata = OAuthClientMetadata(
            redirect_uris=[AnyUrl("http://localhost:1/callback")], client_name="test"
        )
        signing = OAuthClientProvider(issuer.audience, metadata, Storage(), browse, come_back)
        async with (
            httpx2.AsyncClient(auth=signing, timeout=60) as http,
            Client(streamable_http_client(f"{server.url}/mcp", http_client=http), mode=era) as client,
        ):
            listed = await done(client, "list_projects")
    assert {one["id"] for one in listed["data"]} == {"shop", "hotel"}
