"""A person with a browser, and sign-ins that are ready made."""

from collections.abc import Awaitable, Callable

import httpx2

from tests.bloomreach.conftest import project_of
from tests.standins.bloomreach import StandIn
from voucher_mcp.backends.bloomreach.client.sign_in.browser import sign_in
from voucher_mcp.backends.bloomreach.client.sign_in.store import SignIn, SignInStore

Show = Callable[[str], Awaitable[None]]


async def browse(address: str) -> httpx2.Response:
    """Open an address and follow where it leads."""
    async with httpx2.AsyncClient(follow_redirects=True) as browser:
        return await browser.get(address)


async def person(address: str) -> None:
    """Signs in as soon as the address is shown."""
    assert (await browse(address)).status_code == 200


async def signed_in(bloomreach: StandIn, show: Show = person, *, over: bool = False) -> SignIn:
    """A sign-in by that person, stored where the server looks for it; or one whose time is up."""
    project = project_of(bloomreach)
    made = await sign_in(project, show)
    if over:
        made = made.model_copy(update={"usable_until": 0.0})
    SignInStore(project).save(made)
    return made
