"""Pages of a pool's codes out of the newest-first cursor."""

from collections.abc import Callable, Sequence

from voucher_mcp.backends.mews.client.account import Account
from voucher_mcp.backends.mews.client.walking import WALK_REQUESTS
from voucher_mcp.backends.mews.mapping.ids import is_id, lowered
from voucher_mcp.backends.mews.mapping.objects import (
    STATUSES,
    Object,
    Pool,
    code_shown,
    key_of,
    moment,
    status_of,
)
from voucher_mcp.backends.mews.mapping.windows import CLOCK_ERROR, pieces
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.texts import composed, counted
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.pool import CodesQuery, VoucherCode

Fits = Callable[[Object], bool]
"""Whether a code is one of those that are asked for."""


async def page(account: Account, pool: Pool, query: CodesQuery) -> Answer[list[VoucherCode]]:
    """A page of codes, the newest first, with `matched`, `matched_limited`, `skip` and `limit` beside it.

    It reads as far as the page needs: where more may follow, `matched` is what was seen, and
    `matched_limited` says so. Deleted codes are among them unless `status` says otherwise: Mews shows them,
    and who follows changes with a window wants to see them.

    Raises:
        InvalidInput: an unknown status, or `skip` beyond what one walk reaches.
    """
    moment_now = now()
    status = _status(query.status)

    def fits(code: Object) -> bool:
        return status is None or status_of(code, moment_now) == status

    matching, whole = await _codes(account, pool, query, fits, moment_now)
    if query.skip and query.skip >= len(matching) and not whole:
        raise InvalidInput(
            f"`skip` reaches at most {counted(len(matching), 'code')} into this list, where one call's walk "
            "over the pool ended. Narrow updated_after and updated_before instead.",
            field="skip",
        )
    shown: list[VoucherCode] = [
        code_shown(code, moment_now) for code in matching[query.skip : query.skip + query.count]
    ]
    beside = {"matched": len(matching), "matched_limited": not whole}
    return Answer(shown, {**beside, "skip": query.skip, "limit": query.count})


async def named_codes(
    account: Account, pool: Pool, references: Sequence[str], fits: Fits, most: int | None = None
) -> tuple[list[Object], bool]:
    """The codes of the pool with these ids or texts that fit, the newest first, and whether these are all.

    Ids are asked for; texts are looked for in a walk, until each was found once or `most` were found, or to
    the walk's bound.
    """
    ids = [lowered(reference) for reference in references if is_id(reference)]
    by_id = await _by_id(account, pool, ids)
    texts = {composed(reference) for reference in references if lowered(reference) not in by_id}
    reached: dict[str, Object] = {}
    walk, sought = account.walk_codes([pool.id]), set(texts)
    while sought and not _is_enough(reached, most) and (codes := await walk.page()) is not None:
        named = [code for code in codes if code["Id"] in by_id or key_of(code) in texts]
        reached.update((code["Id"], code) for code in named if fits(code))
        sought.difference_update(map(key_of, reached.values()))
    deeper = [code for code_id, code in by_id.items() if code_id not in reached and fits(code)]
    return [*reached.values(), *deeper], not texts or walk.whole


def _is_enough(found: Sequence[Object] | dict[str, Object], most: int | None) -> bool:
    return most is not None and len(found) >= most


async def _by_id(account: Account, pool: Pool, ids: Sequence[str]) -> dict[str, Object]:
    if not ids:
        return {}
    return {code["Id"]: code for code in await account.walk_named(pool.id, ids).all()}


async def _codes(
    account: Account, pool: Pool, query: CodesQuery, fits: Fits, moment_now: int
) -> tuple[list[Object], bool]:
    """The codes of the query up to the end of its page, and whether these are all."""

    def fits_window(code: Object) -> bool:
        return fits(code) and _was_changed_within(code, query)

    most = query.skip + query.count
    if query.code_ids is not None:
        return await named_codes(account, pool, query.code_ids, fits_window, most)
    windows = _windows(query, moment_now)
    walk = account.walk_codes([pool.id]) if windows is None else account.walk_changed(pool.id, windows)
    suits = fits_window if windows is None else fits  # Mews itself knows fractions of seconds
    matching: list[Object] = []
    while not _is_enough(matching, most) and (codes := await walk.page()) is not None:
        matching += filter(suits, codes)
    return matching, walk.whole


def _windows(query: CodesQuery, moment_now: int) -> Sequence[tuple[int, int]] | None:
    """The pieces in which Mews is asked for the query's window, the newest first; None: it is not asked."""
    if query.updated_after is None:
        return None
    # a code that was changed just now may be stamped by a clock that runs ahead of ours: a day is enough
    end = query.updated_before if query.updated_before is not None else moment_now + 86_400_000
    if query.updated_after >= end:
        return ()
    windows = pieces(query.updated_after, end, WALK_REQUESTS - 1)
    if windows is None or len(windows) == 1 or end <= moment_now:
        return windows
    # what is changed meanwhile moves into a piece that was read before, which is looked at again
    return [*windows, (max(query.updated_after, moment_now - CLOCK_ERROR), end)]


def _was_changed_within(code: Object, query: CodesQuery) -> bool:
    """Whether it was last changed in the half-open window; without one, always."""
    after, before = query.updated_after, query.updated_before
    if after is None and before is None:
        return True
    at = moment(code, "UpdatedUtc")
    return at is not None and (after is None or after <= at) and (before is None or at < before)


def _status(name: str | None) -> str | None:
    if name is not None and name not in STATUSES:
        raise InvalidInput(
            f"On Mews `status` must be one of {', '.join(STATUSES)}: it does not say whether a code was "
            "assigned or redeemed.",
            field="status",
        )
    return name
