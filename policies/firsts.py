"""When newcomers first wrote, and when people first answered them.

What counts as an answer is what the fact `greeted` counts (`sources.py`): people are meant, so a program's
words are none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select, true

from ..connectors.records import Kind, Ref
from ..sync.store.tables import contributions, members, spaces, threads
from ..sync.store.times import micros, moment
from .sources import Scope, programs, visible

_TOGETHER = 400
"""Newcomers in one query."""


def first_answers(
    conn: Connection, scope: Scope, start: datetime, end: datetime
) -> Iterator[tuple[Ref, datetime, timedelta | None]]:
    """Everybody who first wrote from `start` to `end`: when, and how long until somebody answered (None:
    nobody has)."""
    firsts = conn.execute(_firsts(scope, start, end)).all()
    for place in range(0, len(firsts), _TOGETHER):
        newcomers: dict[str, int] = {row.key: row.at for row in firsts[place : place + _TOGETHER]}
        answered = _answered(conn, scope, newcomers)
        for who, at in newcomers.items():
            delay = answered[who] - at if who in answered else None
            yield (
                Ref(scope.site, Kind.MEMBER, who),
                moment(at),
                None if delay is None else timedelta(microseconds=delay),
            )


def _firsts(scope: Scope, start: datetime, end: datetime) -> Select[Any]:
    """Who began to write in the span, and when, in the order of it."""
    c = contributions
    at = func.min(c.c.created_at)
    return (
        select(c.c.author.label("key"), at.label("at"))
        .where(visible(scope), c.c.author.in_(_newcomers(scope)))
        .group_by(c.c.author)
        .having(at.between(micros(start), micros(end)))
        .order_by(at, c.c.author)
    )


def _newcomers(scope: Scope) -> Select[Any]:
    m = members
    return select(m.c.id).where(m.c.site == scope.site, m.c.bot.is_(False), m.c.staged.is_(False))


def _answered(conn: Connection, scope: Scope, newcomers: Mapping[str, int]) -> dict[str, int]:
    """When each of these was first answered, where anybody has."""
    found: dict[str, int] = {}
    talk = _on_talk_pages(conn, scope, newcomers) if scope.family == "wiki" else ()
    for who, first, at in chain(conn.execute(_in_the_thread(scope, newcomers)), talk):
        if (first is None or first == newcomers[who]) and at > newcomers[who]:
            found[who] = min(at, found.get(who, at))
    return found


def _in_the_thread(scope: Scope, newcomers: Mapping[str, int]) -> Select[Any]:
    """Answers in the thread of the first contribution; on a wiki only where people talk."""
    mine, later, t = contributions.alias("mine"), contributions.alias("later"), threads
    return (
        select(mine.c.author, mine.c.created_at, func.min(later.c.created_at))
        .join_from(mine, t, and_(t.c.site == mine.c.site, t.c.id == mine.c.thread))
        .join(later, and_(later.c.site == mine.c.site, later.c.thread == mine.c.thread))
        .where(mine.c.author.in_(newcomers), mine.c.created_at.in_(set(newcomers.values())))
        .where(visible(scope, mine), visible(scope, later), later.c.author.not_in(programs(scope)))
        .where(later.c.author != mine.c.author, later.c.created_at > mine.c.created_at)
        .where(or_(t.c.author == mine.c.author, later.c.author == t.c.author, later.c.parent == mine.c.id))
        .where(true() if scope.family == "forum" else t.c.kind == "talk")
        .group_by(mine.c.author, mine.c.created_at)
    )


def _on_talk_pages(
    conn: Connection, scope: Scope, newcomers: Mapping[str, int]
) -> Iterator[tuple[str, None, int]]:
    """What people wrote on the newcomers' own talk pages (namespace 3).

    One step after the other: joined, SQLite goes through all that was ever written, to see where it stands.
    """
    w, t, m, s = contributions.alias("word"), threads, members, spaces
    titles = select(s.c.name + ":" + m.c.username, m.c.id).join_from(m, s, s.c.site == m.c.site)
    titles = titles.where(m.c.site == scope.site, m.c.id.in_(newcomers), s.c.id == "3")
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for title, who in conn.execute(titles):
        owners[title].append(who)
    pages = select(t.c.id, t.c.title).where(t.c.site == scope.site, t.c.kind == "talk")
    rows = conn.execute(pages.where(t.c.space == "3", t.c.title.in_(owners)))
    own: dict[str, list[str]] = {page: owners[title] for page, title in rows}
    words = select(w.c.thread, w.c.author, w.c.created_at).where(visible(scope, w), w.c.thread.in_(own))
    people = words.where(w.c.author.is_not(None), w.c.author.not_in(programs(scope)))
    for page, author, at in conn.execute(people):
        yield from ((who, None, at) for who in own[page] if who != author)
