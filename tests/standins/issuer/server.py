"""The authorization server: discovery, keys that change, registration of clients, and codes for tokens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7591 import ClientRegistrationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

Key = RSAKey | ECKey | OKPKey | OctKey


@dataclass
class Person:
    """Somebody who is signed in at the authorization server."""

    id: str
    groups: list[str] = field(default_factory=list)

    def get_user_id(self) -> str:
        return self.id


@dataclass
class Issuer:
    """What tests set and look at."""

    url: str = ""
    audience: str = ""
    person: Person = field(default_factory=lambda: Person("alice@example.com"))
    keys: list[Key] = field(default_factory=lambda: [new_key("key-1")])
    """The first signs; all are published."""
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Changes what it says of itself."""
    down: bool = False
    """It answers nothing of use."""

    def rotate(self, key: Key, *, keep: bool = False) -> None:
        """Sign with another key from now on; `keep` publishes the old ones too."""
        self.keys = [key, *(self.keys if keep else [])]

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Those of a token for everything; a claim of None is left out."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": self.audience,
            "sub": self.person.id,
            "client_id": "test",
            "iat": now,
            "exp": now + 600,
            "scope": "vouchers:read vouchers:write",
        }
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def token(self, *, key: Key | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """A token that is signed with the first key, or with that one."""
        key = key or self.keys[0]
        named = {"alg": key.alg or "RS256", "kid": key.kid, **(header or {})}
        named = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(named, self.claims(**changed), key, algorithms=[str(named["alg"])])


def new_key(kid: str | None, kind: str = "RSA", alg: str | None = "RS256") -> Key:
    """A key of a kind: RSA, EC, OKP or oct."""
    named: Any = {name: value for name, value in (("kid", kid), ("alg", alg), ("use", "sig")) if value}
    made: dict[str, Any] = {
        "RSA": lambda: RSAKey.generate_key(2048, named),
        "EC": lambda: ECKey.generate_key("P-256", named),
        "OKP": lambda: OKPKey.generate_key("Ed25519", named),
        "oct": lambda: OctKey.generate_key(256, named),
    }
    key: Key = made[kind]()
    return key


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info

    def get_client_id(self) -> str:
        return str(self.info["client_id"])

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def get_default_redirect_uri(self) -> str:
        return str(self.info["redirect_uris"][0])

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.info["redirect_uris"]

    def check_client_secret(self, secret: str) -> bool:
        return bool(secret == self.info["client_secret"])

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return True

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


@dataclass
class _Code:
    code: str
    client_id: str
    redirect_uri: str
    scope: str
    user: Person
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Keep no log."""


def app_of(issuer: Issuer) -> Flask:
    """The authorization server as an app."""
    app = Flask("issuer")
    clients: dict[str, _Client] = {}
    codes: dict[str, _Code] = {}
    server = AuthorizationServer(app, clients.get, lambda token, request: None)

    class Tokens(JWTBearerTokenGenerator):  # type: ignore[misc]
        def get_jwks(self) -> Any:
            return issuer.keys[0].as_dict(private=True)

        def get_audiences(self, client: Any, user: Any, scope: str) -> str:
            return issuer.audience

        def get_extra_claims(self, client: Any, grant_type: str, user: Person, scope: str) -> Any:
            return {"groups": user.groups}

    class Codes(AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, request: Any) -> None:
            asked = request.payload.data
            codes[code] = _Code(
                code,
                request.client.get_client_id(),
                asked.get("redirect_uri", ""),
                request.payload.scope or "",
                request.user,
                asked.get("code_challenge"),
                asked.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: Any) -> _Code | None:
            return codes.get(code)

        def delete_authorization_code(self, code: _Code) -> None:
            del codes[code.code]

        def authenticate_user(self, code: _Code) -> Person:
            return code.user

    class Registration(ClientRegistrationEndpoint):  # type: ignore[misc]
        def get_server_metadata(self) -> dict[str, Any]:
            return {}

        def authenticate_token(self, request: Any) -> str:
            return "anybody"

        def save_client(self, info: Any, metadata: Any, request: Any) -> _Client:
            client = _Client({**info, **metadata})
            clients[client.get_client_id()] = client
            return client

    server.register_token_generator("default", Tokens(issuer.url))
    server.register_grant(Codes, [CodeChallenge(required=True)])
    server.register_grant(RefreshTokenGrant)
    server.register_endpoint(Registration)

    @app.before_request
    def note() -> Response | None:
        issuer.asked.append(request.path)
        return Response("out of order", status=503) if issuer.down else None

    @app.get("/.well-known/openid-configuration")
    def discover() -> Response:
        metadata = {
            "issuer": issuer.url,
            "jwks_uri": f"{issuer.url}/keys",
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
            "registration_endpoint": f"{issuer.url}/register",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["vouchers:read", "vouchers:write"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return jsonify({**metadata, **issuer.metadata})

    @app.get("/keys")
    def keys() -> Response:
        return jsonify(KeySet(list(issuer.keys)).as_dict(private=False))

    @app.get("/authorize")
    def authorize() -> Any:
        grant = server.get_consent_grant(end_user=issuer.person)
        return server.create_authorization_response(grant=grant, grant_user=issuer.person)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.post("/register")
    def register() -> Any:
        return server.create_endpoint_response("client_registration")

    return app


@contextmanager
def running(audience: str) -> Iterator[Issuer]:
    """An authorization server that issues tokens for that audience."""
    issuer = Issuer(audience=audience)
    with make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Silent) as web:
        issuer.url = f"http://127.0.0.1:{web.server_port}"
        web.app = app_of(issuer)
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield issuer
        finally:
            web.shutdown()
            thread.join()
