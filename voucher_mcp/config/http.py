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
    access: Access = "read"


class HttpToken(Grant):
    """A fixed bearer token: what it opens, and its SHA-256 in lower-case hexadecimal.

    One that opens no project is for who reads /metrics and /healthz alone.
    """

    projects: Annotated[tuple[str, ...], Field(strict=False)]
    sha256: Sha256


class HttpAccess(Model):
    """What those may use who sign in at the issuer: the union of their own and their groups'."""

    subject: dict[str, Grant] = Field(default_factory=dict)
    group: dict[str, Grant] = Field(default_factory=dict)


class HttpSettings(Model):
    """Who may speak to the server over HTTP: callers with an OAuth token of `issuer`, or a fixed token."""

    issuer: Issuer | None = None
    audience: Text | None = None
    allowed_hosts: Annotated[tuple[HostName, ...], Field(strict=False)] = ()
    state_key: Annotated[Secret, AfterValidator(_long)] | None = None
    """Seals what clients bring back; several hosts share it. None: a key of this start."""
    max_calls_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Of each caller, over all workers; None: 300 of who signs in."""
    max_concurrent_calls: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """The same at a time; None: 16 of who signs in."""
    metrics: bool = False
    """Whether /metrics is there, with numbers for Prometheus."""
    groups_claim: Text = "groups"
    """Where a token of the issuer names its user's groups, as a list."""
    access: HttpAccess = HttpAccess()
    tokens: dict[TokenName, HttpToken] = Field(default_factory=dict)

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
