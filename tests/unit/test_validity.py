from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher_mcp.domain.errors import (
    InvalidInput,
    VoucherDisabled,
    VoucherError,
    VoucherExpired,
    VoucherNotActive,
)
from voucher_mcp.domain.vouchers.validity import (
    Duration,
    RedeemableStatus,
    ValidityTerms,
    parse_duration,
    read_days,
    read_hours,
    read_timeframe,
    redeemable_status,
    why_not_usable,
    window_at,
)
from voucher_mcp.domain.vouchers.voucher import parse_terms

BERLIN = ZoneInfo("Europe/Berlin")  # clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00
HOUR = 3_600_000
NOW = 1_770_000_000_000


def at(text: str, zone: tzinfo = UTC) -> int:
    """Milliseconds of a time without an offset, by the clock of `zone`."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def refused_at(terms: ValidityTerms, now: int, zone: tzinfo = UTC) -> str | None:
    error = why_not_usable(terms, now, zone)
    assert error is None or (isinstance(error, VoucherNotActive) and error.applied == "no")
    return None if error is None else error.message


def usable(terms: ValidityTerms, text: str, zone: tzinfo = UTC) -> bool:
    return refused_at(terms, at(text, zone), zone) is None


def timeframe(duration: str, interval: str, start: int) -> ValidityTerms:
    return {"start_date": start, "validity_timeframe": {"duration": duration, "interval": interval}}


def hours(*daily: dict[str, Any]) -> ValidityTerms:
    return parse_terms({"gift": {"amount": 1}, "validity_hours": {"daily": list(daily)}})


def period(start: str, end: str, *days: int) -> dict[str, Any]:
    return {"start_time": start, "expiration_time": end, "days_of_week": list(days) or None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1H", (0, 0, HOUR)),
        ("P2D", (0, 2, 0)),
        ("P1Y2M3W4DT5H6M7.5S", (14, 25, 5 * HOUR + 367_500)),
        ("PT0.001S", (0, 0, 1)),
        ("PT1,25S", (0, 0, 1250)),
        ("P100Y", (1200, 0, 0)),
    ],
)
def test_an_iso_duration_is_read(text: str, expected: tuple[int, int, int]) -> None:
    assert parse_duration(text, "duration") == Duration(*expected)


BAD_DURATIONS = "|P|PT|P1DT|1H|PT0S|P0D|-P1D|P-1D|P1|PT1D|p1d|P1D |P101Y|PT1.5H|P1.5D|PT1.1234S|P\u0661D"


@pytest.mark.parametrize("text", BAD_DURATIONS.split("|"))
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="such as PT1H") as caught:
        parse_duration(text, "interval")
    assert caught.value.field == "interval"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"duration": "PT1H"}, "interval"),
        ({"duration": "PT25H", "interval": "P1D"}, "duration"),
        ({"duration": "P31D", "interval": "P1M"}, "duration"),
        ({"duration": 5, "interval": "P1D"}, "duration"),
        ({"duration": "PT1H", "interval": "daily"}, "interval"),
        ({"duration": "PT1H", "interval": "P1D", "start": 1}, "start"),
    ],
)
def test_a_wrong_time_frame_is_refused_by_its_path(value: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_timeframe(value, "validity_timeframe")
    assert caught.value.field == f"validity_timeframe.{field}"


@pytest.mark.parametrize("value", [[], [7], [-1], [1, 1], [True], ["1"], [1.5], 1, None])
def test_wrong_days_are_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        read_days(value, "validity_day_of_week")


@pytest.mark.parametrize(
    ("daily", "field"),
    [
        ([period("12:00", "12:00")], "daily.0.expiration_time"),
        ([period("22:00", "02:00")], "daily.0.expiration_time"),
        ([period("9:00", "10:00")], "daily.0.start_time"),
        ([period("24:00", "24:00")], "daily.0.start_time"),
        ([period("09:00", "24:01")], "daily.0.expiration_time"),
        ([period("09:00", "10:60")], "daily.0.expiration_time"),
        ([period("09:00", "10:00", 7)], "daily.0.days_of_week"),
        ([{"start_time": "09:00"}], "daily.0.expiration_time"),
        ([period("10:00", "12:00", 1), period("09:00", "10:30", 0, 1)], "daily.0.start_time"),
        ([period("10:00", "12:00", 1), period("11:59", "13:00")], "daily.1.start_time"),
        ([], "daily"),
        ([period("00:00", "24:00", 1)] * 51, "daily"),
    ],
)
def test_wrong_hours_are_refused_by_their_path(daily: list[object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_hours({"daily": daily}, "validity_hours")
    assert caught.value.field == f"validity_hours.{field}"


def test_periods_may_touch_and_may_overlap_on_different_days() -> None:
    daily = [period("09:00", "12:00", 1), period("12:00", "13:00", 1), period("09:00", "13:00", 2)]
    assert read_hours({"daily": daily}, "validity_hours") == {"daily": daily}


@pytest.mark.parametrize(
    "other", [{"validity_day_of_week": [1]}, {"validity_timeframe": {"duration": "PT1H", "interval": "P1D"}}]
)
def test_hours_go_with_no_other_recurring_limit(other: dict[str, object]) -> None:
    body = {
        "gift": {"amount": 1},
        "start_date": 1e9,
        "validity_hours": {"daily": [period("09:00", "10:00")]},
        **other,
    }
    with pytest.raises(InvalidInput, match="cannot be combined") as caught:
        parse_terms(body)
    assert caught.value.field == "validity_hours"


def test_a_time_frame_needs_a_start() -> None:
    body = {"gift": {"amount": 1}, "validity_timeframe": {"duration": "PT1H", "interval": "P1D"}}
    for start in (None, "1969-12-31"):
        with pytest.raises(InvalidInput) as caught:
            parse_terms({**body, "start_date": start}, path="voucher")
        assert caught.value.field == "voucher.start_date"


def test_a_voucher_without_limits_is_always_usable() -> None:
    nothing: ValidityTerms = {
        "active": None,
        "start_date": None,
        "validity_hours": None,
        "validity_timeframe": None,
    }
    assert why_not_usable({}, NOW, UTC) is None
    assert why_not_usable(nothing, NOW, UTC) is None


def test_the_dates_themselves_are_usable_moments() -> None:
    terms: ValidityTerms = {"active": True, "start_date": NOW, "expiration_date": NOW + 1}
    assert isinstance(why_not_usable(terms, NOW - 1, UTC), VoucherNotActive)
    assert why_not_usable(terms, NOW, UTC) is why_not_usable(terms, NOW + 1, UTC) is None
    assert isinstance(why_not_usable(terms, NOW + 2, UTC), VoucherExpired)


def test_the_first_reason_is_disabled_then_expired_then_not_yet_active_then_the_window() -> None:
    terms: ValidityTerms = {
        "active": False,
        "expiration_date": NOW - 2,
        "start_date": NOW + 1,
        "validity_day_of_week": [(datetime.fromtimestamp(NOW / 1000, UTC).isoweekday() + 1) % 7],
    }
    reasons: list[tuple[type[VoucherError], str]] = [
        (VoucherDisabled, "enable_voucher"),
        (VoucherExpired, "expired at 2026-02-02T02:39:59.998Z and it is 2026-02-02T02:40:00.000Z now"),
        (VoucherNotActive, "becomes active at 2026-02-02T02:40:00.001Z"),
        (VoucherNotActive, "valid only on Tuesday, and it is Monday 02:40 in the time zone UTC"),
    ]
    for key, (kind, message) in zip(
        ("active", "expiration_date", "start_date", "active"), reasons, strict=True
    ):
        error = why_not_usable(terms, NOW, UTC)
        assert isinstance(error, kind)
        assert message in error.message
        terms[key] = None  # type: ignore[literal-required]


def test_days_of_the_week_are_those_of_the_projects_time_zone() -> None:
    sunday: ValidityTerms = {"validity_day_of_week": [0]}
    assert usable(sunday, "2026-11-22T00:00", BERLIN)
    assert usable(sunday, "2026-11-22T23:59:59", BERLIN)
    assert not usable(sunday, "2026-11-21T23:59:59", BERLIN)
    assert not usable(sunday, "2026-11-23T00:00", BERLIN)


def test_hours_begin_on_the_minute_and_end_before_it() -> None:
    terms = hours(period("09:00", "17:30", 1, 2), period("20:00", "24:00", 1), period("00:00", "01:00"))
    for usable_at in ("2026-11-23T09:00", "2026-11-24T17:29:59", "2026-11-23T23:59:59", "2026-11-27T00:59"):
        assert usable(terms, usable_at, BERLIN)
    for closed_at in ("2026-11-23T08:59:59", "2026-11-24T17:30", "2026-11-24T20:00", "2026-11-27T01:00"):
        assert not usable(terms, closed_at, BERLIN)
    assert refused_at(terms, at("2026-11-27T12:00", BERLIN), BERLIN) == (
        "The voucher is valid only on Monday Tuesday 09:00–17:30, on Monday 20:00–24:00, "
        "every day 00:00–01:00, and it is Friday 12:00 in the time zone Europe/Berlin."
    )


def test_hours_follow_the_clock_when_it_changes() -> None:
    terms = hours(period("02:00", "04:00", 0))
    forward, back = at("2026-03-29T00:00", BERLIN), at("2026-10-25T00:00", BERLIN)
    usable_forward = [hour for hour in range(24) if refused_at(terms, forward + hour * HOUR, BERLIN) is None]
    usable_back = [hour for hour in range(24) if refused_at(terms, back + hour * HOUR, BERLIN) is None]
    assert usable_forward == [2]  # 02:00 does not exist, 03:00 is two hours after midnight
    assert usable_back == [2, 3, 4]  # 02:00 comes twice


def test_a_daily_window_keeps_its_hour_when_the_clocks_change() -> None:
    terms = timeframe("PT1H", "P1D", at("2026-03-27T09:00", BERLIN))
    for day in ("2026-03-28", "2026-03-29", "2026-03-30", "2026-07-01", "2026-10-25", "2026-10-26"):
        assert usable(terms, f"{day}T09:00", BERLIN)
        assert usable(terms, f"{day}T09:59:59.999", BERLIN)
        assert not usable(terms, f"{day}T08:59:59.999", BERLIN)
        assert not usable(terms, f"{day}T10:00", BERLIN)


def test_a_window_of_a_day_is_as_long_as_its_day() -> None:
    terms = timeframe("P1D", "P2D", at("2026-03-27T00:00", BERLIN))
    assert usable(terms, "2026-03-29T23:59:59", BERLIN)
    assert not usable(terms, "2026-03-30T00:00", BERLIN)


def test_a_window_of_hours_does_not_look_at_the_clock() -> None:
    start = at("2026-03-28T09:00", BERLIN)
    terms = timeframe("PT1H", "PT24H", start)
    assert not usable(terms, "2026-03-29T09:00", BERLIN)
    assert usable(terms, "2026-03-29T10:00", BERLIN)


def test_a_monthly_window_opens_on_the_last_day_where_its_day_is_missing() -> None:
    terms = timeframe("P1D", "P1M", at("2026-01-31T00:00"))
    opened = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-12-31", "2028-02-29"]
    closed = ["2026-02-27", "2026-03-01", "2026-03-28", "2026-03-30", "2026-05-30", "2028-02-28"]
    assert [day for day in opened + closed if usable(terms, f"{day}T12:00")] == opened


def test_a_window_as_long_as_its_interval_is_always_open() -> None:
    month = {"duration": "P1M", "interval": "P1M"}
    terms = parse_terms({"gift": {"amount": 1}, "start_date": "2026-07-01", "validity_timeframe": month})
    for day in ("2026-07-01", "2026-07-31", "2026-08-31", "2027-02-28", "2027-03-01"):
        assert usable(terms, f"{day}T23:59")


def test_the_message_names_the_next_window() -> None:
    terms = timeframe("PT1H", "P2D", at("2026-11-20T10:00"))
    assert refused_at(terms, at("2026-11-21T10:00")) == (
        "The voucher is valid for PT1H every P2D from 2026-11-20T10:00:00.000Z, "
        "and it is 2026-11-21T10:00:00.000Z now; it opens again at 2026-11-22T10:00:00.000Z."
    )


def test_days_and_time_frame_both_have_to_be_met() -> None:
    terms: ValidityTerms = {**timeframe("PT1H", "P1D", at("2026-11-16T10:00")), "validity_day_of_week": [1]}
    assert usable(terms, "2026-11-23T10:30")
    assert not usable(terms, "2026-11-23T11:30")
    assert not usable(terms, "2026-11-24T10:30")


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]).map(ZoneInfo)
moments = st.integers(0, at("2100-01-01"))
durations = st.builds(
    "P{}Y{}M{}DT{}H{}M{}S".format,
    st.integers(0, 2),
    st.integers(0, 13),
    st.integers(0, 40),
    st.integers(0, 30),
    st.integers(0, 70),
    st.integers(1, 90),
)


@given(durations, moments, moments, zones)
def test_windows_follow_each_other_and_one_as_long_as_its_interval_never_closes(
    interval: str, one: int, other: int, zone: tzinfo
) -> None:
    start, now = sorted((one, other))
    opens, closes, opens_next = window_at({"duration": interval, "interval": interval}, start, now, zone)
    assert start <= opens <= now < opens_next == closes


@given(st.integers(1, 10**6), st.integers(1, 10**6), moments, moments, zones)
def test_windows_of_seconds_are_those_of_the_modulo_rule(
    duration: int, pause: int, one: int, other: int, zone: tzinfo
) -> None:
    start, now = sorted((one, other))
    terms = timeframe(f"PT{duration}S", f"PT{duration + pause}S", start)
    within = (now - start) % ((duration + pause) * 1000) < duration * 1000
    assert (refused_at(terms, now, zone) is None) is within


@given(st.integers(1, 60), moments, moments)
def test_windows_of_days_are_those_of_the_modulo_rule_in_utc(interval: int, one: int, other: int) -> None:
    start, now = sorted((one, other))
    within = (now - start) % (interval * 24 * HOUR) < 5 * HOUR
    assert (refused_at(timeframe("PT5H", f"P{interval}D", start), now) is None) is within


@given(st.dates(date(1970, 1, 2), date(2100, 1, 1)), st.integers(0, 2000), zones)
def test_a_weekly_window_is_open_on_its_day_of_the_week(first: date, later: int, zone: tzinfo) -> None:
    terms = timeframe("PT1H", "P1W", at(f"{first}T12:00", zone))
    assert usable(terms, f"{first + timedelta(days=later)}T12:00", zone) is (later % 7 == 0)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "DISABLED"),
        ({"active": True}, "EXPIRED"),
        ({"active": None, "expiration_date": NOW}, "NOT_ACTIVE_YET"),
        ({"active": True, "expiration_date": None, "start_date": NOW}, "USED"),
        ({"active": True, "expiration_date": None, "start_date": None, "quantity": 2}, "NO_BALANCE"),
        (
            {"active": True, "expiration_date": None, "start_date": None, "quantity": None, "balance": 1},
            "ACTIVE",
        ),
        (
            {"active": True, "expiration_date": None, "start_date": None, "quantity": None, "balance": None},
            "ACTIVE",
        ),
    ],
)
def test_a_status_is_the_first_that_fits(changes: dict[str, Any], status: RedeemableStatus) -> None:
    everything_wrong: dict[str, Any] = {
        "active": False,
        "start_date": NOW + 1,
        "expiration_date": NOW - 1,
        "quantity": 1,
        "redeemed_quantity": 1,
        "balance": 0,
    }
    assert redeemable_status(**{**everything_wrong, **changes}, now=NOW) == status
