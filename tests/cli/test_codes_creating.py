"""A pool that `codes import --create` makes: what its codes are worth was chosen, and is said in words."""

import json

import pytest

from tests.cli.conftest import Command
from tests.cli.test_codes_truth import rows_of


def said_of(cli: Command, *options: str, currency: str = "EUR", zone: str = "UTC") -> str:
    """The sentence on what the codes are."""
    config = f'[projects.default]\nbackend = "local"\nurl = "sqlite:///p.db"\ncurrency = "{currency}"\n'
    cli.write("config.toml", f'{config}timezone = "{zone}"\n')
    file = cli.write("codes.csv", "code\nA1\n")
    target = ("--project", "default", "--pool", "Summer")
    said = cli.run("--config", "config.toml", "codes", "import", file, *target, "--create", *options)
    assert "Added 1 code" in said.out
    return next(line for line in said.out.splitlines() if line.startswith("Each code"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--percent", "20"], "Each code gives 20 % off an order, works once, without an end."),
        (
            ["--percent", "12.5", "--uses", "3"],
            "Each code gives 12.5 % off an order, works 3 times, without an end.",
        ),
        (["--amount", "5"], "Each code gives 5.00 EUR off an order, works once, without an end."),
        (["--gift", "35.00"], "Each code holds 35.00 EUR, works until it is spent, without an end."),
        (["--gift", "35", "--uses", "1"], "Each code holds 35.00 EUR, works once, without an end."),
        (
            ["--gift", "1,5", "--expires", "2030-12-31"],
            "Each code holds 1.50 EUR, works until it is spent, until 2030-12-31 23:59:59 UTC.",
        ),
    ],
)
def test_what_the_codes_are_is_said_in_words(cli: Command, options: list[str], words: str) -> None:
    assert said_of(cli, *options) == words


def test_the_projects_currency_and_time_zone_count(cli: Command) -> None:
    said = said_of(cli, "--gift", "1500", "--expires", "2030-07-01", currency="JPY", zone="Europe/Berlin")
    assert (
        said == "Each code holds 1,500 JPY, works until it is spent, until 2030-07-01 23:59:59 Europe/Berlin."
    )
    exported = cli.run(
        "--config", "config.toml", "codes", "export", "--project", "default", "--pool", "Summer"
    )
    assert [row["balance"] for row in rows_of(exported.out)] == ["1500"]


def test_a_template_comes_from_a_file_and_a_discount_works_once_unless_it_says_otherwise(
    cli: Command,
) -> None:
    template = {"discount": {"type": "AMOUNT", "amount_off": 1_234_56}, "metadata": {"campaign": "x"}}
    file = cli.write("template.json", json.dumps(template))
    assert said_of(cli, "--template", file) == (
        "Each code gives 1,234.56 EUR off an order, works once, without an end."
    )


@pytest.mark.parametrize(
    ("lines", "options", "end"),
    [
        (["A1,2030-01-31", "A2,2031-01-31"], [], "until its own end."),
        (["A1,2030-01-31", "A2,"], [], "until its own end where it has one, else without an end."),
        (["A1,2030-01-31"], ["--expires", "2032-12-31"], "until its own end."),
        (
            ["A1,", "A2,2030-01-31"],
            ["--expires", "2032-12-31"],
            "until its own end where it has one, else until 2032-12-31 23:59:59 UTC.",
        ),
        (["A1,", "A2,"], [], "without an end."),
    ],
)
def test_codes_with_ends_of_their_own_are_not_said_to_be_without(
    cli: Command, lines: list[str], options: list[str], end: str
) -> None:
    file = cli.write("codes.csv", "\n".join(["code,valid_until", *lines, ""]))
    call = (
        "codes",
        "import",
        file,
        "--project",
        "default",
        "--pool",
        "Summer",
        "--create",
        "--percent",
        "20",
    )
    for more in (["--dry-run"], []):
        said = cli.run(*call, *options, *more)
        assert f"Each code gives 20 % off an order, works once, {end}" in said.out.splitlines()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "--create needs what the codes of the new pool are worth"),
        (["--expires", "2030-01-01"], "--create needs"),
        (["--percent", "0"], "more than 0"),
        (["--percent", "120"], "at most 100"),
        (["--percent", "ten"], "must be a number"),
        (["--gift", "1,000"], "parts its thousands"),
        (["--gift", "-5"], "must be a number"),
        (["--amount", "5.005"], "two decimals"),
        (["--gift", "5", "--uses", "0"], "whole number from 1"),
        (["--gift", "5", "--expires", "2030"], "--expires"),
        (["--gift", "5", "--expires", "46387"], "--expires"),
        (["--template", "nowhere.json"], "cannot be read"),
        (["--template", "codes.csv"], "one JSON object"),
        (["--template", "ends.json", "--expires", "2030-01-01"], "its own expiration_date"),
        (["--template", "empty.json"], "is required"),
    ],
)
def test_a_worth_that_nobody_chose_or_that_means_nothing_makes_no_pool(
    cli: Command, options: list[str], problem: str
) -> None:
    cli.write("ends.json", '{"gift": {"amount": 5}, "expiration_date": "2031-01-01"}')
    cli.write("empty.json", "{}")
    said = cli.import_codes(cli.write("codes.csv", "code\nA1\n"), "--create", *options, status=1)
    assert problem in said.err
    assert "no pool" in cli.export_codes(status=1).err


