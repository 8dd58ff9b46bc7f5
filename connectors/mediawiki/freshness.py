"""How fresh the mirror of a wiki is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..base import Cursor, Freshness
from .convert import moment
from .platform import ASPECTS
from .scan import ROUND


def freshness(cursor: Cursor, synced_at: datetime) -> Iterator[Freshness]:
    """Each kind of change once. What is suppressed leaves no row in any log that all may read: only reading
    everything again finds it, every `ROUND`."""
    for aspect in ASPECTS:
        yield Freshness(aspect, synced_at)
    scanned = cursor.get("scanned")
    if scanned:
        yield Freshness("suppressions", moment(scanned), ROUND)
    else:  # a whole reading is under way, or the next sync begins one
        yield Freshness("suppressions", None, None)
