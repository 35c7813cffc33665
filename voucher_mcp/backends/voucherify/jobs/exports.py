"""Exports: the ledger of a voucher as CSV, made by the vendor."""

import csv
import io
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import DRY, Account, voucher_path
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_object, as_text
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, OutcomeUnknown, quoted
from voucher_mcp.domain.values.spreadsheet import guarded, rows_of
from voucher_mcp.domain.write import Write

EXPORTS_LISTED: Final = 20
ROWS_IN_A_PIECE: Final = 1_000
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class Exports(Account):
    """Begins exports, and reads them."""

    async def export_voucher_transactions(
        self, write: Write, code: str, order: str | None, fields: Sequence[str] | None
    ) -> Answer[Object]:
        given: dict[str, Any] = {"order": order, "fields": None if fields is None else list(fields)}
        parameters = {name: value for name, value in given.items() if value is not None}
        if write.dry_run:
            there = await self._voucher(code)
            shown = {
                "parameters": parameters
                | {"filters": {"voucher_id": {"conditions": {"$in": [there.get("id")]}}}}
            }
            exported = {"object": "export", "exported_object": "voucher_transactions"}
            return Answer({"id": None, **exported, "status": "SCHEDULED", **shown, "result": None}, DRY)
        path = voucher_path(code, "/transactions/export")
        body = {"parameters": parameters} if parameters else None
        try:
            begun = await self._send(write, "POST", path, json=body, settled_by="")
            return Answer(self._shown(begun.object()))
        except OutcomeUnknown as error:
            raise OutcomeUnknown(
                "Voucherify's answer was lost or cannot be read. An export changes no voucher, so it can "
                "simply be begun again, with the same idempotency_key too.",
                request_id=error.request_id,
            ) from error

    async def get_export(self, export_id: str) -> Answer[Object]:
        return Answer(self._shown(await self._export(export_id)))

    async def list_exports(self) -> Answer[list[Object]]:
        found, _ = await self._list(
            "/v1/exports", "exports", {"limit": EXPORTS_LISTED, "order": "-created_at"}
        )
        done = [one for one in found if one.get("status") == "DONE" and as_text(one.get("id"))]
        shown = [self._shown({"created_at": "", **one}) for one in done]
        return Answer([one for one in shown if as_object(one.get("result")).get("url")])

    async def read_export(self, export_id: str) -> AsyncGenerator[str]:
        export = await self._export(export_id)
        url = as_text(as_object(export.get("result")).get("url"))
        if url is None:
            raise NotFound(f"The export {quoted(export_id)} is not finished; get_export says how far it is.")
        reply = await self._http.read_url(url)
        try:
            for piece in _guarded(reply.text):
                yield piece
        except csv.Error:
            raise reply.unreadable("is not a CSV that can be read") from None

    async def _export(self, export_id: str) -> Object:
        return await self._get(f"/v1/exports/{segment(export_id)}")

    def _shown(self, export: Object) -> Object:
        """The export with our address of its CSV: the vendor's needs the project's sign-in."""
        shown = {**export, "status": as_text(export.get("status")) or "IN_PROGRESS"}
        result = as_object(export.get("result"))
        if as_text(result.get("url")) and (name := as_text(export.get("id"))):
            shown["result"] = {**result, "url": f"voucher-export://{self.project_id}/{segment(name)}"}
        else:
            shown["result"] = None
        return shown


def _guarded(text: str) -> Iterator[str]:
    """The CSV with each cell that a spreadsheet would take for a formula marked as text; numbers stay."""
    rows = rows_of(text)
    while some := list(islice(rows, ROWS_IN_A_PIECE)):
        output = io.StringIO()
        csv.writer(output, lineterminator="\n").writerows(
            [cell if _NUMBER.fullmatch(cell) else guarded(cell) for cell in row] for row in some
        )
        yield output.getvalue()
