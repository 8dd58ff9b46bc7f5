"""Values of facts as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..sync.store.times import moment

if TYPE_CHECKING:
    from .facts import Fact

_TEXT = 80


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
        case "set":
            return ", ".join(sorted(value)) or "none"
        case "number":
            return f"{value:g}" if isinstance(value, float) else str(value)
        case _:
            text = " ".join(str(value).split())
            return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"


def span(length: timedelta) -> str:
    """About how long, in the largest unit that gives at least two: 13 days, 5 months, 3 years."""
    hours = max(length, timedelta()) / timedelta(hours=1)
    if hours < 2:
        minutes = int(hours * 60)
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    for size, unit in ((24 * 730.5, "years"), (24 * 60.9, "months"), (48, "days")):
        if hours >= size:
            count = {"years": hours / 24 / 365.25, "months": hours / 24 / 30.44, "days": hours / 24}[unit]
            return f"{int(count)} {unit}"
    return f"{int(hours)} hours"
