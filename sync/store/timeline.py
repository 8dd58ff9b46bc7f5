"""How the history of one state is put together from what was told, seen and assumed. Pure functions.

A timeline is a list of points in order of time, each holding until the next; before the first, the state is
unknown. Its sources, from the strongest: the platform recorded the change (`platform`); a sync saw another
value than the one before (`observed`, at the time of the sync); nobody knows of a change (`assumed`, since
the item exists).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

PLATFORM, OBSERVED, ASSUMED = "platform", "observed", "assumed"
TRUE, FALSE = "true", "false"

_OPPOSITE = {TRUE: FALSE, FALSE: TRUE}


@dataclass(frozen=True, slots=True)
class Point:
    """From `at` (microseconds) on the state was `value`."""

    at: int
    value: str
    source: str


def seen(points: Sequence[Point], value: str, at: int) -> list[Point]:
    """A sync at `at` read `value`. Only what differs from the last point is new."""
    if points and points[-1].value == value:
        return list(points)
    if points and points[-1].at >= at:  # the platform's clock is ahead of ours
        at = points[-1].at + 1
    return [*points, Point(at, value, OBSERVED)]


def told(points: Sequence[Point], changes: Iterable[Point], start: int) -> list[Point]:
    """The platform's own record of `changes` (in its order); the item exists since `start`.

    Putting the same changes in again, or in other portions, gives the same timeline.
    """
    at_once = {point.at: point for point in points if point.source != PLATFORM}
    at_once |= {point.at: point for point in points if point.source == PLATFORM}
    at_once |= {point.at: point for point in changes}
    ordered = _mend_start(sorted(at_once.values(), key=lambda point: point.at), start)
    result: list[Point] = []
    for point in ordered:
        if result and point.source == ASSUMED:
            continue
        if result and point.source == OBSERVED and point.value == result[-1].value:
            continue
        result.append(point)
    return result


def rebased(points: Sequence[Point], start: int) -> list[Point]:
    """What was assumed since ever, because nothing was known of the item, since `start`."""
    if not points or points[0].source != ASSUMED or points[0].at != 0:
        return list(points)
    if len(points) > 1 and points[1].at <= start:
        return list(points[1:])
    return [replace(points[0], at=start), *points[1:]]


def _mend_start(points: list[Point], start: int) -> list[Point]:
    """Whoever became so at a time was not so before: true and false swap, of the others nothing is known."""
    if not points:
        return points
    first = points[0]
    if first.source == ASSUMED and len(points) > 1:
        following = points[1]
        if following.source != PLATFORM or following.value != first.value:
            return points
        swapped = _OPPOSITE.get(first.value)
        head = [] if swapped is None else [replace(first, value=swapped)]
        return [*head, *points[1:]]
    if first.source == PLATFORM and first.value in _OPPOSITE and first.at > start:
        return [Point(start, _OPPOSITE[first.value], ASSUMED), *points]
    return points
