"""The voucher tools on the embedded engine, apart from those that begin a job."""

from collections.abc import Callable, Coroutine
from typing import Any

from voucher_mcp.backends.base import Fields, Object
from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.records import changes, customers, sessions, vouchers
from voucher_mcp.backends.local.records.codes import STATUS_NAMES
from voucher_mcp.backends.local.records.vouchers import Voucher
from voucher_mcp.backends.local.vouchers import balances, moving, voucher_listing, voucher_writes
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.changed import changed
from voucher_mcp.domain.errors import NotFound
from voucher_mcp.domain.queries import Detail, VouchersQuery
from voucher_mcp.domain.vouchers.code_config import CodeConfig, validate_code
from voucher_mcp.domain.vouchers.pool import Deletion
from voucher_mcp.domain.write import Write
from voucher_mcp.stores.base import DELETED, Transaction
from voucher_mcp.stores.projects import Project

Change = Callable[[Transaction, Project, Voucher, int], Coroutine[Any, Any, Voucher]]


class VoucherTools(Engine):
    """Single vouchers: their lives, their balances, and their list."""

    async def create_voucher(self, write: Write, code: str, body: Fields, detail: Detail) -> Answer[Object]:
        own_code = validate_code(code, "code")

        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            draft = await voucher_writes.draft(transaction, project, body)
            made = await voucher_writes.create(transaction, project, own_code, draft, transaction.now())
            shown = vouchers.public_at(project, made, detail, transaction.now())
            return Answer({**shown, "id": None} if write.dry_run else shown)

        return await self.write(write, effect)

    async def generate_random_code(
        self, write: Write, code: str | None, code_config: Fields | None, body: Fields, detail: Detail
    ) -> Answer[Object]:
        if code is not None:
            return await self.create_voucher(write, code, body, detail)
        config = CodeConfig.parse(code_config or {}, "code_config")

        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            draft = await voucher_writes.draft(transaction, project, body)
            made = await voucher_writes.generate(transaction, project, config, draft, transaction.now())
            shown = vouchers.public_at(project, made, detail, transaction.now())
            return Answer({**shown, "id": None, "code": config.shape} if write.dry_run else shown)

        return await self.write(write, effect)

    async def get_voucher(self, code: str, detail: Detail) -> Answer[Object]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[Object]:
            voucher = await vouchers.find(transaction, project, code)
            assert project is not None  # it has a voucher
            reserved = await sessions.shown(transaction, voucher, transaction.now())
            shown = vouchers.public_at(project, voucher, detail, transaction.now())
            return Answer(shown | ({"reservations": reserved} if reserved else {}))

        try:
            return await self.read(work)
        except NotFound:
            self.guessed([code])
            raise

    async def list_vouchers(self, query: VouchersQuery, detail: Detail) -> Answer[list[Object]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[Object]]:
            page = await voucher_listing.page(transaction, project, query, transaction.now())
            shown = (
                [vouchers.public_at(project, voucher, detail, transaction.now()) for voucher in page.data]
                if project
                else []
            )
            stranger = await customers.unknown(transaction, project, query.customer)
            return Answer(shown, {**page.beside, **stranger})

        return await self.read(work, quick=False)

    async def update_voucher(self, write: Write, code: str, body: Fields, detail: Detail) -> Answer[Object]:
        async def change(
            transaction: Transaction, project: Project, voucher: Voucher, moment: int
        ) -> Voucher:
            return await voucher_writes.update(transaction, project, voucher, body, moment)

        return await self._change(write, code, change, detail)

    async def enable_voucher(self, write: Write, code: str, detail: Detail) -> Answer[Object]:
        return await self._set_active(write, code, True, detail)

    async def disable_voucher(self, write: Write, code: str, detail: Detail) -> Answer[Object]:
        return await self._set_active(write, code, False, detail)

    async def delete_voucher(self, write: Write, code: str, force: bool) -> Answer[Deletion]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Deletion]:
            voucher, undo = await voucher_writes.delete(transaction, project, code, force, transaction.now())
            about: Object = {"code": voucher.code, "type": voucher.terms.get("type")}
            about |= {"balance": voucher.balance} if voucher.balance is not None else {}
            ids = [vouchers.identity(project, voucher)]
            in_use = voucher.status < DELETED  # else it was in the bin, and is freed now
            before = {"status": STATUS_NAMES[voucher.status]} if in_use else {}
            return Answer({"deleted": 1, "ids": ids, "freed": force}, about=about, before=before, undo=undo)

        return await self.write(write, effect)

    async def update_voucher_balance(
        self, write: Write, code: str, amount: int, reason: str | None
    ) -> Answer[Object]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            voucher = await vouchers.find(transaction, project, code)
            balance = await balances.change(
                transaction,
                project,
                voucher,
                amount,
                reason=reason,
                source_id=write.key,
                moment=transaction.now(),
            )
            was, now = {"balance": voucher.balance}, {"balance": balance["balance"]}
            shown = {**balance, "transaction_id": None} if write.dry_run else balance
            return Answer(shown, before=was, after=now)

        return await self.write(write, effect)

    async def move_voucher_balance(
        self, write: Write, from_code: str, to_code: str, amount: int | None, reason: str | None
    ) -> Answer[Object]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            return await moving.move(
                transaction,
                project,
                from_code,
                to_code,
                amount,
                reason=reason,
                source_id=write.key,
                moment=transaction.now(),
            )

        return await self.write(write, effect)

    async def list_voucher_transactions(
        self, code: str, limit: int, order: str | None, starting_after_id: str | None
    ) -> Answer[list[Object]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[Object]]:
            voucher = await vouchers.find_ever(transaction, project, code)
            assert project is not None  # it has a voucher
            return await balances.transactions(transaction, project, voucher, limit, order, starting_after_id)

        return await self.read(work)

    async def _set_active(self, write: Write, code: str, active: bool, detail: Detail) -> Answer[Object]:
        async def change(
            transaction: Transaction, project: Project, voucher: Voucher, moment: int
        ) -> Voucher:
            return await voucher_writes.set_active(transaction, project, voucher, active, moment)

        return await self._change(write, code, change, detail)

    async def _change(self, write: Write, code: str, change: Change, detail: Detail) -> Answer[Object]:
        async def effect(transaction: Transaction, project: Project) -> Answer[Object]:
            voucher = await vouchers.find(transaction, project, code)
            after = await change(transaction, project, voucher, transaction.now())
            shown = vouchers.public_at(project, after, detail, transaction.now())
            was, now = (vouchers.public_at(project, v, "full", transaction.now()) for v in (voucher, after))
            before, since = changed(was, now)
            return Answer(shown, before=before, after=since, undo={"own": [changes.step(voucher, after)]})

        return await self.write(write, effect)
