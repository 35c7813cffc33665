"""What each tool takes, answers and costs, as docs/tools.md: made from the registry and the adapters.

Run it as `python -m scripts.tool_page` after a tool, an adapter or a vendor's table of costs has changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voucher_mcp.backends.opening import SYSTEMS, adapter_of
from voucher_mcp.policy import worth
from voucher_mcp.server import all_tools
from voucher_mcp.tools.registry import ToolDefinition

DOCS = Path(__file__).parents[1] / "docs"
FILE = DOCS / "tools.md"

ANY = ("invalid_input", "limit_exceeded", "unavailable", "internal")
OF_A_PROJECT = ("not_found", "unsupported")
OF_A_VENDOR = ("unauthorized", "forbidden", "rate_limited", "quota_exhausted", "upstream_error")
OF_A_WRITE = ("access_denied", "conflict", "idempotency_mismatch", "outcome_unknown")
OF_A_QUESTION = ("confirmation_required", "approval_required", "declined")

_UNUSABLE = ("voucher_disabled", "voucher_expired", "voucher_not_active")
OF_ONE_TOOL: Mapping[str, Sequence[str]] = {
    "create_voucher_pool": ("already_exists",),
    "update_voucher_pool": ("already_exists",),
    "assign_voucher_code": ("pool_exhausted", "voucher_disabled", "voucher_expired", "already_exists"),
    "create_voucher": ("already_exists",),
    "generate_random_code": ("already_exists",),
    "update_voucher_balance": ("insufficient_balance",),
    "move_voucher_balance": ("insufficient_balance", "quantity_exceeded", *_UNUSABLE),
    "release_validation_session": ("session_not_found",),
    "validate_vouchers": ("access_denied", "session_not_found"),
    "redeem_vouchers": ("insufficient_balance", "quantity_exceeded", *_UNUSABLE, "session_not_found"),
    "rollback_redemption": ("already_rolled_back",),
    "undo_change": ("already_exists", "already_rolled_back", "insufficient_balance"),
}
"""What only the rules of these tools answer; a second way to say it would be to read every adapter."""

_MINTS = (
    worth.of_voucher,
    worth.of_new_pool,
    worth.of_new_codes,
    worth.of_balance,
    worth.of_list,
    worth.of_csv,
)

_MEANT: Mapping[str, str] = {
    "project_id": "A project of `list_projects`",
    "idempotency_key": "One per write; send the same key to retry",
    "dry_run": "`true` shows what would change and changes nothing",
    "detail": "`full` shows all that the system holds",
    "limit": "How many at most",
    "skip": "How many to pass over first",
    "count": "How many at most",
    "starting_after_id": "The last id of the page before",
    "page": "Which page, from 1",
    "metadata": "Fields of your own; null removes a key",
    "reason": "Why, for the ledger",
    "clear": "Fields to empty",
    "force": "`true` deletes for good, and frees the code",
    "active": "`false` keeps it from being used",
    "additional_info": "A note",
    "async_action_id": "What an import or a bulk update answered",
    "campaign": "A pool's name",
    "campaign_id": "A pool's id",
    "category": "A category's name",
    "category_id": "A category's id",
    "code": "The code",
    "customer": "Whose",
    "customer_id": "Whose",
    "discount": "What it takes off: {type, percent_off | amount_off, effect}",
    "expiration_date": "The last moment at which it works",
    "export_id": "What the export answered",
    "fields": "The columns",
    "gift": "{amount}",
    "ids": "Only these",
    "import_id": "The import's id in Bloomreach",
    "kind": "What kind of picture",
    "loyalty_card": "{points}",
    "name": "The new name",
    "order": "In which order; `-` is the newest first",
    "redemption": "{quantity}: how often it works; null is without end",
    "redemption_id": "Of `redeem_vouchers` or `list_redemptions`",
    "result": "Only these",
    "session_key": "The key of the session",
    "since": "ISO 8601 or Unix seconds",
    "start_date": "The first moment at which it works",
    "status": "Only these; Mews has the last four",
    "tool": "Only writes of this tool",
    "type": "What kind of voucher",
    "updated_before": "ISO 8601 or Unix seconds",
    "validation_rules": "Ids of validation rules",
    "validity_day_of_week": "0 is Sunday",
    "validity_hours": "Hours of each day at which it works",
    "validity_timeframe": "{interval, duration}: how often it works, and for how long",
}
"""What an agent reads once in the instructions, and not at each tool."""

_HEAD = r"""# The tools

Made by `python -m scripts.tool_page` from the tools themselves. An agent sees the same in `tools/list`.

## How to read it

Each answer is one object:

```json
{"success": true, "data": {"…": "…"}, "error": null}
{"success": false, "data": null, "error": "There is no pool \"Sumer\" in this project. …",
 "error_code": "not_found", "applied": "no", "field": "pool_id"}
```

`error` is a sentence: what failed, whether anything changed, what to do next.
`applied` says `no`, `unknown` or `partly`.
`retryable` and `retry_after` (seconds) say whether a new try can help.

**Writing.** Every tool that writes takes `dry_run`: it goes through all checks and shows what would change.
It also takes `idempotency_key`: send the same key again when you retry. You then get the first result again
(`"replayed": true`) instead of a second write. A LOCK session of `validate_vouchers` has neither: its own
`key` makes it repeatable, and it ends by itself.
† marks what cannot be undone: the user is asked first.

**Amounts** are whole numbers of the smallest unit: 500 is 5.00 EUR, or 500 JPY.

**Times** come out as Unix seconds in the pool tools and as ISO 8601 in the others, always in UTC.
Both are taken.
A date without a time is a whole day in the project's time zone.

