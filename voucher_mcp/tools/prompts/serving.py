"""Prompts as one caller sees them: those that they can follow, with the tools that they may use."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    PromptArgument,
    PromptMessage,
    TextContent,
)
from mcp.types import Prompt as Shown

from voucher_mcp.backends.opening import can
from voucher_mcp.config import Project, Settings
from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.money import money
from voucher_mcp.policy.access import offered, refusal
from voucher_mcp.tools.prompts.catalogue import LONGEST, PROMPTS
from voucher_mcp.tools.prompts.prompt import Prompt
from voucher_mcp.tools.registry import ToolDefinition

PROJECT = "project_id"

Tools = Mapping[str, ToolDefinition]


def usable(tool: ToolDefinition, project: Project, settings: Settings) -> bool:
    """Whether a tool can be used in a project."""
    return offered(tool.demand, settings, can) and refusal(tool.demand, project, settings, can) is None


def prompts_of(settings: Settings, tools: Tools) -> list[Prompt]:
    """The prompts that can be followed in one of the projects at least."""
    projects = settings.projects.values()
    return [one for one in PROMPTS if any(_fits(one, project, settings, tools) for project in projects)]


def shown(prompts: Sequence[Prompt], settings: Settings) -> list[Shown]:
    """The same as prompts/list shows them."""
    several = len(settings.projects) > 1
    said = "The project's id" if several else "The project's id; there is only one, so leave it out"
    project = PromptArgument(name=PROJECT, title="Project", description=said, required=several)
    return [one.shown(project) for one in prompts]


def prompt_of(params: GetPromptRequestParams, settings: Settings, tools: Tools) -> GetPromptResult:
    """What prompts/get answers. Nothing is read of a voucher system for it.

    Raises:
        MCPError: there is no such prompt, or what was given is not what it takes.
    """
    name, sent = params.name, params.arguments or {}
    prompts = {one.name: one for one in prompts_of(settings, tools)}
    if (prompt := prompts.get(name)) is None:
        raise _invalid(f"There is no prompt {quoted(name)}.{_nearest(name, prompts)}")
    known = [PROJECT, *(one.name for one in prompt.arguments)]
    for unknown in sorted(sent.keys() - known):
        raise _invalid(f"{name} has no argument {quoted(unknown)}.{_nearest(unknown, known)}")
    given = {argument: value for argument, value in sent.items() if value.strip()}
    project = _project(given.get(PROJECT), settings)
    if not _fits(prompt, project, settings, tools):
        raise _invalid(f"The project {project.id} does not offer what {name} needs.")
    may = {tool for tool, definition in tools.items() if usable(definition, project, settings)}
    text = prompt.text(_values(prompt, given, project), may)
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=prompt.description, messages=[message])


def _fits(prompt: Prompt, project: Project, settings: Settings, tools: Tools) -> bool:
    return all(usable(tools[tool], project, settings) for tool in prompt.needs)


def _values(prompt: Prompt, given: Mapping[str, str], project: Project) -> dict[str, str]:
    values = {
        PROJECT: quoted(project.id),
        "thousand": money(1_000, project.currency),
        "timezone": project.timezone,
    }
    for argument in prompt.arguments:
        value = given.get(argument.name)
        if value is not None:
            if len(value) > LONGEST:
                raise _invalid(f"`{argument.name}` takes at most {LONGEST:,} characters.")
            try:
                values[argument.name] = argument.read(value, project)
            except InvalidInput as error:
                raise _invalid(error.message) from None
        elif argument.required:
            raise _invalid(f"`{argument.name}` is required.")
        elif argument.otherwise is not None:
            values[argument.name] = argument.otherwise(project)
    return values


def _project(given: str | None, settings: Settings) -> Project:
    projects = settings.projects
    if given is None and len(projects) == 1:
        return next(iter(projects.values()))
    known = ", ".join(quoted(one) for one in list(projects)[:10])
    if given is None:
        raise _invalid(f"`{PROJECT}` is required. The projects are {known}.")
    if given not in projects:
        raise _invalid(f"There is no project {quoted(given)}. The projects are {known}.")
    return projects[given]


def _nearest(name: str, known: Iterable[str]) -> str:
    if near := get_close_matches(name[:100], list(known), n=1):
        return f" Did you mean {near[0]}?"
    return f" There are {', '.join(known)}." if known else ""


def _invalid(message: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=message)
