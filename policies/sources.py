"""The SQL behind the facts: one select per source, of one row per member or thread, keyed by `key`.

A select counts what was visible at a moment: written by then, not deleted by then, no note of the platform,
no whisper, not in a private message, and not our own doing. `only` narrows it to some items, which is how
the gate asks about one proposal what a plan asks about everybody.

Most ask of each item by itself, through an index in the order of time: which contribution was the first or
the last costs the same however many there are, and as much for a day in the past as for today. Those that
take more `EFFORT` look at all contributions of an item.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)

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

SourceTable = Callable[[str, "Scope"], FromClause]
"""Gives the table of a source: a temporary one, or a subquery about a few items."""

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
    named: str = ""
    """A name for `only`, where it is asked about again and answers are worth keeping."""

    def within(self, ids: tuple[str, ...] | Select[Any], way: str = "") -> Scope:
        return replace(self, only=ids, named=self.named and f"{self.named}.{way}")


def visible(scope: Scope, c: Any = contributions) -> ColumnElement[bool]:
    """Whether a contribution counted at the scope's moment."""
    ours = select(doings.c.id).where(doings.c.site == scope.site, doings.c.kind == "contribution")
    private = select(threads.c.id).where(threads.c.site == scope.site, threads.c.kind == "message")
    return and_(
        c.c.site == scope.site,
        c.c.kind.in_(_COUNTED),
        c.c.created_at <= scope.now,
        or_(c.c.deleted_at.is_(None), c.c.deleted_at > scope.now),
        c.c.id.not_in(ours),
        c.c.thread.not_in(private),
    )


def words(scope: Scope, name: str = "words") -> Any:
    """The contributions that counted at the scope's moment, as a table of that name."""
    return select(*(contributions.c[column] for column in _WORDS)).where(visible(scope)).subquery(name)


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


def programs(scope: Scope) -> Select[Any]:
    """The accounts of bots: what they write is no greeting, people are meant."""
    return select(members.c.id).where(members.c.site == scope.site, members.c.bot.is_(True))


