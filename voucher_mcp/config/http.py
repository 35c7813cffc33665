"""What `[http]` says: who may speak to the server over HTTP, and what each may use."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from voucher_mcp.config.base import Access, Model
from voucher_mcp.config.values import HostName, Issuer, Secret, Sha256, Text, TokenName

KEY_BYTES = 32


def _long(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < KEY_BYTES:
        raise ValueError(
            f"should be {KEY_BYTES} random characters or more, such as `openssl rand -hex 32` makes"
        )
    return key


class Grant(Model):
    """What somebody may use."""

    projects: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    """The ids of the projects."""
    access: Access = "read"
    """The most that is allowed there; a project's own `access` holds too."""


class HttpToken(Grant):
    """A fixed bearer token: what it opens, and its SHA-256 in lower-case hexadecimal.

    One that opens no project is for who reads /metrics and /healthz alone.
    """

    projects: Annotated[tuple[str, ...], Field(strict=False)]
    """The ids of the projects; none for who only reads /metrics and /healthz."""
    sha256: Sha256
    """What `voucher-mcp token new NAME` prints for the configuration, never the token itself."""


class HttpAccess(Model):
    """What those may use who sign in at the issuer: the union of their own and their groups'."""

    subject: dict[str, Grant] = Field(default_factory=dict)
    """A table for each person, named by the `sub` of their tokens."""
    group: dict[str, Grant] = Field(default_factory=dict)
    """A table for each group."""


class HttpSettings(Model):
    """Who may speak to the server over HTTP: callers with an OAuth token of `issuer`, or a fixed token."""

    issuer: Issuer | None = None
    """The authorization server (OAuth 2.1) at which people sign in, exactly as it names itself."""
    audience: Text | None = None
    """What its tokens for this server are made for; the issuer needs it."""
    allowed_hosts: Annotated[tuple[HostName, ...], Field(strict=False)] = ()
    """The names by which people and browsers call the server."""
    state_key: Annotated[Secret, AfterValidator(_long)] | None = None
    """Seals what clients bring back; several hosts share it. A key of this start if not set."""
    max_calls_per_minute: Annotated[int, Field(ge=1)] | None = None
    """The calls a minute of each caller, over all workers; 300 of who signs in if not set."""
    max_concurrent_calls: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """The calls of each caller at a time; 16 of who signs in if not set."""
    metrics: bool = False
    """Whether /metrics is there, with numbers for Prometheus."""
    groups_claim: Text = "groups"
    """Where a token of the issuer names its user's groups, as a list."""
    access: HttpAccess = HttpAccess()
    """What people who sign in may use: the union of their own table and those of their groups."""
    tokens: dict[TokenName, HttpToken] = Field(default_factory=dict)
    """A table for each fixed token, named as the journal names it."""

    @property
    def has_sign_in(self) -> bool:
        """Whether callers are asked who they are; without it only loopback may be served."""
        return self.issuer is not None or bool(self.tokens)

    @property
    def grants(self) -> Iterator[tuple[tuple[str, ...], Grant]]:
        """Each with the place of its table."""
        for kind, grants in (("subject", self.access.subject), ("group", self.access.group)):
            yield from ((("http", "access", kind, name), grant) for name, grant in grants.items())
        yield from ((("http", "tokens", name), token) for name, token in self.tokens.items())

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Self:
        if (self.issuer is None) != (self.audience is None):
            raise ValueError("issuer and audience need each other: a token is checked against both")
        if self.issuer is None and (self.access.subject or self.access.group):
            raise ValueError("access: these people sign in at an issuer; name it, and the audience")
        names: dict[str, str] = {}
        for name, token in self.tokens.items():
            twin = names.setdefault(token.sha256, name)
            if twin != name:
                raise ValueError(f"tokens {twin!r} and {name!r} have the same sha256")
        return self
