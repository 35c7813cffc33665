"""Adding codes to a pool: given ones, each with its own fate, and random ones, all of them or none."""

from collections.abc import Sequence

from voucher_mcp.backends.local.records import codes, taken
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.backends.local.records.pools import Pool
from voucher_mcp.backends.local.records.references import IS_AN_ID, is_an_id
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.vouchers.pool import BadCode, CodeFate, Generation, NewCode, Taken
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

_SPARE_TRIES = 2_000
"""Random codes that may turn out taken before their form counts as used up; 20 more for each one asked."""


async def add(
    transaction: Transaction, project: Project, pool: Pool, wanted: Sequence[NewCode | BadCode], moment: int
) -> list[CodeFate]:
    """Add codes and answer the fate of each, in their order; what cannot be added leaves the others alone."""
    good: dict[str, NewCode] = {}
    twice: set[str] = set()
    for code in wanted:
        if isinstance(code, NewCode) and good.setdefault(code.value, code) is not code:
            twice.add(code.value)
    added = await codes.insert(transaction, project, pool, list(good.values()), moment)
    refused = [code for code in good if code not in added]
    reasons = await taken.reasons(transaction, project, refused, pool.n)
    reasons |= dict.fromkeys(twice & added.keys(), Taken.IN_CALL)
    fates: list[CodeFate] = []
    for code in wanted:
        if isinstance(code, BadCode):
            fates.append({"code": code.value, "id": None, "result": "invalid", "error": code.reason})
        elif (n := added.pop(code.value, None)) is not None:  # taken out: a second one is a duplicate
            fates.append(added_fate(project, code.value, n))
        elif is_an_id(project, code.value):
            fates.append({"code": code.value, "id": None, "result": "invalid", "error": IS_AN_ID})
        else:
            fates.append(
                {"code": code.value, "id": None, "result": "duplicate", "error": reasons[code.value]}
            )
    return fates


def added_fate(project: Project, code: str, n: int) -> CodeFate:
    """The fate of a code that went into row `n`."""
    return {"code": code, "id": voucher_id(project, n), "result": "added", "error": None}


async def generate(
    transaction: Transaction, project: Project, pool: Pool, generation: Generation, moment: int
) -> dict[str, int]:
    """Add exactly so many random codes that are new in the project; answer their rows by code.

    Raises:
        InvalidInput: the form has too few codes left for the number asked.
    """
    added: dict[str, int] = {}
    spare = _SPARE_TRIES + 20 * generation.count
    while spare >= 0:
        missing = generation.count - len(added)
        fresh_codes = [NewCode(code) for code in generation.config.generate(missing)]
        fresh = await codes.insert(transaction, project, pool, fresh_codes, moment)
        added |= fresh
        spare -= missing - len(fresh)
        if len(added) == generation.count:
            return added
    raise InvalidInput(
        f"Nearly all codes of this form are taken: only {len(added):,} of {generation.count:,} could be "
        "made, and none was kept. Ask for a longer length or another pattern, prefix or postfix.",
        field="generate",
    )
