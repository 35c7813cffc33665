"""The text of a first configuration: what was chosen, with the words that a person needs to change it."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from voucher_mcp.config import environment
from voucher_mcp.config.environment import DATABASE_URL
from voucher_mcp.domain.values.money import MINOR_UNITS, money

SYSTEMS: Mapping[str, str] = {
    "local": "nothing yet: keep them here, in a database of my own",
    "postgresql": "PostgreSQL: a database that several machines share",
    "voucherify": "Voucherify",
    "mews": "Mews",
    "bloomreach": "Bloomreach Engagement",
}
"""By what --system calls them: what a person is offered."""


class System(NamedTuple):
    """One system as it was chosen."""

    name: str
    address: str = ""
    """Of the vendor's API, or of the file that is the database."""
    writes: bool = False
    signs_in: bool = False
    """With `voucher-mcp login`, instead of a token."""


class Vendor(NamedTuple):
    """What a vendor's table holds beside the common keys."""

    key: str
    """The key of its address."""
    address: str
    """The one that most use."""
    hint: str
    secrets: Sequence[str]
    """Their keys."""


VENDORS: Mapping[str, Vendor] = {
    "voucherify": Vendor(
        "base_url", "https://api.voucherify.io", "of the account's region", ("app_id", "app_token")
    ),
    "mews": Vendor(
        "base_url",
        "https://api.mews.com",
        "or https://api.mews-demo.com, to try it",
        ("client_token", "access_token"),
    ),
    "bloomreach": Vendor("url", "https://eu.connect.loomi.ai/mcp", "of the account's region", ("token",)),
}
_VARIABLES = {place: variable for variable, place in environment.VENDORS.items()}
_COLUMN = 40


def variable_of(system: str, key: str) -> str:
    """The environment variable that sets a key of a vendor's project."""
    return _VARIABLES[system, key]


def project_of(system: System, systems: Sequence[System]) -> str:
    """The id of a system's project: `default` for the only database."""
    if system.name == "local":
        return "default"
    if system.name == "postgresql":
        return "postgresql" if any(one.name == "local" for one in systems) else "default"
    return system.name


def secrets_of(systems: Sequence[System]) -> list[str]:
    """The variables that the configuration takes secrets from."""
    names: list[str] = []
    for system in systems:
        if system.name == "postgresql":
            names.append(DATABASE_URL)
        elif system.name in VENDORS and not system.signs_in:
            names += [variable_of(system.name, key) for key in VENDORS[system.name].secrets]
    return names


def text_of(systems: Sequence[System], currency: str, timezone: str) -> str:
    """The whole file."""
    head = (
        "# What voucher-mcp works with. `voucher-mcp check` tries it; restart the server after a change.\n"
        "# ${NAME} takes the value of an environment variable: keep secrets there, not in this file.\n"
    )
    tables = [_table(system, systems, currency, timezone) for system in systems]
    return "\n".join([head, *tables, _limits(currency)])


def _table(system: System, systems: Sequence[System], currency: str, timezone: str) -> str:
    backend = "local" if system.name in ("local", "postgresql") else system.name
    lines = [f"[projects.{project_of(system, systems)}]", f"backend = {_quoted(backend)}"]
    if system.name == "local":
        url = f"url = {_quoted(system.address)}" if system.address else '# url = "sqlite:///~/vouchers.db"'
        lines.append(_said(url, "without it, in your data directory"))
    elif system.name == "postgresql":
        lines.append(_said(f'url = "${{{DATABASE_URL}}}"', "postgresql://user:password@host/database"))
    else:
        vendor = VENDORS[system.name]
        lines.append(_said(f"{vendor.key} = {_quoted(system.address)}", vendor.hint))
        for key in vendor.secrets:
            given = f'{key} = "${{{variable_of(system.name, key)}}}"'
            if system.signs_in:
                given = _said(f"# {given}", f"instead of `voucher-mcp login {system.name}`")
            lines.append(given)
    access = "write" if system.writes else "read"
    other = "read: an agent only looks" if system.writes else "write: an agent may change things"
    lines += [
        _said(f"access = {_quoted(access)}", other),
        _said('destructive = "confirm"', "who agrees when something is deleted for good;"),
        _said("", "also block, approve (a second person), allow"),
        _said(f"currency = {_quoted(currency)}", "how amounts are shown to people"),
        _said(f"timezone = {_quoted(timezone)}", "whose days a date means"),
    ]
    return "\n".join(lines) + "\n"


def _limits(currency: str) -> str:
    unit = 10 if MINOR_UNITS[currency] == 3 else 1
    amounts = {
        "max_amount_per_call": (50_000 * unit, "the most that one call may make: "),
        "max_amount_per_day": (500_000 * unit, "and all of a day: "),
        "confirm_above": (100_000 * unit, "a person is asked above "),
    }
    lines = [
        "[limits]",
        "# For every project, in the smallest unit of its currency. What is not here has no limit.",
    ]
    lines += [
        _said(f"{key} = {amount}", told + money(amount, currency)) for key, (amount, told) in amounts.items()
    ]
    lines += [
        _said("max_points_per_day = 10000", "points on loyalty cards"),
        _said("max_codes_per_call = 1000", "new codes"),
        _said("max_calls_per_minute = 120", ""),
    ]
    return "\n".join(lines) + "\n"


def _said(line: str, comment: str) -> str:
    return f"{line:{_COLUMN}}# {comment}".rstrip() if comment else line


def _quoted(text: str) -> str:
    return json.dumps(text)  # which is a string of TOML too
