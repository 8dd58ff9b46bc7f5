"""The SQL behind the facts: one select per source, of one row per member or thread, keyed by `key`.

A select counts what was visible at a moment: written by then, not deleted by then, no note of the platform,
no whisper, not in a private message, and not our own doing. `only` narrows it to one item, which is how
the gate asks about one proposal what a plan asks about everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, literal, null, or_, select, true

from ..sync.store.states import value_at
from ..sync.store.tables import (
    attempts,
    contacts,
    contributions,
    doings,
    identities,
    members,
    spaces,
    texts,
    threads,
)
from ..sync.store.timeline import TRUE

REVIVAL = timedelta(days=90)
"""A thread that wakes after so long a silence is revived."""

_COUNTED = ("regular", "moderator", "minor")
_WORDS = ("id", "thread", "author", "created_at", "kind", "position", "parent", "likes")


@dataclass(frozen=True, slots=True)
class Scope:
    """One site at one moment. `now` in microseconds; `live`: the mirror's rows are true at that moment."""

    site: str
    family: str
    now: int
    live: bool = True
    only: tuple[str, ...] | Select[Any] | None = None
    """Ids of the items asked about (of the source's own subject), or a select of them; None: all."""
    words: FromClause | None = None
    """`all_words` of this moment or a later one, found once; None: every source looks for them itself."""

    def within(self, ids: tuple[str, ...] | Select[Any]) -> Scope:
        return replace(self, only=ids)


def visible(scope: Scope, c: Any = contributions) -> ColumnElement[bool]:
    """Whether a contribution counted at the scope's moment."""
    return and_(_counts(scope, c), _there(scope, c))


def _counts(scope: Scope, c: Any) -> ColumnElement[bool]:
    """Whether a contribution counts while it is there."""
    ours = select(doings.c.id).where(doings.c.site == scope.site, doings.c.kind == "contribution")
    private = select(threads.c.id).where(threads.c.site == scope.site, threads.c.kind == "message")
    return and_(
        c.c.site == scope.site,
        c.c.kind.in_(_COUNTED),
        c.c.id.not_in(ours),
        c.c.thread.not_in(private),
    )


def _there(scope: Scope, c: Any) -> ColumnElement[bool]:
    """Whether a contribution was there at the scope's moment."""
    return and_(c.c.created_at <= scope.now, or_(c.c.deleted_at.is_(None), c.c.deleted_at > scope.now))


def all_words(scope: Scope) -> Select[Any]:
    """The contributions that counted at the scope's moment or any before, with what the sources need."""
    c = contributions
    columns = [c.c[name] for name in (*_WORDS, "deleted_at")]
    return select(*columns).where(_counts(scope, c), c.c.created_at <= scope.now)


def words(scope: Scope, name: str = "words") -> Any:
    """The contributions that counted at the scope's moment, as a table of that name."""
    found = contributions if scope.words is None else scope.words.alias(f"{name}_there")
    counted = visible(scope) if scope.words is None else _there(scope, found)
    return select(*(found.c[column] for column in _WORDS)).where(counted).subquery(name)


def open_threads(scope: Scope, t: Any = threads) -> ColumnElement[bool]:
    """Whether a thread was there at the scope's moment, and is neither private nor our own doing."""
    ours = select(doings.c.id).where(doings.c.site == scope.site, doings.c.kind == "thread")
    return and_(
        t.c.site == scope.site,
        t.c.kind != "message",
        or_(t.c.created_at.is_(None), t.c.created_at <= scope.now),
        or_(t.c.deleted_at.is_(None), t.c.deleted_at > scope.now),
        t.c.id.not_in(ours),
    )


