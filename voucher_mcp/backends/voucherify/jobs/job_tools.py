"""What begins a job: imports, bulk updates, and the export of a ledger."""

import csv as csvlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.base import Fields
from voucher_mcp.backends.http import Files, is_segment
from voucher_mcp.backends.voucherify.client.account import DRY, voucher_path
from voucher_mcp.backends.voucherify.client.pages import Stretch
from voucher_mcp.backends.voucherify.mapping import bodies, campaigns
from voucher_mcp.backends.voucherify.mapping.failures import NO_REPEAT, unsettled
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_text
from voucher_mcp.backends.voucherify.pools.pool_lookups import PoolLookups, codes_of
from voucher_mcp.backends.voucherify.vouchers.voucher_tools import VoucherTools
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound, OutcomeUnknown, quoted
from voucher_mcp.domain.files.cells import plain
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.voucher_rows import VoucherTable
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.domain.write import Write

_LOOKED_UP: Final = 5
"""Codes of an earlier try that are looked up; they are put in together, so that a few speak for all."""

_SHOWN: Final = 20
"""Rows that a dry run shows as they were read."""
_NAMED: Final = 5
WALKED: Final = 5_000
"""Codes of a pool that are listed for a bulk update (ours): fifty requests."""

_IMPORTED: Final = "get_voucher with one of the codes shows whether they are there, once the job is done."
_IMPORTED_ONCE: Final = (
    f"{_IMPORTED} A repeat with the same idempotency_key sends them again only while it finds none of them."
)
_UPDATED: Final = (
    "get_voucher, field `metadata`, shows whether it was set, once the job is done; setting it again does no "
    f"harm. {NO_REPEAT}"
)


class VoucherJobTools(VoucherTools, PoolLookups):
    """The part of the toolset vouchers that runs on at the vendor after the call."""

    async def import_vouchers(self, write: Write, vouchers: Sequence[Fields]) -> Answer[Object]:
        rows = bodies.import_rows(vouchers)
        _refuse_too_large(rows, "vouchers")
        if write.dry_run:
            return _rehearsed(len(rows), {"rows": [dict(row) for row in rows[:_SHOWN]]})
        if write.recovering and await self._any_exists([row["code"] for row in rows]):
            raise unsettled(_IMPORTED_ONCE, recovering=True)
        # codes are unique in a project: if an earlier try is still in the queue, no voucher is made twice
        return await self._begin(write, "/v1/vouchers/import", json=rows, advice=_IMPORTED_ONCE)

    async def import_vouchers_using_csv(self, write: Write, csv: CsvSource) -> Answer[Object]:
        if csv.text is None:
            raise InvalidInput(
                "This project has no folder to read files from; send the CSV itself as `csv`.",
                field="path",
            )
        content = csv.text.encode("utf-8", "surrogatepass")
        bodies.refuse_too_large(content, "csv")
        project = self._project
        content, rows, shown = _checked(content, Place(project.zone, MINOR_UNITS[project.currency]))
        if write.dry_run:
            return _rehearsed(rows, shown)
        if write.recovering:
            raise unsettled(f"{_IMPORTED} {NO_REPEAT}", recovering=True)
        files = {"file": ("vouchers.csv", content, "text/csv")}
        return await self._begin(
            write, "/v1/vouchers/importCSV", files=files, advice=f"{_IMPORTED} {NO_REPEAT}"
        )

    async def update_vouchers_in_bulk(self, write: Write, vouchers: Sequence[Fields]) -> Answer[Object]:
        rows = bodies.bulk_rows(vouchers)
        _refuse_too_large(rows, "vouchers")
        return await self._update(write, "/v1/vouchers/bulk/async", rows, len(rows))

    async def update_vouchers_metadata_in_bulk(
        self, write: Write, codes: Sequence[str] | None, metadata: Fields, pool_id: str | None = None
    ) -> Answer[Object]:
        if pool_id is not None:
            if write.recovering:  # before the pool is read again
                raise unsettled(_UPDATED, recovering=True)
            codes = await self._codes_in(pool_id)
        if not codes:
            raise fault("codes" if pool_id is None else "pool_id", "has no codes")
        body = {"codes": list(codes), "metadata": dict(metadata)}
        _refuse_too_large(body, "codes" if pool_id is None else "pool_id")
        return await self._update(write, "/v1/vouchers/metadata/async", body, len(codes))

    async def _codes_in(self, pool_id: str) -> list[str]:
        """All codes of a pool, which the vendor's bulk update wants to be told.

        Raises:
            InvalidInput: they are more than can be listed in a call.
        """
        campaign = await self._campaign(pool_id)
        count = as_count(campaign.get("vouchers_count"))
        found: Stretch[Object] | None = None
        if count is None or count <= WALKED:
            found = await self._stretch(codes_of(campaigns.identity(campaign)), 0, WALKED)
        if found is None or not found.ends:
            raise InvalidInput(
                f"The pool {quoted(campaigns.name_of(campaign))} has more than {WALKED:,} codes, and this "
                "voucher system changes only codes that are named one by one: more cannot be listed in a "
                "call. Give the codes in `codes`, from list_voucher_codes.",
                field="pool_id",
            )
        return [code for one in found.rows if (code := as_text(one.get("code")))]

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
            return Answer((await self._send(write, "POST", path, json=body, settled_by="")).object())
        except OutcomeUnknown as error:
            raise OutcomeUnknown(
                "Voucherify's answer was lost or cannot be read. An export changes no voucher, so it can "
                "simply be begun again, with the same idempotency_key too.",
                request_id=error.request_id,
            ) from error

    async def _update(self, write: Write, path: str, body: Any, count: int) -> Answer[Object]:
        if write.dry_run:
            return _rehearsed(count)
        if write.recovering:
            raise unsettled(_UPDATED, recovering=True)
        return await self._begin(write, path, json=body, advice=_UPDATED)

    async def _begin(
        self, write: Write, path: str, *, json: Any = None, files: Files | None = None, advice: str
    ) -> Answer[Object]:
        reply = await self._send_untraceable(write, path, json=json, files=files, advice=advice)
        return Answer({"async_action_id": reply.get("async_action_id")})

    async def _any_exists(self, codes: Sequence[str]) -> bool:
        for code in codes[:_LOOKED_UP]:
            try:
                await self._voucher(code)
            except NotFound:
                continue
            return True
        return False


