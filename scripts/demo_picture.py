"""The demo as a picture for the README, docs/demo.svg: made by the demo itself, in a real run.

Run it as `python -m scripts.demo_picture` after the demo was changed.
"""

import io
import re
from pathlib import Path

from rich.console import Console

from voucher_mcp.cli.demo import show
from voucher_mcp.cli.demo.screen import Screen

FILE = Path(__file__).parents[1] / "docs" / "demo.svg"

_CODE = re.compile(r"AUT-\w{6}")
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Which would be fetched from elsewhere; whoever lacks the font sees another one."""


def canvas() -> Console:
    """What the picture is made of, once the demo was shown on it."""
    return Console(
        file=io.StringIO(),
        record=True,
        width=80,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
    )


def picture(drawn: Console) -> str:
    """It as SVG, with one code in the place of those that are random."""
    drawn.print()
    svg = drawn.export_svg(title="voucher-mcp demo", unique_id="demo")
    return _CODE.sub("AUT-7KQ2MX", _FONTS.sub("", svg)).strip() + "\n"


if __name__ == "__main__":
    drawn = canvas()
    show(Screen(drawn))
    FILE.write_text(picture(drawn), encoding="utf-8", newline="\n")
