"""Deleting codes of one pool: all of them or none, as far as one can see before."""

from collections.abc import Mapping, Sequence
from itertools import islice

from voucher_mcp.backends.http.reply import unknown_outcome
from voucher_mcp.backends.mews.client.account import Account
from voucher_mcp.backends.mews.client.batches import in_batches
from voucher_mcp.backends.mews.mapping.ids import lowered
from voucher_mcp.backends.mews.mapping.objects import Object, Pool, is_active, key_of, moment
from voucher_mcp.backends.mews.mapping.windows import CLOCK_ERROR
from voucher_mcp.backends.mews.pools.code_pages import named_codes
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.texts import composed, counted
from voucher_mcp.domain.write import Write

SETTLED_BY = "list_voucher_codes of the pool with these code_ids"


async def find(account: Account, write: Write, pool: Pool, references: Sequence[str]) -> list[Object]:
    """The codes that ids or texts name, each once; a text means the newest active code that has it.

    After a try whose answer was lost the codes that went since it began are its work, and a text means the
    same code as it did then.

    Raises:
        InvalidInput: one is not of the pool, or was not among the codes that a walk reaches.
        OutcomeUnknown: the same after such a try, as Mews would show what that one deleted.
    """

    def was_there(code: Object) -> bool:
        return is_active(code) or (write.recovering and _is_gone_since(code, write.begun))

    codes, whole = await named_codes(account, pool, references, was_there)
    by_name: dict[str, Object] = {}
    for name in (key_of, _id):
        for code in codes:
            by_name.setdefault(name(code), code)
    meant = {
        reference: by_name.get(composed(reference)) or by_name.get(lowered(reference))
        for reference in references
    }
    missing = [reference for reference, code in meant.items() if code is None]
    if missing and write.recovering:
        start = "An earlier try lost its answer, and not all of its codes are among those that Mews shows now"
        raise unknown_outcome(start, SETTLED_BY)
    if missing:
        named = ", ".join(quoted(reference) for reference in islice(missing, 5))
        why = "" if whole else ", or not among its newest codes, which are all that one call looks through"
        hint = "" if whole else " Give ids instead of codes."
        raise InvalidInput(
            f"Not in the pool {quoted(pool.name)}{why}: {named}{' and others' if len(missing) > 5 else ''} "
            f"({len(missing)} of {counted(len(references), 'code')}). list_voucher_codes shows those that "
            f"are.{hint}",
            field="code_ids",
        )
    return list({_id(code): code for code in meant.values() if code is not None}.values())


async def delete(account: Account, write: Write, pool: Pool, codes: Sequence[Object]) -> None:
    """Delete those that are active.

    Raises:
        VoucherError: `applied` says whether a part was deleted.
    """

    async def look(batch: Sequence[str]) -> Mapping[str, None]:
        walk = account.walk_named(pool.id, batch)
        # Mews shows what was deleted: a code that it does not show may still be there
        gone = {_id(code) for code in await walk.all() if not is_active(code)}
        return dict.fromkeys(code_id for code_id in batch if code_id in gone)

    async def send(batch: Sequence[str]) -> Mapping[str, None]:
        await account.client.write(
            write,
            "voucherCodes/delete",
            {"VoucherCodeIds": list(batch)},
            enterprise=pool.enterprise_id,
            settled_by=SETTLED_BY,
        )
        return dict.fromkeys(batch)

    active = [_id(code) for code in codes if is_active(code)]
    await in_batches(active, send, look, "deleted", recovering=write.recovering)


def _is_gone_since(code: Object, begun: int) -> bool:
    """Whether it was deleted since that moment, as far as its time of change can be read."""
    at = moment(code, "UpdatedUtc")
    return not is_active(code) and (at is None or at >= begun - CLOCK_ERROR)


def _id(code: Object) -> str:
    return str(code["Id"])