def _narrowed(scope: Scope, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return true() if scope.only is None else column.in_(scope.only)


def _of(
    scope: Scope, owner: Any, column: ColumnElement[Any], c: Any, *wanted: ColumnElement[bool]
) -> ScalarSelect[Any]:
    """Something about the contributions `c` of the member or the thread whose row `owner` is."""
    mine = (c.c.author if owner.name == "members" else c.c.thread) == owner.c.id
    return select(column).where(mine, visible(scope, c), *wanted).correlate(owner).scalar_subquery()


def _each(scope: Scope, owner: Any, *columns: ColumnElement[Any]) -> Select[Any]:
    """A row for every member or thread of the site."""
    # True of all ids; but SQLite then goes by them, in whose order the rows are kept, and not by usernames.
    which = owner.c.id > "" if scope.only is None else owner.c.id.in_(scope.only)
    return select(owner.c.id.label("key"), *columns).where(owner.c.site == scope.site, which)


def first_words(scope: Scope, source: SourceTable) -> Select[Any]:
    """By member: when they first wrote."""
    c = contributions.alias("c")
    return _each(scope, members, _of(scope, members, func.min(c.c.created_at), c).label("first_at"))


def latest_words(scope: Scope, source: SourceTable) -> Select[Any]:
    """By member: when they last wrote."""
    c = contributions.alias("c")
    return _each(scope, members, _of(scope, members, func.max(c.c.created_at), c).label("last_at"))


def written(scope: Scope, source: SourceTable) -> Select[Any]:
    """By member: how much."""
    c = contributions.alias("c")
    return _each(scope, members, _of(scope, members, func.count(), c).label("posts"))


def liked(scope: Scope, source: SourceTable) -> Select[Any]:
    """By member: the likes of what they wrote."""
    c = contributions.alias("c")
    return _each(scope, members, _of(scope, members, func.sum(c.c.likes), c).label("likes"))


def opened(scope: Scope, source: SourceTable) -> Select[Any]:
    t = threads
    return (
        select(t.c.author.label("key"), func.count().label("threads"))
        .where(open_threads(scope), t.c.author.is_not(None), _narrowed(scope, t.c.author))
        .group_by(t.c.author)
    )


def answered(scope: Scope, source: SourceTable) -> Select[Any]:
    """By author: contributions to threads that others began."""
    w = words(scope)
    return _exchanged(scope, w, w.c.author, "given")


def received(scope: Scope, source: SourceTable) -> Select[Any]:
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


def solved(scope: Scope, source: SourceTable) -> Select[Any]:
    """By author: posts accepted as the answer to somebody else's question."""
    c, t = contributions, threads
    return (
        select(c.c.author.label("key"), func.count().label("solutions"))
        .join_from(t, c, and_(c.c.site == t.c.site, c.c.id == t.c.solved_by))
        .where(open_threads(scope), visible(scope), c.c.author != t.c.author, _narrowed(scope, c.c.author))
        .group_by(c.c.author)
    )


def linked(scope: Scope, source: SourceTable) -> Select[Any]:
    """Members whose account on another site is known."""
    here, there = identities.alias("here"), identities.alias("there")
    return (
        select(here.c.member.label("key"), literal(True).label("linked"))
        .join_from(here, there, and_(there.c.person == here.c.person, there.c.site != here.c.site))
        .where(here.c.site == scope.site, here.c.state == "linked", there.c.state == "linked")
        .where(_narrowed(scope, here.c.member))
        .group_by(here.c.member)
    )


def contacted(scope: Scope, source: SourceTable) -> Select[Any]:
    """By member: when we last wrote to them; attempts that came to nothing do not count."""
    return (
        select(contacts.c.member.label("key"), func.max(contacts.c.at).label("at"))
        .join_from(contacts, attempts, attempts.c.id == contacts.c.attempt)
        .where(contacts.c.site == scope.site, contacts.c.at <= scope.now)
        .where(or_(attempts.c.outcome.is_(None), attempts.c.outcome != "not_done"))
        .where(_narrowed(scope, contacts.c.member))
        .group_by(contacts.c.member)
    )


def greeted(scope: Scope, source: SourceTable) -> Select[Any]:
    """Members whose first contribution somebody, and not a program, answered, there or on their talk page.

    An answer is a reply to that very contribution, anything that the thread's author wrote later, or, in a
    thread that the member began, anything that anybody else wrote. On a wiki a later edit of the same page
    is no answer; a talk page that goes on is.
    """
    first: Any = source("first_words", scope)
    w, later, t = contributions.alias("w"), contributions.alias("later"), threads.alias("t")
    answer = (
        exists()
        .where(visible(scope, w), w.c.author == first.c.key, w.c.created_at == first.c.first_at)
        .where(t.c.site == scope.site, t.c.id == w.c.thread)
        .where(true() if scope.family == "forum" else t.c.kind == "talk")
        .where(visible(scope, later), later.c.thread == w.c.thread, later.c.author != first.c.key)
        .where(later.c.created_at > w.c.created_at, later.c.author.not_in(programs(scope)))
        .where(
            or_(t.c.author == first.c.key, later.c.author == t.c.author, later.c.parent == w.c.id)
        )
        .correlate(first)
    )
    if scope.family == "forum":
        there: ColumnElement[bool] = answer
    else:
        there = or_(answer, first.c.key.in_(select(source("talked", scope).c.key)))
    return select(first.c.key, there.label("greeted")).where(_narrowed(scope, first.c.key))


def talked(scope: Scope, source: SourceTable) -> Select[Any]:
    """On a wiki, members on whose user talk page (namespace 3) somebody else, and not a program, wrote."""
    w, t, m, s = contributions.alias("w"), threads.alias("page"), members.alias("m"), spaces.alias("s")
    somebody = and_(w.c.author != m.c.id, w.c.author.not_in(programs(scope)))
    others = exists().where(visible(scope, w), w.c.thread == t.c.id, somebody).correlate(t, m)
    return (
        select(m.c.id.label("key"), literal(True).label("talked"))
        .join_from(m, s, and_(s.c.site == m.c.site, s.c.id == "3"))
        .join(t, and_(t.c.site == m.c.site, t.c.space == "3", t.c.title == s.c.name + ":" + m.c.username))
        # The same once more, as the indexes of talk pages and of usernames can use it.
        .where(t.c.kind == "talk", m.c.username == func.substr(t.c.title, func.length(s.c.name) + 2))
        .where(m.c.site == scope.site, others, _narrowed(scope, m.c.id))
        .group_by(m.c.id)
    )


def extent(scope: Scope, source: SourceTable) -> Select[Any]:
    """By thread: how much was written."""
    c = contributions.alias("c")
    return _each(scope, threads, _of(scope, threads, func.count(), c).label("posts"))


def participants(scope: Scope, source: SourceTable) -> Select[Any]:
    """By thread: how many wrote."""
    c = contributions.alias("c")
    people = _of(scope, threads, func.count(c.c.author.distinct()), c)
    return _each(scope, threads, people.label("participants"))


def replied(scope: Scope, source: SourceTable) -> Select[Any]:
    """By thread: whether somebody else than its author wrote, if that is known."""
    c, t = contributions.alias("c"), threads
    anybody = exists().where(visible(scope, c), c.c.thread == t.c.id).correlate(t)
    nobody = case((anybody, null()), else_=false())
    return _each(scope, t, case((t.c.author.is_(None), nobody), else_=_by_others(scope)).label("answered"))


def _by_others(scope: Scope) -> ColumnElement[bool]:
    c, t = contributions.alias("c"), threads
    return exists().where(visible(scope, c), c.c.thread == t.c.id, c.c.author != t.c.author).correlate(t)


def last_words(scope: Scope, source: SourceTable) -> Select[Any]:
    """By thread: id, author and time of the last contribution (of two at one moment, the later post)."""
    names = {"id": "id", "author": "author", "created_at": "at"}
    return _each(scope, threads, *(_newest(scope, name).label(label) for name, label in names.items()))


def _newest(scope: Scope, name: str) -> ScalarSelect[Any]:
    """A column of a thread's last contribution."""
    c, t = contributions.alias("c"), threads
    # As `ix_contributions_order` has it, backwards.
    order = (c.c.created_at.desc(), c.c.position.desc().nulls_last(), c.c.id.desc())
    newest = select(c.c[name]).where(c.c.thread == t.c.id, visible(scope, c)).order_by(*order).limit(1)
    return newest.correlate(t).scalar_subquery()


def waiting(scope: Scope, source: SourceTable) -> Select[Any]:
    """By thread: author, community or nobody; see the fact's own words.

    Whether somebody asks is read from the last post: a question mark. Without mirrored text a last post
    by the author counts as a question, so that nobody is silently taken to be content. Who wrote the last
    post may be unknown, and so is then who is waited for. Closed and archived are asked as of the moment.
    """
    t, last = threads, source("last_words", scope).alias("last")
    # Not joined: it is only read where nothing else decides.
    text = select(texts.c.text).where(texts.c.site == scope.site, texts.c.contribution == last.c.id)
    asks = func.coalesce(text.correlate(last).scalar_subquery().contains("?"), true())
    settled = or_(
        *(_was(scope, t, name) for name in ("closed", "archived")), t.c.pinned.is_(True), t.c.solved_by != ""
    )
    who = case(
        (or_(t.c.author.is_(None), last.c.at.is_(None)), null()),
        (func.coalesce(settled, False), "nobody"),
        (last.c.author.is_(None), null()),
        (last.c.author != t.c.author, "author"),
        (asks, "community"),
        (not_(_by_others(scope)), "community"),
        else_="nobody",
    )
    return _each(scope, t, who.label("waiting_on")).join_from(t, last, last.c.key == t.c.id)


def _was(scope: Scope, thread: Any, name: str) -> ColumnElement[bool]:
    """Whether a flag of a thread was set at the scope's moment."""
    now: ColumnElement[bool] = thread.c[name]
    if scope.live:
        return now.is_(True)
    return value_at(scope.site, "thread", name, thread.c.id, now, scope.now) == TRUE


def revived(scope: Scope, source: SourceTable) -> Select[Any]:
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


SOURCES: dict[str, Callable[[Scope, SourceTable], Select[Any]]] = {
    "first_words": first_words,
    "latest_words": latest_words,
    "written": written,
    "liked": liked,
    "opened": opened,
    "answered": answered,
    "received": received,
    "solved": solved,
    "linked": linked,
    "contacted": contacted,
    "greeted": greeted,
    "talked": talked,
    "extent": extent,
    "participants": participants,
    "replied": replied,
    "last_words": last_words,
    "waiting": waiting,
    "revived": revived,
}

EFFORT = {
    "written": 1, "liked": 1, "extent": 1, "participants": 1, "answered": 2, "received": 2, "revived": 2,
    "greeted": 2, "talked": 2, "expertise": 2,
}  # fmt: skip
"""Those that look at all contributions of an item, or of its whole thread as well: the more, the later they
are asked, about what the others leave."""

COUNTERS = frozenset(
    {"posts", "threads", "given", "received", "solutions", "likes", "revived", "participants"}
)
"""Columns that are 0, not unknown, where a source has no row, or nothing to count."""

FLAGS = frozenset({"linked", "greeted", "talked", "answered"})
"""Columns that are false, not unknown, where a source has no row."""
