"""What becomes of codes that are imported, each by itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from voucher_mcp.backends.http import is_segment
from voucher_mcp.backends.voucherify.mapping.objects import as_object, as_text
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.vouchers.pool import BadCode, CodeFate, NewCode

Failure = tuple[Literal["duplicate", "invalid"], str]
"""Why a code was not added: the result and the reason."""

TWICE: Final[Failure] = ("duplicate", "this code stands twice in the call")
TAKEN: Final[Failure] = ("duplicate", "this code exists already")
HERE: Final = ", in this pool"
DELETED: Final[Failure] = ("duplicate", "this code is taken, and no voucher shows it: a deleted one had it")
UNREPORTED: Final[Failure] = ("invalid", "the import did not report it as added")
NO_SEGMENT: Final = "a code of dots alone cannot be used here: it would change the address that it stands in"
_DUPLICATE_WORDS: Final = ("duplicate", "already exist", "already used", "not unique")


@dataclass
class Outcome:
    """What became of the codes of an import: those that are neither failed nor pending went in."""

    failed: dict[str, Failure] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Of those that went in, as far as they are known."""
    pending: frozenset[str] = frozenset()
    async_action_id: str | None = None
    """What the vendor is still at work on, where codes are pending."""


def taken(voucher: Mapping[str, Any], campaign_id: str | None) -> Failure:
    """Why a code cannot be added to a campaign that a voucher has already; without one, to any."""
    pool = as_text(voucher.get("campaign_id"))
    if pool is None:
        return ("duplicate", f"{TAKEN[1]}, outside any pool")
    if pool == campaign_id:
        return ("duplicate", TAKEN[1] + HERE)
    return ("duplicate", f"{TAKEN[1]}, in the pool {quoted(as_text(voucher.get('campaign')) or pool)}")


def with_segments(codes: Iterable[NewCode | BadCode]) -> list[NewCode | BadCode]:
    """The codes, those among the bad ones that could not be reached at the vendor once they were there."""
    return [
        one if isinstance(one, BadCode) or is_segment(one.value) else BadCode(one.value, NO_SEGMENT)
        for one in codes
    ]


def answer(
    codes: Sequence[NewCode | BadCode], outcome: Outcome, more: Mapping[str, Any]
) -> Answer[list[CodeFate]]:
    """The fate of each code, in their order, and the counts."""
    fates = list(_fates(codes, outcome))
    for fate in fates if more.get("dry_run") else ():
        if fate["result"] == "added":
            fate["result"] = "would_add"
    counts = {
        name: sum(fate["result"] in results for fate in fates)
        for name, results in {"added": ("added", "would_add"), "pending": ("pending",)}.items()
    }
    beside: dict[str, Any] = {"added": counts["added"], "rejected": len(fates) - sum(counts.values())}
    if counts["pending"]:
        beside |= {"pending": counts["pending"], "async_action_id": outcome.async_action_id}
    return Answer(fates, {**beside, **more})


def failures(action: Mapping[str, Any]) -> dict[str, Failure]:
    """The codes that an import reports as failed, with the vendor's reason."""
    failed: dict[str, Failure] = {}
    for one in as_object(action.get("result")).get("failed", ()):
        if (code := as_text(one.get("code"))) is not None:
            reason = as_text(one.get("reason")) or as_text(one.get("message"))
            if reason is None:
                failed[code] = ("invalid", "the voucher system gave no reason")
                continue
            taken = any(word in reason.lower() for word in _DUPLICATE_WORDS)
            failed[code] = (
                "duplicate" if taken else "invalid",
                f"the voucher system says {quoted(reason, 200)}",
            )
    return failed


def _fates(codes: Sequence[NewCode | BadCode], outcome: Outcome) -> Iterator[CodeFate]:
    seen: set[str] = set()
    for one in codes:
        if isinstance(one, BadCode):
            yield {"code": one.value, "id": None, "result": "invalid", "error": one.reason}
            continue
        code = one.value
        failure = TWICE if code in seen else outcome.failed.get(code)
        seen.add(code)
        if failure is not None:
            yield {"code": code, "id": None, "result": failure[0], "error": failure[1]}
        elif code not in outcome.pending:
            yield {"code": code, "id": outcome.ids.get(code), "result": "added", "error": None}
        else:
            pending: CodeFate = {"code": code, "id": None, "result": "pending", "error": None}
            if outcome.async_action_id is not None:
                pending["async_action_id"] = outcome.async_action_id
            yield pending
