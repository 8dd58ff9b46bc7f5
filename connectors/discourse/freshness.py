"""How fresh the mirror of a forum is: what each way of reading sees, and when it last did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from ..base import Aspect, Freshness
from .reading import ROUND
from .state import State

_BY_SYNC: tuple[Aspect, ...] = ("contributions",)
_BY_ROWS: tuple[Aspect, ...] = ("threads", "titles", "moves", "labels", "states", "groups")
_BY_COUNTS: tuple[Aspect, ...] = ("deletions", "likes", "solutions")
"""A row shows how many there are: what goes while as much comes waits until its post is read again."""
_BY_MEMBERS: tuple[Aspect, ...] = ("renames", "roles", "trust levels", "member titles", "suspensions")
_TOLD_BY_WEBHOOK: frozenset[Aspect] = frozenset({"threads", "edits", "deletions"})
_TOLD_BY_EXPLORER: frozenset[Aspect] = frozenset(
    {
        "threads", "titles", "moves", "states", "edits", "deletions", "likes", "renames", "roles", "groups",
        "trust levels", "member titles", "suspensions",
    }
)  # fmt: skip
"""Not tags: the forum's database forgets those that are taken away."""
_MODERATOR = "make the account a moderator of the forum"


def freshness(
    state: State, synced_at: datetime, sweep: timedelta, *, webhook: bool, explorer: bool
) -> Iterator[Freshness]:
    """Each kind of change once. New members come with each sync, new topics with their posts."""
    told = _told(state, synced_at, webhook=webhook, explorer=explorer)
    swept = _began(state.swept_before if state.job else state.swept, synced_at)
    rolled = min(swept, _began(state.round_before, synced_at))
    lists = [Freshness(aspect, swept, sweep) for aspect in _BY_ROWS]
    lists += [Freshness(aspect, rolled, ROUND + sweep, usually=sweep) for aspect in _BY_COUNTS]
    lists += [Freshness("edits", rolled, ROUND + sweep)]
    lists += [Freshness(aspect, swept, sweep) for aspect in _BY_MEMBERS if not state.no_members]
    for aspect in _BY_SYNC:
        yield Freshness(aspect, synced_at)
    for one in lists:
        yield _sooner(one, told.get(one.aspect), synced_at)
    if not state.no_members:
        yield Freshness("members", synced_at)
        return
    for aspect in ("members", *_BY_MEMBERS):
        yield Freshness(aspect, None, hint=_MODERATOR)


def _told(state: State, synced_at: datetime, *, webhook: bool, explorer: bool) -> dict[Aspect, datetime]:
    """Up to when something tells of changes beside the lists."""
    found: dict[Aspect, datetime] = {}
    if explorer and state.asked:
        found |= dict.fromkeys(_TOLD_BY_EXPLORER, _began(state.asked, synced_at))
    if webhook:
        found |= dict.fromkeys(_TOLD_BY_WEBHOOK, synced_at)
        if state.deaf and state.round_before < state.deaf:
            del found["edits"], found["deletions"]
    return found


def _sooner(by_lists: Freshness, told: datetime | None, synced_at: datetime) -> Freshness:
    """With what is told, as far as the last sync heard it."""
    if told is None or (by_lists.until is not None and told <= by_lists.until):
        return by_lists
    return Freshness(by_lists.aspect, told) if told == synced_at else replace(by_lists, until=told)


def _began(text: str, synced_at: datetime) -> datetime:
    """When a pass began; a first one began with the sync."""
    return min(synced_at, datetime.fromisoformat(text)) if text else synced_at
