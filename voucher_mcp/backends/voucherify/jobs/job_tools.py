"""The job tools on Voucherify: imports, bulk updates, exports, and how far they have come."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher_mcp.backends.base import Fields
from voucher_mcp.backends.http import Files
from voucher_mcp.backends.voucherify.client.account import DRY
from voucher_mcp.backends.voucherify.client.walking import Stretch
from voucher_mcp.backends.voucherify.jobs import voucher_csv
from voucher_mcp.backends.voucherify.jobs.exports import Exports
from voucher_mcp.backends.voucherify.mapping import bodies, campaigns
from voucher_mcp.backends.voucherify.mapping.failures import NO_REPEAT, unsettled
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_text
from voucher_mcp.backends.voucherify.pools.pool_lookups import PoolLookups, codes_of
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, NotFound, quoted
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.queries import CsvSource
from voucher_mcp.domain.values.fields import fault
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.domain.write import Write

_LOOKED_UP: Final = 5
"""Codes of an earlier try that are looked up; they are put in together, so that a few speak for all."""

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


class JobTools(PoolLookups, Exports):
    """The jobs of a project."""

    async def import_vouchers(self, write: Write, vouchers: Sequence[Fields]) -> Answer[Object]:
        rows = bodies.import_rows(vouchers)
        _refuse_too_large(rows, "vouchers")
        if write.dry_run:
            return _rehearsed(len(rows), {"rows": [dict(row) for row in rows[: voucher_csv.SHOWN]]})
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
        content, rows, shown = voucher_csv.checked(
            content, Place(project.zone, MINOR_UNITS[project.currency])
        )
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

    async def get_async_action(self, async_action_id: str) -> Answer[Object]:
        return Answer(await self._action(async_action_id))

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
                f"Pool {quoted(campaigns.name_of(campaign))} has more than {WALKED:,} codes, and this "
                "voucher system changes only codes that are named one by one: more cannot be listed in a "
                "call. Give the codes in `codes`, from list_voucher_codes.",
                field="pool_id",
            )
        return [code for one in found.rows if (code := as_text(one.get("code")))]

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
