"""Pages of a pool's codes out of the newest-first cursor."""

from collections.abc import Iterator, Sequence

from voucher_mcp.backends.mews.account import Account, is_id
from voucher_mcp.backends.mews.objects import (
    STATUSES,
    Object,
    Pool,
    code_shown,
    moment,
    status_of,
    value_of,
)
from voucher_mcp.backends.mews.walk import WALK_REQUESTS
from voucher_mcp.backends.mews.windows import pieces, utc
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.pool import CodesQuery, VoucherCode
from voucher_mcp.domain.times import now


async def page(account: Account, pool: Pool, query: CodesQuery) -> Answer[list[VoucherCode]]:
    """A page of codes, the newest first, with `matched`, `matched_limited`, `skip` and `limit` beside it.

    Deleted codes are among them unless `status` says otherwise: Mews shows them, and who follows changes
    with a window wants to see them.

    Raises:
        InvalidInput: an unknown status, or `skip` beyond what one walk reaches.
    """
    moment_now = now()
    status = _status(query.status)
    codes, whole = await _codes(account, pool, query, moment_now)
    matching = [code for code in codes if status is None or status_of(code, moment_now) == status]
    if query.skip and query.skip >= len(matching) and not whole:
        raise InvalidInput(
            f"`skip` reaches at most {len(matching):,} codes into this list, where one call's walk over the "
            "pool ended. Narrow updated_after and updated_before instead.",
            field="skip",
        )
    shown: list[VoucherCode] = [
        code_shown(code, moment_now) for code in matching[query.skip : query.skip + query.count]
    ]
    beside = {"matched": len(matching), "matched_limited": not whole}
    return Answer(shown, {**beside, "skip": query.skip, "limit": query.count})


async def _codes(
    account: Account, pool: Pool, query: CodesQuery, moment_now: int
) -> tuple[list[Object], bool]:
    """The codes that the query is about but for its status, and whether these are all."""
    after, before = query.updated_after, query.updated_before
    if query.code_ids is not None:
        named, whole = await named_codes(account, pool, query.code_ids)
        return list(_updated(named, after, before)), whole
    if after is not None:
        # a code that was changed just now may be stamped by a clock that runs ahead of ours: a day is enough
        end = before if before is not None else moment_now + 86_400_000
        if after >= end:
            return [], True
        windows = pieces(after, end, WALK_REQUESTS)
        if windows is not None:
            parts = [{"UpdatedUtc": {"StartUtc": utc(start), "EndUtc": utc(end)}} for start, end in windows]
            walk = account.walk_codes([pool.id], *parts)
            return await walk.all(), walk.whole
    walk = account.walk_codes([pool.id])
    codes = await walk.all()
    return list(_updated(codes, after, before)), walk.whole


async def named_codes(account: Account, pool: Pool, references: Sequence[str]) -> tuple[list[Object], bool]:
    """The codes of the pool with these ids or texts, deleted ones too, the newest first.

    Ids are asked for; texts have to be looked for in a walk, which may end before all were seen.
    """
    ids = [reference for reference in references if is_id(reference)]
    found = await account.walk_codes([pool.id], {"VoucherCodeIds": ids}).all() if ids else []
    names = set(references)
    texts = names - {code["Id"] for code in found}
    if not texts:
        return found, True
    walk = account.walk_codes([pool.id])
    reached = [code for code in await walk.all() if code["Id"] in names or value_of(code) in texts]
    seen = {code["Id"] for code in reached}
    return reached + [code for code in found if code["Id"] not in seen], walk.whole


def _updated(codes: Sequence[Object], after: int | None, before: int | None) -> Iterator[Object]:
    """Those last changed in the half-open window; without one, all of them."""
    for code in codes:
        at = moment(code, "UpdatedUtc")
        if (after is None and before is None) or (
            at is not None and (after is None or after <= at) and (before is None or at < before)
        ):
            yield code


def _status(name: str | None) -> str | None:
    if name is not None and name not in STATUSES:
        raise InvalidInput(
            f"On Mews `status` must be one of {', '.join(STATUSES)}: it does not say whether a code was "
            "assigned or redeemed.",
            field="status",
        )
    return name
