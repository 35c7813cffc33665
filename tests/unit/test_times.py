"""What is taken as a time, which instant it is, and how a refusal says to write it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.times import parse_time, to_iso

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Africa/Cairo", "Asia/Kathmandu",
         "Pacific/Kiritimati", "America/Toronto", "Australia/Lord_Howe")  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("UTC", "2026-03-29T00:00:00.000Z", "2026-03-29T23:59:59.999Z"),
        ("Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z"),  # 23 hours
        ("America/New_York", "2026-03-29T04:00:00.000Z", "2026-03-30T03:59:59.999Z"),
    ],
)
def test_a_date_is_a_whole_day_of_its_zone(zone: str, first: str, last: str) -> None:
    assert to_iso(parse_time("2026-03-29", "at", zone=ZoneInfo(zone))) == first
    assert to_iso(parse_time("2026-03-29", "at", zone=ZoneInfo(zone), last=True)) == last


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        # the clock goes from 0:00 to 1:00, and from 24:00 back to 23:00
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z", "2018-11-05T01:59:59.999Z"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00.000Z", "2018-02-18T02:59:59.999Z"),
        # from 23:30 to 0:30 of the next day
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00.000Z", "1919-04-01T03:59:59.999Z"),
        ("America/Toronto", "1919-03-30", "1919-03-30T05:00:00.000Z", "1919-03-31T04:29:59.999Z"),
    ],
)
def test_a_day_is_whole_where_the_clock_changes_at_midnight(
    zone: str, day: str, first: str, last: str
) -> None:
    assert to_iso(parse_time(day, "at", zone=ZoneInfo(zone))) == first
    assert to_iso(parse_time(day, "at", zone=ZoneInfo(zone), last=True)) == last


@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.sampled_from(ZONES))
def test_a_day_begins_and_ends_where_its_date_does(day: date, name: str) -> None:
    zone = ZoneInfo(name)

    def date_at(milliseconds: int) -> date:
        return (
            (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).astimezone(zone).date()
        )

    first = parse_time(str(day), "at", zone=zone)
    last = parse_time(str(day), "at", zone=zone, last=True)
    assert (date_at(first - 1), date_at(first)) == (day - timedelta(1), day)
    assert (date_at(last), date_at(last + 1)) == (day, day + timedelta(1))
    assert last + 1 == parse_time(str(day + timedelta(1)), "at", zone=zone)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 12:00:00",
        "2026-01-31T13:00:00+01:00",
        " 2026-01-31T12:00 ",
        1769860800,
        1769860800.0,
        "1769860800",
        "1769860800.0",
    ],
    ids=repr,
)
def test_a_time_is_iso_8601_or_unix_seconds(value: object) -> None:
    assert to_iso(parse_time(value, "at", zone=BERLIN, last=True)) == "2026-01-31T12:00:00.000Z"


@pytest.mark.parametrize(
    "value",
    [
        46387,
        "46387",
        2027,
        "2027",
        0,
        "0",
        -1,
        "-1",
        1712012310000,
        "1712012310000",
        20260131,
        "20260131",
        "1e9",
        "1_769_860_800",
        " ",
        float("inf"),
        float("nan"),
        10**400,  # no float holds it
        True,
        None,
        [],
        "31.01.2026",
        "2026-02-30",
        "2026-W05",
        "2026-1-31",
        "2026-01-31x12:00",
        "\u0662026-01-31",
        "10000-01-01T00:00:00Z",
        "tomorrow",
    ],
    ids=repr,
)
def test_anything_else_is_refused_and_the_error_says_how_to_write_it(value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_time(value, "start_date", zone=BERLIN)
    assert caught.value.field == "start_date"
    for way in (
        "2026-01-31 (a whole day in the project's time zone)",
        "2026-01-31T12:00:00Z",
        "Unix seconds",
    ):
        assert way in caught.value.message


@pytest.mark.parametrize("value", [1769860800, "1769860800"], ids=repr)
def test_a_file_takes_no_bare_number(value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_time(value, "valid_until", numbers=False)
    assert "Unix" not in caught.value.message
