"""The MCP server: the one place where everything is wired."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextResourceContents,
)

from voucher_mcp import __version__
from voucher_mcp.backends.opening import can, open_backends
from voucher_mcp.config import Access, Settings
from voucher_mcp.policy.access import offered
from voucher_mcp.policy.callers import STDIO, Caller
from voucher_mcp.policy.writes import open_writes
from voucher_mcp.stores.opening import refuse_unserved
from voucher_mcp.tools.bypass import put_back, set_aside
from voucher_mcp.tools.completions import completed
from voucher_mcp.tools.dispatch import Dispatcher, DownloadOf
from voucher_mcp.tools.icons import with_icons
from voucher_mcp.tools.instructions import instructions
from voucher_mcp.tools.prompts.serving import prompt_of, prompts_of, shown
from voucher_mcp.tools.reaches import Reaches
from voucher_mcp.tools.registry import ToolDefinition, definitions_in
from voucher_mcp.tools.resources.exports import TEMPLATE
from voucher_mcp.tools.resources.objects import TEMPLATES, read_object
from voucher_mcp.tools.spans import Spans
from voucher_mcp.tools.toolsets import (
    changes,
    jobs,
    pictures,
    pools,
    projects,
    redeemables,
    redemptions,
    sessions,
    voucher_jobs,
    vouchers,
)
from voucher_mcp.tools.views import apps

NAME = "voucher-mcp"
VIEWS = 256
"""How many are kept, of callers who may use different things (ours)."""


def all_tools() -> dict[str, ToolDefinition]:
    """Every tool that is declared, by name."""
    return definitions_in(
        projects, pools, vouchers, pictures, voucher_jobs, sessions, redeemables, redemptions, jobs, changes
    )


CallerOf = Callable[[ServerRequestContext[Any, Any]], Caller]
"""Tells who sent a message."""


@dataclass(frozen=True, slots=True)
class View:
    """What one caller sees of the server."""

    settings: Settings
    tools: ListToolsResult
    drawn: ListToolsResult
    """The tools with their views, for clients that show them."""
    templates: ListResourceTemplatesResult
    prompts: ListPromptsResult
    instructions: str

    @property
    def names(self) -> list[str]:
        """Of the tools."""
        return [tool.name for tool in self.tools.tools]


def view_of(settings: Settings, tools: Mapping[str, ToolDefinition]) -> View:
    """What a caller sees for whom these settings hold."""
    systems = {project.backend for project in settings.projects.values()}
    listed = [tool.shown(systems) for tool in tools.values() if offered(tool.demand, settings, can)]
    drawn = ListToolsResult(tools=apps.with_views(listed, settings))
    names = {tool.name for tool in listed}
    templates = [template for tool, template in (("get_export", TEMPLATE), *TEMPLATES) if tool in names]
    return View(
        settings,
        ListToolsResult(tools=listed),
        drawn,
        ListResourceTemplatesResult(resource_templates=templates),
        ListPromptsResult(prompts=shown(prompts_of(settings, tools), settings)),
        instructions(settings),
    )


def build_server(
    settings: Settings,
    caller_of: CallerOf | None = None,
    sealing: RequestStateSecurity | None = None,
    download_of: DownloadOf | None = None,
    reaches: Reaches | None = None,
) -> Server[Dispatcher]:
    """The server for these settings; it opens a project when it is first called.

    Without `caller_of` all messages are of the one who started the process. What clients bring back is sealed
    by `sealing`, else under a key of this process alone. With `download_of` finished exports have an address.

    Raises:
        ConfigError: a database is not one that this version reaches.
    """
    refuse_unserved(settings)
    known = reaches or Reaches(settings.projects)
    tools = all_tools()
    whole = view_of(settings, tools)

    @lru_cache(maxsize=VIEWS)
    def view(access: frozenset[tuple[str, Access]]) -> View:
        return view_of(settings.granted(dict(access)), tools)

    def seen(context: ServerRequestContext[Any, Any]) -> tuple[Caller, View]:
        caller = STDIO if caller_of is None else caller_of(context)
        return caller, whole if caller.access is None else view(caller.access)

    def dispatcher_of(context: ServerRequestContext[Dispatcher, Any]) -> Dispatcher:
        dispatcher = context.lifespan_context
        if caller_of is None:
            return dispatcher
        caller, its = seen(context)
        return dispatcher.of(caller, its.settings)

    @asynccontextmanager
    async def lifespan(_: Server[Dispatcher]) -> AsyncIterator[Dispatcher]:
        async with open_backends(settings) as backends, open_writes(settings, backends) as writes:
            yield Dispatcher(settings, backends, writes, tools, known, download_of)

    async def list_tools(
        context: ServerRequestContext[Dispatcher, Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        its = seen(context)[1]
        return its.drawn if apps.client_supports_apps(context) else its.tools

    async def call_tool(
        context: ServerRequestContext[Dispatcher, Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        result = await dispatcher_of(context).call(context, params)
        if isinstance(result, CallToolResult) and apps.client_supports_apps(context):
            its = seen(context)[1]
            project = its.settings.projects.get(str((params.arguments or {}).get("project_id")))
            result = await apps.with_extras(result, params.name, project, its.names)
        return set_aside(result)

    async def list_resources(
        context: ServerRequestContext[Dispatcher, Any], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        dispatcher = dispatcher_of(context)
        found = await dispatcher.answered("resources/list", dispatcher.exports.resources())
        if apps.client_supports_apps(context):
            its = seen(context)[1]
            found += apps.resources(its.names, its.settings)
        return ListResourcesResult(resources=found)

    async def list_templates(
        context: ServerRequestContext[Dispatcher, Any], params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return seen(context)[1].templates

    async def read_resource(
        context: ServerRequestContext[Dispatcher, Any], params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        dispatcher, uri = dispatcher_of(context), params.uri

        async def read() -> TextResourceContents:
            found = apps.read(uri) or await read_object(uri, dispatcher)
            return found or await dispatcher.exports.read(uri)

        return ReadResourceResult(contents=[await dispatcher.answered("resources/read", read())])

    async def list_prompts(
        context: ServerRequestContext[Dispatcher, Any], params: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        return seen(context)[1].prompts

    async def get_prompt(
        context: ServerRequestContext[Dispatcher, Any], params: GetPromptRequestParams
    ) -> GetPromptResult:
        return prompt_of(params, seen(context)[1].settings, tools)

    async def complete(
        context: ServerRequestContext[Dispatcher, Any], params: CompleteRequestParams
    ) -> CompleteResult:
        its, dispatcher = seen(context)[1], dispatcher_of(context)
        prompts, templates = its.prompts.prompts, its.templates.resource_templates
        work = completed(params, its.settings, prompts, templates, dispatcher.suggest)
        return CompleteResult(completion=await dispatcher.answered("completion/complete", work))

    async def introduce(ctx: ServerRequestContext[Dispatcher, Any], call_next: CallNext) -> HandlerResult:
        """Middleware: who connects is told of the caller's own projects, and of the icons."""
        result = await call_next(ctx)
        if ctx.method not in ("initialize", "server/discover") or not isinstance(result, dict):
            return result
        return {**with_icons(ctx.method, result), "instructions": seen(ctx)[1].instructions}

    showing = bool(apps.resources(whole.names, settings))
    templates = whole.templates.resource_templates
    server = Server[Dispatcher](
        NAME,
        title="Vouchers",
        version=__version__,
        get_tool_input_schema=_no_parameter_headers,  # else each call over HTTP would list the tools for it
        instructions=whole.instructions,
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_list_resources=list_resources if templates or showing else None,
        on_list_resource_templates=list_templates if templates else None,
        on_read_resource=read_resource if templates or showing else None,
    )
    if showing:
        server.extensions[apps.EXTENSION_ID] = {}
    [spans] = server.middleware
    server.middleware[:] = [Spans(spans, tools)]
    # what a client echoes when it calls again with a user's answer is sealed, so that it cannot be forged
    sealing = sealing or RequestStateSecurity.ephemeral()
    server.middleware.append(RequestStateBoundary(sealing, default_audience=NAME))
    server.middleware.append(introduce)
    server.middleware.append(put_back)
    return server


def _no_parameter_headers(_: str) -> None:
    """No tool has arguments that travel as headers too."""
