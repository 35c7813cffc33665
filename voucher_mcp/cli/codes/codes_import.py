"""`voucher-mcp codes import`: the codes of a file into a pool."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from itertools import chain, islice
from pathlib import Path
from typing import Any

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import Backends, can
from voucher_mcp.cli.codes.code_files import STANDARD_INPUT, CodeFile
from voucher_mcp.cli.codes.code_preview import columns_taken, first_lines
from voucher_mcp.cli.codes.code_templates import template_of
from voucher_mcp.cli.codes.interrupt import Interrupt
from voucher_mcp.cli.codes.progress import progress_bar
from voucher_mcp.cli.codes.report import Report
from voucher_mcp.cli.codes.tally import Tally
from voucher_mcp.cli.main import DONE, INTERRUPTED, settings_of
from voucher_mcp.cli.reach import missing_pool, on_backends, project_of
from voucher_mcp.config import Project, Settings
from voucher_mcp.domain.errors import AlreadyExists, InvalidInput, NotFound, VoucherError, quoted
from voucher_mcp.domain.files.code_rows import chosen_columns
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.values.money import MINOR_UNITS
from voucher_mcp.domain.values.times import parse_time
from voucher_mcp.domain.values.wording import Some, in_words, worth_in_words
from voucher_mcp.domain.vouchers.pool import NewCode
from voucher_mcp.domain.write import Write, digest_of_call
from voucher_mcp.policy.access import Demand, refusal
from voucher_mcp.policy.commands import noted

COMMAND, CALLER = "codes import", "cli"

_SHOWN = 10
"""Codes that a dry run shows."""


def run(arguments: argparse.Namespace) -> int:
    """Import, and say what became of the lines; 130 where Ctrl-C ended it."""
    try:
        return _import(arguments)
    except VoucherError as error:
        if error.applied == "no":
            error.message += " Nothing was added."
        raise


def _import(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    project = project_of(settings, arguments.project)
    _require_write(settings, project)
    template = template_of(arguments, project)
    chosen = chosen_columns(arguments.column)
    with (
        Interrupt() as interrupt,
        Report(_report_path(arguments)) as report,
        CodeFile.opened(arguments.file, chosen) as file,
    ):
        table = file.look_through(Place(project.zone, MINOR_UNITS[project.currency]))
        print(columns_taken(table), flush=True)
        return _Import(arguments, project, template, file, report).run(settings, interrupt)


class _Import:
    """One run: the codes of a file on their way into a pool."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        project: Project,
        template: dict[str, Any] | None,
        file: CodeFile,
        report: Report,
    ) -> None:
        self._project = project
        self._pool: str = arguments.pool
        self._template = template
        self._dry_run: bool = arguments.dry_run
        self._file = file
        self._tally = Tally(report)
        self._report = report
        self._terms: Mapping[str, Any] = {}
        self._ends: int | None = None
        self._read = self._dated = 0
        """Codes of the file, and those of them that have an end of their own."""
        self._is_new = False

    def run(self, settings: Settings, interrupt: Interrupt) -> int:
        async def work(backends: Backends) -> None:
            backend = await backends.get(self._project.id)
            pool = await self._find_pool(backend)
            voucher = (pool or {}).get("template") or self._template or {}
            self._keep_terms(pool, voucher)
            reading = self._counted(self._codes(voucher))
            if self._dry_run:
                reading = self._shown(reading)
            await self._add(backends, backend, pool, interrupt.codes(reading))

        ended = False
        try:
            on_backends(settings, work)
            ended = not interrupt.asked
        except VoucherError as error:
            if self._tally.added and not self._dry_run:
                error.applied = "partly"  # by the batches before
            raise
        finally:
            self._sum_up(stopped=not ended)
        return DONE if ended else INTERRUPTED

    def _codes(self, voucher: Mapping[str, Any]) -> Iterator[NewCode]:
        """The usable codes of the file, of which there is one at least, or nothing is made or written."""
        gift, card = voucher.get("gift") or {}, voucher.get("loyalty_card") or {}
        reading = self._file.codes(
            self._tally.refuse, balance=gift.get("amount", card.get("points")), points=bool(card)
        )
        first = next(reading, None)
        if first is None:
            raise self._unusable()
        return chain([first], reading)

    def _counted(self, reading: Iterator[NewCode]) -> Iterator[NewCode]:
        for code in reading:
            self._read += 1
            self._dated += code.valid_until is not None
            yield code

    def _shown(self, reading: Iterator[NewCode]) -> Iterator[NewCode]:
        first = list(islice(reading, _SHOWN))
        print(first_lines(first, self._project.zone), flush=True)
        return chain(first, reading)

    def _sum_up(self, *, stopped: bool) -> None:
        if not self._tally.done:
            return
        if self._is_new and not self._tally.added:
            print(f"No code fits, so the pool {quoted(self._pool)} was not made.")
        elif self._is_new:
            print(f"{'Would make' if self._dry_run else 'Made'} the pool {quoted(self._pool)}.")
        print(self._tally.summary(self._pool, dry_run=self._dry_run))
        if self._terms and self._tally.added:
            print(self._what_they_are())
        if self._dry_run:
            print("This was a dry run: nothing was changed.")
        if stopped:
            print("Stopped. Run the same command again to go on; nothing is added twice.", file=sys.stderr)

    async def _add(
        self, backends: Backends, backend: Backend, pool: Mapping[str, Any] | None, codes: Iterator[NewCode]
    ) -> None:
        reference = self._pool if pool is None else pool["id"]
        write = Write(
            COMMAND,
            digest_of_call(COMMAND, {"pool_id": reference}),
            CALLER,
            dry_run=self._dry_run,
            subject=self._pool,
        )
        template = self._template if pool is None else None
        with progress_bar("Importing", self._file.size) as step:
            async with (
                noted(backends, self._project.id, backend, write) as count,
                aclosing(backend.import_codes(write, reference, codes, template)) as batches,
            ):
                async for batch in batches:
                    self._tally.count(batch)
                    await count(batch.added)
                    step(self._file.position, self._tally.done)

    async def _find_pool(self, backend: Backend) -> Mapping[str, Any] | None:
        """The pool; None where it is to be made.

        Raises:
            NotFound: there is none, and none is to be made.
        """
        try:
            return (await backend.get_voucher_pool(self._pool)).data
        except NotFound:
            if self._template is not None:
                self._is_new = True
                return None
            missing = await missing_pool(backend, self._project.id, self._pool)
            missing.message += (
                " With --create it is made, with --percent, --amount, --gift or --template for "
                "what its codes are worth."
            )
            raise missing from None

    def _keep_terms(self, pool: Mapping[str, Any] | None, voucher: Mapping[str, Any]) -> None:
        """Keep what the codes are, for the end.

        Raises:
            AlreadyExists: the pool is there, and its codes are worth something else than what was asked for.
        """
        if pool is not None and self._template is not None:
            currency = self._project.currency
            there, wanted = (worth_in_words(each, currency) for each in (voucher, self._template))
            if there != wanted:
                raise AlreadyExists(
                    f"The pool {quoted(self._pool)} exists, and each of its codes {there}; one of --create "
                    f"{wanted}. Leave --create and what goes with it out to add codes to "
                    "that pool, or choose another name."
                )
        self._terms, self._ends = voucher, _end_of(pool, voucher, self._project)

    def _what_they_are(self) -> str:
        own: Some = "none" if not self._dated else "all" if self._dated == self._read else "some"
        currency, zone = self._project.currency, self._project.zone
        return f"Each code {in_words(self._terms, currency, zone, self._ends, own)}."

    def _unusable(self) -> InvalidInput:
        if not self._tally.bad:
            return InvalidInput("The file is empty.")
        return InvalidInput(
            f"No line of the file holds a usable code. {self._report.path} says why, line by line."
        )


def _end_of(pool: Mapping[str, Any] | None, voucher: Mapping[str, Any], project: Project) -> int | None:
    if pool is not None and pool.get("expiration_date") is not None:
        return int(pool["expiration_date"] * 1000)
    end = voucher.get("expiration_date")
    return None if end is None else parse_time(end, "expiration_date", zone=project.zone, last=True)


def _require_write(settings: Settings, project: Project) -> None:
    """Let a person write where an agent may, whichever toolsets agents are offered."""
    demand = Demand(COMMAND, toolset="projects", method="import_codes", writes=True, irreversible=False)
    if (refused := refusal(demand, project, settings, can)) is not None:
        raise refused


def _report_path(arguments: argparse.Namespace) -> Path:
    if arguments.report is None:
        name = "codes-import" if arguments.file == STANDARD_INPUT else arguments.file
        return Path(f"{name}.report.csv")
    path: Path = arguments.report
    if arguments.file != STANDARD_INPUT and path.resolve() == Path(arguments.file).resolve():
        raise InvalidInput("The report would replace the file that is imported.")
    return path
