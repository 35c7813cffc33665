"""Which tool works on which system, as docs/capabilities.md: made from the adapters themselves.

Run it as `python -m scripts.capability_table` after an adapter has learned something.
"""

from pathlib import Path

from voucher_mcp.backends.opening import SYSTEMS, adapter_of
from voucher_mcp.server import all_tools

FILE = Path(__file__).parents[1] / "docs" / "capabilities.md"

_HEAD = """# What each system can do

Made by `python -m scripts.capability_table` from the adapters. What a project's system cannot do answers
`unsupported`; `list_projects` names it where another project can do it. Where none can, it is not listed.

"""
_FOOT = """
`start_voucher_import` needs the API key that [bloomreach.md](bloomreach.md) tells of. Whether a tool may be
used is another question: access, toolsets and `destructive` answer it for each project.
"""


def table() -> str:
    """The whole page."""
    lines = ["| tool | " + " | ".join(SYSTEMS) + " |", "|---|" + ":-:|" * len(SYSTEMS)]
    for tool in all_tools().values():
        can = [tool.method is None or adapter_of(system).can(tool.method) for system in SYSTEMS]
        mark = " †" if tool.irreversible else ""
        lines.append(f"| `{tool.name}`{mark} | " + " | ".join("yes" if yes else "–" for yes in can) + " |")
    return _HEAD + "\n".join(lines) + "\n\n† irreversible\n" + _FOOT


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8", newline="\n")