def _refuse_too_large(body: Any, field: str) -> None:
    bodies.refuse_too_large(json.dumps(body, separators=(",", ":")), field)


def _checked(content: bytes, place: Place) -> tuple[bytes, int, Mapping[str, Any]]:
    """A CSV of vouchers as the document writes it, how many it has, and what a dry run shows of it.

    The vendor takes over what was redeemed elsewhere. What it would read otherwise than it was meant, such as
    a number with what parts its thousands, is not sent.

    Raises:
        InvalidInput: the file or some of its rows cannot be read.
    """
    text, bad, shown, count = io.StringIO(newline=""), list[str](), list[Object](), 0
    writer = csvlib.writer(text, lineterminator="\n")

    try:
        table = VoucherTable.opened([content], place, takes_over=True)
        columns = table.columns
        header = columns.written_header()
        writer.writerow(header)
        for line, cells in table.rows():
            count += 1
            code = plain(cells.pop(columns.code)) if columns.code < len(cells) else ""
            if code and not is_segment(code):
                bad.append(f"line {line:,}: a code of dots alone cannot be used here")
                continue
            try:
                row = columns.written(cells)
            except ValueError as error:
                bad.append(f"line {line:,}: {error}")
                continue
            row.insert(columns.code, code)
            writer.writerow(row)
            if len(shown) < _SHOWN:
                shown.append({"row": line, **dict(zip(header, row, strict=False))})
    except Unreadable as error:
        raise InvalidInput(error.sentence, field="csv") from None
    if bad:
        more = f"; and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
        raise fault("csv", f"has rows that cannot be read: {'; '.join(bad[:_NAMED])}{more}")
    if not count:
        raise fault("csv", "has no rows below its header")
    renamed = columns.taken_for()
    beside = {"rows": shown} | ({"columns": renamed} if renamed else {})
    return text.getvalue().encode(), count, beside


def _rehearsed(count: int, shown: Mapping[str, Any] | None = None) -> Answer[Object]:
    """What can be known of a job before it runs: the vendor checks the rows itself."""
    message = f"{count:,} would be sent; the voucher system checks each itself"
    unknown: Mapping[str, Any] = {
        "message": message,
        "done_count": None,
        "failed_count": None,
        "failed": [],
        "tried": count,
    }
    return Answer({"async_action_id": None, "result": {**unknown, **(shown or {})}}, DRY)