def test_what_a_new_pool_is_needs_create(cli: Command) -> None:
    said = cli.import_codes(cli.write("codes.csv", "code\nA1\n"), "--gift", "5", status=1)
    assert "needs --create" in said.err


def test_two_worths_are_one_too_many(cli: Command) -> None:
    file = cli.write("codes.csv", "code\nA1\n")
    assert (
        "not allowed with"
        in cli.import_codes(file, "--create", "--gift", "5", "--percent", "5", status=2).err
    )


def test_a_pool_that_is_there_keeps_its_worth(cli: Command) -> None:
    file = cli.write("codes.csv", "code\nA1\n")
    cli.import_codes(file, "--create", "--gift", "5")
    more = cli.write("more.csv", "code\nB2\n")
    said = cli.import_codes(more, "--create", "--gift", "50", status=1)
    assert "each of its codes holds 5.00 EUR" in said.err
    assert "Each code holds 5.00 EUR" in cli.import_codes(more, "--create", "--gift", "5.00").out


def test_an_import_in_which_nothing_fits_leaves_no_pool(cli: Command) -> None:
    file = cli.write("codes.csv", "code\nA1\nB2\n")
    cli.import_codes(file, "--create", "--gift", "5", pool="Winter")
    said = cli.import_codes(file, "--create", "--gift", "5")
    assert 'the pool "Summer" was not made' in said.out
    assert "no pool" in cli.export_codes(status=1).err


def test_a_dry_run_shows_the_first_lines_and_changes_nothing(cli: Command) -> None:
    rows = "".join(f"C{n};2030-01-01;EU\n" for n in range(20))
    file = cli.write("codes.csv", f"Gutscheincode;Ends At;Region\n{rows}bad\u200b;;\n")
    said = cli.import_codes(file, "--create", "--percent", "10", "--dry-run").out
    assert '"Gutscheincode": the code' in said
    assert '"Ends At": valid_until' in said
    assert '"Region": metadata' in said
    assert 'line 2: "C0", until 2030-01-01 23:59:59 UTC, metadata {"Region":"EU"}' in said
    assert '"C9"' in said
    assert '"C10"' not in said
    assert "Would add 20 codes" in said
    assert "1 bad line" in said
    assert "nothing was changed" in said
    assert "no pool" in cli.export_codes(status=1).err
    assert "no writes yet" in cli.run("journal").err


def test_a_column_that_cannot_be_guessed_is_named(cli: Command) -> None:
    file = cli.write("codes.csv", "Karte;Kaufdatum\nA1;2026-01-01\n")
    assert "none of them is `code`" in cli.import_codes(file, "--create", "--gift", "5", status=1).err
    named = ("--column", "code=Karte")
    said = cli.import_codes(file, "--create", "--gift", "5", *named, status=1)
    assert '"Kaufdatum" looks like a date' in said.err
    said = cli.import_codes(file, "--create", "--gift", "5", *named, "--column", "metadata=Kaufdatum")
    assert "Added 1 code" in said.out
    assert "KIND=HEADER" in cli.import_codes(file, "--column", "uses=Karte", status=1).err


@pytest.mark.parametrize("report", ["nowhere/r.csv", "."])
def test_a_report_that_cannot_be_written_is_noticed_before_anything_else(cli: Command, report: str) -> None:
    file = cli.write("codes.csv", "code\nA1\n")
    said = cli.import_codes(file, "--create", "--gift", "5", "--report", report, status=1)
    assert "report" in said.err
    assert "cannot be written" in said.err
    assert said.out == ""
    assert "no pool" in cli.export_codes(status=1).err
