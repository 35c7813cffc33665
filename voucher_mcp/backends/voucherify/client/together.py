"""Several requests at once, of which the first failure is the whole's."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

import anyio

from voucher_mcp.domain.errors import VoucherError

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE: Final = 8


async def together(work: Callable[[T], Awaitable[R]], items: Iterable[T]) -> list[R]:
    """The results of `work` on each item, in the items' order; at most `AT_ONCE` run at a time.

    Raises:
        VoucherError: the first that one of them raised; the others are cancelled.
    """
    asked = list(items)
    results: dict[int, R] = {}
    failures: list[VoucherError] = []
    limiter = anyio.CapacityLimiter(AT_ONCE)
    async with anyio.create_task_group() as tasks:

        async def run(at: int, item: T) -> None:
            async with limiter:
                try:
                    results[at] = await work(item)
                except VoucherError as error:
                    failures.append(error)
                    tasks.cancel_scope.cancel()

        for at, item in enumerate(asked):
            tasks.start_soon(run, at, item)
    if failures:
        raise failures[0]
    return [results[at] for at in range(len(asked))]
