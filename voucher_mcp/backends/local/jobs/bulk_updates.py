"""Bulk updates: metadata of many vouchers, merged into what each has."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from voucher_mcp.backends.local.jobs.job_input import InputJob, Record, Written, json_rows, problem_of
from voucher_mcp.backends.local.jobs.jobs import Chunk, Failure
from voucher_mcp.backends.local.records import changes, vouchers
from voucher_mcp.backends.local.records.references import hints
from voucher_mcp.backends.local.vouchers import voucher_writes
from voucher_mcp.domain.errors import VoucherError, quoted
from voucher_mcp.stores.base import Transaction
from voucher_mcp.stores.projects import Project


class _Update(InputJob):
    async def write(
        self, transaction: Transaction, project: Project, records: Sequence[Record], moment: int
    ) -> Written:
        failures, changed = [], set[int]()
        found = await vouchers.find_all(transaction, project, {record.code for record in records})
        now = {voucher.n: voucher for voucher in found.values()}
        missing = {record.code for record in records if record.code not in found}
        meant = await hints(transaction, project, list(missing))
        for record in records:
            if record.code not in found:
                other = meant[record.code]
                problem = f"there is no voucher of this code{other and f'.{other}'}"
                failures.append(Failure(record.row, record.code, problem_of(problem)))
                continue
            n = found[record.code].n
            try:  # one that stands twice is changed twice
                now[n] = now[n].with_own(voucher_writes.changed(now[n], {"metadata": record.content}))
                changed.add(n)
            except VoucherError as error:
                failures.append(Failure(record.row, record.code, problem_of(error.message)))
        await changes.set_own_of(transaction, project, [now[n] for n in sorted(changed)], moment)
        before = {voucher.n: voucher for voucher in found.values()}
        return Written(failures, [changes.step(before[n], now[n]) for n in sorted(changed)])


class EachUpdate(_Update):
    """update_vouchers_in_bulk: a list of {code, metadata}."""

    type: ClassVar[str] = "VOUCHERS.BULK_UPDATE"

    def prepare(self, chunk: Chunk) -> list[Record]:
        return [_record(row, value) for row, value in json_rows(chunk)]


class SameUpdate(_Update):
    """update_vouchers_metadata_in_bulk: a list of codes, and one metadata for all of them."""

    type: ClassVar[str] = "VOUCHERS.METADATA_UPDATE"

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        super().__init__()
        self._metadata = metadata

    def prepare(self, chunk: Chunk) -> list[Record]:
        return [_record(row, {"code": code, "metadata": self._metadata}) for row, code in json_rows(chunk)]


def _record(row: int, value: Any) -> Record:
    given: Mapping[str, Any] = value if isinstance(value, dict) else {}
    code = given.get("code")
    if not isinstance(code, str) or not code:
        return Record(row, "", None, "`code` must be a text")
    if unknown := sorted(given.keys() - {"code", "metadata"}):
        return Record(row, code, None, f"only metadata can be changed here, not {quoted(unknown[0])}")
    if not isinstance(given.get("metadata"), dict):
        return Record(row, code, None, "`metadata` must be an object")
    return Record(row, code, given["metadata"])