def _narrowed(scope: Scope, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return true() if scope.only is None else column.in_(scope.only)


def written(scope: Scope) -> Select[Any]:
    """By author: how much, when first and last, and the likes."""
    w = words(scope)
    return (
        select(
            w.c.author.label("key"),
            func.count().label("posts"),
            func.min(w.c.created_at).label("first_at"),
            func.max(w.c.created_at).label("last_at"),
            func.coalesce(func.sum(w.c.likes), 0).label("likes"),
        )
        .where(w.c.author.is_not(None), _narrowed(scope, w.c.author))
        .group_by(w.c.author)
    )


def opened(scope: Scope) -> Select[Any]:
    t = threads
    return (
        select(t.c.author.label("key"), func.count().label("threads"))
        .where(open_threads(scope), t.c.author.is_not(None), _narrowed(scope, t.c.author))
        .group_by(t.c.author)
    )


def answered(scope: Scope) -> Select[Any]:
    """By author: contributions to threads that others began."""
    w = words(scope)
    return _exchanged(scope, w, w.c.author, "given")


def received(scope: Scope) -> Select[Any]:
    """By a thread's author: contributions of others."""
    return _exchanged(scope, words(scope), threads.c.author, "received")


def _exchanged(scope: Scope, w: Any, key: ColumnElement[Any], label: str) -> Select[Any]:
    t = threads
    return (
        select(key.label("key"), func.count().label(label))
        .join_from(w, t, and_(t.c.site == scope.site, t.c.id == w.c.thread))
        .where(w.c.author != t.c.author, _narrowed(scope, key))
        .group_by(key)
    )


def solved(scope: Scope) -> Select[Any]:
    """By author: posts accepted as the answer to somebody else's question."""
    c, t = contributions, threads
    return (
        select(c.c.author.label("key"), func.count().label("solutions"))
        .join_from(t, c, and_(c.c.site == t.c.site, c.c.id == t.c.solved_by))
        .where(open_threads(scope), visible(scope), c.c.author != t.c.author, _narrowed(scope, c.c.author))
        .group_by(c.c.author)
    )


def linked(scope: Scope) -> Select[Any]:
    """Members whose account on another site is known."""
    here, there = identities.alias("here"), identities.alias("there")
    return (
        select(here.c.member.label("key"), literal(True).label("linked"))
        .join_from(here, there, and_(there.c.person == here.c.person, there.c.site != here.c.site))
        .where(here.c.site == scope.site, here.c.state == "linked", there.c.state == "linked")
        .where(_narrowed(scope, here.c.member))
        .group_by(here.c.member)
    )


def contacted(scope: Scope) -> Select[Any]:
    """By member: when we last wrote to them; attempts that came to nothing do not count."""
    return (
        select(contacts.c.member.label("key"), func.max(contacts.c.at).label("at"))
        .join_from(contacts, attempts, attempts.c.id == contacts.c.attempt)
        .where(contacts.c.site == scope.site, contacts.c.at <= scope.now)
        .where(or_(attempts.c.outcome.is_(None), attempts.c.outcome != "not_done"))
        .where(_narrowed(scope, contacts.c.member))
        .group_by(contacts.c.member)
    )


def greeted(scope: Scope) -> Select[Any]:
    """Members whose first contribution somebody answered, there or on their talk page.

    An answer is a reply to that very contribution, anything that the thread's author wrote later, or, in a
    thread that the member began, anything that anybody else wrote. On a wiki a later edit of the same page
    is no answer; a talk page that goes on is.
    """
    first = written(scope).subquery("first")
    w, later, t = words(scope, "w"), words(scope, "later"), threads
    start = (
        select(first.c.key, first.c.first_at, w.c.id, w.c.thread, t.c.author.label("opener"))
        .join_from(first, w, and_(w.c.author == first.c.key, w.c.created_at == first.c.first_at))
        .join(t, and_(t.c.site == scope.site, t.c.id == w.c.thread))
        .where(true() if scope.family == "forum" else t.c.kind == "talk")
        .subquery("start")
    )
    replied = (
        select(start.c.key)
        .join_from(start, later, later.c.thread == start.c.thread)
        .where(later.c.author != start.c.key, later.c.created_at > start.c.first_at)
        .where(
            or_(
                start.c.opener == start.c.key,
                later.c.author == start.c.opener,
                later.c.parent == start.c.id,
            )
        )
    )
    both = replied.subquery("greeted") if scope.family == "forum" else replied.union(
        _talk_pages(scope)
    ).subquery("greeted")
    return select(both.c.key, literal(True).label("greeted")).group_by(both.c.key)


def _talk_pages(scope: Scope) -> Select[Any]:
    """Members on whose user talk page (namespace 3) somebody else wrote."""
    w, t, m, s = words(scope, "words"), threads.alias("page"), members.alias("m"), spaces.alias("s")
    return (
        select(m.c.id)
        .join_from(m, s, and_(s.c.site == m.c.site, s.c.id == "3"))
        .join(t, and_(t.c.site == m.c.site, t.c.space == "3", t.c.title == s.c.name + ":" + m.c.username))
        # The same once more, as the index of usernames can use it.
        .where(m.c.username == func.substr(t.c.title, func.length(s.c.name) + 2))
        .join(w, w.c.thread == t.c.id)
        .where(m.c.site == scope.site, w.c.author != m.c.id, _narrowed(scope, m.c.id))
    )


def activity(scope: Scope) -> Select[Any]:
    """By thread: how much, by how many, when last, and whether by others than its author (if that is
    known)."""
    w, t = words(scope), threads
    by_others = case(
        (t.c.author.is_(None), null()),
        (or_(func.min(w.c.author) != t.c.author, func.max(w.c.author) != t.c.author), True),
        else_=False,
    )
    return (
        select(
            w.c.thread.label("key"),
            func.count().label("posts"),
            func.count(w.c.author.distinct()).label("participants"),
            func.max(w.c.created_at).label("last_at"),
            by_others.label("answered"),
        )
        .join_from(w, t, and_(t.c.site == scope.site, t.c.id == w.c.thread))
        .where(_narrowed(scope, w.c.thread))
        .group_by(w.c.thread, t.c.author)
    )


def last_words(scope: Scope) -> Select[Any]:
    """By thread: id, author and time of the last contribution (of two at one moment, the later post)."""
    w, again, mine = (words(scope, name) for name in ("w", "again", "mine"))
    latest = (
        select(w.c.thread, func.max(w.c.created_at).label("at"))
        .where(_narrowed(scope, w.c.thread))
        .group_by(w.c.thread)
        .subquery("latest")
    )
    place = (
        select(latest.c.thread, latest.c.at, func.max(func.coalesce(again.c.position, 0)).label("position"))
        .join_from(latest, again, and_(again.c.thread == latest.c.thread, again.c.created_at == latest.c.at))
        .group_by(latest.c.thread, latest.c.at)
        .subquery("place")
    )
    same = and_(
        mine.c.thread == place.c.thread,
        mine.c.created_at == place.c.at,
        func.coalesce(mine.c.position, 0) == place.c.position,
    )
    return (
        select(
            place.c.thread.label("key"),
            func.max(mine.c.id).label("id"),
            func.max(mine.c.author).label("author"),
            func.max(place.c.at).label("at"),
        )
        .join_from(place, mine, same)
        .group_by(place.c.thread)
    )


def waiting(scope: Scope) -> Select[Any]:
    """By thread: author, community or nobody; see the fact's own words.

    Whether somebody asks is read from the last post: a question mark. Without mirrored text a last post
    by the author counts as a question, so that nobody is silently taken to be content. Who wrote the last
    post may be unknown, and so is then who is waited for. Closed and archived are asked as of the moment.
    """
    t, last, act = threads, last_words(scope).subquery("last"), activity(scope).subquery("act")
    asks = or_(texts.c.text.is_(None), texts.c.text.contains("?"))
    settled = or_(
        *(_was(scope, t, name) for name in ("closed", "archived")), t.c.pinned.is_(True), t.c.solved_by != ""
    )
    who = case(
        (func.coalesce(settled, False), "nobody"),
        (last.c.author.is_(None), null()),
        (last.c.author != t.c.author, "author"),
        (act.c.answered.is_(False), "community"),
        (asks, "community"),
        else_="nobody",
    )
    return (
        select(t.c.id.label("key"), who.label("waiting_on"))
        .join_from(t, last, last.c.key == t.c.id)
        .join(act, act.c.key == t.c.id)
        .outerjoin(texts, and_(texts.c.site == t.c.site, texts.c.contribution == last.c.id))
        .where(t.c.site == scope.site, t.c.author.is_not(None), _narrowed(scope, t.c.id))
    )


def _was(scope: Scope, thread: Any, name: str) -> ColumnElement[bool]:
    """Whether a flag of a thread was set at the scope's moment."""
    now: ColumnElement[bool] = thread.c[name]
    if scope.live:
        return now.is_(True)
    return value_at(scope.site, "thread", name, thread.c.id, now, scope.now) == TRUE


def revived(scope: Scope) -> Select[Any]:
    """By thread: contributions that came after 90 quiet days."""
    w = words(scope)
    before = func.lag(w.c.created_at).over(partition_by=w.c.thread, order_by=(w.c.created_at, w.c.id))
    gap = (
        select(w.c.thread, (w.c.created_at - before).label("gap"))
        .where(_narrowed(scope, w.c.thread))
        .subquery("gap")
    )
    long = REVIVAL // timedelta(microseconds=1)
    return (
        select(gap.c.thread.label("key"), func.count().label("revived"))
        .where(gap.c.gap > long)
        .group_by(gap.c.thread)
    )


SOURCES: dict[str, Callable[[Scope], Select[Any]]] = {
    "written": written,
    "opened": opened,
    "answered": answered,
    "received": received,
    "solved": solved,
    "linked": linked,
    "contacted": contacted,
    "greeted": greeted,
    "activity": activity,
    "waiting": waiting,
    "revived": revived,
    "last_words": last_words,
}

WORDY = SOURCES.keys() - {"opened", "solved", "linked", "contacted"}
"""Those that go through all contributions that count."""

COUNTERS = frozenset(
    {"posts", "threads", "given", "received", "solutions", "likes", "revived", "participants"}
)
"""Columns that are 0, not unknown, where a source has no row."""

FLAGS = frozenset({"linked", "greeted", "answered"})
"""Columns that are false, not unknown, where a source has no row."""

