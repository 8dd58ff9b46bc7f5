"""What was answered and asked in areas, as SQL adds it up.

In an area, somebody's answers are contributions to threads that others began (forum) or edits of pages that
lasted (wiki, see `lasting`); an accepted answer counts as three, and each like as a quarter more. Their
questions are the threads that they began there. Both fade with a half-life, by whole weeks. On a wiki an area
is a category, whatever it is on a forum.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Select,
    Table,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
)

from ...config.durations import Duration
from ...sync.store.tables import contributions, spaces, states, threads
from ...sync.store.times import micros
from ..community import Community
from ..sources import Scope, open_threads, words
from .lasting import fleeting, lasted

Areas = Literal["labels", "spaces"]

_ACCEPTED = 2.0
"""What an accepted answer counts beyond being one."""
_LIKE = 0.25
_SLICE = 7 * 24 * 3600 * 1_000_000
"""Contributions fade together by week, so that SQL can count and Python weigh."""


def fading(community: Community, scope: Scope, half_life: Duration) -> Table:
    """What something so many weeks ago still counts, for every week since 1970."""
    half = scope.now - micros(half_life.before(community.now))
    columns = [Column("age", BigInteger, primary_key=True, autoincrement=False), Column("weight", Double)]
    rows = [(age, 0.5 ** (age * _SLICE / half)) for age in range(scope.now // _SLICE + 1)]
    return community.scratch(("fade", str(half)), columns, rows)


def counted(community: Community, scope: Scope) -> Table | None:
    """What tells the edits of a wiki that lasted; nothing is asked about a forum."""
    return fleeting(community, scope) if scope.family == "wiki" else None


def answers_by_area(
    scope: Scope, areas: Areas, fade: Table, restored: Table | None, among: Collection[str] | None = None
) -> Select[Any]:
    """(area, author, faded answers, how many, whose threads were answered); `among`: in these areas only."""
    w, t = words(scope), threads
    joined, area = with_areas(scope, areas, w)
    others = func.count(t.c.author.distinct()) if scope.family == "forum" else literal(0)
    statement = (
        select(area, w.c.author, func.sum(_worth_as_answer(w) * fade.c.weight), func.count(), others)
        .select_from(joined.join(fade, fade.c.age == _age(scope, w.c.created_at)))
        .where(open_threads(scope), is_answer(scope, w, restored), _narrowed(scope, w.c.author))
        .group_by(area, w.c.author)
    )
    if among is None:
        return statement
    # The same twice: the threads are looked up first, and where they are few nothing else is read.
    return statement.where(w.c.thread.in_(_threads_of(scope, areas, among)), area.in_(among))


def questions_by_area(
    scope: Scope, areas: Areas, fade: Table, among: Collection[str] | None = None
) -> Select[Any]:
    """(area, author, faded questions); a wiki page is no question. `among`: in these areas only."""
    t = threads
    joined, area = with_areas(scope, areas)
    statement = (
        select(area, t.c.author, func.sum(fade.c.weight))
        .select_from(joined.join(fade, fade.c.age == _age(scope, t.c.created_at)))
        .where(open_threads(scope), _narrowed(scope, t.c.author), t.c.created_at.is_not(None))
        .where(literal(scope.family == "forum"))
        .group_by(area, t.c.author)
    )
    if among is None:
        return statement
    return statement.where(t.c.id.in_(_threads_of(scope, areas, among)), area.in_(among))


def exchanges(scope: Scope, areas: Areas, fade: Table, restored: Table | None) -> Select[Any]:
    """(area, who asked, who answered, faded answers)."""
    w, t = words(scope), threads
    joined, area = with_areas(scope, areas, w)
    return (
        select(area, t.c.author, w.c.author, func.sum(_worth_as_answer(w) * fade.c.weight))
        .select_from(joined.join(fade, fade.c.age == _age(scope, w.c.created_at)))
        .where(open_threads(scope), is_answer(scope, w, restored), w.c.author.is_not(None))
        .group_by(area, t.c.author, w.c.author)
        .order_by(area, t.c.author, w.c.author)
    )


def everything_written(scope: Scope, fade: Table, restored: Table | None, least: int) -> Select[Any]:
    """(author, what all that they wrote still counts, how much it is) of everybody who wrote so much: no more
    than that, and what `accepted_answers` adds, can their answers in an area count. From an index alone,
    without a look at a thread."""
    w = words(scope)
    counts = _edit_that_counts(scope, w, restored) if scope.family == "wiki" else true()
    return (
        select(w.c.author, func.sum(_worth(w) * fade.c.weight), func.count())
        .join_from(w, fade, fade.c.age == _age(scope, w.c.created_at))
        .where(w.c.author.is_not(None), counts)
        .group_by(w.c.author)
        .having(func.count() >= least)
    )


def accepted_answers(scope: Scope, fade: Table) -> Select[Any]:
    """(author, by how much more their answers count because they were accepted).

    Each is looked up by its id; the threads are read in the table's own order, which the offset keeps.
    """
    t, c = threads, contributions
    its = {
        name: select(c.c[name]).where(c.c.site == scope.site, c.c.id == t.c.solved_by).correlate(t)
        for name in ("author", "created_at")
    }
    age = _age(scope, its["created_at"].scalar_subquery())
    found = select(its["author"].scalar_subquery().label("author"), age.label("age"))
    found = found.where(t.c.site == scope.site, t.c.id > "", t.c.solved_by != "")
    solved = found.offset(0).subquery("solved")
    return (
        select(solved.c.author, func.sum(_ACCEPTED * fade.c.weight))
        .join_from(solved, fade, fade.c.age == solved.c.age)
        .where(solved.c.author.is_not(None))
        .group_by(solved.c.author)
    )


def pages_edited(scope: Scope, areas: Areas, restored: Table | None) -> Select[Any]:
    """(area, author, page) of a wiki's edits that count."""
    w = words(scope)
    joined, area = with_areas(scope, areas, w)
    return (
        select(area, w.c.author, w.c.thread)
        .select_from(joined)
        .where(open_threads(scope), is_answer(scope, w, restored), _narrowed(scope, w.c.author))
        .distinct()
    )


