"""The redeemable tools on the embedded engine."""

from voucher_mcp.backends.base import Object
from voucher_mcp.backends.local.engine import Engine
from voucher_mcp.backends.local.records import customers
from voucher_mcp.backends.local.redeemables import redeemables
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.queries import Detail, RedeemablesQuery
from voucher_mcp.domain.values.texts import likeliest_first
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project

SUGGESTED = 100
"""Customers that complete what is typed, at most."""


class RedeemableTools(Engine):
    """What customers hold."""

    async def find_customers(self, text: str, limit: int) -> Answer[list[Object]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[Object]]:
            return await customers.find(transaction, project, text, limit)

        return await self.read(work, quick=False)

    async def suggest_customers(self, text: str) -> Answer[list[str]]:
        found = await self.find_customers(text, SUGGESTED)
        ids = likeliest_first((str(customer["id"]) for customer in found.data), text)
        return Answer(ids, {"has_more": found.beside["has_more"]})

    async def list_customer_redeemables(
        self, customer_id: str, query: RedeemablesQuery, detail: Detail
    ) -> Answer[list[Object]]:
        async def work(transaction: Transaction, project: Project | None) -> Answer[list[Object]]:
            return await redeemables.page(transaction, project, customer_id, query, detail, transaction.now())

        return await self.read(work, quick=query.filters is None)
