"""Creating a pool: once, also where the answer of an earlier try was lost."""

from collections.abc import Mapping, Sequence
from typing import Any

from voucher_mcp.backends.mews.client.account import Account
from voucher_mcp.backends.mews.client.client import Fields
from voucher_mcp.backends.mews.client.settling import settled
from voucher_mcp.backends.mews.mapping.failures import looked_up
from voucher_mcp.backends.mews.mapping.objects import Pool, objects, pool_shown
from voucher_mcp.backends.mews.pools import adding
from voucher_mcp.backends.mews.pools.adding import Chosen
from voucher_mcp.backends.mews.pools.templates import enterprise_of
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import Conflict, OutcomeUnknown, VoucherError, quoted
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.vouchers.pool import BadCode, Generation, NewCode, VoucherPool
from voucher_mcp.domain.write import Write

SETTLED_BY = "list_voucher_pools, or get_voucher_pool with its name,"


def imagined(fields: Fields) -> Pool:
    """The pool that would be created; its id nobody knows yet."""
    return Pool({"Id": "", **fields}, _rates(fields))


async def create(account: Account, write: Write, fields: Fields) -> Pool:
    """The new voucher; where the answer does not show it, it is looked for."""
    try:
        added = await account.client.write(
            write,
            "vouchers/add",
            {"VoucherParameters": [fields]},
            enterprise=await enterprise_of(account, fields["ServiceId"]),
            settled_by=SETTLED_BY,
        )
        if made := objects(added.get("Vouchers")):
            return Pool({**fields, **made[0]}, _rates(fields))
        lost: VoucherError = OutcomeUnknown(
            f"Mews took the new pool but did not show it. {SETTLED_BY} shows it."
        )
    except OutcomeUnknown as error:
        lost = error
    if write.reference and (found := await looked_up(lost, made_by(account, write.reference))):
        return found
    raise lost


async def made_before(account: Account, write: Write) -> Pool | None:
    """The voucher that an earlier try made.

    Raises:
        OutcomeUnknown: Mews may still be making it.
    """
    return await settled(lambda: made_by(account, write.reference), lambda found: found is not None)


async def made_by(account: Account, reference: str) -> Pool | None:
    """The voucher that a write made, deleted since or not: it carries our name for the write."""
    found = await account.pools_with_rates({"ExternalIdentifiers": [reference]})
    return next((pool for pool in found if pool.external_identifier == reference), None)


async def choose_missing(
    account: Account, write: Write, pool: Pool, codes: Sequence[NewCode | BadCode] | Generation
) -> Chosen:
    """What the new pool still lacks. Generated codes can be told only by their number."""
    if not pool.is_active:
        raise Conflict(
            f"An earlier try created the pool {quoted(pool.name)} with the id {pool.id}, and it was "
            "deleted since. This call wrote nothing; use a new idempotency_key to create another."
        )
    if not isinstance(codes, Generation):
        return await adding.choose_missing(account, write, pool, codes)
    count, whole = await settled(
        lambda: account.count_codes(pool.id), lambda found: found == (codes.count, True)
    )
    if count == 0 and whole:
        return await adding.choose(account, codes)
    if count == codes.count and whole:
        return adding.all_there(await account.walk_codes([pool.id]).all())
    raise OutcomeUnknown(
        f"An earlier try created the pool {quoted(pool.name)} with the id {pool.id} and lost its answer. "
        f"It holds {count:,} of {counted(codes.count, 'code')} now. This call wrote nothing. Look at it with "
        "get_voucher_pool, and generate what is missing with add_voucher_codes."
    )


def answer(
    pool: Pool, company_id: str, codes: object, added: Answer[Any], *, dry_run: bool = False
) -> Answer[VoucherPool]:
    """The new pool, with what became of its first codes where there were any: nobody else has added some."""
    counts: Mapping[str, Any] = added.beside if codes else {}
    shown: Any = {**pool_shown(pool, company_id, added.beside["added"]), **counts}
    shown["id"] = pool.id or None  # of one that would be created nobody knows it
    return Answer(shown, {"dry_run": True} if dry_run else {})


def _rates(fields: Fields) -> list[Mapping[str, str | None]]:
    return [{"id": rate, "name": None} for rate in fields.get("AssignedRateIds", ())]
