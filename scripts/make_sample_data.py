"""Makes the sample codes that `voucher-mcp demo` fills its project with; the same ones every time.

    python scripts/make_sample_data.py

The files look like what shops have: a CSV of a campaign, a bare list, a card printer's file, and a partner's
export from a spreadsheet with semicolons.
"""

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "voucher_mcp" / "cli" / "sample"
SEED = 20_260_601
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no look-alikes
HOTELS = ("Harbour View", "Old Mill", "Seven Pines", "Grand Central", "Villa Sole")
ROOMS = ("single", "double", "family", "suite")
CHANNELS = ("newsletter", "instagram", "store", "influencer")
COUNTRIES = ("AT", "CZ", "DE", "FR", "PL")
STORES = ("Berlin", "Brno", "Lyon", "Praha", "Wien")


def make(folder: Path) -> None:
    """Write the files."""
    chance = random.Random(SEED)
    any_of = chance.choice
    season = ("2030-06-01T00:00:00+02:00", "2030-09-01T00:00:00+02:00")
    summer = [
        (code, *season, any_of(CHANNELS), any_of(COUNTRIES)) for code in codes(chance, 1_500, "SUN-####-####")
    ]
    welcome = [(code,) for code in codes(chance, 1_000, "HELLO######")]
    gifts = [
        (code, f"print-{number // 100 + 1:02}", any_of(STORES))
        for number, code in enumerate(codes(chance, 600, "####-####-####-####"))
    ]
    hotels = [
        (any_of(HOTELS), any_of(ROOMS), code, f"{chance.randint(2030, 2032)}-12-31")
        for code in codes(chance, 900, "STAY-######")
    ]
    columns = ("code", "valid_from", "valid_until", "channel", "country")
    write(folder / "summer-sale.csv", [columns, *summer])
    write(folder / "newsletter-welcome.txt", welcome)
    write(folder / "gift-cards.csv", [("Code", "batch", "store"), *gifts])
    write(folder / "hotel-partners.csv", [("Hotel", "Room", "CODE", "valid_until"), *hotels], delimiter=";")


def codes(chance: random.Random, count: int, pattern: str) -> list[str]:
    """Different codes, each # of the pattern a random character."""
    made: dict[str, None] = {}
    while len(made) < count:
        made["".join(chance.choice(LETTERS) if mark == "#" else mark for mark in pattern)] = None
    return list(made)


def write(path: Path, rows: Iterable[Sequence[str]], delimiter: str = ",") -> None:
    """Write the rows, the header among them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    make(FOLDER)
