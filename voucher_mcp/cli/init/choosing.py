"""What a first configuration is to hold: by flags, else by asking."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from voucher_mcp.cli.init.configuration import SYSTEMS, VENDORS, System, variable_of
from voucher_mcp.cli.init.questions import Questions
from voucher_mcp.config.environment import DATABASE_URL, given
from voucher_mcp.config.values import Address, Currency, TimeZone, parse_database
from voucher_mcp.domain.errors import InvalidInput

_NUMBERS = [str(number) for number in range(1, len(SYSTEMS) + 1)]


@dataclass(frozen=True)
class Choice:
    """What the person wants."""

    systems: tuple[System, ...]
    currency: str
    timezone: str


def choose(arguments: argparse.Namespace, questions: Questions) -> Choice:
    """What the flags say, and the answers to the rest.

    Raises:
        InvalidInput: a flag says what cannot be.
    """
    # what a flag says is checked before anything is asked
    currency = _checked(Currency, arguments.currency, "--currency") if arguments.currency else None
    timezone = _checked(TimeZone, arguments.timezone, "--timezone") if arguments.timezone else None
    names = tuple(dict.fromkeys(arguments.system or ()))
    if not names:
        offered = [f"  {number}  {what}" for number, what in enumerate(SYSTEMS.values(), 1)]
        question = "\n".join(["Where are your vouchers?", *offered, "One number, or several:"])
        names = questions.ask(question, ("local",), _names, "1")
    systems = tuple(_system(name, questions) for name in names)
    if currency is None:
        currency = questions.ask("Your currency:", "EUR", lambda text: _read(Currency, text.upper()), "EUR")
    if timezone is None:
        here = _zone()
        timezone = questions.ask("Your time zone:", here, lambda text: _read(TimeZone, text), here)
    return Choice(systems, currency, timezone)


def _system(name: str, questions: Questions) -> System:
    if name == "local":
        return System(name, _place(), writes=True)
    if (vendor := VENDORS.get(name)) is None:
        return System(name, writes=True)
    variable = variable_of(name, vendor.key)
    usual = given(os.environ).get(variable, vendor.address).strip()
    title = SYSTEMS[name]
    address = questions.ask(f"{title}: its address:", usual, lambda text: _read(Address, text), usual)
    writes = questions.yes(f"{title}: may an agent change vouchers there?", default=False)
    signs_in = name == "bloomreach" and "LOOMI_TOKEN" not in given(os.environ)
    return System(name, _checked(Address, address, variable), writes, signs_in)


def _place() -> str:
    """The address of the file that the environment names for the database; empty where it names none."""
    address = given(os.environ).get(DATABASE_URL, "").strip()
    if not address.startswith("sqlite:"):
        return ""
    try:
        return f"sqlite:///{parse_database(address, Path()).path}"
    except ValueError as error:
        raise InvalidInput(f"{DATABASE_URL}: {error}") from None


def _names(answer: str) -> tuple[str, ...]:
    names = list(SYSTEMS)
    words = answer.replace(",", " ").lower().split()
    chosen = [names[int(word) - 1] if word in _NUMBERS else word for word in words]
    if unknown := [word for word in chosen if word not in names]:
        raise ValueError(f"{unknown[0]} is none of them: answer with numbers from 1 to {len(names)}.")
    return tuple(dict.fromkeys(chosen))


def _checked(kind: Any, text: str, name: str) -> str:
    try:
        return _read(kind, text)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}") from None


def _read(kind: Any, text: str) -> str:
    """A value of the configuration.

    Raises:
        ValueError: it cannot be one, and why.
    """
    try:
        value: str = TypeAdapter(kind).validate_python(text)
    except ValidationError as error:
        raise ValueError(str(error.errors()[0]["ctx"]["error"])) from None
    return value


def _zone() -> str:
    """This machine's time zone; UTC where it does not say."""
    linked = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    try:
        return _read(TimeZone, os.environ.get("TZ", "").strip(":") or linked or "UTC").removeprefix("Etc/")
    except ValueError:
        return "UTC"
