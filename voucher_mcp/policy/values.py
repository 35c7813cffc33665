"""What a call's worth takes from the voucher system itself, by the reads that agents use too."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.local.jobs.import_folder import read_blocks
from voucher_mcp.config import Limits, LocalProject, Project
from voucher_mcp.domain.errors import LimitExceeded, NotFound
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.domain.write import Arguments
from voucher_mcp.policy.limits import needs_worth


class BackendValues:
    """The values of one project. None is looked up where that would cost a vendor's quota for no limit.

    What is not found is worth nothing: the call itself will say that it is not there.
    """

    def __init__(self, project: Project, backend: Backend, allowed: Limits) -> None:
        self._project = project
        self._backend = backend
        self._limited = needs_worth(allowed)
        asked = (allowed.asked_above, allowed.approved_above)
        self._reading = self._limited or asked != (None, None)  # of CSV, which takes time
        self._looking = self._limited or backend.journals
        self._holding = backend.can("update_voucher_balance")  # elsewhere no code is money
        self._counting = allowed.max_codes_per_call is not None
        self.digits = MINOR_UNITS[project.currency]
        self.looked = False
        """Whether anything was looked up, so that it can have changed when the write is made."""

    async def template(self, pool_id: str) -> Mapping[str, Any]:
        pool = await self._pool(pool_id, self._reading and self._holding)
        voucher = pool.get("template")
        return voucher if isinstance(voucher, dict) else {}

    async def size(self, pool_id: str) -> int:
        pool = await self._pool(pool_id, self._looking)
        if pool and pool.get("total") is None and self._counting:
            raise LimitExceeded(
                "How many codes this pool has cannot be told, so it cannot be held against the limit "
                "max_codes_per_call. Only the operator can lift the limit."
            )
        return int(pool.get("total") or 0)

    async def kind(self, code: str) -> str | None:
        if not self._looking:
            return None
        self.looked = True
        try:
            kind = (await self._backend.get_voucher(code, "concise")).data.get("type")
        except NotFound:
            return None
        return kind if isinstance(kind, str) else None

    def csv(self, arguments: Arguments) -> Iterable[bytes] | None:
        if not self._reading:
            return None
        if arguments.get("csv") is not None:
            return [arguments["csv"].encode("utf-8", "surrogatepass")]
        if not arguments.get("path"):
            return None  # neither of them, which the call refuses
        folder = self._project.import_dir if isinstance(self._project, LocalProject) else None
        return read_blocks(folder, Path(arguments["path"]))

    async def _pool(self, pool_id: str, needed: bool) -> Mapping[str, Any]:
        if not needed:
            return {}
        self.looked = True
        try:
            pool: Mapping[str, Any] = (await self._backend.get_voucher_pool(pool_id)).data
        except NotFound:
            return {}
        return pool
