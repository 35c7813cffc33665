"""What a write's worth takes from the database, within the transaction of the write."""

from collections.abc import Iterable, Mapping
from typing import Any

from voucher_mcp.backends.local.records import pools, vouchers
from voucher_mcp.domain.errors import NotFound
from voucher_mcp.domain.write import Arguments
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


class StoredValues:
    """The values of one project. What is not found is worth nothing: the effect will say so."""

    def __init__(self, transaction: Transaction, project: Project) -> None:
        self._transaction = transaction
        self._project = project

    async def template(self, pool_id: str) -> Mapping[str, Any]:
        pool = await self._pool(pool_id)
        return {} if pool is None else pool.template

    async def size(self, pool_id: str) -> int:
        pool = await self._pool(pool_id)
        return 0 if pool is None else pool.total

    async def kind(self, code: str) -> str | None:
        try:
            voucher = await vouchers.find(self._transaction, self._project, code)
        except NotFound:
            return None
        return voucher.terms.get("type", "DISCOUNT_VOUCHER")

    digits = 0

    def csv(self, arguments: Arguments) -> Iterable[bytes] | None:
        raise AssertionError("a file is read before the transaction")

    async def _pool(self, pool_id: str) -> pools.Pool | None:
        try:
            return await pools.find(self._transaction, self._project, pool_id)
        except NotFound:
            return None
