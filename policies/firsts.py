"""When newcomers first wrote, and when people first answered them.

What counts as an answer is what the fact `greeted` counts (`sources.py`), except that a program's words are
no greeting here: people are meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select, true

from ..connectors.records import Kind, Ref
from ..sync.store.tables import contributions, members, spaces, threads
from ..sync.store.times import micros, moment
from .sources import Scope, visible


def first_answers(
    conn: Connection, scope: Scope, start: datetime, end: datetime
) -> Iterator[tuple[Ref, datetime, timedelta | None]]:
    """Everybody who first wrote from `start` to `end`: when, and how long until somebody answered (None:
    nobody has)."""
    first = _first(scope, start, end)
    answered: dict[str, int] = {who: at for who, at in conn.execute(_answers(scope, first))}
    if scope.family == "wiki":
        for who, at in conn.execute(_talk_pages(scope, first)):
            answered[who] = min(at, answered.get(who, at))
    for who, at in conn.execute(select(first.c.key, first.c.at).order_by(first.c.at, first.c.key)):
        delay = answered[who] - at if who in answered else None
        yield (
            Ref(scope.site, Kind.MEMBER, who),
            moment(at),
            None if delay is None else timedelta(microseconds=delay),
        )


def _people(scope: Scope) -> Select[Any]:
    m = members
    return select(m.c.id).where(m.c.site == scope.site, m.c.bot.is_(False), m.c.staged.is_(False))


def _first(scope: Scope, start: datetime, end: datetime) -> Any:
    c = contributions
    return (
        select(c.c.author.label("key"), func.min(c.c.created_at).label("at"))
        .where(visible(scope), c.c.author.in_(_people(scope)))
        .group_by(c.c.author)
        .having(func.min(c.c.created_at).between(micros(start), micros(end)))
        .subquery("first")
    )


def _answers(scope: Scope, first: Any) -> Select[Any]:
    """In the thread of the first contribution; on a wiki only where people talk."""
    mine, later, t = contributions.alias("mine"), contributions.alias("later"), threads
    return (
        select(first.c.key, func.min(later.c.created_at))
        .join_from(first, mine, and_(mine.c.author == first.c.key, mine.c.created_at == first.c.at))
        .join(t, and_(t.c.site == mine.c.site, t.c.id == mine.c.thread))
        .join(later, and_(later.c.site == mine.c.site, later.c.thread == mine.c.thread))
        .where(visible(scope, mine), visible(scope, later), later.c.author.in_(_people(scope)))
        .where(later.c.author != first.c.key, later.c.created_at > first.c.at)
        .where(or_(t.c.author == first.c.key, later.c.author == t.c.author, later.c.parent == mine.c.id))
        .where(true() if scope.family == "forum" else t.c.kind == "talk")
        .group_by(first.c.key)
    )


def _talk_pages(scope: Scope, first: Any) -> Select[Any]:
    """On the newcomer's own talk page (namespace 3)."""
    w, t, m, s = contributions.alias("word"), threads, members, spaces
    return (
        select(first.c.key, func.min(w.c.created_at))
        .join_from(first, m, and_(m.c.site == scope.site, m.c.id == first.c.key))
        .join(s, and_(s.c.site == m.c.site, s.c.id == "3"))
        .join(t, and_(t.c.site == m.c.site, t.c.space == "3", t.c.title == s.c.name + ":" + m.c.username))
        .join(w, and_(w.c.site == t.c.site, w.c.thread == t.c.id))
        .where(visible(scope, w), w.c.author != first.c.key, w.c.author.in_(_people(scope)))
        .where(w.c.created_at > first.c.at)
        .group_by(first.c.key)
    )
