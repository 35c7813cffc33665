"""Whom the configuration knows by name: for links and cookies, which come without a token.

What they may use is looked up each time. So a link of who has lost a project since opens nothing of it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from voucher_mcp.config import Access, HttpSettings, HttpToken
from voucher_mcp.http.sign_in.bearer import ANYONE
from voucher_mcp.policy.callers import Caller

TOKEN: Final = "token:"
USER: Final = "user:"
_DIGITS = 16


def of_token(name: str, token: HttpToken) -> Caller:
    """The caller who has a fixed token."""
    return Caller(TOKEN + name, frozenset((project, token.access) for project in token.projects))


def access_of(http: HttpSettings, subject: str, groups: Iterable[str]) -> dict[str, Access]:
    """The union of what a person may use who signs in at the issuer, and what their groups may."""
    grants = [http.access.subject.get(subject), *(http.access.group.get(group) for group in groups)]
    access: dict[str, Access] = {}
    for grant in filter(None, grants):
        for project in grant.projects:
            access[project] = "write" if "write" in (grant.access, access.get(project)) else "read"
    return access


class Known:
    """The callers of a configuration."""

    def __init__(self, http: HttpSettings) -> None:
        self._http = http

    def told(self, caller: Caller) -> dict[str, Any]:
        """What is sealed of a caller, so that `again` knows them."""
        return {"caller": caller.name, "groups": caller.groups, "how": self.how(caller.name)}

    def again(self, told: Mapping[str, Any]) -> Caller | None:
        """The caller of whom that was told; None where they cannot sign in so any more."""
        return self.caller(told["caller"], told["groups"], told["how"])

    def how(self, name: str) -> str | None:
        """What one signs in by, as the configuration has it now: it changes with their token or the issuer.

        None: nobody of that name can sign in.
        """
        if not self._http.has_sign_in:
            return "" if name == ANYONE.name else None
        if name.startswith(USER):
            return self._http.issuer
        token = self._http.tokens.get(name.removeprefix(TOKEN)) if name.startswith(TOKEN) else None
        return None if token is None else token.sha256[:_DIGITS]

    def caller(self, name: str, groups: Iterable[str], how: str) -> Caller | None:
        """The caller of that name, with what they may use now; None where they cannot sign in so any more.

        Args:
            name: as a caller has it.
            groups: which a token of the issuer named; others than the configuration's give nothing.
            how: what they signed in by.
        """
        if how != self.how(name):
            return None
        if name == ANYONE.name:
            return ANYONE
        if name.startswith(TOKEN):
            own = name.removeprefix(TOKEN)
            return of_token(own, self._http.tokens[own])
        groups = tuple(groups)
        access = access_of(self._http, name.removeprefix(USER), groups)
        return Caller(name, frozenset(access.items()), groups)
