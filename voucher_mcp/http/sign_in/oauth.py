"""Access tokens of the issuer, as OAuth 2.1 has them: signed, for us, not expired, with a scope of ours."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import jwt
from jwt import exceptions
from mcp.server.auth.provider import AccessToken

from voucher_mcp.config import HttpSettings
from voucher_mcp.http.sign_in.bearer import MISSING_SCOPE, READ, WRITE, Refused
from voucher_mcp.http.sign_in.issuer import Issuer
from voucher_mcp.http.sign_in.known import USER, access_of
from voucher_mcp.policy.callers import Caller

LEEWAY = 30
"""Seconds that two clocks may differ (ours)."""
LONGEST_SUBJECT = 255  # of OpenID Connect

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Those with a public key: whoever can check a token must not be able to make one."""

_WHY: Final[Mapping[type[exceptions.PyJWTError], str]] = {
    exceptions.ExpiredSignatureError: "The token has expired.",
    exceptions.ImmatureSignatureError: "The token is not valid yet.",
    exceptions.InvalidIssuedAtError: "The token is not valid yet.",
    exceptions.InvalidAudienceError: "The token is for another service (audience).",
    exceptions.InvalidIssuerError: "The token is of another issuer.",
    exceptions.InvalidSignatureError: "The token's signature is wrong.",
    exceptions.InvalidAlgorithmError: "The token is signed in a way that is not taken here.",
    exceptions.MissingRequiredClaimError: "The token lacks one of iss, aud, sub and exp.",
}


class OAuth:
    """Whose such a token is, and what they may use."""

    def __init__(self, http: HttpSettings, issuer: Issuer) -> None:
        self._http = http
        self._issuer = issuer

    async def verify(self, token: str) -> tuple[Caller, AccessToken]:
        """Whose a token is.

        Raises:
            OutOfReach: the issuer's keys are not known now.
            Refused: it opens nothing here.
        """
        try:
            header = jwt.get_unverified_header(token)
        except exceptions.PyJWTError:
            raise Refused("This token is not known here.") from None
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise Refused(_WHY[exceptions.InvalidAlgorithmError])
        key = await self._issuer.key(header.get("kid"), algorithm)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._http.audience,
                issuer=self._http.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except exceptions.PyJWTError as error:
            raise Refused(_WHY.get(type(error), "The token cannot be read.")) from None
        return self._caller(claims)

    def _caller(self, claims: Mapping[str, Any]) -> tuple[Caller, AccessToken]:
        subject, scopes = claims["sub"], set(_scopes(claims))
        if not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            raise Refused("The token names its user in a way that is not taken here.")
        if not scopes & {READ, WRITE}:
            raise Refused(MISSING_SCOPE, missing_scope=True)
        groups = [
            one for one in _texts(claims.get(self._http.groups_claim)) if one in self._http.access.group
        ]
        access = access_of(self._http, subject, groups)
        if WRITE not in scopes:
            access = dict.fromkeys(access, "read")
        client = claims.get("azp") or claims.get("client_id")
        caller = Caller(USER + subject, frozenset(access.items()), tuple(groups))
        return caller, AccessToken(
            token="",
            client_id=client if isinstance(client, str) else "",
            scopes=sorted(scopes),
            subject=subject,
            claims={"iss": claims["iss"]},
        )


def _scopes(claims: Mapping[str, Any]) -> Iterator[str]:
    """`scope` is a text with spaces (RFC 9068); some issuers have `scp`, a text or a list."""
    for name in ("scope", "scp"):
        for text in _texts(claims.get(name)):
            yield from text.split()


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
