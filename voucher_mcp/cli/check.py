"""`voucher-mcp check`: tries every project and the issuer, and says what is wrong and how to repair it."""

import argparse
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import anyio

from voucher_mcp.backends.opening import Backends, open_backends
from voucher_mcp.cli.main import DONE, FAILED, settings_of
from voucher_mcp.cli.reach import checked
from voucher_mcp.config import Limits, LocalProject, Project, Settings, configuration_file, usual_file
from voucher_mcp.domain.errors import VoucherError
from voucher_mcp.domain.values.money import money
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.stores.opening import check_place, exists


@dataclass(frozen=True, slots=True)
class Finding:
    """What trying a project brought, as `--json` prints it."""

    project: str
    backend: str
    ok: bool
    message: str
    access: str
    limits: dict[str, Any]
    """By name, those that are set."""


def run(arguments: argparse.Namespace) -> int:
    """Try them all; 1 where one cannot be used."""
    settings = settings_of(arguments)
    if arguments.json:
        return anyio.run(_as_json, settings)
    file = configuration_file(arguments.config, os.environ)
    print(f"Configuration: {file or f'no file {usual_file()}; the environment and the defaults'}")
    if settings.profile is None:
        print(f"Toolsets: {', '.join(settings.toolsets)}")
    else:
        print(f"Profile: {settings.profile}")
    if settings.read_only:
        print("Read-only: no project can be written to.")
    return anyio.run(_as_text, settings)


async def _as_text(settings: Settings) -> int:
    failed = 0
    async for finding in findings(settings):
        failed += not finding.ok
        show(finding, settings)
    issuer = await _issuer(settings)
    if issuer is not None:
        _say("\nSign-in over HTTP", "bold")
        _say_outcome(*issuer)
    count, signs_in = len(settings.projects), issuer is None or issuer[0]
    print(f"\n{failed} of {counted(count, 'project')} failed." if failed else f"\n{_all(count)} can be used.")
    return DONE if not failed and signs_in else FAILED


async def _as_json(settings: Settings) -> int:
    found = [finding async for finding in findings(settings)]
    print(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    issuer = await _issuer(settings)
    if issuer is not None and not issuer[0]:  # which is of no project
        print(f"voucher-mcp: {issuer[1]}", file=sys.stderr)
        return FAILED
    return DONE if all(finding.ok for finding in found) else FAILED


def show(finding: Finding, settings: Settings) -> None:
    """Tell a person what was found of a project, what an agent may do there, and its limits."""
    _say(f"\n{finding.project} ({finding.backend}, {finding.access} access)", "bold")
    _say_outcome(finding.ok, finding.message)
    project, limits = settings.projects[finding.project], settings.limits_for(finding.project)
    print(f"  {_rights(project, finding.access, limits)}.")
    _say(f"  limits: {', '.join(_limits(limits, project.currency)) or 'none'}")


def _say_outcome(ok: bool, message: str) -> None:
    """A message, of which the last line says how it went."""
    *before, last = message.splitlines()
    for line in before:
        print(f"  {line}")
    _say(f"  ok: {last}" if ok else f"  FAILED: {last}", "green" if ok else "bold red")


def _say(text: str, style: str = "") -> None:
    """Print it, in colour where a person looks and does not object."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        print(text)
        return
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False).print(Text(text, style=style), soft_wrap=True)


def _rights(project: Project, access: str, limits: Limits) -> str:
    """What an agent may do, as a sentence without its end."""
    if access == "read":
        return "An agent may look at everything here, and change nothing"
    asked: dict[str, list[str]] = {"a person": [], "a second person": []}
    told = ["An agent may look at everything here and change it"]
    match project.destructive:
        case "block":
            told.append("it may delete nothing")
        case "allow":
            told.append("it deletes without asking")
        case "confirm":
            asked["a person"].append("deletes")
        case "approve":
            asked["a second person"].append("deletes")
    for who, most in (("a person", limits.asked_above), ("a second person", limits.approved_above)):
        if most is not None:
            asked[who].append(f"makes more than {money(most, project.currency)} in a call")
    if limits.asked_above is None and limits.approved_above is None:
        told.append("nobody is asked how much it makes")
    told += [f"{who} is asked before it {' or '.join(what)}" for who, what in asked.items() if what]
    return "; ".join(told)


def _limits(limits: Limits, currency: str) -> Iterator[str]:
    """Each limit that is set, as a person reads it."""
    if limits.max_amount_per_call is not None:
        yield f"{money(limits.max_amount_per_call, currency)} a call"
    if limits.max_amount_per_day is not None:
        yield f"{money(limits.max_amount_per_day, currency)} a day"
    if limits.max_points_per_day is not None:
        yield f"{counted(limits.max_points_per_day, 'point')} a day"
    if limits.max_codes_per_call is not None:
        yield f"{counted(limits.max_codes_per_call, 'code')} a call"
    if limits.max_calls_per_minute is not None:
        yield f"{counted(limits.max_calls_per_minute, 'call')} a minute"


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """What trying each project brings, one after the other."""
    async with open_backends(settings) as backends:
        for project in settings.projects.values():
            ok, message = await _tried(project, settings, backends)
            access = "read" if settings.read_only else project.access
            limits = settings.limits_for(project.id).model_dump(exclude_none=True)
            yield Finding(project.id, project.backend, ok, message, access, limits)


async def _tried(project: Project, settings: Settings, backends: Backends) -> tuple[bool, str]:
    if (missing := settings.unusable(project.id)) is not None:
        return False, f"{missing.what}{missing.guess}. Set it, and start voucher-mcp again."
    try:
        return True, await _check(project, backends)
    except VoucherError as error:
        return False, error.message
    except OSError as error:
        return False, f"{error.filename}: {error.strerror}. Repair its permissions."


async def _check(project: Project, backends: Backends) -> str:
    where = ""
    if isinstance(project, LocalProject):
        if not await exists(project.url):
            check_place(project.url)
            return f"there is no database yet; the first use makes {project.url}"
        where = f"database: {project.url}\n"
    return where + await checked(await backends.get(project.id))


async def _issuer(settings: Settings) -> tuple[bool, str] | None:
    """Whether the issuer is of use, and what is said of it; None where there is none."""
    if settings.http is None or settings.http.issuer is None:
        return None
    from voucher_mcp.http.sign_in.issuer import check_issuer

    try:
        return True, f"the issuer {settings.http.issuer} has {await check_issuer(settings.http.issuer)}"
    except VoucherError as error:
        return False, error.message


def _all(count: int) -> str:
    return "The project" if count == 1 else f"All {count} projects"
