"""The pool tools on Mews."""

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from voucher_mcp.backends.http.reply import unknown_outcome
from voucher_mcp.backends.mews.client.account import ACTIVE, Account
from voucher_mcp.backends.mews.client.client import MAX_ITEMS, Fields
from voucher_mcp.backends.mews.client.settling import settled
from voucher_mcp.backends.mews.client.walking import WALK_REQUESTS
from voucher_mcp.backends.mews.mapping.failures import looked_up, reworded
from voucher_mcp.backends.mews.mapping.ids import is_id
from voucher_mcp.backends.mews.mapping.objects import Pool, is_active, objects, pool_shown, summary
from voucher_mcp.backends.mews.pools import adding, code_pages, creating, deleting
from voucher_mcp.backends.mews.pools.creating import SETTLED_BY
from voucher_mcp.backends.mews.pools.templates import checked_name, parameters
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    AlreadyExists,
    Applied,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Unsupported,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.health.pool_health import Facts, PoolHealth, health_of
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.vouchers.pool import (
    BadCode,
    CodeFate,
    CodesQuery,
    Deletion,
    Generation,
    NewCode,
    VoucherCode,
    VoucherPool,
    VoucherPoolSummary,
)
from voucher_mcp.domain.write import Write


class PoolTools(Account):
    """Vouchers as pools, and the codes in them."""

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[VoucherPoolSummary]]:
        """The newest first; how many codes each has, only a walk over them would show."""
        walk = await self.walk_vouchers(ACTIVE)
        pools: list[Pool] = []
        while len(pools) <= skip + limit and (page := await walk.page()) is not None:
            pools += [Pool(item) for item in page if is_active(item)]
        shown: list[VoucherPoolSummary] = [summary(pool, None) for pool in pools[skip : skip + limit]]
        has_more = len(pools) > skip + limit or not walk.reached_end
        if has_more and not shown:
            raise InvalidInput(
                f"`skip` reaches at most {counted(len(pools), 'pool')} into this list "
                f"({WALK_REQUESTS} requests of {MAX_ITEMS:,} a call). "
                "get_voucher_pool finds a pool by its id.",
                field="skip",
            )
        return Answer(shown, {"has_more": has_more})

    async def get_voucher_pool(self, pool_id: str) -> Answer[VoucherPool]:
        pool, total = await self._counted_pool(pool_id)
        return Answer(pool_shown(pool, self.project.id, total))

    async def get_pool_health(self, pool_id: str | None, days: int, limit: int) -> Answer[list[PoolHealth]]:
        """Mews does not tell when a code is used, nor which is; of one pool its codes are counted."""
        if pool_id is not None:
            pool, total = await self._counted_pool(pool_id)
            return Answer([health_of(Facts(pool.id, pool.name, total))], {"has_more": False})
        listed = await self.list_voucher_pools(0, limit)
        shown = [health_of(Facts(pool["id"], pool["name"])) for pool in listed.data]
        return Answer(shown, {"has_more": listed.beside["has_more"]})

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        return await code_pages.page(self, await self.find_pool(pool_id), query)

    async def create_voucher_pool(
        self,
        write: Write,
        name: str,
        voucher: Mapping[str, Any] | None,
        codes: Sequence[NewCode | BadCode] | Generation,
    ) -> Answer[VoucherPool]:
        adding.require_possible(codes)
        fields = await parameters(self, name, voucher)
        if write.reference and not write.dry_run:
            fields["ExternalIdentifier"] = write.reference
        pool = await creating.made_before(self, write) if write.recovering else None
        if pool is not None:
            chosen = await creating.choose_missing(self, write, pool, codes)
        else:
            await self._require_free_name(name)
            chosen = await adding.choose(self, codes)
            if write.dry_run:
                pool = creating.imagined(fields)
                return creating.answer(pool, self.project.id, codes, chosen.pretend(), dry_run=True)
            pool = await creating.create(self, write, fields)
        try:
            added = await chosen.write(self, write, pool)
        except VoucherError as error:
            start = (
                f"The pool {quoted(pool.name)} was created with the id {pool.id}, but not all of its codes."
            )
            applied: Applied = "unknown" if isinstance(error, OutcomeUnknown) else "partly"
            raise reworded(error, f"{start} {error.message}", applied=applied) from error
        return creating.answer(pool, self.project.id, codes, added)

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
        """Rename it: nothing else of a pool can be changed on Mews. Its interval is about the stays that are
        booked, counted in the service's time units, and not about when codes work (documents)."""
        for field, value in (
            ("active", active),
            ("start_date", start_date),
            ("expiration_date", expiration_date),
        ):
            if value is not None or field in clear:
                raise Unsupported(
                    f"A pool on Mews has no `{field}`; it can only be renamed or deleted. Each code has "
                    "dates of its own. delete_voucher_codes ends codes for good.",
                    field=field,
                )
        if name is None:
            raise InvalidInput("Nothing to change: give a name.", field="name")
        checked_name(name)
        pool, total = await self._pool_to_rename(write, pool_id, name)
        if pool.name != name:
            await self._require_free_name(name, but=pool.id)
        if write.dry_run:
            imagined = replace(pool, native={**pool.native, "Name": name})
            return Answer(pool_shown(imagined, self.project.id, total), {"dry_run": True})
        was = {} if write.recovering else {"name": pool.name}
        if not (write.recovering and pool.name == name):
            pool = await self._rename(write, pool, name)
        return Answer(pool_shown(pool, self.project.id, total), before=was, after=was and {"name": name})

    async def add_voucher_codes(
        self, write: Write, pool_id: str, codes: Sequence[NewCode | BadCode] | Generation
    ) -> Answer[list[CodeFate]]:
        adding.require_possible(codes)
        pool = await self.find_pool(pool_id)
        if not write.recovering:
            chosen = await adding.choose(self, codes)
        elif not isinstance(codes, Generation):
            chosen = await adding.choose_missing(self, write, pool, codes)
        elif await settled(lambda: self.is_empty(pool.id), operator.not_):
            chosen = await adding.choose(self, codes)
        else:
            raise adding.undecided()
        if write.dry_run:
            answer = chosen.pretend()
            return replace(answer, beside={**answer.beside, "dry_run": True})
        return replace(await chosen.write(self, write, pool), pool=pool.id)

    async def delete_voucher_codes(
        self, write: Write, pool_id: str, code_ids: Sequence[str], force: bool = False
    ) -> Answer[Deletion]:
        """Delete codes; on Mews they are free again, with force or without."""
        pool = await self.find_pool(pool_id)
        codes = await deleting.find(self, write, pool, code_ids)
        answer: Answer[Deletion] = Answer(
            {"deleted": len(codes), "ids": [code["Id"] for code in codes], "freed": True},
            about={"codes": len(codes), "pool": pool.name},
        )
        if write.dry_run:
            return replace(answer, beside={"dry_run": True})
        await deleting.delete(self, write, pool, codes)
        return answer

    async def delete_voucher_pool(self, write: Write, pool_id: str, force: bool = False) -> Answer[Deletion]:
        """Delete a pool; on Mews its codes are free again, with force or without."""
        try:
            pool = await self.find_pool(pool_id)
        except NotFound:
            if not write.recovering:
                raise
            gone = await self._deleted_before(pool_id)
            return Answer({"deleted": 1, "ids": [gone.id], "freed": True}, about={"pool": gone.name})
        data: Deletion = {"deleted": 1, "ids": [pool.id], "freed": True}
        if write.dry_run:
            count, whole = await self.count_codes(pool.id)
            known = {"codes": count} if whole else {}
            return Answer(data, {"dry_run": True}, about={"pool": pool.name, **known})
        try:
            await self._write(write, "vouchers/delete", pool, {"VoucherIds": [pool.id]})
        except OutcomeUnknown as lost:
            found = await looked_up(lost, self.pool_by_id(pool.id))
            if found is None or found.is_active:  # Mews shows what was deleted
                raise
        return Answer(data, about={"pool": pool.name})

    async def _counted_pool(self, reference: str) -> tuple[Pool, int | None]:
        """The pool with its rates, and how many codes it has.

        Raises:
            NotFound, InvalidInput: as `find_pool`.
        """
        pool = await self.find_pool(reference)
        if pool.rates is None:
            pool = await self.pool_by_id(pool.id) or pool
        seen, whole = await self.count_codes(pool.id)
        return pool, seen if whole else None

    async def _pool_to_rename(self, write: Write, pool_id: str, name: str) -> tuple[Pool, int | None]:
        try:
            return await self._counted_pool(pool_id)
        except NotFound:
            if not write.recovering:
                raise
            return await self._counted_pool(name)  # the earlier try has renamed it

    async def _rename(self, write: Write, pool: Pool, name: str) -> Pool:
        update = {"VoucherId": pool.id, "Name": {"Value": name}}
        try:
            answer = await self._write(write, "vouchers/update", pool, {"VoucherUpdates": [update]})
        except OutcomeUnknown as lost:
            found = await looked_up(lost, self.pool_by_id(pool.id))
            if found is None or found.name != name:
                raise
            return found
        changed = next((item for item in objects(answer.get("Vouchers")) if item["Id"] == pool.id), {})
        return replace(pool, native={**pool.native, "Name": name, **changed})

    async def _deleted_before(self, reference: str) -> Pool:
        """What an earlier try has deleted: the voucher of that id, else the newest deleted one of that name.

        Raises:
            OutcomeUnknown: Mews shows none.
        """
        if is_id(reference) and (pool := await self.pool_by_id(reference)) is not None and not pool.is_active:
            return pool
        walk = await self.walk_vouchers({"ActivityStates": ["Deleted"]})
        for pool in map(Pool, await walk.all()):
            if pool.name == reference and not pool.is_active:
                return pool
        start = "An earlier try lost its answer, and Mews shows no such pool now, not even a deleted one"
        raise unknown_outcome(start, SETTLED_BY)

    async def _require_free_name(self, name: str, but: str | None = None) -> None:
        if not await self.name_seems_free(name, but):
            raise AlreadyExists(
                f"A pool named {quoted(name)} exists already. Choose another name, or work with that pool "
                "by its name.",
                field="name",
            )

    async def _write(self, write: Write, operation: str, pool: Pool, fields: Fields) -> Fields:
        return await self.client.write(
            write, operation, fields, enterprise=pool.enterprise_id, settled_by=SETTLED_BY
        )
