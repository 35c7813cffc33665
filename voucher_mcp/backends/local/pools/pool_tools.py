"""The pool tools on the embedded engine."""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.pools import adding, assigning, code_pages, deleting, health, holdings
from voucher_mcp.backends.local.pools.bulk import Batches
from voucher_mcp.backends.local.records import pools
from voucher_mcp.backends.local.records.ids import voucher_id
from voucher_mcp.domain.answer import MOST_TOUCHED, Answer
from voucher_mcp.domain.change import runs_of
from voucher_mcp.domain.changed import changed
from voucher_mcp.domain.health.pool_health import PoolHealth
from voucher_mcp.domain.values.texts import matching
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.vouchers.pool import (
    AssignedCode,
    BadCode,
    CodeFate,
    CodesQuery,
    Deletion,
    ExportedCode,
    Generation,
    ImportedBatch,
    NewCode,
    VoucherCode,
    VoucherPool,
    VoucherPoolSummary,
)
from voucher_mcp.domain.write import Write
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

GENERATED_SHOWN = 100
"""How many generated codes an answer lists; list_voucher_codes shows them all."""

NAMES = 5_000
"""Of pools, the newest, that are looked through for what completes one (ours)."""


class PoolTools(Engine):
    """Pools and the codes in them."""

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[VoucherPoolSummary]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[VoucherPoolSummary]]:
            rows = await transaction.all("pools_page", project.n, skip, limit + 1) if project else []
            shown = [pools.summary(pools.Pool.of(row)) for row in rows[:limit]]
            return Answer(shown, {"has_more": len(rows) > limit})

        return await self.read(work)

    async def get_voucher_pool(self, pool_id: str) -> Answer[VoucherPool]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[VoucherPool]:
            pool = await pools.find(transaction, project, pool_id)
            return Answer(pools.public(pool, self.project_id))

        return await self.read(work)

    async def get_pool_health(self, pool_id: str | None, days: int, limit: int) -> Answer[list[PoolHealth]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[PoolHealth]]:
            if pool_id is not None:
                found = [await pools.find(transaction, project, pool_id)]
            else:
                rows = await transaction.all("pools_page", project.n, 0, limit + 1) if project else []
                found = [pools.Pool.of(row) for row in rows]
            moment = transaction.now()
            shown = await health.healths(transaction, found[:limit], days, moment, self.zone)
            return Answer(shown, {"has_more": len(found) > limit})

        return await self.read(work, quick=False)

    async def suggest_pools(self, text: str) -> Answer[list[str]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[str]]:
            rows = await transaction.all("pool_names", project.n, NAMES + 1) if project else []
            return Answer(matching((name for (name,) in rows[:NAMES]), text), {"has_more": len(rows) > NAMES})

        return await self.read(work)

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[VoucherCode]]:
            pool = await pools.find(transaction, project, pool_id)
            assert project is not None  # it has a pool
            return await code_pages.page(transaction, project, pool, query)

        in_window = query.updated_after is not None or query.updated_before is not None
        return await self.read(work, quick=not in_window)

    async def create_voucher_pool(
        self,
        write: Write,
        name: str,
        voucher: Mapping[str, Any] | None,
        codes: Sequence[NewCode | BadCode] | Generation,
    ) -> Answer[VoucherPool]:
        async def effect(transaction: Transaction, project: Project) -> Answer[VoucherPool]:
            moment = transaction.now()
            pool = await pools.create(transaction, project, name, voucher, moment)
            counts: Mapping[str, Any] = {}
            if codes:
                counts = (await self._add(transaction, project, pool, codes, moment)).beside
                pool = await pools.find(transaction, project, pool.id)
            shown: Any = {**pools.public(pool, self.project_id), **counts}
            if write.dry_run:
                shown["id"] = None
            return Answer(shown)

        return await self.write(write, effect)

    async def update_voucher_pool(
        self,
        write: Write,
        pool_id: str,
        *,
        name: str | None = None,
        active: bool | None = None,
        start_date: int | None = None,
        expiration_date: int | None = None,
        clear: Collection[str] = (),
    ) -> Answer[VoucherPool]:
        async def effect(transaction: Transaction, project: Project) -> Answer[VoucherPool]:
            found = await pools.find(transaction, project, pool_id)
            pool = await pools.update(
                transaction,
                project,
                found,
                transaction.now(),
                name=name,
                active=active,
                start_date=start_date,
                expiration_date=expiration_date,
                clear=clear,
            )
            dates = {"start_date": start_date, "expiration_date": expiration_date}
            moved = {*clear, *(field for field, date in dates.items() if date is not None)}
            reached = await pools.count_reached(transaction, pool, moved)
            shown: Any = {**pools.public(pool, self.project_id), **reached}
            before, after = changed(*(_named(one) for one in (found, pool)))
            undo = {"pool": [pool.id, *(_own(one, before) for one in (found, pool))]}
            return Answer(shown, before=before, after=after, undo=undo)

        return await self.write(write, effect)

    async def add_voucher_codes(
        self, write: Write, pool_id: str, codes: Sequence[NewCode | BadCode] | Generation
    ) -> Answer[list[CodeFate]]:
        async def effect(transaction: Transaction, project: Project) -> Answer[list[CodeFate]]:
            pool = await pools.find(transaction, project, pool_id)
            answer = await self._add(transaction, project, pool, codes, transaction.now())
            return _foreseen(answer, codes) if write.dry_run else replace(answer, pool=pool.id)

        return await self.write(write, effect)

    async def assign_voucher_code(self, write: Write, pool_id: str, customer_id: str) -> Answer[AssignedCode]:
        async def effect(transaction: Transaction, project: Project) -> Answer[AssignedCode]:
            pool = await pools.find(transaction, project, pool_id)
            given = await assigning.assign(transaction, project, pool, customer_id, transaction.now())
            return Answer(given, after={"customer_id": customer_id}, pool=pool.id)

        return await self.write(write, effect, partial(pools.foresee, reference=pool_id))

    async def delete_voucher_codes(
        self, write: Write, pool_id: str, code_ids: Sequence[str], force: bool = False
    ) -> Answer[Deletion]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Deletion]:
            pool = await pools.find_to_delete(transaction, project, pool_id, force)
            rows = await deleting.find_all(transaction, project, pool, code_ids, force)
            about = {
                "pool": pool.name,
                "codes": len(rows),
                **await holdings.of_codes(transaction, project, rows),
            }
            ids, undo = await deleting.delete(transaction, project, pool, rows, force, transaction.now())
            return Answer(
                {"deleted": len(ids), "ids": ids, "freed": force}, about=about, pool=pool.id, undo=undo
            )

        return await self.write(write, effect)

    async def delete_voucher_pool(self, write: Write, pool_id: str, force: bool = False) -> Answer[Deletion]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Deletion]:
            pool = await pools.find_to_delete(transaction, project, pool_id, force)
            about = {"pool": pool.name, "codes": pool.total, **await holdings.of_pool(transaction, pool)}
            deleted = (project.n, pool.n, transaction.now(), force)
            await transaction.later("pool_delete", *deleted, overtakes="The pool")
            undo = {} if force else {"removed_pool": pool.id}
            return Answer({"deleted": 1, "ids": [pool.id], "freed": force}, about=about, undo=undo)

        return await self.write(write, effect)

    def import_codes(
        self, write: Write, pool_id: str, codes: Iterable[NewCode], voucher: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[ImportedBatch]:
        return Batches(self, write, pool_id, voucher).run(codes)

    async def export_codes(self, pool_id: str, status: str | None) -> AsyncGenerator[list[ExportedCode]]:
        async def start(transaction: Transaction, project: Project | None) -> tuple[Project, pools.Pool]:
            pool = await pools.find(transaction, project, pool_id)
            assert project is not None  # it has a pool
            return project, pool

        project, pool = await self.read(start)
        async for batch in code_pages.every(self.store.read, project, pool, status):
            yield batch

    async def _add(
        self,
        transaction: Transaction,
        project: Project,
        pool: pools.Pool,
        wanted: Sequence[NewCode | BadCode] | Generation,
        moment: int,
    ) -> Answer[list[CodeFate]]:
        if isinstance(wanted, Generation):
            made = await adding.generate(transaction, project, pool, wanted, moment)
            shown = list(made)[:GENERATED_SHOWN]
            fates = [adding.added_fate(project, code, made[code]) for code in shown]
            touched = [voucher_id(project, n) for n in islice(made.values(), MOST_TOUCHED)]
            undo = {"made": runs_of(sorted(made.values()))} if len(made) > MOST_TOUCHED else {}
            return Answer(fates, {"added": len(made), "rejected": 0}, touched=touched, undo=undo)
        fates = await adding.add(transaction, project, pool, wanted, moment)
        added = sum(fate["result"] == "added" for fate in fates)
        return Answer(fates, {"added": added, "rejected": len(fates) - added})


def _named(pool: pools.Pool) -> Mapping[str, Any]:
    """What update_voucher_pool may change, by its arguments' names."""
    times = {"start_date": pool.start_date, "expiration_date": pool.expiration_date}
    shown = {name: None if time is None else to_iso(time) for name, time in times.items()}
    return {"name": pool.name, "active": pool.active, **shown}


def _own(pool: pools.Pool, names: Iterable[str]) -> dict[str, Any]:
    """Some of those as they are kept: times in milliseconds."""
    return {name: getattr(pool, name) for name in names}


def _foreseen(
    answer: Answer[list[CodeFate]], wanted: Sequence[NewCode | BadCode] | Generation
) -> Answer[list[CodeFate]]:
    """The fates as a dry run tells them: nothing was added, and what is random is not known."""
    shape = {"code": wanted.config.shape} if isinstance(wanted, Generation) else {}
    fates: list[Any] = [
        {**fate, **shape, "id": None, "result": "would_add"} if fate["result"] == "added" else fate
        for fate in answer.data
    ]
    return replace(answer, data=fates)
