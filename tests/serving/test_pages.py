"""Pages of the server: what a browser may do with them, and who looks at them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from tests.protocol.clients import Table, local
from tests.serving.servers import ALICE, BOB, Served, served, token, two_callers
from tests.support import held
from voucher_mcp.config import HttpSettings, Settings
from voucher_mcp.domain.values.times import now
from voucher_mcp.http.connections.addresses import Addresses
from voucher_mcp.http.pages.site import Site
from voucher_mcp.http.pages.visitors import Visitors
from voucher_mcp.http.sign_in.seals import Seal
from voucher_mcp.http.tally import Tally
from voucher_mcp.policy.callers import Caller

KEY = "k" * 64
ADDRESS = "https://vouchers.example.com"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with held(served(two_callers(tmp_path), key=KEY)) as one:
        yield one


async def submit(http: httpx2.AsyncClient, secret: str, page: str = "", **headers: str) -> httpx2.Response:
    """What a browser sends from the form."""
    headers = {"origin": str(http.base_url).rstrip("/"), **headers}
    return await http.post("/sign-in", data={"token": secret, "next": page}, headers=headers)


def visitor(cookie: str, http: HttpSettings | None = None, path: str = "/pools/x") -> Caller | Response:
    """Who a page finds to look at it, with that cookie."""
    http = http or HttpSettings.model_validate({"tokens": {"alice": token(ALICE, ["shop"], "write")}})
    headers = [(b"host", b"localhost:80"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "scheme": "http", "headers": headers}
    return Visitors(http, KEY, Addresses(http)).of(Request({**scope, "query_string": b"", "root_path": ""}))


async def test_the_front_page_says_what_this_is_and_where_clients_connect(server: Served) -> None:
    async with server.http() as browser:
        page, head = await browser.get("/"), await browser.head("/")
        style = await browser.get("/style.css")
    assert page.status_code == head.status_code == style.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<code>{server.url}/mcp</code>" in page.text
    assert not {"shop", "hotel", "alice"} & set(re.findall(r"\w+", page.text.lower()))
    assert style.headers["content-type"] == "text/css; charset=utf-8"


async def test_every_page_is_shown_under_a_strict_policy_and_runs_nothing_of_its_own(server: Served) -> None:
    async with server.http() as browser:
        answers = [await browser.get(path) for path in ("/", "/style.css", "/sign-in")]
        answers += [await submit(browser, "wrong"), await submit(browser, ALICE)]
        health = await browser.get("/healthz")
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert not re.search(r"<script|<style|\son\w+=|\sstyle=|javascript:", answer.text, re.IGNORECASE)
    assert answers[2].headers["cache-control"] == "no-store"
    assert "content-security-policy" not in health.headers


async def test_who_signs_in_with_a_fixed_token_is_its_caller_on_every_page(server: Served) -> None:
    async with server.http() as browser:
        signed_in = await submit(browser, f" {ALICE} ")
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "./")
        flags = set(signed_in.headers["set-cookie"].lower().split("; ")[1:])
        assert {"httponly", "samesite=strict", "path=/"} <= flags
        assert "secure" not in flags  # which a browser would not keep from a server on its own machine
        cookie = signed_in.headers["set-cookie"].partition(";")[0]
        assert ALICE not in cookie
        assert "signed in as token:alice" in (await browser.get("/")).text
        assert visitor(cookie) == Caller("token:alice", frozenset({("shop", "write")}))
        out = await browser.post("/sign-out", headers={"origin": server.url})
        assert (out.status_code, out.headers["location"]) == (303, "./")
        assert "signed in as" not in (await browser.get("/")).text


async def test_behind_a_proxy_with_tls_the_cookie_is_for_safe_pages_of_this_host_alone(
    tmp_path: Path,
) -> None:
    async with served(two_callers(tmp_path, allowed_hosts=["vouchers.example.com"])) as server:
        proxy = {"host": "vouchers.example.com", "x-forwarded-proto": "https"}
        async with server.http(**proxy) as browser:
            signed_in = await submit(browser, ALICE, origin=ADDRESS)
            front = await browser.get("/")
    cookie = signed_in.headers["set-cookie"]
    assert cookie.startswith("__Host-voucher-mcp=")
    assert "Secure" in cookie.split("; ")
    assert f"<code>{ADDRESS}/mcp</code>" in front.text


def test_who_has_not_signed_in_is_led_to_the_form_and_back() -> None:
    for cookie in ("", "voucher-mcp=", "voucher-mcp=v1.x", "other=1"):
        answer = visitor(cookie)
        assert isinstance(answer, Response)
        assert (answer.status_code, answer.headers["location"]) == (303, "../sign-in?next=pools/x")
    assert isinstance(answer := visitor("", path="//evil.example.com/"), Response)
    assert answer.headers["location"].endswith("sign-in?next=")


@pytest.mark.parametrize(
    "contents",
    [
        {"caller": "token:bob", "how": "x"},
        {"caller": "token:alice", "how": "0" * 16},
        {"caller": "user:alice", "how": "https://auth.example.com"},
        {"caller": "http", "how": ""},
    ],
    ids=["gone", "another token", "no issuer", "no sign-in"],
)
def test_a_cookie_of_who_cannot_sign_in_so_any_more_is_nobodys(contents: Table) -> None:
    sealed = Seal(KEY, "page").closed({"groups": [], **contents}, now() + 60_000)
    assert isinstance(visitor(f"voucher-mcp={sealed}"), Response)


def test_a_cookie_is_good_for_a_day_of_work_and_an_address_of_an_export_is_none() -> None:
    how = str(token(ALICE, [])["sha256"])[:16]
    contents = {"caller": "token:alice", "groups": [], "how": how, "project": "shop", "export": "e"}
    assert isinstance(visitor(f"voucher-mcp={Seal(KEY, 'page').closed(contents, now() + 60_000)}"), Caller)
    assert isinstance(visitor(f"voucher-mcp={Seal(KEY, 'page').closed(contents, now())}"), Response)
    assert isinstance(
        visitor(f"voucher-mcp={Seal(KEY, 'export').closed(contents, now() + 60_000)}"), Response
    )


@pytest.mark.parametrize(
    "page", ["", "pools", "//evil.example.com", "https://e.com", "\\\\evil", "..", "a\r\nb"]
)
async def test_after_signing_in_one_is_on_this_server_whatever_was_asked(server: Served, page: str) -> None:
    async with server.http() as browser:
        location = (await submit(browser, BOB, page)).headers["location"]
        form = await browser.get("/sign-in", params={"next": page})
    assert location == ("./pools" if page == "pools" else "./")
    assert f'name="next" value="{"pools" if page == "pools" else ""}"' in form.text


async def test_other_pages_sign_nobody_in_or_out(server: Served) -> None:
    port = server.port
    others = ["", "null", "https://evil.example.com", f"http://localhost:{port}", "http://127.0.0.1:1"]
    async with server.http() as browser:
        for origin in others:
            answer = await submit(browser, ALICE, origin=origin)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), origin
        crossing = await submit(browser, ALICE, **{"sec-fetch-site": "cross-site"})
        assert crossing.status_code == 403
        assert (await browser.post("/sign-out")).status_code == 403
        assert (await browser.get("/sign-out")).status_code == 405


async def test_what_is_no_form_or_a_wrong_token_signs_nobody_in(server: Served) -> None:
    headers = {"origin": server.url}
    form = {**headers, "content-type": "application/x-www-form-urlencoded"}
    async with server.http() as browser:
        wrong = await submit(browser, "<b>vmcp_wrong</b>")
        assert (wrong.status_code, "not known" in wrong.text) == (401, True)
        assert "vmcp_wrong" not in wrong.text
        for body in (b"token=" + b"x" * 5_000, b"token=\xff", b"&".join([b"token=a"] * 9)):
            assert (await browser.post("/sign-in", content=body, headers=form)).status_code == 400
        assert (await browser.post("/sign-in", json={"token": ALICE}, headers=headers)).status_code == 400
        assert (await browser.post("/sign-in", content=b"", headers=form)).status_code == 401


async def test_trying_tokens_ends_after_thirty_in_a_minute(server: Served) -> None:
    async with server.http() as browser:
        answers = [await submit(browser, f"vmcp_{number}") for number in range(60)]
        late = await submit(browser, ALICE)
    assert [answer.status_code for answer in answers[:30]] == [401] * 30
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) >= 1


async def test_a_house_with_many_addresses_has_no_more_tries_than_one() -> None:
    http = HttpSettings.model_validate({"tokens": {"alice": token(ALICE, ["shop"], "read")}})
    app = Starlette(routes=Site(http, KEY, Tally(1)).routes)
    answers = []
    for number in range(1, 32):
        comes_from = httpx2.ASGITransport(app=app, client=(f"2001:db8::{number:x}", 1))
        async with httpx2.AsyncClient(transport=comes_from, base_url="http://localhost") as browser:
            answers.append((await submit(browser, "vmcp_wrong")).status_code)
    assert answers == [401] * 30 + [429]


async def test_where_nobody_signs_in_there_is_no_form_and_all_are_the_one_on_the_machine(
    tmp_path: Path,
) -> None:
    settings = Settings.model_validate({"projects": {"shop": local(tmp_path / "shop.db")}})
    async with served(settings) as server, server.http() as browser:
        assert (await browser.get("/sign-in")).status_code == 404
        assert "Sign" not in (await browser.get("/")).text
    assert visitor("", HttpSettings()) == Caller("http")
    issuer = {"issuer": "https://auth.example.com", "audience": "https://v.example.com/mcp"}
    answer = visitor("", HttpSettings.model_validate(issuer))
    assert isinstance(answer, Response)
    assert answer.status_code == 403
