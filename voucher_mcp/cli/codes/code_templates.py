"""What the codes of a pool are worth that `codes import --create` makes: a person chooses."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from voucher_mcp.config import Project
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.files.cells import amount
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.domain.values.times import parse_time, to_iso
from voucher_mcp.domain.vouchers.pool import template_as_meant

WORTHS: Final = ("template", "percent", "amount", "gift")
"""The options that say what a code is worth; `--create` needs one of them."""


def template_of(arguments: argparse.Namespace, project: Project) -> dict[str, Any] | None:
    """The template that the command line gives; None where no pool is to be made.

    Raises:
        InvalidInput: it is missing, wrong, or given for a pool that is not to be made.
    """
    given = [name for name in (*WORTHS, "expires", "uses") if getattr(arguments, name) is not None]
    if not arguments.create:
        if given:
            raise InvalidInput(f"--{given[0]} says what the codes of a new pool are; it needs --create.")
        return None
    if not set(given) & set(WORTHS):
        raise InvalidInput(
            "--create needs what the codes of the new pool are worth: --percent 20, --amount 5.00, --gift 35 "
            "or --template FILE."
        )
    voucher = _read(arguments.template) if arguments.template is not None else _of_number(arguments, project)
    return _with_limits(voucher, arguments, project)


def _of_number(arguments: argparse.Namespace, project: Project) -> dict[str, Any]:
    digits = MINOR_UNITS[project.currency]
    if arguments.percent is not None:
        percent = _number("percent", arguments.percent, 2) / 100
        if percent > 100:
            raise InvalidInput(f"--percent is at most 100; got {quoted(arguments.percent)}.")
        return {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": percent}}
    if arguments.amount is not None:
        off = _number("amount", arguments.amount, digits)
        return {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": off}}
    return {"type": "GIFT_VOUCHER", "gift": {"amount": _number("gift", arguments.gift, digits)}}


def _number(option: str, text: str, digits: int) -> int:
    try:
        number = amount(text.strip(), digits)
    except ValueError as error:
        raise InvalidInput(f"--{option} {error}.") from None
    if not number:
        raise InvalidInput(f"--{option} must be more than 0.")
    return number


def _read(path: Path) -> dict[str, Any]:
    try:
        voucher = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        voucher = None
    if not isinstance(voucher, dict):
        raise InvalidInput(
            f"{path} must hold the template as one JSON object, such as "
            f'{{"discount": {{"type": "PERCENT", "percent_off": 20}}}}.'
        )
    return voucher


def _with_limits(voucher: dict[str, Any], arguments: argparse.Namespace, project: Project) -> dict[str, Any]:
    """The template with its end and its number of uses; a discount that says nothing of uses works once."""
    limits: list[tuple[str, str, Callable[[str], Any]]] = [
        ("expires", "expiration_date", lambda text: to_iso(_end(text, project))),
        ("uses", "redemption", lambda text: {"quantity": _uses(text)}),
    ]
    for option, field, read in limits:
        if (text := getattr(arguments, option)) is None:
            continue
        if voucher.get(field) is not None:
            raise InvalidInput(f"The template has its own {field}; leave --{option} out.")
        voucher[field] = read(text)
    return dict(template_as_meant(voucher))


def _end(text: str, project: Project) -> int:
    return parse_time(text, "--expires", zone=project.zone, last=True, numbers=False)


def _uses(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 2**31:
        raise InvalidInput(f"--uses must be a whole number from 1; got {quoted(text)}.")
    return int(text)
