"""How fresh the mirror of a wiki is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ..base import Cursor, Freshness
from .convert import moment
from .platform import ASPECTS


def freshness(cursor: Cursor, synced_at: datetime, reread: timedelta | None) -> Iterator[Freshness]:
    """Each kind of change once. What is suppressed leaves no row in any log that all may read: only reading
    everything again finds it, every `reread` (None: never). While that is under way, the mirror is as true in
    this as after the time before."""
    for aspect in ASPECTS:
        yield Freshness(aspect, synced_at)
    scanned = cursor.get("scanned")
    until = moment(scanned) if scanned else None
    under_way = cursor["phase"] != "recent"
    began = moment(cursor["scan"]) if under_way and "scan" in cursor else None
    # Where that is not known (a first reading, or one with --full, is not finished), no span can be told.
    yield Freshness("suppressions", until, reread if until is not None else None, reading_since=began)
