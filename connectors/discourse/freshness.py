"""How fresh the mirror of a forum is: what each way of reading sees, and when it last did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ..base import Aspect, Freshness
from .read_posts import ROUND
from .state import State

_BY_SYNC: tuple[Aspect, ...] = ("contributions",)
_BY_ROWS: tuple[Aspect, ...] = (
    "threads", "titles", "moves", "labels", "states", "solutions", "deletions", "likes",
)  # fmt: skip
_BY_MEMBERS: tuple[Aspect, ...] = (
    "renames", "roles", "groups", "trust levels", "member titles", "suspensions",
)  # fmt: skip
_TOLD_BY_WEBHOOK: frozenset[Aspect] = frozenset({"threads", "edits", "deletions"})
_TOLD_BY_EXPLORER: frozenset[Aspect] = frozenset(
    {
        "threads", "titles", "moves", "states", "edits", "deletions", "likes", "renames", "roles", "groups",
        "trust levels", "member titles", "suspensions",
    }
)  # fmt: skip
"""Not tags: the forum's database forgets those that are taken away."""


def freshness(
    state: State, synced_at: datetime, sweep: timedelta, *, webhook: bool, explorer: bool
) -> Iterator[Freshness]:
    """Each kind of change once. New members come with each sync, new topics with their posts."""
    told = (_TOLD_BY_WEBHOOK if webhook else frozenset()) | (_TOLD_BY_EXPLORER if explorer else frozenset())
    swept = _began(state.swept_before if state.job else state.swept, synced_at)
    for aspect in _BY_SYNC:
        yield Freshness(aspect, synced_at)
    for aspect in _BY_ROWS:
        yield Freshness(aspect, synced_at) if aspect in told else Freshness(aspect, swept, sweep)
    if "edits" in told:
        yield Freshness("edits", synced_at)
    else:
        yield Freshness("edits", min(swept, _began(state.round_before, synced_at)), ROUND + sweep)
    yield Freshness("members", None if state.no_members else synced_at)
    for aspect in _BY_MEMBERS:
        if state.no_members and not explorer:
            yield Freshness(aspect, None)
        else:
            yield Freshness(aspect, synced_at) if aspect in told else Freshness(aspect, swept, sweep)


def _began(text: str, synced_at: datetime) -> datetime:
    """When a pass began; a first one began with the sync."""
    return min(synced_at, datetime.fromisoformat(text)) if text else synced_at
