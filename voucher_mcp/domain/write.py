"""The warrant that every writing method of a backend takes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voucher_mcp.domain.answer import Answer


@dataclass(frozen=True, slots=True)
class Write:
    """One write that policy let through.

    A key is scoped to project and caller. A backend that is handed a spent key answers the first result
    again; with another digest it raises IdempotencyMismatch.
    """

    tool: str
    digest: str
    """SHA-256 of tool and arguments, without dry_run and detail."""
    caller: str
    key: str | None = None
    dry_run: bool = False
    """Go through every check and answer what would change, and change nothing. Never touches the key."""
    confirmed: str | None = None
    """The digest of the result that a person agreed to; None where nobody has to. A write that comes to
    another result raises Unconfirmed and leaves nothing behind, so that the person can be asked about it."""


class Unconfirmed(Exception):
    """All checks passed, but nobody agreed to this result yet; carries it. Nothing was changed."""

    def __init__(self, answer: Answer[Any]) -> None:
        super().__init__("not confirmed")
        self.answer = answer


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value in one canonical spelling, as hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of_result(answer: Answer[Any]) -> str:
    """What a person's agreement is bound to: everything that the write answers."""
    return digest_of([answer.data, dict(answer.beside)])


def digest_of_call(tool: str, arguments: Mapping[str, Any]) -> str:
    """What an idempotency key is bound to: tool and arguments, without dry_run, detail and the key."""
    meant = {
        k: v
        for k, v in arguments.items()
        if k not in ("dry_run", "detail", "idempotency_key") and v is not None
    }
    return digest_of([tool, meant])
