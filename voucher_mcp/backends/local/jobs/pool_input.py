"""All codes of a pool as a job's input, a page a transaction: as they are at the call."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.local.jobs.jobs import Chunk
from voucher_mcp.domain.errors import InvalidInput, quoted


class PoolInput:
    """The codes of one pool, one a line; `parameters` is what the job has to know beside them."""

    def __init__(self, backend: Backend, pool_id: str, parameters: Mapping[str, Any]) -> None:
        self._backend = backend
        self._pool_id = pool_id
        self.total = 0
        self.parameters = parameters

    async def read(self) -> AsyncGenerator[Chunk]:
        """The codes in pieces.

        Raises:
            NotFound: there is no such pool.
            InvalidInput: it has no codes.
        """
        async with aclosing(self._backend.export_codes(self._pool_id, None)) as batches:
            async for batch in batches:
                lines = [json.dumps(code["code"], separators=(",", ":")).encode() for code in batch]
                yield Chunk(self.total, self.total + 1, b"\n".join(lines))
                self.total += len(batch)
        if not self.total:
            raise InvalidInput(
                f"The pool {quoted(self._pool_id)} has no codes. add_voucher_codes puts some into it.",
                field="pool_id",
            )
