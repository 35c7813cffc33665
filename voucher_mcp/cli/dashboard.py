"""`voucher-mcp dashboard`: the pages on one's own machine, for who has the link, which opens them once."""

import argparse
import secrets
import webbrowser
from contextlib import ExitStack
from hashlib import sha256

import anyio

from voucher_mcp.cli.main import settings_of
from voucher_mcp.config import HttpSettings, HttpToken, Settings
from voucher_mcp.http.connections.places import listen
from voucher_mcp.http.serving import Place, serve

NAME = "dashboard"
"""Of who signs in by the link, in the journal and beside what they approve: `token:dashboard`."""


def run(arguments: argparse.Namespace) -> int:
    """Serve the pages on a free port of this machine until Ctrl-C.

    Raises:
        OSError: there is no port.
    """
    settings = alone(settings_of(arguments))
    assert settings.http is not None
    welcome = secrets.token_urlsafe(32)
    with ExitStack() as last:
        sockets = listen("127.0.0.1", 0, settings.http)
        for one in sockets:
            last.callback(one.close)
        link = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/welcome/{welcome}"
        print(f"The pages are at this address, which opens once:\n{link}\nCtrl-C ends it.", flush=True)
        if not arguments.no_browser:
            webbrowser.open(link)
        anyio.run(serve, settings, Place(sockets, welcome=(NAME, welcome)))
    return 0


def alone(settings: Settings) -> Settings:
    """The settings for one person, who may do what the configuration lets an operator do; nobody else may."""
    nobody_has_it = sha256(secrets.token_bytes(32)).hexdigest()
    token = HttpToken(projects=tuple(settings.projects), access="write", sha256=nobody_has_it)
    return settings.model_copy(update={"http": HttpSettings(tokens={NAME: token})})
