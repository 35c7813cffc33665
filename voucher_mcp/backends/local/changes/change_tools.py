"""Changes on the embedded engine: what they were about, and taking them back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal

from voucher_mcp.backends.base import Object
from voucher_mcp.backends.local.changes import removing, setting_back, traces
from voucher_mcp.backends.local.changes.undone import Undoing, Undone
from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.records import pools, vouchers
from voucher_mcp.backends.local.records.ids import POOL, voucher_id, voucher_row
from voucher_mcp.backends.local.redemptions import rollbacks
from voucher_mcp.backends.local.rehearsed import without_new
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import Change, Kind, kind_of, never
from voucher_mcp.domain.errors import Conflict, NotFound
from voucher_mcp.domain.values.times import DAY, now
from voucher_mcp.domain.write import Write
from voucher_mcp.journal import changes
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.housekeeping import JOBS_KEPT
from voucher_mcp.stores.projects import Project

IDS_SHOWN, KEPT_SHOWN = 20, 100
NOTHING_MORE: Final = {"kind": "final"}

_WAYS: Final[Mapping[Kind, Callable[[Undoing], Awaitable[Undone]]]] = {
    "fields": setting_back.fields,
    "entries": setting_back.entries,
    "given": setting_back.given,
    "released": setting_back.released,
    "redeemed": setting_back.redeemed,
    "made": removing.made,
    "made_pool": removing.made_pool,
    "removed": removing.removed,
    "removed_pool": removing.removed_pool,
    "restored": removing.restored,
    "restored_pool": removing.restored_pool,
}
"""How what each kind of change did is taken back."""

_BY_TRACE: Final = frozenset({"fields", "removed", "removed_pool"})
"""What only a trace tells how to take back."""


class ChangeTools(Engine):
    """Writes that were made."""

    async def undo_change(self, write: Write, change: Change) -> Answer[Object]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            await transaction.one("calls_turn", project.n)  # of two undos at once one is the first
            await _refuse_done(transaction, project, change)
            trace = await traces.trace_of(transaction, project, change)
            undoing = Undoing(transaction, project, change, trace, write.key, transaction.now())
            undone = await _WAYS[trace["kind"]](undoing)
            shown: Object = {
                "change_id": change.id,
                "tool": change.tool,
                "kind": undone.kind,
                "ids": list(undone.ids[:IDS_SHOWN]),
                "undone": undone.count,
                "kept": list(undone.kept[:KEPT_SHOWN]),
                "kept_count": len(undone.kept),
            }
            if write.dry_run and undone.kind == "redemption":  # they would have other ids
                shown = without_new(shown, set(undone.ids))
            return Answer(
                shown,
                about=undone.about,
                touched=undone.ids,
                before=undone.before,
                after=undone.after,
                pool=undone.pool,
                undo=undone.trace or NOTHING_MORE,
            )

        return await self.write(write, effect)

    def why_no_undo(self, change: Change) -> str | None:
        if (reason := never(change)) is not None:
            return reason
        kind = kind_of(change)
        if kind in _BY_TRACE and not change.undo:
            if change.tool.startswith("delete_"):
                return "It was deleted with force, for good."
            return "What was before is not in the journal."
        if kind == "redeemed" and now() - change.at > rollbacks.ROLLBACK_DAYS * DAY:
            return f"Redemptions are rolled back for {rollbacks.ROLLBACK_DAYS} days."
        if kind == "job" and now() - change.at > JOBS_KEPT + DAY:
            return "What this job did is not kept any more: that is for 30 days."
        if kind in ("made", "given", "entries") and not (change.ids or change.undo):
            return "It changed nothing."
        return None

    async def id_of(self, kind: Literal["voucher", "pool"], reference: str) -> str:
        async def work(transaction: Transaction, project: Project | None) -> str:
            try:
                if kind == "pool":
                    return (await pools.find_ever(transaction, project, reference)).id
                voucher = await vouchers.find_ever(transaction, project, reference)
            except NotFound:
                return reference
            assert project is not None  # it has a voucher
            return voucher_id(project, voucher.n)

        return await self.read(work)

    async def names_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        async def work(transaction: Transaction, project: Project | None) -> Mapping[str, str]:
            if project is None:
                return {}
            rows = {one: row for one in ids if (row := voucher_row(project, one)) is not None}
            found = await vouchers.in_rows(transaction, project, list(rows.values())) if rows else {}
            names = {one: found[row].code for one, row in rows.items() if row in found}
            for one in {one for one in ids if one.startswith(POOL)}:
                names[one] = (await pools.find_ever(transaction, project, one)).name
            return names

        return await self.read(work)


async def _refuse_done(transaction: Transaction, project: Project, change: Change) -> None:
    """Raises Conflict where the change was taken back already."""
    undone = await changes.undone(transaction, project, [change.n])
    if change.n in undone:
        by = await changes.find(transaction, project, changes.change_id(project, undone[change.n]))
        raise Conflict(f"{change.id} is taken back already: {by.said}. To have it again, undo that.")
