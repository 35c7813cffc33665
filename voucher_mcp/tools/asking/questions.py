"""What a person is asked before a write, in words."""

from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.config import Project
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import quoted
from voucher_mcp.domain.values.money import worth as worth_of
from voucher_mcp.domain.values.texts import counted
from voucher_mcp.domain.write import Worth
from voucher_mcp.policy.consent import Question
from voucher_mcp.policy.text import clean
from voucher_mcp.tools.registry import ToolDefinition

_NAMED_BY: Final = ("name", "pool_id", "code", "campaign", "campaign_id")


def of_deletion(
    definition: ToolDefinition, arguments: Mapping[str, Any], project: Project, answer: Answer[Any]
) -> Question:
    """Whether what is about to be deleted may go."""
    assert definition.question is not None  # of an irreversible tool
    text = (
        f"{definition.question(arguments, answer, project.currency)} in the project {quoted(project.name)}?"
    )
    setting = (
        f'destructive = "allow" under [projects.{project.id}] in the configuration, or '
        "VOUCHER_MCP_DESTRUCTIVE=allow where there is no file"
    )
    reason = "This deletes what was made" if definition.undoes else "This cannot be undone"
    return Question(clean(text), reason, setting)


def of_value(
    definition: ToolDefinition, arguments: Mapping[str, Any], project: Project, worth: Worth
) -> Question:
    """Whether so much value may be made."""
    named = next((quoted(arguments[name]) for name in _NAMED_BY if arguments.get(name)), "")
    codes = counted(worth.codes, "code")
    value = worth_of(worth.amount or None, worth.points or None, project.currency)
    text = f"{definition.title} {named}".rstrip()
    return Question(
        clean(f"{text}: {codes} worth {value}, in the project {quoted(project.name)}?"),
        "This makes value",
        f"confirm_above under [projects.{project.id}.limits] in the configuration",
    )
