"""How far imports, bulk updates and exports have come, and what an export holds."""

import csv
import io
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import Account
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_object, as_objects, as_text
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, VoucherError, quoted
from voucher_mcp.domain.job import ENDED, operation_status
from voucher_mcp.domain.values.spreadsheet import guarded, rows_of

EXPORTS_LISTED: Final = 20
AWAITED: Final = 30.0
"""Seconds that a tool waits for what it began."""
_KEPT: Final = 5.0
"""Seconds of the call that are kept for what follows the waiting."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


class JobTools(Account):
    """The toolset jobs."""

    async def get_async_action(self, async_action_id: str) -> Answer[Object]:
        return Answer(await self._action(async_action_id))

    async def get_export(self, export_id: str) -> Answer[Object]:
        return Answer(self._shown(await self._export(export_id)))

    async def list_exports(self) -> Answer[list[Object]]:
        found, _ = await self._list(
            "/v1/exports", "exports", {"limit": EXPORTS_LISTED, "order": "-created_at"}
        )
        done = [one for one in found if one.get("status") == "DONE" and as_text(one.get("id"))]
        shown = [self._shown({"created_at": "", **one}) for one in done]
        return Answer([one for one in shown if as_object(one.get("result")).get("url")])

    async def read_export(self, export_id: str) -> str:
        export = await self._export(export_id)
        url = as_text(as_object(export.get("result")).get("url"))
        if url is None:
            raise NotFound(f"The export {quoted(export_id)} is not finished; get_export says how far it is.")
        reply = await self._http.read_url(url)
        try:
            return _guarded(reply.text)
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

    async def _action(self, async_action_id: str) -> Object:
        """An async action with every field that the tool promises."""
        action = await self._get(f"/v1/async-actions/{segment(async_action_id)}")
        status = as_text(action.get("status")) or "IN_PROGRESS"
        result = as_object(action.get("result"))
        failed = [
            _failure(one) for name in ("failed", "errors") for one in as_objects(result.pop(name, None))
        ]
        done = as_count(result.get("done_count")) or 0
        told = as_count(result.get("failed_count"))
        failures = len(failed) if told is None else told
        ended = status in ENDED
        progress = as_count(action.get("progress"))
        return {
            **action,
            "status": status,
            "operation_status": _operation_status(action, status, done, failures),
            "progress": (100 if ended else 0) if progress is None else progress,
            "result": {
                **result,
                "message": f"{done:,} done, {failures:,} failed",
                **_own_message(result),
                "done_count": done,
                "failed_count": failures,
                "failed": failed,
            }
            if result or ended
            else None,
        }

    async def _ended(self, async_action_id: str) -> Object | None:
        """The action once it ended; None where it did not within the time that a tool waits, or where it
        cannot be looked at: it was begun, and goes on without us."""

        async def look() -> Object:
            return await self._action(async_action_id)

        try:
            action = await until(_has_ended, look, await look())
        except VoucherError:
            return None
        return action if _has_ended(action) else None


async def until(
    done: Callable[[Object], bool], look: Callable[[], Awaitable[Object]], shown: Object
) -> Object:
    """What `look` shows once it is done, beginning with `shown`; what it shows last, where that takes longer
    than a tool waits."""
    began = anyio.current_time()
    end = min(began + AWAITED, anyio.current_effective_deadline() - _KEPT)
    pause = _FIRST_PAUSE
    while not done(shown) and anyio.current_time() + pause <= end:
        await anyio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
        shown = await look()
    return shown


def _failure(given: Mapping[str, Any]) -> Object:
    """What failed, with the reason in one place; the row where the vendor tells it."""
    reason = as_text(given.get("reason")) or as_text(given.get("message")) or as_text(given.get("details"))
    rest = {name: value for name, value in given.items() if name not in ("message", "details")}
    return {"code": None, **rest, "reason": reason, "row": as_count(given.get("row"))}


def _operation_status(action: Mapping[str, Any], status: str, done: int, failures: int) -> str:
    """By the counts where the vendor tells any (ours): it says SUCCESS of jobs whose rows failed. Where it
    tells none its own word stands."""
    told = as_text(action.get("operation_status"))
    if status in ENDED and (done or failures):
        return operation_status("FAILED" if told == "FAILED" and not failures else status, done, failures)
    return told or operation_status(status, done, failures)


def _own_message(result: Mapping[str, Any]) -> Object:
    """The vendor's own words on a job, beside ours."""
    message = as_text(result.get("message"))
    return {} if message is None else {"vendor_message": message}


def _has_ended(action: Mapping[str, Any]) -> bool:
    return action["status"] in ENDED


def _guarded(text: str) -> str:
    """The CSV with each cell that a spreadsheet would take for a formula marked as text; numbers stay."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for row in rows_of(text):
        writer.writerow([cell if _NUMBER.fullmatch(cell) else guarded(cell) for cell in row])
    return output.getvalue()
