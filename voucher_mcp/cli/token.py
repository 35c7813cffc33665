"""`voucher-mcp token new NAME`: a bearer token for the HTTP server, shown once."""

import argparse
import json
import sys

from pydantic import TypeAdapter, ValidationError

from voucher_mcp.cli.main import settings_of
from voucher_mcp.cli.reach import project_of
from voucher_mcp.config import HttpToken
from voucher_mcp.config.values import TokenName
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.http.sign_in.tokens import new_token


def run(arguments: argparse.Namespace) -> int:
    """Print the token and what to put into the configuration.

    Raises:
        InvalidInput: the name cannot be one, or is taken.
        NotFound: a project is not configured.
    """
    try:
        TypeAdapter(TokenName).validate_python(arguments.name)
    except ValidationError as error:
        raise InvalidInput(f"{arguments.name}: {error.errors()[0]['ctx']['error']}") from None
    settings = settings_of(arguments)
    if settings.http is not None and arguments.name in settings.http.tokens:
        raise InvalidInput(
            f"There is a token {arguments.name} already; take it out first, or choose another name"
        )
    for project in arguments.project or ():
        project_of(settings, project)
    token, digest = new_token()
    opened = HttpToken(
        sha256=digest, projects=tuple(arguments.project or settings.projects), access=arguments.access
    )
    print(token)
    sys.stdout.flush()
    print(
        "\nThis is the only time that it is shown. Its user sends it as `Authorization: Bearer TOKEN`.\n"
        "Put this into the configuration and start the server again:\n",
        file=sys.stderr,
    )
    print(lines_of(arguments.name, opened))
    return 0


def lines_of(name: str, token: HttpToken) -> str:
    """The table of a token in the configuration."""
    return (
        f"[http.tokens.{json.dumps(name) if '.' in name else name}]\n"
        f"sha256 = {json.dumps(token.sha256)}\n"
        f"projects = {json.dumps(list(token.projects))}\n"
        f"access = {json.dumps(token.access)}"
    )
