"""The shop of the demo: throw-away, with four pools whose codes come from the sample files."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from importlib.resources import as_file, files
from typing import Any, Final, NamedTuple

from voucher_mcp.backends.base import Backend
from voucher_mcp.cli.codes.code_files import CodeFile
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.values.wording import worth_in_words
from voucher_mcp.domain.write import Write, digest_of_call

PROJECT: Final = "demo"
CURRENCY: Final = "EUR"
MOST_AT_ONCE: Final = 50_000
"""Minor units that one call may make."""

CONFIG: Final = f"""[projects.{PROJECT}]
name = "Demo shop"
backend = "local"
url = "sqlite:///demo.db"
currency = "{CURRENCY}"

[limits]
max_amount_per_call = {MOST_AT_ONCE}
"""


class Sample(NamedTuple):
    """A pool to be: the file of its codes, and the voucher that they share."""

    file: str
    pool: str
    voucher: Mapping[str, Any]


SAMPLES: Final = (
    Sample("summer-sale.csv", "Summer sale", {"discount": {"type": "PERCENT", "percent_off": 20}}),
    Sample(
        "newsletter-welcome.txt", "Newsletter welcome", {"discount": {"type": "AMOUNT", "amount_off": 500}}
    ),
    Sample("gift-cards.csv", "Gift cards 50", {"type": "GIFT_VOUCHER", "gift": {"amount": 5000}}),
    Sample("hotel-partners.csv", "Hotel partners", {"discount": {"type": "PERCENT", "percent_off": 15}}),
)


async def fill(backend: Backend) -> list[Sequence[str]]:
    """Make the pools; answers of each its name, its number of codes, and what a code does."""
    filled: list[Sequence[str]] = []
    for file, name, voucher in SAMPLES:
        pool = await backend.create_voucher_pool(_write("create_voucher_pool"), name, voucher, [])
        added = 0
        with (
            as_file(files("voucher_mcp.cli") / "sample" / file) as path,
            CodeFile.opened(str(path)) as sample,
        ):
            sample.look_through(Place(UTC))
            codes = sample.codes(lambda *_: None)
            async for batch in backend.import_codes(_write("codes import"), pool.data["id"], codes):
                added += batch.added
        filled.append((name, f"{added:,}", worth_in_words(voucher, CURRENCY)))
    return filled


def _write(tool: str) -> Write:
    return Write(tool, digest_of_call(tool, {}), "demo")
