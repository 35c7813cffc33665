"""Reading a voucher from a vendor over standard input and output, beside a bare server with one request."""

import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from bench.harness import Bench, Figure, Rounds, Target, at_least, rate
from bench.processes import python
from bench.vendor_stand_in import CODE

AT_ONCE = 16
CALLS = 1_000


def measure(bench: Bench) -> Iterator[Figure]:
    """Calls a second, one after another and sixteen at once, and the connections that those open."""
    yield from anyio.run(_measure, bench)


async def _measure(bench: Bench) -> list[Figure]:
    one, many, calls = Rounds(), Rounds(), bench.size(CALLS, 50)
    with _stand_in() as vendor:
        async with AsyncExitStack() as stack:
            ours = await stack.enter_async_context(_client(vendor, bench.folder, "voucher_mcp"))
            floor = await stack.enter_async_context(_client(vendor, bench.folder, "bench.bare_vendor_server"))
            before = vendor.connections()
            await _rate(ours, calls, AT_ONCE)
            opened = vendor.connections() - before
            await _rate(floor, calls, AT_ONCE)
            for _ in range(bench.size(7, 1)):
                for rounds, at_once in ((one, 1), (many, AT_ONCE)):
                    rounds.add(
                        ours=await _rate(ours, calls, at_once), floor=await _rate(floor, calls, at_once)
                    )
    most = Target(f"≤ {AT_ONCE}", lambda ratio: ratio <= 1)
    return [
        many.figure(f"get_voucher from a vendor, {AT_ONCE} at once", rate, at_least(0.75)),
        one.figure("get_voucher from a vendor, one after another", rate, at_least(0.75)),
        Figure(
            f"connections for {calls:,} calls, {AT_ONCE} at once",
            str(opened),
            str(AT_ONCE),
            opened / AT_ONCE,
            most.text,
            most.met(opened / AT_ONCE),
        ),
    ]


async def _rate(client: Client, calls: int, at_once: int) -> float:
    """Calls a second."""
    left = iter(range(calls))

    async def call() -> None:
        for _ in left:
            result = await client.call_tool("get_voucher", {"project_id": "voucherify", "code": CODE})
            assert not result.is_error, result

    started = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(at_once):
            tasks.start_soon(call)
    return calls / (time.perf_counter() - started)


@asynccontextmanager
async def _client(vendor: "_Vendor", folder: Path, module: str) -> AsyncIterator[Client]:
    command, *arguments = python(module)
    environment = {**vendor.variables, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    async with Client(
        stdio_client(StdioServerParameters(command=command, args=arguments, env=environment))
    ) as client:
        await client.list_tools()  # which the client would do in its first call
        yield client


class _Vendor:
    """The stand-in's process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        base_url, app_id, app_token = self._line().split()
        self.variables: Mapping[str, str] = {
            "VOUCHERIFY_API_BASE_URL": base_url,
            "VOUCHERIFY_APP_ID": app_id,
            "VOUCHERIFY_APP_TOKEN": app_token,
        }

    def connections(self) -> int:
        """How many it accepted so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def _stand_in() -> Iterator[_Vendor]:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(python("bench.vendor_stand_in"), **pipes) as process:
        try:
            yield _Vendor(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
