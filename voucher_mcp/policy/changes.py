"""What was written in a project, for whoever may read it: the journal's lines, and what can be taken back."""

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import Backends
from voucher_mcp.config import LocalProject, Project, Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import PENDING, SUCCESS, Change, ChangesQuery, MovedOn, removes
from voucher_mcp.domain.errors import Conflict, OutcomeUnknown, Unavailable
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.write import Write
from voucher_mcp.journal import changes
from voucher_mcp.journal.owner import Owner
from voucher_mcp.journal.vendor import Effect
from voucher_mcp.policy.worth import of_undo
from voucher_mcp.policy.writes import Wish
from voucher_mcp.stores import projects
from voucher_mcp.stores.base import Store, Transaction
from voucher_mcp.stores.opening import schema_of

POSSIBLE, DONE = "possible", "done"


@dataclass(frozen=True, slots=True)
class Seen:
    """A change, and the line that took it back, if one did."""

    change: Change
    undone_by: int | None


@dataclass(frozen=True, slots=True)
class ProjectChanges:
    """The changes of one project."""

    settings: Settings
    backends: Backends
    project: Project
    backend: Backend

    async def page(self, query: ChangesQuery) -> Answer[list[dict[str, Any]]]:
        """A page of them, newest first, with `has_more` and `more_starting_after` beside it."""
        if (store := await self._store()) is None:
            return Answer([], {"has_more": False})
        voucher = query.voucher and await self.backend.id_of("voucher", query.voucher)
        pool = query.pool and await self.backend.id_of("pool", query.pool)

        async def work(transaction: Transaction) -> tuple[list[Seen], str | None]:
            project = await projects.find(transaction, self.project.id)
            if project is None:
                return [], None
            own = None if voucher is None else changes.own_row(project, voucher)
            wanted = changes.Wanted(query.since, query.tool, voucher, own, pool)
            found = await changes.page(transaction, project, wanted, query.limit, query.starting_after_id)
            undone = await changes.undone(transaction, project, (one.n for one in found.changes))
            return [Seen(one, undone.get(one.n)) for one in found.changes], found.more_after

        seen, more = await store.read(work)
        shown = await self._shown(store, seen)
        return Answer(
            shown, {"has_more": more is not None, **({"more_starting_after": more} if more else {})}
        )

    async def get(self, change_id: str) -> dict[str, Any]:
        """One change as a page shows it.

        Raises:
            NotFound: there is none of that id.
        """
        store, seen = await self._find(change_id)
        (shown,) = await self._shown(store, [seen])
        return shown

    async def find(self, change_id: str) -> Change:
        """The change of that id.

        Raises:
            NotFound: there is none.
        """
        store, seen = await self._find(change_id)
        return changes.settled(seen.change, await _dead(store, [seen.change]))

    async def _find(self, change_id: str) -> tuple[Store, Seen]:
        store = await self._store()

        async def work(transaction: Transaction) -> Seen:
            project = await projects.find(transaction, self.project.id)
            found = await changes.find(transaction, project, change_id)
            assert project is not None  # it has a line
            undone = await changes.undone(transaction, project, [found.n])
            return Seen(found, undone.get(found.n))

        if store is None:
            raise changes.not_found(change_id)
        return store, await store.read(work)

    async def _last_after(self, change: Change, moved: MovedOn) -> Change | None:
        """The last write after the change on what has moved on."""
        store = await self._store()

        async def work(transaction: Transaction) -> Change | None:
            project = await projects.find(transaction, self.project.id)
            return project and await changes.last_on(transaction, project, change, moved.voucher, moved.pool)

        return None if store is None else await store.read(work)

    async def _store(self) -> Store | None:
        """Where the journal is; None where nothing was ever written, so that looking makes no database."""
        place, of_vendor = self.settings.journal, not isinstance(self.project, LocalProject)
        if of_vendor and (place.is_missing or not await schema_of(place)):
            return None
        return await self.backends.journal_of(self.project.id)

    async def _shown(self, store: Store, seen: Sequence[Seen]) -> list[dict[str, Any]]:
        dead = await _dead(store, (one.change for one in seen))
        names = await self.backend.names_of([one.change.ids[0] for one in seen if one.change.ids])
        return [self._show(one, dead, names) for one in seen]

    def _show(self, seen: Seen, dead: Container[str | None], names: Mapping[str, str]) -> dict[str, Any]:
        change = changes.settled(seen.change, dead)
        return {
            "id": change.id,
            "time": to_iso(change.at),
            "caller": change.caller,
            "client": change.client,
            "tool": change.tool,
            "outcome": change.outcome,
            "subject": _subject(change, names),
            "before": change.before,
            "after": change.after,
            "amount": _amount(change),
            "undo": self.undo_of(change, seen.undone_by),
        }

    async def every(self, since: int, caller: str | None) -> list[dict[str, Any]]:
        """All of them from that moment on that this caller made, newest first; milliseconds UTC."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = await self.page(ChangesQuery(since, limit=100, starting_after_id=after))
            found += [one for one in page.data if caller in (None, one["caller"])]
            if (after := page.beside.get("more_starting_after")) is None:
                return found

    def wish(
        self,
        change: Change,
        arguments: Mapping[str, Any],
        caller: str,
        key: str | None,
        *,
        dry_run: bool = False,
        client: str | None = None,
    ) -> Wish:
        """What is asked of `Writes.run` in order to take the change back."""
        asks = removes(change) and self.project.destructive in ("confirm", "approve")
        measure = partial(of_undo, change)
        return Wish("undo_change", arguments, caller, key, dry_run, measure, asks, client, change.n)

    def taking_back(self, change: Change) -> Effect:
        """Takes the change back, as the effect of a write.

        It raises Conflict where that cannot be, or what it changed is not as it left it.
        """

        async def effect(write: Write) -> Answer[Any]:
            if (why := why_not(change) or self.backend.why_no_undo(change)) is not None:
                raise Conflict(f"This cannot be taken back: {why[0].lower()}{why[1:]}", field="change_id")
            try:
                return await self.backend.undo_change(write, change)
            except MovedOn as moved:
                last = await self._last_after(change, moved)
                by = "; no line of the journal says by whom" if last is None else f": {last.said}"
                message = f"{change.tool} cannot be taken back, as {moved.what}{by}."
                raise Conflict(message, field="change_id") from None

        return effect

    def undo_of(self, change: Change, undone_by: int | None) -> str:
        """`possible`, `done`, or why the change cannot be taken back, as far as that is known beforehand."""
        if undone_by is not None:
            return DONE
        return why_not(change) or self.backend.why_no_undo(change) or POSSIBLE


def why_not(change: Change) -> str | None:
    """Why a change cannot be taken back, whatever system it is of; None where that depends on the system."""
    if change.outcome == SUCCESS:
        return None
    if change.outcome == PENDING:
        return "It is not over yet."
    if change.outcome == OutcomeUnknown.code:
        return "Whether it was applied is not known; its call with the same idempotency_key finds out."
    if change.outcome.endswith("(partly)"):
        return "Only a part of it was applied, and the journal does not say which."
    return "It changed nothing."


async def _dead(store: Store, seen: Iterable[Change]) -> set[str | None]:
    """Who of those at pending writes is not at them any more."""
    dead: set[str | None] = set()
    owner = Owner(store)
    for name in {one.owner for one in seen if one.outcome == PENDING and one.owner is not None}:
        with suppress(Unavailable):  # where no lock can be taken, nothing tells whether it goes on
            if await owner.is_gone(name):
                dead.add(name)
    return dead


def _subject(change: Change, names: Mapping[str, str]) -> dict[str, Any] | None:
    """What it was about: the first of what it touched, by its code or name where the system tells it."""
    if change.kind is None or not change.ids:
        return {"pool": change.pool, "count": 0} if change.pool else None
    first = change.ids[0]
    named = {change.kind: names.get(first, first)}
    of_pool = {"pool": change.pool} if change.pool and change.kind != "pool" else {}
    return {**named, "id": first, **of_pool, "count": change.count}


def _amount(change: Change) -> int | None:
    """Minor units or points: what was minted, or what a balance changed by."""
    match change.before, change.after:
        case {"balance": int(was)}, {"balance": int(now)}:
            return now - was
    return change.points if change.amount is None else change.amount
