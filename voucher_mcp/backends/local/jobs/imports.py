"""Imports: vouchers without a pool, from a list or from CSV."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from voucher_mcp.backends.local.jobs.job_input import InputJob, Record, Written, json_rows, problem_of
from voucher_mcp.backends.local.jobs.jobs import Chunk, Failure
from voucher_mcp.backends.local.records import taken
from voucher_mcp.backends.local.records.references import is_an_id
from voucher_mcp.backends.local.vouchers.standing import standing
from voucher_mcp.backends.local.vouchers.voucher_writes import own_row
from voucher_mcp.domain.change import runs_of
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.cells import plain
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.voucher_rows import VoucherColumns
from voucher_mcp.domain.values.texts import composed, folded
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.domain.values.wording import value_in_words
from voucher_mcp.domain.vouchers.code_config import MAX_CODE_LENGTH, is_valid_code, validate_code
from voucher_mcp.domain.vouchers.voucher import VoucherTerms, parse_import_row, redeemed_before
from voucher_mcp.stores.base import Row, Transaction
from voucher_mcp.stores.projects import Project

_REMEMBERED = 10_000
"""How many different terms are kept read; most rows of a file share theirs."""

Terms = Row | str
"""What the row of a voucher will say, or why it cannot be."""


class _Import(InputJob):
    """What both imports share: the terms that were read already, and writing the rows."""

    makes_codes = True

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Any, Terms] = {}

    def show(self, records: Sequence[Record], currency: str) -> list[dict[str, Any]]:
        return [_shown(record, currency) for record in records]

    def _record(self, row: int, code: object, terms: Terms) -> Record:
        if not is_valid_code(code):
            try:
                validate_code(code, "code")
            except InvalidInput as error:
                return Record(row, str(code)[:MAX_CODE_LENGTH], None, problem_of(error.message))
            raise AssertionError(code)
        code = composed(code)
        return Record(row, code, None, terms) if isinstance(terms, str) else Record(row, code, terms)

    def _remember(self, key: Any, body: Mapping[str, Any] | str) -> Terms:
        """Read the body of a voucher, or take the problem that it has already."""
        terms: Terms
        try:
            if isinstance(body, str):
                terms = body
            else:
                parsed, skipped = parse_import_row(body, "")
                self.ignored.update(skipped)
                terms = (*own_row(parsed), *_use(redeemed_before(body, parsed), parsed))
        except InvalidInput as error:
            terms = problem_of(error.message)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[key] = terms
        return terms

    async def write(
        self, transaction: Transaction, project: Project, records: Sequence[Record], moment: int
    ) -> Written:
        await taken.take_over(transaction, project, [record.code for record in records])
        fit = [record for record in records if not is_an_id(project, record.code)]
        wanted = [(record.code, folded(record.code), *record.content) for record in fit]
        rows = await transaction.add_vouchers(project.n, wanted, moment)
        added = {one.row for one, n in zip(fit, rows, strict=True) if n is not None}
        refused = [record for record in records if record.row not in added]
        reasons = await taken.reasons(transaction, project, list({record.code for record in refused}))
        failures = [Failure(one.row, one.code, f"the code is {reasons[one.code]}") for one in refused]
        return Written(failures, runs_of(sorted(n for n in rows if n is not None)))


def _use(redeemed: int, terms: VoucherTerms) -> tuple[int, int]:
    """How often the voucher was redeemed, and the status that it has by that."""
    limit, gift = terms.get("redemption"), terms.get("gift")
    quantity = None if limit is None else limit["quantity"]
    return redeemed, standing(quantity, redeemed, None if gift is None else gift["amount"])


def _shown(record: Record, currency: str) -> dict[str, Any]:
    """A row as it was read: code, type, value, dates and the rest, or what is wrong with it."""
    shown: dict[str, Any] = {"row": record.row, "code": record.code}
    if record.problem is not None:
        return {**shown, "problem": record.problem}
    text, active, start_date, expiration_date, metadata, redeemed, _ = record.content
    terms = json.loads(text)
    rest = {
        "value": value_in_words(terms, currency),
        "start_date": to_iso(start_date),
        "expiration_date": to_iso(expiration_date),
        "active": bool(active),
        "metadata": json.loads(metadata) if metadata else None,
        "redeemed_quantity": redeemed or None,
    }
    return {**shown, **terms, **{name: value for name, value in rest.items() if value is not None}}


class JsonImport(_Import):
    """import_vouchers: a list of vouchers as their document has them."""

    type: ClassVar[str] = "VOUCHERS.IMPORT"

    def prepare(self, chunk: Chunk) -> list[Record]:
        return [self._read(row, value) for row, value in json_rows(chunk)]

    def _read(self, row: int, value: Any) -> Record:
        if not isinstance(value, dict):
            return Record(row, "", None, "must be an object with a `code`")
        code = value.pop("code", None)
        if code is None:
            return Record(row, "", None, "`code` is required")
        key = json.dumps(value)
        return self._record(row, code, self._known.get(key) or self._remember(key, value))


class CsvImport(_Import):
    """import_vouchers_using_csv; its parameters hold the file's header, time zone and decimals."""

    type: ClassVar[str] = "VOUCHERS.IMPORT_CSV"

    def __init__(self, header: Sequence[str], zone: str, digits: int) -> None:
        super().__init__()
        self._columns = VoucherColumns(header, Place(ZoneInfo(zone), digits))
        self.read_as = self._columns.taken_for()

    def prepare(self, chunk: Chunk) -> list[Record]:
        at = self._columns.code
        known, records = self._known, []
        for _, (line, cells) in json_rows(chunk):
            code = plain(cells.pop(at)) if at < len(cells) else ""
            key = tuple(cells)
            terms = known.get(key) or self._remember(key, self._body(cells))
            records.append(self._record(line, code, terms))
        return records

    def _body(self, cells: Sequence[str]) -> dict[str, Any] | str:
        try:
            return self._columns.body(cells, self.ignored)
        except ValueError as problem:
            return problem_of(str(problem))
