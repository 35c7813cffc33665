"""What a person types says the same on PostgreSQL as on SQLite."""

import re
from pathlib import Path

from tests.cli.conftest import Command, Said
from tests.databases.postgres import PostgresDatabase
from tests.postgres.test_refusals import configured

FILE = 'code,valid_until,region\nA1,2031-01-01,EU\nB2,,\n=C3,,"x, ""y"""\n'
POOL = ("--project", "default", "--pool", "Summer")
COMMANDS = {
    ("codes", "import", "codes.csv", *POOL, "--create", "--gift", "5", "--dry-run"): 0,
    ("codes", "import", "codes.csv", *POOL, "--create", "--gift", "5"): 0,
    ("codes", "import", "codes.csv", *POOL): 0,  # all are there already
    ("codes", "export", *POOL): 0,
    ("codes", "export", *POOL, "--status", "redeemed"): 0,
    ("codes", "export", "--project", "default", "--pool", "Nowhere"): 1,
    ("journal",): 0,
    ("journal", "--format", "jsonl"): 0,
    ("journal", "--tool", "codes import"): 0,
    ("journal", "--tool", "create_vouche"): 2,
    ("check",): 0,
}


def steady(said: Said) -> str:
    """All that it says, without what differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)?", "TIME", said.out + said.err)
    text = re.sub(r"[\d.]+ s \(\d+ a second\)", "SECONDS", text)
    text = re.sub(r"\b[0-9a-f]{12,64}\b|\b(pool|camp|v|aud|r|ch)_\w{8,}", "ID", text)
    return re.sub(r"database: \S+", "DATABASE", text)


def test_every_command_says_the_same_on_either_database(
    cli: Command, database: PostgresDatabase, tmp_path: Path
) -> None:
    cli.write("codes.csv", FILE)
    urls = (database.url, f"sqlite:///{tmp_path / 'vouchers.db'}")
    for arguments, status in COMMANDS.items():
        here, there = (
            steady(cli.run(*arguments, status=status, variables={**configured(url), "COLUMNS": "999"}))
            for url in urls
        )
        assert here == there, arguments
