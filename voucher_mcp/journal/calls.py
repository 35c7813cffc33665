"""How many calls a project had in the last minute, which slides, with those of all processes."""

from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Store, Transaction
from voucher_mcp.stores.projects import Project

MINUTE = 60_000
"""In milliseconds."""


async def of_last_minute(transaction: Transaction, project: Project, moment: int) -> int:
    """How many there were until `moment`, milliseconds UTC."""
    (calls,) = await transaction.one("calls_since", project.n, moment - MINUTE) or (0,)
    return int(calls)


async def count(store: Store, project_id: str, most: int) -> tuple[int, float] | None:
    """Count a call, unless the last minute had so many already: then how many, and the seconds to wait.

    Raises:
        Unavailable, OutcomeUnknown: it cannot be counted.
    """

    async def work(transaction: Transaction) -> tuple[int, float] | None:
        project, moment = await projects.find_or_make(transaction, project_id), transaction.now()
        await transaction.one("calls_turn", project.n)
        # a call of later than now was counted by a clock that has been set back since
        await transaction.later("calls_forget", project.n, moment - MINUTE, moment)
        calls, oldest = await transaction.one("calls_count", project.n) or (0, None)
        if calls >= most:
            wait = MINUTE if oldest is None else oldest + MINUTE - moment
            return calls, max(0, wait) / 1_000
        await transaction.later("call_insert", project.n, moment)
        return None

    return await store.write(work)
