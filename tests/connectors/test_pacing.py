"""How a budget runs down and comes back, whatever the clock does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordito.connectors.pacing import CAUTION, LONGEST, Bucket, Budget, Pace

MINUTELY = Budget("forum", 60, burst=10)


class Stopwatch:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@given(
    st.lists(st.tuples(st.floats(0, 30), st.booleans()), min_size=1, max_size=60),
    st.sampled_from([Budget("a", 30, burst=10), Budget("b", 6), Budget("c", 600, burst=10)]),
)
def test_no_more_turns_come_due_than_the_budget_has(
    steps: list[tuple[float, bool]], budget: Budget
) -> None:
    clock = Stopwatch()
    bucket = Bucket(budget, clock)
    due: list[float] = []
    for passed, told in steps:
        clock.seconds += passed
        if told:
            bucket.slow_down()
        due.append(clock.seconds + bucket.take(LONGEST))
    for number, moment in enumerate(sorted(due), 1):
        assert number <= budget.burst + (moment - 1000.0) / budget.interval + 1e-6


def test_whoever_asks_while_the_site_wants_a_pause_comes_after_it_one_by_one() -> None:
    clock = Stopwatch()
    bucket = Bucket(MINUTELY, clock)
    bucket.hold(60)
    assert [bucket.take(99) for _ in range(3)] == pytest.approx([60.0, 61.0, 62.0])
    assert bucket.paused() == 60.0
    clock.seconds += 60
    assert bucket.paused() == 0.0


def test_a_pause_longer_than_anybody_waits_takes_no_turn() -> None:
    bucket = Bucket(MINUTELY, Stopwatch())
    bucket.hold(300)
    assert [bucket.take(120) for _ in range(3)] == [300.0, 300.0, 300.0]


def test_a_pause_is_remembered_for_an_hour_at_most() -> None:
    bucket = Bucket(MINUTELY, Stopwatch())
    bucket.hold(86400)
    assert bucket.paused() == LONGEST


def test_a_clock_that_goes_back_gives_nothing_and_costs_nothing() -> None:
    pace = Pace(1000.0)
    for _ in range(12):
        pace = pace.take(MINUTELY)
    back = pace.flow(10.0)
    assert back.wait(MINUTELY) == pace.wait(MINUTELY) == 3.0
    assert back.flow(13.0).wait(MINUTELY) == 0.0


@pytest.mark.parametrize(
    "numbers",
    [
        (0.0, 1e300, 0.0, 0.0), (0.0, -1.0, 0.0, 0.0), (0.0, 0.0, CAUTION + 1, 0.0),
        (0.0, 0.0, 0.0, LONGEST + 1), (float("nan"), 0.0, 0.0, 0.0), (0.0, 0.0), (0.0, "much", 0.0, 0.0),
    ],
)  # fmt: skip
def test_what_cannot_be_a_pace_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Pace.restored(numbers, MINUTELY, 1000.0)


def test_sites_and_accounts_are_told_apart_and_the_name_shows_in_no_digest() -> None:
    same = {Budget.of_requests(url, 30).digest for url in ("https://Forum.org/", "https://forum.org")}
    assert len(same) == 1
    others = {
        Budget.of_requests("https://wiki.org", 30).digest,
        Budget.of_edits("https://wiki.org", "Ordito", 6).digest,
        Budget.of_edits("https://wiki.org", "Other", 6).digest,
    }
    assert len(others | same) == 4
    assert not any("org" in digest for digest in others | same)
