"""Timelines: what was told, seen and assumed, put together."""

from hypothesis import given
from hypothesis import strategies as st

from ordito.sync.store.timeline import ASSUMED, FALSE, OBSERVED, PLATFORM, TRUE, Point, rebased, seen, told

A, O, P = ASSUMED, OBSERVED, PLATFORM  # noqa: E741


def at(points: list[Point], moment: int) -> str | None:
    """The plain reading of a timeline: the last point not after the moment."""
    return next((point.value for point in reversed(points) if point.at <= moment), None)


def test_what_is_seen_again_is_no_news() -> None:
    points = [Point(1, "2", A)]
    assert seen(points, "2", 50) == points


def test_what_is_seen_anew_holds_since_the_sync() -> None:
    assert seen([Point(1, "2", A)], "3", 50) == [Point(1, "2", A), Point(50, "3", O)]


def test_what_is_seen_comes_after_what_the_platform_told_of_a_later_time() -> None:
    assert seen([Point(60, "2", P)], "3", 50) == [Point(60, "2", P), Point(61, "3", O)]


def test_the_platforms_time_replaces_that_of_the_sync() -> None:
    points = [Point(1, FALSE, A), Point(50, TRUE, O)]
    assert told(points, [Point(40, TRUE, P)], 1) == [Point(1, FALSE, A), Point(40, TRUE, P)]


def test_what_was_closed_at_a_time_was_open_before() -> None:
    assert told([], [Point(40, TRUE, P)], 1) == [Point(1, FALSE, A), Point(40, TRUE, P)]
    assert told([Point(1, TRUE, A)], [Point(40, TRUE, P)], 1) == [Point(1, FALSE, A), Point(40, TRUE, P)]


def test_of_what_became_a_level_at_a_time_nothing_is_known_before() -> None:
    assert told([], [Point(40, "2", P)], 1) == [Point(40, "2", P)]
    assert told([Point(1, "2", A)], [Point(40, "2", P)], 1) == [Point(40, "2", P)]


def test_a_level_that_was_seen_before_holds_until_the_change() -> None:
    assert told([Point(1, "1", A)], [Point(40, "2", P)], 1) == [Point(1, "1", A), Point(40, "2", P)]


def test_the_beginning_moves_to_when_the_item_was_made() -> None:
    points = [Point(0, FALSE, A), Point(40, TRUE, P)]
    assert rebased(points, 10) == [Point(10, FALSE, A), Point(40, TRUE, P)]
    assert rebased(points, 40) == [Point(40, TRUE, P)]
    assert rebased([Point(5, FALSE, A)], 10) == [Point(5, FALSE, A)]


HISTORIES = st.lists(
    st.tuples(st.integers(10, 90), st.sampled_from([TRUE, FALSE])), unique_by=lambda change: change[0]
)


@given(HISTORIES, st.integers(0, 4))
def test_changes_give_the_same_in_any_portions_and_twice(
    history: list[tuple[int, str]], portions: int
) -> None:
    changes = [Point(moment, value, P) for moment, value in history]
    whole = told([], changes, 5)
    in_parts: list[Point] = []
    ordered = sorted(changes, key=lambda point: point.at)
    size = max(1, len(ordered) // (portions + 1))
    for start in range(0, len(ordered), size):
        in_parts = told(in_parts, ordered[start : start + size], 5)
    assert in_parts == whole
    assert told(whole, changes, 5) == whole


@given(HISTORIES, st.lists(st.integers(91, 200), unique=True, max_size=3))
def test_a_timeline_of_all_changes_is_the_truth_at_any_moment(
    history: list[tuple[int, str]], syncs: list[int]
) -> None:
    """Told of each change, and reading the state now and then, in whatever order the two arrive."""
    changes = sorted((Point(moment, value, P) for moment, value in history), key=lambda point: point.at)
    if not changes:
        return
    opposite = FALSE if changes[0].value == TRUE else TRUE
    truth = {moment: at(changes, moment) or opposite for moment in range(5, 200)}
    first_told = told([], changes, 5)
    for sync in sorted(syncs):
        first_told = seen(first_told, truth[min(sync, 199)], sync)
    first_seen: list[Point] = [Point(5, truth[199], A)]
    first_seen = told(first_seen, changes, 5)
    for points in (first_told, first_seen):
        assert {moment: at(points, moment) for moment in range(5, 200)} == truth


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from("abc")), min_size=1))
def test_without_the_platforms_word_a_timeline_is_what_the_syncs_saw(steps: list[tuple[int, str]]) -> None:
    points = [Point(0, steps[0][1], A)]
    truth, now = {0: steps[0][1]}, 0
    for pause, value in steps:
        now += pause
        points, truth[now] = seen(points, value, now), value
    for moment, value in truth.items():
        assert at(points, moment) == value
    values = [point.value for point in points]
    assert all(a != b for a, b in zip(values, values[1:], strict=False))
