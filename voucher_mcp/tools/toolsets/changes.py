"""The toolset changes: what was written, and taking it back."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.change import ChangesQuery
from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.values.texts import codes_looked_up, counted
from voucher_mcp.policy import worth
from voucher_mcp.tools.arguments.arguments import Integer, Text, Time, time_or_none
from voucher_mcp.tools.call import Call, WritingCall
from voucher_mcp.tools.registry import tool


def _named(value: object) -> object:
    """The name of a tool; n8n adds an object of that name to every call of its own accord."""
    return None if isinstance(value, dict) else value


@tool(
    toolset="changes",
    title="List changes",
    listing=True,
    journal=True,
)
async def list_changes(
    call: Call,
    since: Time | None = None,
    tool: Annotated[Text | None, BeforeValidator(_named)] = None,
    voucher: Annotated[Text | None, BeforeValidator(codes_looked_up), Field(description="Code or id")] = None,
    pool: Annotated[Text | None, Field(description="Id or name")] = None,
    limit: Annotated[Integer, Field(ge=1, le=100)] = 20,
    starting_after_id: Text | None = None,
) -> Answer[list[dict[str, Any]]]:
    """What was written, and whether `undo` is possible, done, or why not."""
    assert call.changes is not None  # of a tool that reads only the journal
    query = ChangesQuery(time_or_none(since, "since"), tool, voucher, pool, limit, starting_after_id)
    return await call.changes.page(query)


def _ask(arguments: Mapping[str, Any], answer: Answer[Any], currency: str) -> str:
    about, tool = answer.about, answer.data["tool"]
    pool = f"the pool {quoted(about['pool'])} with its " if "pool" in about else ""
    codes = counted(about.get("codes", answer.data["undone"]), "code")
    return f"Take {tool} ({arguments['change_id']}) back, which deletes {pool}{codes},"


@tool(
    toolset="changes",
    title="Undo a change",
    writes=True,
    key="required",
    worth=worth.of_one,
    undoes=True,
    question=_ask,
)
async def undo_change(
    call: WritingCall, change_id: Annotated[Text, Field(description="Of list_changes")]
) -> Answer[dict[str, Any]]:
    """Take one write back; refused where it was changed since."""
    assert call.take_back is not None  # of an undoing tool
    return await call.take_back(call.write)
