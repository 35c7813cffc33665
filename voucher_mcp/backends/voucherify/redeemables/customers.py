"""Who the customers are.

The vendor finds a customer by an exact id or e-mail, and filters by name in a way that it does not document;
it cannot look for a part of an id. So it is asked for what is exact, and its newest customers are looked
through.
"""

from typing import Final

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import PAGE, Account
from voucher_mcp.backends.voucherify.client.together import together
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_text
from voucher_mcp.backends.voucherify.mapping.query import encode
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound
from voucher_mcp.domain.values.texts import caseless, words

PAGES: Final = 10
"""How many pages of the newest customers are looked through (ours)."""

_NAMES: Final = ("id", "source_id", "name", "email")
_LOOKED_IN: Final = ("source_id", "name", "email")
"""A part of the vendor's random id says nothing, and all of them begin alike."""


class Customers(Account):
    """The part of the toolset redeemables that finds customers."""

    async def find_customers(self, text: str, limit: int) -> Answer[list[Object]]:
        wanted, found = words(text), dict[str, Object]()
        more = False
        for customer in [
            *await self._customers_filtered(text.strip()),
            *await self._customer_of_id(text.strip()),
        ]:
            found.setdefault(str(customer.get("id")), customer)
        for page in range(1, PAGES + 1):
            rows, total = await self._list(
                "/v1/customers", "customers", {"limit": PAGE, "page": page, "order": "-created_at"}
            )
            for row in rows:
                known = caseless("\n".join(as_text(row.get(name)) or "" for name in _LOOKED_IN))
                if all(word in known for word in wanted):
                    found.setdefault(str(row.get("id")), row)
            more = len(rows) == PAGE and (total is None or total > page * PAGE)
            if not more or len(found) > limit:
                break
        shown = await together(self._public_customer, list(found.values())[:limit])
        return Answer(shown, {"has_more": more or len(found) > limit})

    async def suggest_customers(self, text: str) -> Answer[list[str]]:
        """Those whom the vendor's own filter finds, by a part of the name or the e-mail."""
        found = await self._customers_filtered(text.strip()) if text.strip() else []
        ids = (as_text(row.get("source_id")) or as_text(row.get("id")) for row in found)
        return Answer([one for one in ids if one], {"has_more": len(found) == PAGE})

    async def _customers_filtered(self, text: str) -> list[Object]:
        """Whom the vendor's own filters find; a row that does not hold the text is one that it added."""
        name = "email" if "@" in text else "name"
        rows, _ = await self._list("/v1/customers", "customers", {"limit": PAGE, name: text})
        return [row for row in rows if text.casefold() in (as_text(row.get(name)) or "").casefold()]

    async def _customer_of_id(self, text: str) -> list[Object]:
        try:
            return [await self._get(f"/v1/customers/{segment(text)}")]
        except NotFound:
            return []

    async def _public_customer(self, customer: Object) -> Object:
        path = f"/v1/customers/{segment(str(customer.get('id')))}/redeemables"
        held = (await self._http.read("GET", path, query=encode({"limit": 1}))).object()
        known = {name: as_text(customer.get(name)) for name in _NAMES}
        return {**known, "vouchers": as_count(held.get("total"))}
