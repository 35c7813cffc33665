"""A CSV file of vouchers as a job's input: read once on the way in, kept as rows of cells."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from voucher_mcp.backends.local.jobs.job_input import CHUNK_BYTES
from voucher_mcp.backends.local.jobs.jobs import Chunk
from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.files.encoding import Unreadable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.files.voucher_rows import VoucherTable


class CsvInput:
    """The rows of a file in chunks: a line of JSON each, with its line in the file and its cells."""

    def __init__(self, blocks: Iterable[bytes], field: str, place: Place) -> None:
        self._blocks = blocks
        self._field = field
        self._place = place
        self.header: list[str] = []
        self.total = 0

    @property
    def parameters(self) -> dict[str, Any]:
        """The header, without which no later chunk says anything, and what dates and amounts mean."""
        return {"header": self.header, "zone": str(self._place.zone), "digits": self._place.digits}

    def chunks(self) -> Iterator[Chunk]:
        """The rows below the header.

        Raises:
            InvalidInput: the file as a whole is not understood, or has no rows.
        """
        try:
            yield from self._cut()
        except Unreadable as error:
            raise InvalidInput(error.sentence, field=self._field) from None
        if not self.total:
            raise InvalidInput("The CSV has no vouchers in it.", field=self._field)

    def _cut(self) -> Iterator[Chunk]:
        table = VoucherTable.opened(self._blocks, self._place)
        self.header = table.columns.header
        rows: list[bytes] = []
        first = size = 0
        for row in table.rows():
            rows.append(json.dumps(row, separators=(",", ":")).encode())
            size += len(rows[-1]) + 1
            self.total += 1
            if size >= CHUNK_BYTES:
                yield Chunk(first, first + 1, b"\n".join(rows))
                rows, first, size = [], self.total, 0
        if rows:
            yield Chunk(first, first + 1, b"\n".join(rows))
