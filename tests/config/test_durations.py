"""Durations as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordito.config.durations import Duration

MOMENT = datetime(2024, 8, 31, 12, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda m: m.replace(tzinfo=UTC))
DURATIONS = st.builds(
    Duration, st.integers(0, 10**12), st.sampled_from(["minute", "hour", "day", "week", "month", "year"])
)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("14 days", 14, "day"), ("1 day", 1, "day"), (" 90minutes ", 90, "minute"), ("0 hours", 0, "hour"),
     ("2 weeks", 2, "week"), ("6 months", 6, "month"), ("1 year", 1, "year")],
)  # fmt: skip
def test_a_number_and_a_unit_are_a_duration(text: str, amount: int, unit: str) -> None:
    assert Duration.parse(text) == Duration(amount, unit)


@pytest.mark.parametrize("text", ["", "14", "days", "-1 day", "1.5 days", "1 fortnight", "1 day 2 hours"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as '14 days'"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("6 months", "2024-02-29", "2025-02-28"),
        ("18 months", "2023-02-28", "2026-02-28"),
        ("1 year", "2023-08-31", "2025-08-31"),
        ("2 weeks", "2024-08-17", "2024-09-14"),
    ],
)
def test_months_and_years_are_those_of_the_calendar(text: str, before: str, after: str) -> None:
    duration = Duration.parse(text)
    assert duration.before(MOMENT).date().isoformat() == before
    assert duration.after(MOMENT).date().isoformat() == after


def test_a_leap_day_a_year_ago_is_the_28th() -> None:
    assert Duration(1, "year").before(datetime(2024, 2, 29, tzinfo=UTC)).date().isoformat() == "2023-02-28"


@given(DURATIONS, MOMENTS)
def test_no_duration_leads_out_of_the_calendar_or_the_wrong_way(duration: Duration, moment: datetime) -> None:
    assert duration.before(moment) <= moment <= duration.after(moment)
    assert duration.before(moment).tzinfo is duration.after(moment).tzinfo is UTC


@given(DURATIONS)
def test_what_is_written_is_read_back(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == duration


@given(st.integers(0, 10**5))
def test_days_have_a_fixed_length(days: int) -> None:
    assert Duration(days, "day").after(MOMENT) == MOMENT + timedelta(days=days)