def editors_of(scope: Scope, pages: Sequence[str]) -> Select[Any]:
    """(page, author) of all who edited these pages, page after page."""
    w = words(scope)
    return (
        select(w.c.thread, w.c.author)
        .where(w.c.thread.in_(pages), w.c.author.is_not(None))
        .distinct()
        .order_by(w.c.thread)
    )


def area_sizes(scope: Scope, areas: Areas) -> Select[Any]:
    """(area, how many threads) of all areas, nearly: what is private or gone counts as well."""
    t, s = threads, states
    if areas == "spaces" and scope.family == "forum":
        there = and_(t.c.site == spaces.c.site, t.c.space == spaces.c.id)
        sizes = select(spaces.c.name, func.count()).join_from(spaces, t, there)
        return sizes.where(spaces.c.site == scope.site).group_by(spaces.c.name)
    labels = and_(s.c.site == scope.site, s.c.kind == "thread", s.c.field == "label")
    return select(s.c.value, func.count()).where(labels).group_by(s.c.value)


def _threads_of(scope: Scope, areas: Areas, among: Collection[str]) -> Select[Any]:
    """Threads that are, or once were, in these areas."""
    t, s = threads, states
    if areas == "spaces" and scope.family == "forum":
        named = select(spaces.c.id).where(spaces.c.site == scope.site, spaces.c.name.in_(among))
        return select(t.c.id).where(t.c.site == scope.site, t.c.space.in_(named))
    labels = and_(s.c.site == scope.site, s.c.kind == "thread", s.c.field == "label", s.c.value.in_(among))
    return select(s.c.item).where(labels)


def with_areas(scope: Scope, areas: Areas, w: Any = None) -> tuple[Any, ColumnElement[str]]:
    """Threads joined with their areas, and with their contributions if these are given; and the area's
    column."""
    t = threads
    joined: Any = t if w is None else w.join(t, and_(t.c.site == scope.site, t.c.id == w.c.thread))
    if areas == "spaces" and scope.family == "forum":
        here = and_(spaces.c.site == t.c.site, spaces.c.id == t.c.space)
        return joined.join(spaces, here), spaces.c.name
    s = states
    in_force = and_(
        s.c.site == t.c.site,
        s.c.kind == "thread",
        s.c.item == t.c.id,
        s.c.field == "label",
        s.c.valid_from <= scope.now,
        or_(s.c.valid_to.is_(None), s.c.valid_to > scope.now),
    )
    return joined.join(s, in_force), s.c.value


def is_answer(scope: Scope, w: Any, restored: Table | None) -> ColumnElement[bool]:
    """On a forum, what is written in somebody else's thread; on a wiki, an edit that is not minor and
    lasted."""
    if scope.family == "wiki":
        return and_(threads.c.kind == "page", _edit_that_counts(scope, w, restored))
    return and_(threads.c.author.is_not(None), w.c.author != threads.c.author)


def _edit_that_counts(scope: Scope, w: Any, restored: Table | None) -> ColumnElement[bool]:
    return and_(w.c.kind == "regular", lasted(scope, w, restored))


def _narrowed(scope: Scope, author: ColumnElement[Any]) -> ColumnElement[bool]:
    return author.is_not(None) if scope.only is None else author.in_(scope.only)


def _age(scope: Scope, at: ColumnElement[int]) -> ColumnElement[int]:
    return (literal(scope.now) - at) // _SLICE


def _worth(w: Any) -> ColumnElement[float]:
    return 1.0 + _LIKE * func.coalesce(w.c.likes, 0)


def _worth_as_answer(w: Any) -> ColumnElement[float]:
    return _worth(w) + case((threads.c.solved_by == w.c.id, _ACCEPTED), else_=0.0)
