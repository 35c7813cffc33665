"""A server as a process that is killed as it uses an approval: `before` its transaction ends, or `after`."""

import os
import signal
import sys
from typing import Any

from tests.policy.vendor_server import use_stand_in
from voucher_mcp.cli.main import main
from voucher_mcp.journal import approvals
from voucher_mcp.policy import writes


def die_before_the_end() -> None:
    """Of the transaction in which the approval is used."""
    use = approvals.use

    async def use_and_die(*arguments: Any, **more: Any) -> None:
        await use(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    approvals.use = use_and_die


def die_after_the_end() -> None:
    """Of it, and before anybody hears of that."""
    run = writes._on_engine

    async def run_and_die(*arguments: Any) -> Any:
        answer = await run(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    writes._on_engine = run_and_die  # type: ignore[assignment]


if __name__ == "__main__":
    use_stand_in()
    {"before": die_before_the_end, "after": die_after_the_end}[sys.argv.pop(1)]()
    main()
