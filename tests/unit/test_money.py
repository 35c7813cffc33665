"""Amounts are shown with their currency, in its own minor unit."""

from pathlib import Path

import pytest

from voucher_mcp.config import ConfigError, load_settings
from voucher_mcp.domain.values.money import money

TOKYO = 'timezone = "Asia/Tokyo"\ncurrency = "JPY"\n'
PROJECTS = f"""
[projects.plain]
backend = "local"
[projects.shop]
backend = "voucherify"
app_id = "app"
app_token = "t"
{TOKYO}
[projects.hotel]
backend = "mews"
client_token = "t"
access_token = "t"
{TOKYO}
[projects.crm]
backend = "bloomreach"
url = "https://eu.example.com/mcp"
upstream_project_id = "p"
{TOKYO}
"""


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (123450, "EUR", "1,234.50 EUR"),
        (5, "USD", "0.05 USD"),
        (-5, "EUR", "-0.05 EUR"),
        (123450, "JPY", "123,450 JPY"),
        (123450, "KWD", "123.450 KWD"),
        (0, "CHF", "0.00 CHF"),
    ],
)
def test_an_amount_is_shown_in_the_minor_unit_of_its_currency(amount: int, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


@pytest.mark.parametrize("code", ["EUP", "eur", "XAU", "€"])
def test_a_currency_is_one_of_iso_4217(tmp_path: Path, code: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[projects.default]\nbackend = "local"\ncurrency = "{code}"', encoding="utf-8")
    with pytest.raises(ConfigError, match=f"unknown currency '{code}'; should be a code of ISO 4217 such as"):
        load_settings(file, {})


def test_every_project_has_a_currency_and_a_time_zone(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(PROJECTS, encoding="utf-8")
    projects = load_settings(file, {}).projects
    assert (projects["plain"].currency, str(projects["plain"].zone)) == ("EUR", "UTC")
    for name in ("shop", "hotel", "crm"):
        assert (projects[name].currency, str(projects[name].zone)) == ("JPY", "Asia/Tokyo")
