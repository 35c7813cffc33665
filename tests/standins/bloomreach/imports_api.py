"""The product's HTTP API, as far as it starts imports: private access with Basic authentication."""

import base64
import json
import re

from starlette.responses import JSONResponse, Response

from tests.standins.bloomreach.accounts import Accounts
from tests.standins.bloomreach.recording import Request

_START = re.compile(r"/data/(v\d)/projects/([^/]+)/imports/([^/]+)/start")


class ImportsApi:
    """`started` lists the runs, each with the import's id and the body it came with (None: none)."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.versions = {"v2"}
        """Which versions of the path are served."""
        self.answer: bytes | None = b'{"success":true}'
        """What a started import answers; the documents do not say."""
        self.started: list[tuple[str, dict[str, object] | None]] = []

    def answers(self, request: Request) -> bool:
        return request.path.startswith("/data/")

    def respond(self, request: Request) -> Response:
        place = _START.fullmatch(request.path)
        if place is None or place[1] not in self.versions:
            return JSONResponse({"errors": ["not found"], "success": False}, 404)
        if request.method != "POST":
            return JSONResponse({"errors": ["method not allowed"], "success": False}, 405)
        presented = _basic(request.headers.get("authorization", ""))
        key = next((key for key in self._accounts.keys if (key.key_id, key.secret) == presented), None)
        if key is None or key.project_token != place[2]:
            return JSONResponse({"errors": ["unauthorized"], "success": False}, 401)
        try:
            body = self._body(request)
        except ValueError:
            return JSONResponse({"errors": ["invalid JSON"], "success": False}, 400)
        if place[3] not in key.imports:
            return JSONResponse({"errors": ["import not found"], "success": False}, 404)
        self.started.append((place[3], body))
        return Response(self.answer or b"", media_type="application/json" if self.answer else None)

    def _body(self, request: Request) -> dict[str, object] | None:
        if not request.body and "content-type" not in request.headers:
            return None
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise ValueError("not JSON")
        body = json.loads(request.body)
        unknown = set(body) - {"path", "test_connection"} if isinstance(body, dict) else {"no object"}
        if unknown:
            raise ValueError(f"unknown fields {unknown}")
        return dict(body)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return name, secret
