"""The page that says what each system can do is what the adapters say."""

from scripts.capability_table import FILE, table


def test_the_capability_table_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == table(), "renew it: python -m scripts.capability_table"
