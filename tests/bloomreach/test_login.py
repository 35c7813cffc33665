"""Signing in with a browser."""

import json
import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from tests.bloomreach.conftest import CRM, project_of
from tests.bloomreach.signing import browse, person, signed_in
from tests.standins.bloomreach import Drop, StandIn, Status
from voucher_mcp.backends.bloomreach.client.sign_in.browser import sign_in
from voucher_mcp.backends.bloomreach.client.sign_in.store import SignInStore
from voucher_mcp.domain.errors import Unauthorized, Unavailable, UpstreamError, VoucherError


async def test_a_person_signs_in_by_code_with_pkce(bloomreach: StandIn) -> None:
    made = await signed_in(bloomreach)
    (asked,) = bloomreach.sign_in.authorizations
    assert asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) >= {"openid", "profile", "email"}
    assert urlsplit(asked["redirect_uri"]).hostname == "127.0.0.1"
    assert [kind for kind, _ in bloomreach.sign_in.grants] == ["authorization_code"]
    assert (made.url, made.token_endpoint) == (bloomreach.url, f"{bloomreach.base_url}/token")
    assert bloomreach.sign_in.admits(f"Bearer {made.access_token.get_secret_value()}")


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps a user's files in their profile")
async def test_a_stored_sign_in_is_its_owners_alone(bloomreach: StandIn, data: Path) -> None:
    await signed_in(bloomreach)
    await signed_in(bloomreach)  # and what takes its place is too
    (file,) = (data / "sign-ins").iterdir()
    assert file.name == f"{CRM}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_no_secret_of_a_sign_in_is_shown(bloomreach: StandIn) -> None:
    made = await signed_in(bloomreach)
    stored = SignInStore(project_of(bloomreach)).load()
    assert stored == made
    shown = repr(stored) + str(stored) + made.model_dump_json()
    assert made.refresh_token is not None
    for secret in (made.access_token, made.refresh_token):
        assert secret.get_secret_value() not in shown


async def test_a_page_that_does_not_bring_the_state_is_turned_away(bloomreach: StandIn) -> None:
    async def show(address: str) -> None:
        callback = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        for wrong in ("?code=x&state=forged", "?code=x", "?error=access_denied"):
            assert (await browse(callback + wrong)).status_code == 400
        assert (await browse(callback.replace("callback", "favicon.ico"))).status_code == 404
        for line in (b"GET //[ HTTP/1.1", b"\xff", b""):
            async with await anyio.connect_tcp("127.0.0.1", urlsplit(callback).port or 0) as stranger:
                await stranger.send(line + b"\r\n\r\n")
                assert b" 40" in await stranger.receive()
        await person(address)

    await signed_in(bloomreach, show)


async def test_a_sign_in_that_is_declined_says_so(bloomreach: StandIn, data: Path) -> None:
    bloomreach.sign_in.denies = "access_denied"
    with pytest.raises(Unauthorized, match='"The person said no"'):
        await signed_in(bloomreach)
    assert not (data / "sign-ins").exists()


async def test_nobody_is_waited_for_forever(bloomreach: StandIn) -> None:
    async def nobody(address: str) -> None:
        """Closes the window."""

    with pytest.raises(Unavailable, match="Nobody signed in within"):
        await sign_in(project_of(bloomreach), nobody, seconds=1.0)


async def test_a_server_that_asks_for_no_sign_in_is_no_place_to_sign_in(bloomreach: StandIn) -> None:
    bloomreach.open = True
    with pytest.raises(UpstreamError, match="asked for no sign-in"):
        await signed_in(bloomreach)


@pytest.mark.parametrize("path", ["/register", "/token"])
@pytest.mark.parametrize("fault", [Drop(), Status(500, b"secret trace")])
async def test_a_sign_in_that_breaks_on_the_way_is_told(
    bloomreach: StandIn, path: str, fault: Drop | Status
) -> None:
    bloomreach.fail(fault, path=path, times=10)
    with pytest.raises(VoucherError) as caught:
        await signed_in(bloomreach)
    assert caught.value.code == ("unavailable" if isinstance(fault, Drop) else "unauthorized")


@pytest.mark.parametrize("path", ["/register", "/token"])
async def test_nothing_of_a_sign_in_that_cannot_be_read_is_shown(bloomreach: StandIn, path: str) -> None:
    said = b'{"client_id": {"x": "hunter2"}, "access_token": {"x": "hunter2"}}'
    bloomreach.fail(Status(200, said, {"content-type": "application/json"}), path=path)
    with pytest.raises(Unauthorized, match="The sign-in at Bloomreach failed: the server") as caught:
        await signed_in(bloomreach)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint"])
async def test_nobody_is_sent_out_where_the_sign_in_would_go_without_encryption(
    bloomreach: StandIn, endpoint: str
) -> None:
    base = bloomreach.base_url
    metadata = {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "registration_endpoint": f"{base}/register",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        endpoint: "http://sign-in.example.com/elsewhere",
    }
    answer = Status(200, json.dumps(metadata).encode(), {"content-type": "application/json"})
    bloomreach.fail(answer, path="/.well-known/oauth-authorization-server")
    shown: list[str] = []

    async def show(address: str) -> None:
        shown.append(address)

    with pytest.raises(Unauthorized, match="unsafe address"):
        await signed_in(bloomreach, show)
    assert shown == []
