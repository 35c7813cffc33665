"""Declaring tools: a decorator makes a ToolDefinition of a function, and nothing is registered at import.

A tool's own arguments are the parameters of its function. What every tool of its kind has is added here:
`project_id`, and for writing tools `idempotency_key` and `dry_run`.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, Literal

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, create_model

from voucher_mcp.domain.answer import Answer
from voucher_mcp.policy.access import Demand
from voucher_mcp.tools.arguments import DryRun, Key, ProjectId
from voucher_mcp.tools.schemas import input_schema, output_schema

Handler = Callable[..., Awaitable[Answer[Any]]]
KeyRule = Literal["required", "optional"]


@dataclass(frozen=True)
class ToolDefinition:
    """One tool: what the agent reads, what it demands of a project, and the function that does it."""

    name: str
    title: str
    description: str
    toolset: str
    handler: Handler
    data: Mapping[str, Any] | None
    """The schema of `data` where a document fixes it, one level deep."""
    listing: bool
    """Whether `data` is a list, so that a failure answers []."""
    method: str | None
    """The backend method that it needs; None for a tool about the projects themselves."""
    writes: bool
    key: KeyRule
    irreversible: bool
    idempotent: bool
    question: Callable[[Mapping[str, Any], Answer[Any]], str] | None
    """Says what an irreversible call would do, for the person who is asked."""

    @property
    def demand(self) -> Demand:
        """What policy looks at."""
        return Demand(self.name, self.toolset, self.method, self.writes, self.irreversible)

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The model that checks the arguments."""
        fields: dict[str, Any] = {"project_id": (ProjectId, ...)} if self.method else {}
        for parameter in list(inspect.signature(self.handler).parameters.values())[1:]:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (parameter.annotation, default)
        if self.writes:
            fields["idempotency_key"] = (Key, ...) if self.key == "required" else (Key | None, None)
            fields["dry_run"] = (DryRun, False)
        return create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)

    @cached_property
    def tool(self) -> Tool:
        """The tool as tools/list shows it."""
        return Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=input_schema(self.arguments),
            output_schema=output_schema(self.data, self.listing),
            annotations=ToolAnnotations(
                read_only_hint=not self.writes,
                destructive_hint=self.irreversible,
                # what is deleted stays deleted, and a key that must be sent makes a write happen once
                idempotent_hint=not self.writes
                or self.idempotent
                or self.irreversible
                or self.key == "required",
                open_world_hint=self.method is not None,
            ),
        )


def tool(
    *,
    toolset: str,
    title: str,
    data: Mapping[str, Any] | None = None,
    listing: bool = False,
    project: bool = True,
    writes: bool = False,
    key: KeyRule = "optional",
    idempotent: bool = False,
    irreversible: bool = False,
    question: Callable[[Mapping[str, Any], Answer[Any]], str] | None = None,
) -> Callable[[Handler], ToolDefinition]:
    """Declare the function as the tool of its name, its docstring as the description.

    Args:
        project: whether the tool works on one project, with the backend method of its own name.
        writes: it changes something; irreversible: and that cannot be undone, so a person is asked.
        key: whether a write must carry an idempotency key.
        idempotent: the same call twice leaves the same state even without a key.
    """

    def declare(handler: Handler) -> ToolDefinition:
        name = handler.__name__
        return ToolDefinition(
            name=name,
            title=title,
            description=inspect.cleandoc(handler.__doc__ or "").replace("\n", " "),
            toolset=toolset,
            handler=handler,
            data=data,
            listing=listing,
            method=name if project else None,
            writes=writes,
            key=key,
            irreversible=irreversible,
            idempotent=idempotent,
            question=question,
        )

    return declare


def definitions_in(*modules: ModuleType) -> dict[str, ToolDefinition]:
    """Every tool that the modules declare, by name, in the order of their declaration."""
    found = (
        value for module in modules for value in vars(module).values() if isinstance(value, ToolDefinition)
    )
    return {definition.name: definition for definition in found}
