"""The mirrored history of a forum, as the ranking of who will answer takes it."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from ...connectors.records import Kind, Ref
from ...sync.store.tables import contributions, spaces, states, texts, threads
from ...sync.store.times import micros, moment
from ..community import Community
from ..sources import Scope, open_threads, words
from .answerers import Past, Topic
from .similar import words_of

_DAY = 24 * 3600 * 1_000_000
_TOPICS = 20_000
"""The newest so many topics are read with all that was written since: what came before has faded."""
_CHUNK = 1000


def days(now: datetime) -> float:
    """A moment in days since 1970, as the ranking counts."""
    return micros(now) / _DAY


def topic_of(community: Community, item: Ref) -> Topic | None:
    """A topic as it is asked about; None where the mirror has no such topic."""
    scope = _scope(community, item.site)
    row = community.conn.execute(_topics(scope).where(threads.c.id == item.id)).one_or_none()
    return None if row is None else _topic(row, _labels(community, scope, threads.c.id == item.id)[item.id])


def past_of(community: Community, site: str, but: Topic) -> Past:
    """All that the mirror holds of a forum, up to the community's moment. Of the topic that is asked about
    it says only who was there."""
    scope, past = _scope(community, site), Past()
    newest = _topics(scope).order_by(threads.c.created_at.desc(), threads.c.id.desc()).limit(_TOPICS)
    rows = community.conn.execute(newest).all()[::-1]
    since = rows[0].created_at if rows else 0
    labels = _labels(community, scope, threads.c.created_at >= since)
    opened = ((row.created_at, False, row) for row in rows)
    written = ((row.created_at, True, row) for row in _written(community, scope, since))
    for at, writing, row in heapq.merge(opened, written, key=lambda event: event[:2]):
        if writing:
            past.wrote(row.author, row.thread, row.id, at / _DAY)
        elif row.id != but.id:
            past.opened(_topic(row, labels[row.id]), at / _DAY)
    return past


def read_since(community: Community, site: str) -> datetime | None:
    """Since when topics are read, where a forum has more than are read; None: all of them."""
    t, scope = threads, _scope(community, site)
    newest = (
        select(t.c.created_at)
        .where(open_threads(scope), t.c.kind == "topic", t.c.created_at.is_not(None))
        .order_by(t.c.created_at.desc(), t.c.id.desc())
    )
    around = community.conn.execute(newest.offset(_TOPICS - 1).limit(2)).scalars().all()
    return moment(around[0]) if len(around) == 2 else None


def _scope(community: Community, site: str) -> Scope:
    return Scope(site, community.sites[site].family, micros(community.now), community.live)


def _topics(scope: Scope) -> Select[Any]:
    """Topics with their first posts' texts, where those are mirrored, and the names of their spaces."""
    t, c = threads, contributions
    first = and_(c.c.site == t.c.site, c.c.thread == t.c.id, c.c.position == 1)
    return (
        select(
            t.c.id, t.c.author, t.c.created_at, t.c.title, spaces.c.name.label("space"),
            func.substr(texts.c.text, 1, 8000).label("text"),
        )
        .outerjoin_from(t, spaces, and_(spaces.c.site == t.c.site, spaces.c.id == t.c.space))
        .outerjoin(c, first)
        .outerjoin(texts, and_(texts.c.site == c.c.site, texts.c.contribution == c.c.id))
        .where(open_threads(scope), t.c.kind == "topic", t.c.created_at.is_not(None))
    )  # fmt: skip


def _labels(community: Community, scope: Scope, which: ColumnElement[bool]) -> dict[str, list[str]]:
    s, t = states, threads
    found: dict[str, list[str]] = defaultdict(list)
    rows = community.conn.execute(
        select(s.c.item, s.c.value)
        .join_from(s, t, and_(t.c.site == s.c.site, t.c.id == s.c.item))
        .where(s.c.site == scope.site, s.c.kind == Kind.THREAD, s.c.field == "label", which)
        .where(s.c.valid_from <= scope.now, or_(s.c.valid_to.is_(None), s.c.valid_to > scope.now))
        .order_by(s.c.item, s.c.value)
    )
    for item, label in rows:
        found[item].append(label)
    return found


def _topic(row: Any, labels: list[str]) -> Topic:
    areas = dict.fromkeys((*((row.space,) if row.space else ()), *labels))
    return Topic(row.id, row.author, tuple(areas), words_of(row.title, row.text or ""))


def _written(community: Community, scope: Scope, since: int) -> Iterator[Any]:
    """(author, thread, id, created_at) of everything written since then, in the order of time."""
    w = words(scope)
    statement = (
        select(w.c.author, w.c.thread, w.c.id, w.c.created_at)
        .where(w.c.author.is_not(None), w.c.created_at >= since)
        .order_by(w.c.created_at, w.c.id)
    )
    return iter(community.conn.execute(statement.execution_options(yield_per=_CHUNK)))
