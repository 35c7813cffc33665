"""The walk of every call: arguments, policy, backend, envelope. Every outcome becomes an envelope here."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeVar

import anyio
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, CallToolRequestParams, CallToolResult, InputRequiredResult

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.opening import Backends, can
from voucher_mcp.config import Project, Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import Change, removes
from voucher_mcp.domain.crash import log_crash
from voucher_mcp.domain.errors import (
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.watch import watch
from voucher_mcp.domain.write import Write
from voucher_mcp.policy.access import Demand, offer, offerable, offered, refusal
from voucher_mcp.policy.callers import STDIO, Caller
from voucher_mcp.policy.changes import ProjectChanges
from voucher_mcp.policy.consent import Consent
from voucher_mcp.policy.writes import Wish, Writes
from voucher_mcp.tools import envelope
from voucher_mcp.tools.arguments.arguments import parse
from voucher_mcp.tools.arguments.moments import as_instants
from voucher_mcp.tools.asking import questions
from voucher_mcp.tools.asking.confirmation import Ask, agree
from voucher_mcp.tools.call import Call, ProjectsCall, Report, WritingCall, silent
from voucher_mcp.tools.reaches import Reaches
from voucher_mcp.tools.registry import ToolDefinition
from voucher_mcp.tools.resources.exports import Exports, with_download

logger = logging.getLogger(__name__)

T = TypeVar("T")

CALL_SECONDS = 50.0
OPENING_SECONDS = 40.0
"""Of them, how long a call waits for a database that is not open yet."""

FIRST_WITH_LINKS = "2025-06-18"
"""The first protocol that knows resource_link; sessions of older ones break on it."""

DownloadOf = Callable[[ServerRequestContext[Any, Any], str, str], Mapping[str, str]]
"""The address of an export of a project for who sent a message: {url, expires_at}."""

_CLIENT_LENGTH = 100


@dataclass(frozen=True)
class Dispatcher:
    """Answers tool calls of one caller; `tools` are all that are declared, registered or not."""

    settings: Settings
    """As they hold for the caller."""
    backends: Backends
    writes: Writes
    tools: Mapping[str, ToolDefinition]
    reaches: Reaches
    download_of: DownloadOf | None = None
    """Makes addresses of finished exports; None: the transport has none."""
    caller: Caller = STDIO

    def of(self, caller: Caller, settings: Settings) -> "Dispatcher":
        """The same for another caller, with the settings as they hold for them."""
        return replace(self, caller=caller, settings=settings)

    @property
    def exports(self) -> Exports:
        """The finished exports as resources."""
        return Exports(self.settings, self.backends, self.tools["get_export"])

    async def read(self, tool: str, project_id: str, **arguments: Any) -> Answer[Any]:
        """What a tool that only reads answers, for what is shown otherwise than as its result.

        Raises:
            VoucherError: as a call of it fails.
        """
        definition, project = self.tools[tool], self._project(project_id)
        given = parse(definition.arguments, {"project_id": project_id, **arguments})
        del given["project_id"]
        _require(definition.demand, project, self.settings)
        async with self._reading(definition, project) as call:
            return await definition.handler(call, **given)

    async def change(self, project_id: str, change_id: str) -> Answer[Any]:
        """One change, as list_changes shows it.

        Raises:
            VoucherError: as a call of list_changes fails; NotFound too where that is not offered.
        """
        definition, project = self.tools["list_changes"], self._project(project_id)
        if not offered(definition.demand, self.settings, can):
            raise NotFound("There is no such change; list_changes shows those that there are.")
        async with self._reading(definition, project) as call:
            assert call.changes is not None  # of a tool that reads only the journal
            return Answer(await call.changes.get(change_id))

    async def suggest(self, argument: str, project_id: str, text: str) -> Answer[list[str]]:
        """Values of an argument, a pool or a customer, that go with a text; `has_more` beside them.

        It counts as no call of the project, as it is asked at every key that somebody presses.

        Raises:
            VoucherError: as a call fails that lists them.
        """
        project, of_pools = self._project(project_id), argument == "pool_id"
        tool = self.tools["list_voucher_pools" if of_pools else "find_customers"]
        _require(tool.demand, project, self.settings)
        with self.reaches.noting(project.id):
            backend = await self._backend(project)
            return await (backend.suggest_pools(text) if of_pools else backend.suggest_customers(text))

    async def answered(self, method: str, work: Awaitable[T]) -> T:
        """What is asked otherwise than by a tool's call; its failures are the protocol's own.

        Raises:
            MCPError: it failed.
        """
        try:
            with anyio.move_on_after(CALL_SECONDS):
                return await work
            message = f"{method} did not end within {CALL_SECONDS:.0f} s. Try again in a moment."
        except MCPError:
            raise
        except Exception as error:
            message = envelope.told_of_crash(log_crash(logger, method, error))
        raise MCPError(code=INTERNAL_ERROR, message=message)

    async def call(
        self, context: ServerRequestContext[Any, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """The envelope of one call, whatever happens; where the user has to be asked, the question."""
        began, outcome = time.perf_counter(), "cancelled"
        try:
            result = await self._answer(context, params)
            outcome = envelope.outcome_of(result)
        finally:
            tool, took = (
                params.name if params.name in self.tools else "unknown",
                time.perf_counter() - began,
            )
            watch().called(tool, outcome, took)
            logger.info("%s: %s in %.1f ms", tool, outcome, took * 1000)
        return result

    async def _answer(
        self, context: ServerRequestContext[Any, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        definition = self.tools.get(params.name)
        listing = definition is not None and definition.listing
        given = params.arguments or {}
        of_write = definition is not None and definition.may_write(given)
        writing = of_write and given.get("dry_run") not in (True, "true")
        try:
            if definition is None:
                raise self._unknown(params.name)
            with anyio.move_on_after(CALL_SECONDS):
                answer = await self._run(definition, context, params)
                return envelope.success(self._offered(answer, context), links=self._may_link(context))
            raise _out_of_time(definition, writing)
        except VoucherError as error:
            return envelope.failure(error, listing=listing, of_write=of_write)
        except Ask as ask:
            return ask.result
        except Exception as error:
            reference = log_crash(logger, params.name, error)
            return envelope.crash(reference, writing=writing, of_write=of_write, listing=listing)

    def refused(self, context: ServerRequestContext[Any, Any], error: VoucherError) -> dict[str, Any]:
        """The result of a call that was refused before it came here, as the protocol has it."""
        params = context.params or {}
        definition, given = self.tools.get(str(params.get("name"))), params.get("arguments")
        result = envelope.failure(
            error,
            listing=definition is not None and definition.listing,
            of_write=definition is not None
            and definition.may_write(given if isinstance(given, dict) else {}),
        )
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def _run(
        self,
        definition: ToolDefinition,
        context: ServerRequestContext[Any, Any],
        params: CallToolRequestParams,
    ) -> Answer[Any]:
        arguments = parse(definition.arguments, params.arguments or {}, definition.merges)
        if not definition.project:
            return await definition.handler(ProjectsCall(await self._offers()), **arguments)
        project = self._project(arguments.pop("project_id"))
        demand = definition.demand_of(arguments)
        _require(demand, project, self.settings)
        arguments = as_instants(arguments, project.zone)
        if not demand.writes and not definition.exports:
            async with self._reading(definition, project, context.session.report_progress) as call:
                return await definition.handler(call, **arguments)
        with self.reaches.noting(project.id):
            backend = await self._backend(project)
            return await self._write(definition, backend, arguments, project, context, params)

    @asynccontextmanager
    async def _reading(
        self, definition: ToolDefinition, project: Project, report: Report = silent
    ) -> AsyncIterator[Call]:
        """What a reading tool's function is handed, counted as a call of the project."""
        with self.reaches.noting(project.id):
            backend = await self._backend(project)
            await self.writes.count_call(project)
            changes = None if definition.method else self._changes(project, backend)
            yield Call(backend, report=report, changes=changes, export_dir=project.export_dir)

    async def _write(
        self,
        definition: ToolDefinition,
        backend: Backend,
        arguments: dict[str, Any],
        project: Project,
        context: ServerRequestContext[Any, Any],
        params: CallToolRequestParams,
    ) -> Answer[Any]:
        """Hand the write to policy, with the question for the person where one has to be asked."""
        assert definition.worth is not None  # the registry saw to it
        key, dry_run = arguments.pop("idempotency_key", None), arguments.pop("dry_run", False)
        if definition.key == "required" and key is None and not dry_run:
            raise InvalidInput("`idempotency_key` is required.", field="idempotency_key")
        client, name = _client_of(context), self.caller.name
        if definition.undoes:
            changes = self._changes(project, backend)
            change = await self._to_take_back(definition, changes, arguments)
            wish = changes.wish(change, arguments, name, key, dry_run=dry_run, client=client)
            take_back = changes.taking_back(change)
        else:
            asks = definition.question is not None and project.destructive in ("confirm", "approve")
            wish = Wish(definition.name, arguments, name, key, dry_run, definition.worth, asks, client)
            take_back = None

        async def effect(write: Write) -> Answer[Any]:
            return await definition.handler(WritingCall(backend, write, take_back=take_back), **arguments)

        consent = Consent(
            partial(agree, context, params),
            partial(questions.of_deletion, definition, arguments, project),
            partial(questions.of_value, definition, arguments, project),
        )
        return await self.writes.run(project, backend, wish, effect, consent)

    def _changes(self, project: Project, backend: Backend) -> ProjectChanges:
        return ProjectChanges(self.settings, self.backends, project, backend)

    def _offered(self, answer: Answer[Any], context: ServerRequestContext[Any, Any]) -> Answer[Any]:
        if self.download_of is None:
            return answer
        return with_download(answer, partial(self.download_of, context))

    async def _to_take_back(
        self, definition: ToolDefinition, changes: ProjectChanges, arguments: Mapping[str, Any]
    ) -> Change:
        """The change that a call of an undoing tool is about, where the project lets what that does be done.

        Raises:
            NotFound: there is none.
            AccessDenied: taking it back removes something, which the project blocks.
        """
        change = await changes.find(arguments["change_id"])
        demand = replace(definition.demand, irreversible=removes(change))
        _require(demand, changes.project, self.settings)
        return change

    def _may_link(self, context: ServerRequestContext[Any, Any]) -> bool:
        return self.settings.resource_links and context.protocol_version >= FIRST_WITH_LINKS

    async def _offers(self) -> list[Any]:
        projects = self.settings.projects.values()
        demands = [
            definition.demand
            for definition in self.tools.values()
            if definition.project and offerable(definition.demand, self.settings, can)
        ]
        return [
            offer(project, demands, self.settings, can, await self.writes.room(project))
            for project in projects
        ]

    async def _backend(self, project: Project) -> Backend:
        """The project's backend. Opening its database goes on after the call, where that takes longer."""
        with anyio.move_on_after(OPENING_SECONDS):
            return await self.backends.get(project.id)
        raise Unavailable(
            f"The project {project.id} cannot be used yet: its database is being brought to the schema of "
            "this version, which goes on and may take minutes. Try again in a minute.",
            retryable=True,
            retry_after=OPENING_SECONDS,
        )

    def _project(self, project_id: str) -> Project:
        if (project := self.settings.projects.get(project_id)) is not None:
            return project
        known = ", ".join(quoted(known) for known in list(self.settings.projects)[:10]) or "none"
        raise NotFound(
            f"There is no project {quoted(project_id)}. list_projects shows what there is: {known}.",
            field="project_id",
        )

    def _unknown(self, name: str) -> VoucherError:
        near = get_close_matches(name[:100], self.tools, n=1)
        return NotFound(
            f"There is no tool {quoted(name)}."
            + (f" Did you mean {near[0]}?" if near else " tools/list shows what there is.")
        )


def _require(demand: Demand, project: Project, settings: Settings) -> None:
    """Raises what policy has against it in the project."""
    if (refused := refusal(demand, project, settings, can)) is not None:
        raise refused


def _client_of(context: ServerRequestContext[Any, Any]) -> str | None:
    """The caller's program, by the name and version that it gave itself, which may be anything."""
    if (said := context.session.client_params) is None:
        return None
    named = f"{said.client_info.name} {said.client_info.version}"
    return "".join(filter(str.isprintable, named)).strip()[:_CLIENT_LENGTH] or None


def _out_of_time(definition: ToolDefinition, writing: bool) -> VoucherError:
    if writing:
        return OutcomeUnknown(
            f"{definition.name} did not end within {CALL_SECONDS:.0f} s, so it may or may not have been "
            "applied. Repeat the call with the same idempotency_key, or read the voucher or pool first."
        )
    return Unavailable(
        f"{definition.name} did not end within {CALL_SECONDS:.0f} s. Try again, or ask for less at once."
    )
