"""The adapter interface: one method a tool, and what each backend can do.

A backend overrides the methods that its system can serve. What it does not override it cannot do: the
tool is left out of what the project offers, and a call answers `unsupported`. Reading methods change
nothing; every writing method takes the Write that policy made, first.

All methods raise the errors of `domain.errors` and no others.
"""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, Literal

from anyio.abc import TaskGroup

from voucher_mcp.backends.pace import Paces
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import Change
from voucher_mcp.domain.errors import NotFound, Unsupported
from voucher_mcp.domain.health.pool_health import PoolHealth
from voucher_mcp.domain.queries import (
    CsvSource,
    Detail,
    RedeemablesQuery,
    RedemptionRequest,
    RedemptionsQuery,
    VouchersQuery,
)
from voucher_mcp.domain.values.texts import matching
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

SUGGESTED_FROM: Final = 100
"""Pools that are looked through for what completes a name, where a request shows so many (ours)."""

Fields = Mapping[str, Any]
Object = dict[str, Any]
"""An object with the field names of the document that defines it."""


class Backend:
    """One account in one voucher system."""

    name = "base"

    journals: ClassVar[bool] = False
    """Whether it keeps the journal itself, in the transaction of the effect. For the others policy does."""

    @classmethod
    def serves(cls, project: Any, method: str) -> bool:
        """Whether this backend serves the method for a project configured so."""
        return cls.can(method)

    def start(self, tasks: TaskGroup, paces: Paces) -> None:
        """Begin what it does in the background, in the task group that ends with the server.

        Args:
            tasks: what runs in the background ends with it.
            paces: of the accounts that the server's projects ask, as two projects may share one.
        """

    async def close(self) -> None:
        """Let go of the system."""

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

    async def get_pool_health(self, pool_id: str | None, days: int, limit: int) -> Answer[list[PoolHealth]]:
        """The health of one pool, or of the first `limit` of all, with `has_more` beside them.

        It looks back and ahead by so many days. What the system does not tell is null.
        """
        raise self._cannot("get_pool_health")

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
        clear: Collection[str] = (),
    ) -> Answer[VoucherPool]:
        """Change what is given, empty the dates in `clear`, leave the rest; dates are milliseconds UTC."""
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
        self, write: Write, pool_id: str, code_ids: Sequence[str], force: bool = False
    ) -> Answer[Deletion]:
        """Delete codes of one pool, by id or code: all of them or none; with force they can be used again."""
        raise self._cannot("delete_voucher_codes")

    async def delete_voucher_pool(self, write: Write, pool_id: str, force: bool = False) -> Answer[Deletion]:
        """Delete a pool with its codes; with force they can be used again."""
        raise self._cannot("delete_voucher_pool")

    async def start_voucher_import(self, write: Write, import_id: str, path: str | None) -> Answer[Object]:
        """Start an import of codes that a person defined in the product, from `path` where it is given."""
        raise self._cannot("start_voucher_import")

    async def create_voucher(self, write: Write, code: str, body: Fields, detail: Detail) -> Answer[Object]:
        """A voucher of that code; `body` is the vendor's request body, only what was given."""
        raise self._cannot("create_voucher")

    async def generate_random_code(
        self, write: Write, code: str | None, code_config: Fields | None, body: Fields, detail: Detail
    ) -> Answer[Object]:
        """A voucher of a random code, or of the one given."""
        raise self._cannot("generate_random_code")

    async def get_voucher(self, code: str, detail: Detail) -> Answer[Object]:
        """The voucher of that code or id."""
        raise self._cannot("get_voucher")

    async def list_vouchers(self, query: VouchersQuery, detail: Detail) -> Answer[list[Object]]:
        """A page of vouchers, with `total` and `has_more` beside it."""
        raise self._cannot("list_vouchers")

    async def update_voucher(self, write: Write, code: str, body: Fields, detail: Detail) -> Answer[Object]:
        """Change what is given; null clears. What may not be changed is refused."""
        raise self._cannot("update_voucher")

    async def enable_voucher(self, write: Write, code: str, detail: Detail) -> Answer[Object]:
        raise self._cannot("enable_voucher")

    async def disable_voucher(self, write: Write, code: str, detail: Detail) -> Answer[Object]:
        raise self._cannot("disable_voucher")

    async def delete_voucher(self, write: Write, code: str, force: bool) -> Answer[Deletion]:
        """Delete a voucher; with force its code can be used again."""
        raise self._cannot("delete_voucher")

    async def update_voucher_balance(
        self, write: Write, code: str, amount: int, reason: str | None
    ) -> Answer[Object]:
        """Add to a gift or loyalty card, or take off with a negative amount; minor units or points."""
        raise self._cannot("update_voucher_balance")

    async def move_voucher_balance(
        self, write: Write, from_code: str, to_code: str, amount: int | None, reason: str | None
    ) -> Answer[Object]:
        """Move minor units or points from a card to another of its kind, all where no amount is given.

        Answers {amount, from: {code, balance}, to: {code, balance}}. The write has a key.
        """
        raise self._cannot("move_voucher_balance")

    async def list_voucher_transactions(
        self, code: str, limit: int, order: str | None, starting_after_id: str | None
    ) -> Answer[list[Object]]:
        """A page of the ledger, with `has_more` and `more_starting_after` beside it."""
        raise self._cannot("list_voucher_transactions")

    async def export_voucher_transactions(
        self, write: Write, code: str, order: str | None, fields: Sequence[str] | None
    ) -> Answer[Object]:
        """Begin an export of the ledger; answers the export object."""
        raise self._cannot("export_voucher_transactions")

    async def import_vouchers(self, write: Write, vouchers: Sequence[Fields]) -> Answer[Object]:
        """Begin an import; answers {async_action_id}."""
        raise self._cannot("import_vouchers")

    async def import_vouchers_using_csv(self, write: Write, csv: CsvSource) -> Answer[Object]:
        """Begin an import from CSV; answers {async_action_id}."""
        raise self._cannot("import_vouchers_using_csv")

    async def update_vouchers_in_bulk(self, write: Write, vouchers: Sequence[Fields]) -> Answer[Object]:
        """Begin to set each voucher's own metadata; answers {async_action_id}."""
        raise self._cannot("update_vouchers_in_bulk")

    async def update_vouchers_metadata_in_bulk(
        self, write: Write, codes: Sequence[str] | None, metadata: Fields, pool_id: str | None = None
    ) -> Answer[Object]:
        """Begin to set the same metadata on many vouchers, or on all of a pool; answers {async_action_id}."""
        raise self._cannot("update_vouchers_metadata_in_bulk")

    async def release_validation_session(self, write: Write, code: str, session_key: str) -> Answer[Object]:
        """Give back what a session reserved of a voucher."""
        raise self._cannot("release_validation_session")

    async def find_customers(self, text: str, limit: int) -> Answer[list[Object]]:
        """The customers whose id, name or e-mail holds every word of the text, in any case.

        Each is {id, source_id, name, email, vouchers: how many they hold}, null what is not known; `has_more`
        stands beside them.
        """
        raise self._cannot("find_customers")

    async def list_customer_redeemables(
        self, customer_id: str, query: RedeemablesQuery, detail: Detail
    ) -> Answer[list[Object]]:
        """What a customer holds, with `total`, `has_more` and `more_starting_after` beside it."""
        raise self._cannot("list_customer_redeemables")

    async def validate_vouchers(self, write: Write | None, request: RedemptionRequest) -> Answer[Object]:
        """Whether the redeemables would be redeemed together; a session needs the write and reserves them."""
        raise self._cannot("validate_vouchers")

    async def redeem_vouchers(
        self, write: Write, request: RedemptionRequest, detail: Detail
    ) -> Answer[Object]:
        """Redeem all of them or none."""
        raise self._cannot("redeem_vouchers")

    async def rollback_redemption(
        self, write: Write, redemption_id: str, reason: str | None, detail: Detail
    ) -> Answer[Object]:
        """Give back what a redemption took."""
        raise self._cannot("rollback_redemption")

    async def list_redemptions(self, query: RedemptionsQuery, detail: Detail) -> Answer[list[Object]]:
        """A page of redemptions and rollbacks, newest first, with `total` beside it."""
        raise self._cannot("list_redemptions")

    async def get_redemption(self, redemption_id: str, detail: Detail) -> Answer[Object]:
        raise self._cannot("get_redemption")

    async def get_async_action(self, async_action_id: str) -> Answer[Object]:
        """How far an import or bulk update has come."""
        raise self._cannot("get_async_action")

    async def get_export(self, export_id: str) -> Answer[Object]:
        """How far an export has come; a finished one has `result.url`."""
        raise self._cannot("get_export")

    async def list_exports(self) -> Answer[list[Object]]:
        """The latest finished exports, the newest first."""
        raise self._cannot("list_exports")

    def read_export(self, export_id: str) -> AsyncGenerator[str]:
        """The CSV of a finished export, piece by piece; each ends with a row."""
        raise self._cannot("read_export")

    async def suggest_pools(self, text: str) -> Answer[list[str]]:
        """Names of pools that go with a text, as far as one cheap request tells; `has_more` beside them."""
        listed = await self.list_voucher_pools(0, SUGGESTED_FROM)
        names = matching((pool["name"] for pool in listed.data), text)
        return Answer(names, {"has_more": listed.beside["has_more"]})

    async def suggest_customers(self, text: str) -> Answer[list[str]]:
        """Ids of customers that go with a text, the same way; none where no cheap request tells."""
        return Answer([], {"has_more": False})

    async def undo_change(self, write: Write, change: Change) -> Answer[Object]:
        """Take a change back, as one write; refused where what it changed is not as it left it."""
        raise self._cannot("undo_change")

    def why_no_undo(self, change: Change) -> str | None:
        """Why a change that succeeded cannot be taken back, as a sentence; None where it may be."""
        return f"A {self.name} project gives nothing back."

    async def id_of(self, kind: Literal["voucher", "pool"], reference: str) -> str:
        """The id of a voucher by its code, or of a pool by its name; what is not found is taken for an id."""
        with suppress(NotFound, Unsupported):
            if kind == "pool":
                return (await self.get_voucher_pool(reference)).data["id"]
            return str((await self.get_voucher(reference, "concise")).data.get("id") or reference)
        return reference

    async def names_of(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The codes of vouchers and names of pools by their ids, as far as no request is needed."""
        return {}

    def import_codes(
        self, write: Write, pool_id: str, codes: Iterable[NewCode], voucher: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[ImportedBatch]:
        """Add any number of codes, a batch at a time; a dry run says of each batch what would become of it.

        Args:
            write: of all batches together; its key is not looked at.
            pool_id: the pool of that id or exact name.
            codes: taken as they are needed.
            voucher: the template with which the pool is made where there is none. If no code fits, there is
                none afterwards either.
        """
        raise self._cannot("import_codes")

    def export_codes(self, pool_id: str, status: str | None) -> AsyncGenerator[list[ExportedCode]]:
        """Every code of a pool, a batch at a time, with what its status does not say."""
        raise self._cannot("export_codes")

    def _cannot(self, method: str) -> Unsupported:
        return Unsupported(f"A {self.name} project cannot serve {method}. list_projects shows what it can.")
