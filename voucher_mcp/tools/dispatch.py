"""The walk of every call: arguments, policy, backend, envelope. Every outcome becomes an envelope here."""

import logging
import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import anyio
from mcp.server import ServerRequestContext
from mcp.types import CallToolRequestParams, CallToolResult, InputRequiredResult

from voucher_mcp.backends.opening import Backends, can
from voucher_mcp.config import Project, Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import NotFound, OutcomeUnknown, Unavailable, VoucherError, quoted
from voucher_mcp.domain.write import Unconfirmed, Write, digest_of_call, digest_of_result
from voucher_mcp.policy.access import offer, refusal
from voucher_mcp.tools import envelope
from voucher_mcp.tools.arguments import parse
from voucher_mcp.tools.call import Call, ProjectsCall, WritingCall
from voucher_mcp.tools.confirmation import Ask, agree
from voucher_mcp.tools.registry import ToolDefinition
from voucher_mcp.tools.resources import Exports

logger = logging.getLogger(__name__)

CALL_SECONDS = 50.0
CALLER = "stdio"
"""Everyone who speaks over standard input is the user who started the process."""


@dataclass(frozen=True)
class Dispatcher:
    """Answers tool calls; `tools` are all that are declared, registered or not."""

    settings: Settings
    backends: Backends
    tools: Mapping[str, ToolDefinition]

    @property
    def exports(self) -> Exports:
        """The finished exports as resources."""
        return Exports(self.settings, self.backends, self.tools["get_export"])

    async def call(
        self, context: ServerRequestContext[Any, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """The envelope of one call, whatever happens; where the user has to be asked, the question."""
        definition = self.tools.get(params.name)
        listing = definition is not None and definition.listing
        writing = definition is not None and definition.may_write(params.arguments or {})
        try:
            if definition is None:
                raise self._unknown(params.name)
            with anyio.move_on_after(CALL_SECONDS):
                return envelope.success(await self._run(definition, context, params))
            raise _out_of_time(definition, writing)
        except VoucherError as error:
            return envelope.failure(error, listing=listing)
        except Ask as ask:
            return ask.result
        except Exception as error:
            reference = secrets.token_hex(4)
            # the type and the place only: the text of an unforeseen error may hold anything
            place = "".join(traceback.format_tb(error.__traceback__))
            logger.error("crash %s in %s: %s\n%s", reference, params.name, type(error).__name__, place)
            return envelope.crash(reference, writing=writing, listing=listing)

    async def _run(
        self,
        definition: ToolDefinition,
        context: ServerRequestContext[Any, Any],
        params: CallToolRequestParams,
    ) -> Answer[Any]:
        arguments = parse(definition.arguments, params.arguments or {})
        if definition.method is None:
            return await definition.handler(ProjectsCall(self._offers()), **arguments)
        project = self._project(arguments.pop("project_id"))
        demand = definition.demand_of(arguments)
        if (refused := refusal(demand, project, self.settings, can)) is not None:
            raise refused
        backend = await self.backends.get(project.id)
        if not demand.writes and not definition.exports:
            report = context.session.report_progress
            return await definition.handler(Call(backend, report=report), **arguments)
        given = params.arguments or {}
        cleared = frozenset(name for name in definition.clears if name in given and given[name] is None)
        meant = {**arguments, "cleared": sorted(cleared)} if cleared else arguments
        write = Write(
            tool=definition.name,
            digest=digest_of_call(definition.name, meant),
            caller=CALLER,
            key=arguments.pop("idempotency_key", None),
            dry_run=arguments.pop("dry_run", False),
        )
        call = WritingCall(backend, write, cleared)
        if definition.question is None or write.dry_run or project.destructive == "allow":
            return await definition.handler(call, **arguments)
        return await self._run_confirmed(definition, call, arguments, project, context, params)

    async def _run_confirmed(
        self,
        definition: ToolDefinition,
        call: WritingCall,
        arguments: Mapping[str, Any],
        project: Project,
        context: ServerRequestContext[Any, Any],
        params: CallToolRequestParams,
    ) -> Answer[Any]:
        """Write once a person agreed to exactly what will happen; if that changes meanwhile, ask again."""
        assert definition.question is not None
        agreed = ""  # to nothing yet, which no result's digest equals
        while True:
            try:
                warrant = replace(call, write=replace(call.write, confirmed=agreed))
                return await definition.handler(warrant, **arguments)
            except Unconfirmed as change:
                question = definition.question(arguments, change.answer)
                digest = digest_of_result(change.answer)
                text = f"{question} in the project {quoted(project.name)}? This cannot be undone."
                await agree(context, params, text, digest, project.id)
                agreed = digest

    def _offers(self) -> list[Any]:
        demands = [definition.demand for definition in self.tools.values() if definition.method]
        return [offer(project, demands, self.settings, can) for project in self.settings.projects.values()]

    def _project(self, project_id: str) -> Project:
        if (project := self.settings.projects.get(project_id)) is not None:
            return project
        known = ", ".join(quoted(known) for known in list(self.settings.projects)[:10])
        raise NotFound(
            f"There is no project {quoted(project_id)}; nothing was changed. The projects are {known}.",
            field="project_id",
        )

    def _unknown(self, name: str) -> VoucherError:
        near = get_close_matches(name[:100], self.tools, n=1)
        return NotFound(
            f"There is no tool {quoted(name)}; nothing was changed."
            + (f" Did you mean {near[0]}?" if near else " tools/list shows what there is.")
        )


def _out_of_time(definition: ToolDefinition, writing: bool) -> VoucherError:
    if writing:
        return OutcomeUnknown(
            f"{definition.name} did not end within {CALL_SECONDS:.0f} s, so it may or may not have been "
            "applied. Repeat the call with the same idempotency_key, or read the voucher or pool first."
        )
    return Unavailable(
        f"{definition.name} did not end within {CALL_SECONDS:.0f} s. Try again, or ask for less at once."
    )
