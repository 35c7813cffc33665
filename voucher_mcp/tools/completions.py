"""What completes an argument while a person types it: projects, pools and customers.

It is for prompts and for the addresses of resources. Nobody is told of a project that is not theirs. Codes
are money and are never completed. A system that is slow or fails completes nothing; no more is said of it.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Final

import anyio
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    Completion,
    Prompt,
    PromptReference,
    ResourceTemplate,
)

from voucher_mcp.config import Settings
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import VoucherError, quoted
from voucher_mcp.domain.values.texts import matching
from voucher_mcp.policy.text import clean

PROJECT: Final = "project_id"
MOST: Final = 100
"""Values that an answer may have (MCP)."""
LONGEST: Final = 1_000
"""Characters that may be typed, as of an argument of a tool: nothing that is longer is looked for."""

SECONDS: Final = 3.0
"""How long a person at a keyboard is let wait (ours)."""

_ARGUMENT = re.compile(r"\{(\w+)\}")

Suggest = Callable[[str, str, str], Awaitable[Answer[list[str]]]]
"""Suggests values of an argument in a project that go with a text. Raises VoucherError."""


async def completed(
    params: CompleteRequestParams,
    settings: Settings,
    prompts: Iterable[Prompt],
    templates: Iterable[ResourceTemplate],
    suggest: Suggest,
) -> Completion:
    """The values that go with what was typed, the likeliest first.

    Raises:
        MCPError: there is no such prompt, address or argument.
    """
    name, typed = params.argument.name, params.argument.value
    known = _arguments(params, prompts, templates)
    if name not in known:
        raise _invalid(f"There is no argument {quoted(name)} here; known are {', '.join(known)}.")
    if name == PROJECT:
        return _shown(matching(settings.projects, typed), has_more=False)
    given = (params.context and params.context.arguments) or {}
    project = given.get(PROJECT) or (next(iter(settings.projects)) if len(settings.projects) == 1 else None)
    if project is not None and name in ("pool_id", "customer_id") and len(typed) <= LONGEST:
        try:
            with anyio.move_on_after(SECONDS):
                found = await suggest(name, project, typed)
                return _shown(found.data, has_more=found.beside["has_more"])
        except VoucherError:
            pass
    return _shown([], has_more=False)


def _arguments(
    params: CompleteRequestParams, prompts: Iterable[Prompt], templates: Iterable[ResourceTemplate]
) -> Collection[str]:
    """Those that the prompt or the address has."""
    ref = params.ref
    if isinstance(ref, PromptReference):
        of_prompt: Mapping[str, list[str]] = {
            one.name: [argument.name for argument in one.arguments or ()] for one in prompts
        }
        if ref.name not in of_prompt:
            raise _invalid(f"There is no prompt {quoted(ref.name)}.")
        return of_prompt[ref.name]
    if ref.uri not in [one.uri_template for one in templates]:
        raise _invalid(f"There is no template {quoted(ref.uri)}.")
    return _ARGUMENT.findall(ref.uri)


def _shown(values: list[str], *, has_more: bool) -> Completion:
    """At most MOST of them; what would not reach an agent as it is would not be found by it either."""
    fit = [value for value in values if clean(value) == value]
    more = has_more or len(fit) > MOST
    return Completion(values=fit[:MOST], total=None if has_more else len(fit), has_more=more)


def _invalid(message: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message=message)
