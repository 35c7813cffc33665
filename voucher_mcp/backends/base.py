"""The adapter interface: one method a tool, and what each backend can do.

A backend overrides the methods that its system can serve. What it does not override it cannot do: the
tool is left out of what the project offers, and a call answers `unsupported`. Reading methods change
nothing; every writing method takes the Write that policy made, first.

All methods raise the errors of `domain.errors` and no others.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import Unsupported
from voucher_mcp.domain.pool import (
    AssignedCode,
    BadCode,
    CodeFate,
    CodesQuery,
    Deletion,
    Generation,
    ImportedBatch,
    NewCode,
    VoucherCode,
    VoucherPool,
    VoucherPoolSummary,
)
from voucher_mcp.domain.write import Write


class Backend:
    """One account in one voucher system."""

    name = "base"

    @classmethod
    def can(cls, method: str) -> bool:
        """Whether this backend serves the method of that name."""
        return getattr(cls, method) is not getattr(Backend, method)

    async def check(self) -> str:
        """Reach the system as a reader would and say in a sentence what was found there."""
        raise self._cannot("check")

    async def list_voucher_pools(self, skip: int, limit: int) -> Answer[list[VoucherPoolSummary]]:
        """At most `limit` pools from `skip` on, with `has_more` beside them."""
        raise self._cannot("list_voucher_pools")

    async def get_voucher_pool(self, pool_id: str) -> Answer[VoucherPool]:
        """The pool of that id or exact name."""
        raise self._cannot("get_voucher_pool")

    async def list_voucher_codes(self, pool_id: str, query: CodesQuery) -> Answer[list[VoucherCode]]:
        """A page of the pool's codes, with `matched`, `matched_limited`, `skip` and `limit` beside it."""
        raise self._cannot("list_voucher_codes")

    async def create_voucher_pool(
        self,
        write: Write,
        name: str,
        voucher: Mapping[str, Any] | None,
        codes: Sequence[NewCode | BadCode] | Generation,
    ) -> Answer[VoucherPool]:
        """A new pool whose codes share the template `voucher`, with the first codes in it."""
        raise self._cannot("create_voucher_pool")

    async def update_voucher_pool(
        self,
        write: Write,
        pool_id: str,
        *,
        name: str | None = None,
        active: bool | None = None,
        start_date: int | None = None,
        expiration_date: int | None = None,
    ) -> Answer[VoucherPool]:
        """Change what is given, leave the rest; dates are milliseconds UTC."""
        raise self._cannot("update_voucher_pool")

    async def add_voucher_codes(
        self, write: Write, pool_id: str, codes: Sequence[NewCode | BadCode] | Generation
    ) -> Answer[list[CodeFate]]:
        """Add codes, each with its own fate, with `added` and `rejected` beside them."""
        raise self._cannot("add_voucher_codes")

    async def assign_voucher_code(self, write: Write, pool_id: str, customer_id: str) -> Answer[AssignedCode]:
        """Give the next available code to a customer."""
        raise self._cannot("assign_voucher_code")

    async def delete_voucher_codes(
        self, write: Write, pool_id: str, code_ids: Sequence[str]
    ) -> Answer[Deletion]:
        """Delete codes of one pool, by id or code: all of them or none."""
        raise self._cannot("delete_voucher_codes")

    async def delete_voucher_pool(self, write: Write, pool_id: str) -> Answer[Deletion]:
        """Delete a pool with its codes, their number in `codes` beside the answer."""
        raise self._cannot("delete_voucher_pool")

    def import_codes(
        self, write: Write, pool_id: str, codes: Iterable[NewCode]
    ) -> AsyncIterator[ImportedBatch]:
        """Add any number of codes, a batch at a time, each batch a write of its own without a key."""
        raise self._cannot("import_codes")

    def export_codes(self, pool_id: str, status: str | None) -> AsyncIterator[list[VoucherCode]]:
        """Every code of a pool, a batch at a time."""
        raise self._cannot("export_codes")

    def _cannot(self, method: str) -> Unsupported:
        return Unsupported(
            f"A {self.name} project cannot serve {method}; nothing was changed. list_projects shows what "
            "it can."
        )