**Hints** are what a client reads to decide whether it asks its user first.

**Requests** are what a call sends to the system. Each counts against the vendor's quota or rate.
The embedded engine sends none. *n* is one for each thousand codes or pools, and *w* the looks at a job.
[evals/COSTS.md](../evals/COSTS.md) has the bytes of each tool.

`python examples/campaign.py` walks a campaign from its creation to a rollback, call by call.

**Errors.** [troubleshooting.md](troubleshooting.md) says what each code means and what to do.
"""


def page() -> str:
    """The whole page."""
    costs = {system: costs_of(system) for system in SYSTEMS}
    parts, toolset = [_HEAD + "\n" + _errors_of_many(), *_contents()], ""
    for tool in all_tools().values():
        if tool.toolset != toolset:
            toolset = tool.toolset
            parts.append(f"## {toolset}\n")
        parts.append("\n".join(_tool(tool, costs)) + "\n")
    return "\n".join(parts)


def errors_of(tool: ToolDefinition) -> list[str]:
    """The codes that it can answer beyond those of any tool, of any project and of any vendor."""
    asks = tool.irreversible or tool.undoes or tool.worth in _MINTS
    codes = [*(OF_A_WRITE if tool.writes else ()), *(OF_A_QUESTION if asks else ())]
    return list(dict.fromkeys([*codes, *OF_ONE_TOOL.get(tool.name, ())]))


def _errors_of_many() -> str:
    return (
        f"- Any tool can answer {_listed(ANY)}.\n"
        f"- A tool that takes a project can also answer {_listed(OF_A_PROJECT)}.\n"
        f"- At a vendor it can answer {_listed(OF_A_VENDOR)}.\n"
        "- Below, each tool lists only the codes beyond these.\n"
    )


def _contents() -> Iterator[str]:
    toolsets = dict.fromkeys(tool.toolset for tool in all_tools().values())
    for toolset in toolsets:
        tools = [tool.name for tool in all_tools().values() if tool.toolset == toolset]
        yield f"**{toolset}:** " + " · ".join(f"[{name}](#{name})" for name in tools) + "\n"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _tool(tool: ToolDefinition, costs: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    shown = tool.shown(SYSTEMS)
    yield f"### {tool.name}\n\n{'† ' if tool.irreversible else ''}{tool.description}\n"
    yield from _arguments(tool, shown.input_schema)
    hints = shown.annotations
    assert hints is not None
    said = {
        "readOnly": hints.read_only_hint,
        "destructive": hints.destructive_hint,
        "idempotent": hints.idempotent_hint,
        "openWorld": hints.open_world_hint,
    }
    yield f"Hints: {', '.join(f'{name} {_yes(value)}' for name, value in said.items())}."
    if codes := errors_of(tool):
        yield f"Errors: {_listed(codes)}."
    if tool.project:
        yield "\n| | " + " | ".join(SYSTEMS) + " |\n|---|" + "---|" * len(SYSTEMS)
        can = [tool.method is None or adapter_of(system).can(tool.method) for system in SYSTEMS]
        yield "| can do it | " + " | ".join(map(_yes, can)) + " |"
        asked = [_cost(tool, system, costs) if yes else "" for system, yes in zip(SYSTEMS, can, strict=True)]
        yield "| requests | " + " | ".join(asked) + " |"


def _arguments(tool: ToolDefinition, schema: Mapping[str, Any]) -> Iterator[str]:
    if not schema["properties"]:
        yield "It takes no arguments.\n"
        return
    yield "| argument | type | default | what it is |\n|---|---|---|---|"
    for name, field in schema["properties"].items():
        given = "**required**" if name in schema["required"] else _default(tool, name)
        yield f"| `{name}` | {_type(field)} | {given} | {_meaning(name, field)} |"
    yield ""


def _type(field: Mapping[str, Any]) -> str:
    if choices := field.get("enum"):
        return _listed(choices)
    kind = field.get("type", "any")
    kind = f"list of {field['items'].get('type', 'any')}" if kind == "array" else str(kind)
    lowest, highest, most = field.get("minimum"), field.get("maximum"), field.get("maxItems")
    if lowest is not None and highest is not None:
        return f"{kind}, {lowest} to {highest}"
    if highest is not None or lowest is not None:
        return f"{kind}, at {'most' if lowest is None else 'least'} {highest if lowest is None else lowest}"
    return f"{kind}, at most {most:,}" if most is not None else kind


def _default(tool: ToolDefinition, name: str) -> str:
    default = tool.arguments.model_fields[name].default
    return "" if default is None else f"`{str(default).lower()}`"


def _meaning(name: str, field: Mapping[str, Any]) -> str:
    return str(field.get("description") or _MEANT.get(name, "")).replace("|", "\\|")


def _yes(value: bool | None) -> str:
    return "yes" if value else "no"


def _cost(tool: ToolDefinition, system: str, costs: Mapping[str, Mapping[str, str]]) -> str:
    if system == "local" or (tool.method is None and not tool.writes):
        return "0"
    return costs[system][tool.name]


def costs_of(system: str) -> Mapping[str, str]:
    """The last column of a vendor's own table, under "What a call costs", by tool."""
    if system == "local":
        return {}
    text = (DOCS / f"{system}.md").read_text(encoding="utf-8")
    table = text.partition("## What a call costs")[2].partition("\n## ")[0]
    rows = [row.strip("|").split("|") for row in re.findall(r"^\|.*\|$", table, re.MULTILINE)]
    return {name.strip("` "): row[-1].strip() for row in rows for name in row[0].split(",")}


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8", newline="\n")
