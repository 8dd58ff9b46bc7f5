"""How lengths of time are told."""

from datetime import timedelta

import pytest

from ordito.policies.wording import remaining, span

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("length", "past", "left"),
    [
        (timedelta(days=7) - SECOND, "6 days", "7 days"),
        (timedelta(days=6, hours=11), "6 days", "6 days"),
        (timedelta(minutes=10) - SECOND, "9 minutes", "10 minutes"),
        (timedelta(hours=24) - SECOND, "23 hours", "24 hours"),
        (timedelta(hours=48) - SECOND, "47 hours", "2 days"),
        (timedelta(days=60), "60 days", "2 months"),
        (timedelta(days=1100), "3 years", "3 years"),
        (timedelta(minutes=1), "1 minute", "1 minute"),
        (timedelta(seconds=10), "0 minutes", "less than a minute"),
        (-timedelta(days=3), "0 minutes", "less than a minute"),
    ],
)
def test_what_has_passed_counts_whole_units_and_what_is_left_the_nearest(
    length: timedelta, past: str, left: str
) -> None:
    assert (span(length), remaining(length)) == (past, left)
