"""Declaring tools: a decorator makes a ToolDefinition of a function, and nothing is registered at import.

A tool's own arguments are the parameters of its function. What every tool of its kind has is added here:
`project_id`, and for writing tools `idempotency_key` and `dry_run`.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any, Literal

from mcp.types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, create_model

from voucher_mcp.domain.answer import Answer
from voucher_mcp.policy.access import Demand
from voucher_mcp.policy.worth import Measure
from voucher_mcp.tools.arguments.arguments import DryRun, Key, NeededKey, ProjectId
from voucher_mcp.tools.arguments.schemas import input_schema, output_schema

Handler = Callable[..., Awaitable[Answer[Any]]]
KeyRule = Literal["required", "optional"]
Question = Callable[[Mapping[str, Any], Answer[Any], str], str]
"""What a person is asked: of the arguments, the answer that the call would give, and the currency."""


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
    project: bool
    """Whether it works on one project."""
    method: str | None
    """The backend method that it needs; None for a tool that needs no more than the journal."""
    writes: bool
    key: KeyRule
    irreversible: bool
    idempotent: bool
    question: Question | None
    """Says what an irreversible call would do, for the person who is asked."""
    merges: bool
    """Whether a null inside of `metadata` removes a key, and is not merely not given."""
    exports: bool
    """It puts in an export, which counts as reading but is journalled as writes are."""
    worth: Measure | None
    """What a call mints and how many codes it touches; None of a tool that writes nothing."""
    undoes: bool
    """It takes another write back, so what it demands, is worth and asks about is that write's."""
    writes_when: Callable[[Mapping[str, Any]], bool] | None
    """Whether a call with these arguments writes, of a tool that else reads and is offered to readers."""

    @property
    def demand(self) -> Demand:
        """What policy looks at."""
        writes = self.writes and not self.exports
        return Demand(self.name, self.toolset, self.method, writes, self.irreversible, self.project)

    @property
    def always(self) -> Sequence[str]:
        """The arguments that a call must have, though its dry run need not."""
        return ("idempotency_key",) if self.key == "required" else ()

    @property
    def only_reads(self) -> bool:
        """Whether no call of it ever changes anything."""
        return not self.demand.writes and self.writes_when is None

    def demand_of(self, arguments: Mapping[str, Any]) -> Demand:
        """What policy looks at in one call."""
        return replace(self.demand, writes=self.may_write(arguments) and not self.exports)

    def may_write(self, arguments: Mapping[str, Any]) -> bool:
        """Whether something is written in a call with these arguments, checked or as they came."""
        return self.writes or (self.writes_when is not None and self.writes_when(arguments))

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The model that checks the arguments."""
        fields: dict[str, Any] = {"project_id": (ProjectId, ...)} if self.project else {}
        for parameter in list(inspect.signature(self.handler).parameters.values())[1:]:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (parameter.annotation, default)
        if self.writes:
            # where a call must have one, its dry run need not
            fields["idempotency_key"] = ((NeededKey if self.key == "required" else Key) | None, None)
            fields["dry_run"] = (DryRun, False)
        return create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)

    @cached_property
    def _schema(self) -> dict[str, Any]:
        """What pydantic makes of them: the same for every server of a process, and slow to make."""
        return self.arguments.model_json_schema()

    def shown(self, systems: Collection[str]) -> Tool:
        """The tool as tools/list shows it to somebody with projects in these systems."""
        return Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=input_schema(self._schema, systems, self.always),
            output_schema=output_schema(self.data, self.listing),
            annotations=ToolAnnotations(
                title=self.title,  # some clients show this one alone
                read_only_hint=self.only_reads,
                destructive_hint=self.irreversible,
                # what is deleted stays deleted, and a key that must be sent makes a write happen once
                idempotent_hint=self.only_reads
                or self.idempotent
                or self.irreversible
                or self.key == "required",
                open_world_hint=self.project,
            ),
        )


def tool(
    *,
    toolset: str,
    title: str,
    data: Mapping[str, Any] | None = None,
    listing: bool = False,
    project: bool = True,
    needs: str | None = None,
    journal: bool = False,
    writes: bool = False,
    key: KeyRule = "optional",
    idempotent: bool = False,
    irreversible: bool = False,
    exports: bool = False,
    question: Question | None = None,
    merges: bool = False,
    worth: Measure | None = None,
    undoes: bool = False,
    writes_when: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Callable[[Handler], ToolDefinition]:
    """Declare the function as the tool of its name, its docstring as the description.

    Args:
        project: whether the tool works on one project, with the backend method of its own name,
        needs: or with this one.
        journal: of the project it reads only the journal, which is kept of every system.
        writes: it changes something; irreversible: and that cannot be undone, so a person is asked.
        key: whether a write must carry an idempotency key.
        exports: it writes, but only puts in an export, which read access allows.
        idempotent: the same call twice leaves the same state even without a key.
        worth: what the operator's limits are held against; every tool that writes says it.
        undoes: it takes the write in `change_id` back, and is handed that.
        merges: its metadata is merged into what is there, so that a null in it removes a key.
        writes_when: which calls of a reading tool write; only those need write access and come with a Write,
            which has neither key nor dry run.
    """

    def declare(handler: Handler) -> ToolDefinition:
        name = handler.__name__
        if (worth is None) == (writes or writes_when is not None):
            raise TypeError(f"{name}: a tool that writes, and no other, says what it is worth")
        return ToolDefinition(
            name=name,
            title=title,
            description=inspect.cleandoc(handler.__doc__ or "").replace("\n", " "),
            toolset=toolset,
            handler=handler,
            data=data,
            listing=listing,
            project=project,
            method=(needs or name) if project and not journal else None,
            writes=writes,
            key=key,
            irreversible=irreversible,
            idempotent=idempotent,
            question=question,
            merges=merges,
            exports=exports,
            worth=worth,
            undoes=undoes,
            writes_when=writes_when,
        )

    return declare


def definitions_in(*modules: ModuleType) -> dict[str, ToolDefinition]:
    """Every tool that the modules declare, by name, in the order of their declaration."""
    found = (
        value for module in modules for value in vars(module).values() if isinstance(value, ToolDefinition)
    )
    return {definition.name: definition for definition in found}
