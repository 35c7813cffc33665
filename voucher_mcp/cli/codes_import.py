"""`voucher-mcp codes import`: the codes of a file into a pool."""

import argparse
import sys
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import can
from voucher_mcp.cli.code_files import STANDARD_INPUT, CodeFile, read_codes
from voucher_mcp.cli.interrupt import Interrupt
from voucher_mcp.cli.main import DONE, INTERRUPTED, settings_of
from voucher_mcp.cli.progress import progress_bar
from voucher_mcp.cli.reach import on_backend, project_of
from voucher_mcp.cli.report import Report
from voucher_mcp.cli.tally import Tally
from voucher_mcp.config import Settings
from voucher_mcp.domain.errors import InvalidInput, NotFound, quoted
from voucher_mcp.domain.pool import NewCode
from voucher_mcp.domain.write import Write, digest_of_call
from voucher_mcp.policy.access import Demand, refusal

COMMAND, CALLER = "codes import", "cli"


def run(arguments: argparse.Namespace) -> int:
    """Import, and say what became of the lines; 130 where Ctrl-C ended it."""
    settings = settings_of(arguments)
    _require_write(settings, arguments.project)
    with CodeFile.opened(arguments.file) as file, Report(_report_path(arguments)) as report:
        return _Import(arguments, file, report).run(settings)


class _Import:
    """One run: the codes of a file on their way into a pool."""

    def __init__(self, arguments: argparse.Namespace, file: CodeFile, report: Report) -> None:
        self._project: str = arguments.project
        self._pool: str = arguments.pool
        self._create: bool = arguments.create
        self._file = file
        self._report = report
        self._tally = Tally(report)

    def run(self, settings: Settings) -> int:
        reading = read_codes(self._file.text, self._tally.refuse)
        first = next(reading, None)  # before anything is made or written
        if first is None:
            raise self._unusable()
        with Interrupt(reading) as interrupt:
            ended = False
            try:
                on_backend(settings, self._project, partial(self._add, chain([first], interrupt.codes())))
                ended = not interrupt.asked
            finally:
                self._sum_up(stopped=not ended)
        return DONE if ended else INTERRUPTED

    def _sum_up(self, *, stopped: bool) -> None:
        if not self._tally.done:
            return
        print(self._tally.summary(self._pool))
        if stopped:
            print("Stopped. Run the same command again to go on; nothing is added twice.", file=sys.stderr)

    async def _add(self, codes: Iterable[NewCode], backend: Backend) -> None:
        pool_id = await self._find_or_make_pool(backend)
        write = _write(COMMAND, pool_id=pool_id)
        with progress_bar("Importing", self._file.size) as step:
            async for batch in backend.import_codes(write, pool_id, codes):
                self._tally.count(batch)
                step(self._file.position, self._tally.done)

    async def _find_or_make_pool(self, backend: Backend) -> str:
        try:
            return (await backend.get_voucher_pool(self._pool)).data["id"]
        except NotFound:
            if not self._create:
                raise NotFound(
                    f"There is no pool {quoted(self._pool)} in the project {self._project}; nothing was "
                    "added. With --create it is made."
                ) from None
        write = _write("create_voucher_pool", name=self._pool)
        made = await backend.create_voucher_pool(write, self._pool, None, [])
        print(f"Made the pool {quoted(self._pool)}.", flush=True)
        return made.data["id"]

    def _unusable(self) -> InvalidInput:
        if not self._tally.bad:
            return InvalidInput("The file is empty; nothing was added.")
        return InvalidInput(
            f"No line of the file holds a usable code; nothing was added. {self._report.path} says why, line "
            "by line."
        )


def _require_write(settings: Settings, project_id: str) -> None:
    """Let a person write where an agent may, whichever toolsets agents are offered."""
    demand = Demand(COMMAND, toolset="projects", method="import_codes", writes=True, irreversible=False)
    if (refused := refusal(demand, project_of(settings, project_id), settings, can)) is not None:
        raise refused


def _write(tool: str, **arguments: object) -> Write:
    subject = ", ".join(map(str, arguments.values()))
    return Write(tool, digest_of_call(tool, arguments), CALLER, subject=subject)


def _report_path(arguments: argparse.Namespace) -> Path:
    if arguments.report is None:
        name = "codes-import" if arguments.file == STANDARD_INPUT else arguments.file
        return Path(f"{name}.report.csv")
    path: Path = arguments.report
    if arguments.file != STANDARD_INPUT and path.resolve() == Path(arguments.file).resolve():
        raise InvalidInput("The report would replace the file that is imported; nothing was added.")
    return path
