"""What a prompt is: an opening, steps, and a closing, in which what the user gave stands quoted.

A step names its tools in backticks and what the user gave in braces. It is left out where the caller may not
use one of those tools, or where that was not given.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from mcp.types import Prompt as Shown
from mcp.types import PromptArgument

from voucher_mcp.config import Project

_TOOL = re.compile(r"`(\w+)`")

Read = Callable[[str, Project], str]
"""Reads what was given for an argument, as it then stands in the text. Raises InvalidInput."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What a user fills in."""

    name: str
    title: str
    description: str
    read: Read
    required: bool = True
    otherwise: Callable[[Project], str] | None = None
    """What stands in the text where it is not given."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing that people want done."""

    name: str
    title: str
    description: str
    arguments: Sequence[Argument]
    """Beside `project_id`, which each has."""
    needs: frozenset[str]
    """The tools without which it cannot be done."""
    opening: str
    steps: Sequence[str]
    closing: str

    def shown(self, project: PromptArgument) -> Shown:
        """The prompt as prompts/list shows it, with the argument for the project."""
        arguments = [
            PromptArgument(name=one.name, title=one.title, description=one.description, required=one.required)
            for one in self.arguments
        ]
        return Shown(
            name=self.name,
            title=self.title,
            description=self.description,
            arguments=[project, *arguments],
        )

    def text(self, values: Mapping[str, str], tools: Collection[str]) -> str:
        """What the agent is told.

        Args:
            values: what stands for each name in braces, quoted already.
            tools: those that may be used.
        """
        told = [
            step.format_map(values)
            for step in self.steps
            if tools_in(step) <= set(tools) and _places(step) <= values.keys()
        ]
        numbered = [f"{number}. {step}" for number, step in enumerate(told, 1)]
        return "\n".join(
            [self.opening.format_map(values), "", *numbered, "", self.closing.format_map(values)]
        )


def tools_in(step: str) -> set[str]:
    """The tools that a step names."""
    return set(_TOOL.findall(step))


def _places(step: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(step) if name is not None}
