"""`voucher-mcp undo`: take one write back, or all since a moment, the newest first."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from voucher_mcp.backends.opening import Backends, can
from voucher_mcp.cli.codes.codes_import import CALLER
from voucher_mcp.cli.journal.lines import moment_of
from voucher_mcp.cli.main import DONE, FAILED, MISUSED, settings_of
from voucher_mcp.cli.reach import find_change, on_backends, project_of
from voucher_mcp.config import Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import InvalidInput, Unsupported, VoucherError
from voucher_mcp.domain.values.money import worth as worth_of
from voucher_mcp.domain.values.texts import counted, printable
from voucher_mcp.domain.write import Worth
from voucher_mcp.policy.access import Demand, refusal
from voucher_mcp.policy.changes import DONE as DONE_ALREADY
from voucher_mcp.policy.changes import POSSIBLE, ProjectChanges
from voucher_mcp.policy.consent import Consent, Question
from voucher_mcp.policy.writes import open_writes

TOOL = "undo_change"


class Step(NamedTuple):
    """A change that is to be taken back, as list_changes shows it, and where."""

    changes: ProjectChanges
    shown: dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    """Show the plan, ask, and take the changes back until one has moved on."""
    settings = settings_of(arguments)
    if arguments.project is not None:
        project_of(settings, arguments.project)
    try:
        since = None if arguments.since is None else moment_of(arguments.since)
    except InvalidInput as error:
        print(f"voucher-mcp: {error.message}", file=sys.stderr)
        return MISUSED

    async def work(backends: Backends) -> int:
        steps, stay = await _plan(settings, backends, arguments, since)
        for number, step in enumerate(steps, start=1):
            print(f"{number:3}. {_words(step)}")
        for step in stay:
            print(f"  –  {_words(step)}\n     stays: {step.shown['undo']}")
        if not steps:
            print("There is nothing to take back.")
            return DONE if since is not None else FAILED
        if arguments.dry_run:
            print(f"{counted(len(steps), 'change')} would be taken back, in this order. Nothing was changed.")
            return DONE
        if not arguments.yes and not _agreed(len(steps)):
            print("Nothing was changed.")
            return FAILED
        return await _take_back(settings, backends, steps)

    return on_backends(settings, work)


async def _plan(
    settings: Settings, backends: Backends, arguments: argparse.Namespace, since: int | None
) -> tuple[list[Step], list[Step]]:
    """What to take back, the newest first, and what was written too and stays."""
    if since is None:
        one = Step(*await find_change(settings, backends, arguments))
        return ([one], []) if one.shown["undo"] == POSSIBLE else ([], [one])
    found: list[Step] = []
    for project in settings.projects.values():
        chosen = arguments.project in (None, project.id)
        if chosen and settings.unusable(project.id) is None:
            changes = ProjectChanges(settings, backends, project, await backends.get(project.id))
            found += [Step(changes, shown) for shown in await changes.every(since, arguments.caller)]
    written = [
        step
        for step in found
        if step.shown["outcome"] == "success"
        and step.shown["tool"] != TOOL
        and step.shown["undo"] != DONE_ALREADY
    ]
    written.sort(key=lambda step: step.shown["time"], reverse=True)  # which keeps the order within a project
    possible = [step for step in written if step.shown["undo"] == POSSIBLE]
    return possible, [step for step in written if step.shown["undo"] != POSSIBLE]


async def _take_back(settings: Settings, backends: Backends, steps: Sequence[Step]) -> int:
    """Take them back one after another; the first that cannot be ends it."""
    async with open_writes(settings, backends) as writes:
        for number, (changes, shown) in enumerate(steps, start=1):
            try:
                change = await changes.find(shown["id"])
                _require(changes, settings)
                agreed = Consent(_agree, _of_deletion, partial(_of_value, changes.project.currency))
                wish = changes.wish(change, {"change_id": change.id}, CALLER, None)
                answer = await writes.run(
                    changes.project, changes.backend, wish, changes.taking_back(change), agreed
                )
            except VoucherError as error:
                left = len(steps) - number
                print(f"{number:3}. stopped: {error.message}", file=sys.stderr)
                print(
                    f"{counted(number - 1, 'change')} taken back; this one was not, and {left} older ones "
                    "were not tried.",
                    file=sys.stderr,
                )
                return FAILED
            kept = answer.data["kept_count"]
            more = f"; {counted(kept, 'voucher')} in use stay" if kept else ""
            print(f"{number:3}. taken back: {shown['tool']} ({shown['id']}){more}", flush=True)
    print(f"{counted(len(steps), 'change')} taken back.")
    return DONE


def _require(changes: ProjectChanges, settings: Settings) -> None:
    """Raises what policy has against writes in the project, whichever tools agents are offered."""
    demand = Demand(TOOL, "projects", TOOL, True, False)
    if (refused := refusal(demand, changes.project, settings, can)) is not None:
        raise refused


async def _agree(question: Question, digest: str) -> None:
    """The plan was shown and agreed to."""


def _of_deletion(answer: Answer[Any]) -> Question:
    """For a second person, where the project wants one."""
    codes = counted(answer.data["undone"], answer.data["kind"])
    text = f"Take {answer.data['tool']} ({answer.data['change_id']}) back, which deletes {codes}?"
    return Question(text, "This deletes what was made", "destructive")


def _of_value(currency: str, worth: Worth) -> Question:
    value = worth_of(worth.amount or None, worth.points or None, currency)
    return Question(f"Take a change back, which puts {value} on a card again?", *_MAKES_VALUE)


_MAKES_VALUE = ("This makes value", "confirm_above")


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise Unsupported("Nobody is there to ask: --yes takes back what --dry-run shows.")
    print(f"Take {counted(count, 'change')} back, in this order? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _words(step: Step) -> str:
    shown = step.shown
    subject = shown["subject"] or {}
    kinds = ("voucher", "pool", "redemption", "job")
    named = next((f"{kind} {subject[kind]}" for kind in kinds if kind in subject), "")
    more = f" and {subject['count'] - 1:,} more" if subject.get("count", 1) > 1 else ""
    text = f"{shown['time'][:19]}Z {shown['caller']}: {shown['tool']} {named}{more} ({shown['id']})"
    return printable(text)
