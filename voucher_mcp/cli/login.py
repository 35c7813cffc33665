"""`voucher-mcp login`: signs in at the voucher system of a project, and stores the sign-in for its owner."""

import argparse
import webbrowser

import anyio
import anyio.to_thread

from voucher_mcp.cli.main import DONE, settings_of
from voucher_mcp.cli.reach import checked, on_backend, project_of
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.errors import Unsupported


def run(arguments: argparse.Namespace) -> int:
    """Send the person to the sign-in, store what comes of it, and try it."""
    settings = settings_of(arguments)
    project = project_of(settings, arguments.project)
    if not isinstance(project, BloomreachProject):
        raise Unsupported(
            f"The project {project.id} is a {project.backend} project, which needs no sign-in: what opens it "
            "stands in the configuration."
        )
    if project.token is not None:
        raise Unsupported(
            f"The project {project.id} has a `token`, which would be used before any sign-in. "
            "Take it out of the configuration first."
        )
    _sign_in(project, browser=not arguments.no_browser)
    print("Signed in. Trying it …", flush=True)
    print(f"ok: {on_backend(settings, project.id, checked)}")
    return DONE


def _sign_in(project: BloomreachProject, *, browser: bool) -> None:
    from voucher_mcp.backends.bloomreach.client.sign_in.browser import sign_in
    from voucher_mcp.backends.bloomreach.client.sign_in.store import SignInStore

    async def show(address: str) -> None:
        print(f"Sign in here, in a browser on this machine:\n\n{address}\n", flush=True)
        if browser:
            await anyio.to_thread.run_sync(webbrowser.open, address, abandon_on_cancel=True)

    async def work() -> None:
        made, store = await sign_in(project, show), SignInStore(project)
        async with store.locked():  # or a server that renews the old one now would put it over this one
            store.save(made)

    anyio.run(work)
