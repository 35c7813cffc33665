"""Async actions: work that is accepted at once and done later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.standins.voucherify import filters
from tests.standins.voucherify.calls import Call, Outcome
from tests.standins.voucherify.errors import ApiError, Json, invalid_payload, invalid_query, not_found
from tests.standins.voucherify.state import State, moment, stamp

Work = Callable[[], Json]
"""Does it and answers the `result`."""


@dataclass
class Job:
    """One async action."""

    shown: Json
    work: Work
    polls: int
    """How many more times it answers that it is not done."""
    with_operation_status: bool
    about: str | None = None
    """The campaign whose codes it makes; reading that one is a look too."""

    @property
    def done(self) -> bool:
        """It has run, with or without success."""
        return self.shown["status"] in ("DONE", "FAILED")

    def poll(self, state: State) -> None:
        """Somebody looked: the last look finds it done."""
        if not self.done:
            if self.polls <= 0:
                for job in list(state.jobs.values()):  # one after the other, in the order they came in
                    job.finish(state)
                    if job is self:
                        break
            else:
                self.polls -= 1

    def finish(self, state: State) -> None:
        """Do the work now."""
        if self.done:
            return
        status = "DONE"
        try:
            result = self.work()
        except ApiError as error:  # nobody is there any more to be answered
            status, result = "FAILED", {"message": error.message, "done_count": 0}
        self.shown.update(
            status=status, progress=100, processing_time=7, updated_at=state.now(), result=result
        )
        if self.with_operation_status:
            failed = result.get("failed_count", 0) and not result.get("done_count", 0)
            self.shown["operation_status"] = "FAILED" if failed else "SUCCESS"


def enqueue(state: State, kind: str, work: Work, about: str | None = None) -> Job:
    """Accept work of this async action type, e.g. VOUCHERS.IMPORT."""
    shown: Json = {
        "id": state.new_id("aa"),
        "type": kind,
        "status": "ENQUEUED",
        "created_at": state.now(),
        "updated_at": None,
        "request_id": state.new_id("v-"),
        "progress": 0,
        "object": "async_action",
    }
    with_status = kind.endswith(("BULK_UPDATE", "METADATA_UPDATE"))
    job = state.jobs[shown["id"]] = Job(shown, work, state.polls, with_status, about)
    return job


def accepted(state: State, kind: str, work: Work, status: int = 202) -> Outcome:
    """The answer to a request that began an async action."""
    return status, {"async_action_id": enqueue(state, kind, work).shown["id"]}


def get(call: Call) -> Outcome:
    """GET /v1/async-actions/{id}"""
    job = call.state.jobs.get(call.parts[0])
    if job is None:
        raise not_found("async_action", call.parts[0])
    shown = dict(job.shown)
    job.poll(call.state)
    return 200, dict(job.shown) if job.done else shown


def listing(call: Call) -> Outcome:
    """GET /v1/async-actions: the newest first, those before `end_date`; without results."""
    state, limit = call.state, filters.limit_of(call.query)
    end = call.query.get("end_date")
    try:
        before = stamp(moment(end, "end_date")) if end is not None else None
    except ApiError:
        details = "Property .end_date cannot be recognized as a ISO-8601 compliant date"
        raise invalid_query(details) from None
    for job in state.jobs.values():
        job.poll(state)
    found = [job.shown for job in reversed(state.jobs.values())]
    found = [shown for shown in found if before is None or shown["created_at"] < before]
    shown = [{name: value for name, value in one.items() if name != "result"} for one in found[:limit]]
    more = len(found) > limit
    return 200, {"object": "list", "data_ref": "async_actions", "async_actions": shown, "has_more": more}


def counted(verb: str, failed: list[Json], done: int) -> Json:
    """The result of an import."""
    message = f"{done} voucher(s) {verb} successfully, {len(failed)} failed."
    return {"message": message, "failed": failed, "done_count": done, "failed_count": len(failed)}


def rows(state: State, items: list[Json], make: Callable[[Json], Any], *, numbered: bool) -> Work:
    """Work that makes one voucher a row; a row that fails stays out and is named in the result."""

    def work() -> Json:
        failed: list[Json] = []
        for number, item in enumerate(items, 1):
            try:
                make(item)
            except ApiError as error:
                row = {"row": number} if numbered else {}
                reason = str(error.more.get("details", error.message))
                failed.append({"code": item.get("code"), **row, "reason": reason})
        return counted("imported", failed, len(items) - len(failed))

    return work


def _reported(state: State, codes: list[str], metadata: Callable[[int], Json]) -> Work:
    def work() -> Json:
        done = 0
        for number, code in enumerate(codes):
            voucher = state.vouchers.get(code)
            if voucher is not None:  # there are no upserts
                voucher["metadata"] = {**voucher["metadata"], **metadata(number)}
                voucher["updated_at"] = state.now()
                done += 1
        return {
            "done_count": done,
            "failed_count": len(codes) - done,
            "reports": [f"{state.base_url}/reports"],
            "reports_available_till": stamp(state.clock() + timedelta(days=7)),
            "errors": [],
        }

    return work


def update_in_bulk(call: Call) -> Outcome:
    """POST /v1/vouchers/bulk/async: metadata of its own for each code."""
    items = call.items
    for number, item in enumerate(items):
        if not isinstance(item.get("code"), str) or not isinstance(item.get("metadata"), dict):
            raise invalid_payload(
                f"Property [{number}] should have required properties 'code' and 'metadata'"
            )
    work = _reported(
        call.state, [item["code"] for item in items], lambda number: dict(items[number]["metadata"])
    )
    return accepted(call.state, "VOUCHERS.BULK_UPDATE", work)


def update_metadata_in_bulk(call: Call) -> Outcome:
    """POST /v1/vouchers/metadata/async: the same metadata for all codes."""
    codes, metadata = call.json.get("codes"), call.json.get("metadata")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise invalid_payload("Payload should have required property 'codes'")
    if not isinstance(metadata, dict):
        raise invalid_payload("Payload should have required property 'metadata'")
    return accepted(call.state, "VOUCHERS.METADATA_UPDATE", _reported(call.state, codes, lambda _: metadata))
