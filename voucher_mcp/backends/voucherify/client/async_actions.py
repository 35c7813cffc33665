"""What the vendor goes on with after a call: its async actions, and waiting for them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio

from voucher_mcp.backends.http import segment
from voucher_mcp.backends.voucherify.client.account import Account
from voucher_mcp.backends.voucherify.mapping.objects import Object, as_count, as_object, as_objects, as_text
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.job import ENDED, operation_status

AWAITED: Final = 30.0
"""Seconds that a tool waits for what it began."""
_KEPT: Final = 5.0
"""Seconds of the call that are kept for what follows the waiting."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0


class AsyncActions(Account):
    """Reads async actions, and waits for them."""

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
