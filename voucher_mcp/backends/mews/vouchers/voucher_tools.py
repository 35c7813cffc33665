"""The voucher tools on Mews: a code with the voucher that it belongs to."""

from typing import Any

from voucher_mcp.backends.base import Object as Shown
from voucher_mcp.backends.mews.client.account import ACTIVE, Account
from voucher_mcp.backends.mews.client.client import MAX_ITEMS
from voucher_mcp.backends.mews.mapping.objects import Object, Pool, is_active, key_of, text, value_of
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, quoted
from voucher_mcp.domain.queries import Detail
from voucher_mcp.domain.values.texts import composed, spellings


class VoucherTools(Account):
    """Single codes as vouchers."""

    async def get_voucher(self, code: str, detail: Detail) -> Answer[Shown]:
        """The code in the common language. Of its discount Mews knows only the assigned rates."""
        pools = [
            pool
            for pool in await self.pools_with_rates({"VoucherCodeValues": spellings(code), **ACTIVE})
            if pool.is_active
        ]
        found, whole = await self._code(code, pools) if pools else (None, True)
        if found is None and whole:
            raise NotFound(
                f"There is no voucher with the code {quoted(code)} in this project. On "
                "Mews get_voucher takes the code itself; list_voucher_codes finds codes by their id.",
                field="code",
            )
        pool = next((pool for pool in pools if found and pool.id == found.get("VoucherId")), pools[0])
        return Answer(_shown(code, found, pool, detail))

    async def _code(self, code: str, pools: list[Pool]) -> tuple[Object | None, bool]:
        """The newest active code of that text, and whether all codes were seen."""
        walk = self.walk_codes([pool.id for pool in pools[:MAX_ITEMS]])
        while (page := await walk.page()) is not None:
            for item in page:
                if key_of(item) == composed(code) and is_active(item):
                    return item, True
        return None, walk.whole and len(pools) <= MAX_ITEMS


def _shown(code: str, found: Object | None, pool: Pool, detail: Detail) -> Shown:
    """`found` is None where Mews says that the voucher has the code, but it lies too deep to be reached."""
    native = found or {}
    shown: dict[str, Any] = {
        "id": text(native, "Id"),
        "object": "voucher",
        "code": value_of(native) or code,
        "campaign": pool.name,
        "campaign_id": pool.id,
        "active": True if found else None,
        "start_date": text(native, "ValidityStartUtc"),
        "expiration_date": text(native, "ValidityEndUtc"),
        "rates": [dict(rate) for rate in pool.rates or ()],
        "created_at": text(native, "CreatedUtc"),
        "updated_at": text(native, "UpdatedUtc"),
    }
    if detail == "full":
        shown["mews"] = {"voucher": pool.native, "voucher_code": found}
        return shown
    return {name: value for name, value in shown.items() if value not in (None, "", [])}
