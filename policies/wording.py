"""Values of facts as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..sync.store.times import moment

if TYPE_CHECKING:
    from .facts import Fact

_TEXT = 80
_AREAS = 5


def shown(fact: Fact, value: Any, now: datetime) -> str:
    """One short phrase; None is "unknown"."""
    if value is None:
        return "unknown"
    match fact.type:
        case "age":
            start = moment(int(value))
            return f"{span(now - start)} ago ({start:%Y-%m-%d})"
        case "boolean":
            return "yes" if value else "no"
        case "scores":
            best = sorted(value.items(), key=lambda each: (-each[1], each[0]))[:_AREAS]
            return ", ".join(f"{area} {score:.1f}" for area, score in best) or "none"
        case "set":
            return ", ".join(sorted(value)) or "none"
        case "number":
            return f"{value:g}" if isinstance(value, float) else str(value)
        case _:
            text = " ".join(str(value).split())
            return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"


_UNITS = (
    ("year", timedelta(days=365.25)),
    ("month", timedelta(days=30.44)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


def span(length: timedelta) -> str:
    """How long it has been, in the largest unit of which there are two whole ones: 13 days, 5 months."""
    for unit, size in _UNITS:
        if length >= 2 * size:
            return f"{length // size} {unit}s"
    return "1 minute" if length >= timedelta(minutes=1) else "0 minutes"


def remaining(length: timedelta) -> str:
    """About how long it still is: as `span`, to the nearest whole one, since what was to last 7 days has
    lost some seconds as soon as it is read."""
    for unit, size in _UNITS:
        count = int(length / size + 0.5)
        if count >= 2:
            return f"{count} {unit}s"
    return "1 minute" if length >= timedelta(seconds=30) else "less than a minute"
