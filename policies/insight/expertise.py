"""Who knows about what, from what people did.

In an area, somebody's answers are contributions to threads that others began (forum) or edits of pages
(wiki); an accepted answer counts as three, and each like as a quarter more. Their questions are the threads
that they began there. Both fade with a half-life. The score is the Z-score of Zhang, Ackerman and Adamic
("Expertise Networks in Online Communities", WWW 2007): z = (a − q) / √(a + q), how far answering exceeds
asking beyond what chance would give somebody who does both alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select

from ...config.durations import Duration
from ...connectors.records import Kind, Ref
from ...sync.store.tables import contributions, members, spaces, states, threads
from ...sync.store.times import micros
from ..community import Community
from ..sources import Scope, open_threads, visible

Areas = Literal["labels", "spaces"]

_ACCEPTED = 2.0
"""What an accepted answer counts beyond being one."""
_LIKE = 0.25
_SLICE = 7 * 24 * 3600 * 1_000_000
"""Contributions fade together by week, so that SQL can count and Python weigh."""


@dataclass(frozen=True, slots=True)
class Expert:
    """One person in one area. `answers` and `people` (others answered, or worked with) are not faded."""

    member: Ref
    username: str
    area: str
    rank: int
    score: float
    answers: int
    people: int


@dataclass(slots=True)
class _Sum:
    answered: float = 0.0
    asked: float = 0.0
    answers: int = 0
    people: int = 0


def rank(
    community: Community, site: str, areas: Areas, half_life: Duration, *, evidence: int, people: int
) -> dict[str, list[Expert]]:
    """Everybody with at least so much evidence about at least so many people, by area, best first."""
    scope = Scope(site, community.sites[site].family, micros(community.now), community.live)
    half = micros(community.now) - micros(half_life.before(community.now))
    sums: dict[tuple[str, str], _Sum] = {}
    for area, author, age, count, likes, accepted in community.conn.execute(_answers(scope, areas)):
        each = sums.setdefault((area, author), _Sum())
        each.answers += count
        each.answered += (count + _LIKE * likes + _ACCEPTED * accepted) * _fade(age, half)
    for area, author, age, count in community.conn.execute(_questions(scope, areas)):
        if (area, author) in sums:
            sums[area, author].asked += count * _fade(age, half)
    for area, author, others in community.conn.execute(_people(scope, areas)):
        sums[area, author].people = others
    enough = {key: s for key, s in sums.items() if s.answers >= evidence and s.people >= people}
    return _ranked(community, site, enough)


def _ranked(community: Community, site: str, sums: dict[tuple[str, str], _Sum]) -> dict[str, list[Expert]]:
    names = _usernames(community, site)
    by_area: dict[str, list[tuple[float, str, _Sum]]] = {}
    for (area, author), s in sums.items():
        if author in names:
            score = (s.answered - s.asked) / math.sqrt(s.answered + s.asked) if s.answered else 0.0
            by_area.setdefault(area, []).append((-score, author, s))
    return {
        area: [
            Expert(Ref(site, Kind.MEMBER, author), names[author], area, place, -score, s.answers, s.people)
            for place, (score, author, s) in enumerate(sorted(found, key=lambda each: each[:2]), start=1)
        ]
        for area, found in sorted(by_area.items())
    }


def _usernames(community: Community, site: str) -> dict[str, str]:
    """Accounts that can be named: no bots, no staged, deleted or suspended ones."""
    m, now = members, micros(community.now)
    rows = community.conn.execute(
        select(m.c.id, m.c.username).where(
            m.c.site == site,
            m.c.bot.is_(False),
            m.c.staged.is_(False),
            m.c.deleted_at.is_(None),
            or_(m.c.suspended_until.is_(None), m.c.suspended_until <= now),
        )
    )
    return {row.id: row.username for row in rows}


def evidence_of(community: Community, expert: Expert, areas: Areas, limit: int = 3) -> list[tuple[str, str]]:
    """(contribution id, thread title) of what speaks most for somebody: accepted, then liked, then recent;
    one of each thread."""
    scope = Scope(expert.member.site, community.sites[expert.member.site].family, micros(community.now))
    c, t = contributions, threads
    joined, area = _areas(scope, areas)
    accepted = case((t.c.solved_by == c.c.id, 1), else_=0)
    rows = community.conn.execute(
        select(c.c.id, t.c.title, t.c.id.label("thread"))
        .select_from(joined)
        .where(visible(scope), open_threads(scope), _is_answer(scope), c.c.author == expert.member.id)
        .where(area == expert.area)
        .order_by(accepted.desc(), func.coalesce(c.c.likes, 0).desc(), c.c.created_at.desc())
        .limit(limit * 5)
    )
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        found.setdefault(row.thread, (row.id, row.title))
    return list(found.values())[:limit]


def _fade(age: int, half: int) -> float:
    return float(0.5 ** (age * _SLICE / half))


def _areas(scope: Scope, areas: Areas) -> tuple[Any, ColumnElement[str]]:
    """Contributions joined with their threads and the threads' areas, and the area's column."""
    c, t = contributions, threads
    joined = c.join(t, and_(t.c.site == c.c.site, t.c.id == c.c.thread))
    return _with_area(scope, areas, joined)


def _with_area(scope: Scope, areas: Areas, joined: Any) -> tuple[Any, ColumnElement[str]]:
    t = threads
    if areas == "spaces":
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


def _is_answer(scope: Scope) -> ColumnElement[bool]:
    """On a forum, what is written in somebody else's thread; on a wiki, an edit that is not minor."""
    if scope.family == "wiki":
        return and_(threads.c.kind == "page", contributions.c.kind == "regular")
    return and_(threads.c.author.is_not(None), contributions.c.author != threads.c.author)


def _age(scope: Scope, at: ColumnElement[int]) -> ColumnElement[int]:
    return (literal(scope.now) - at) // _SLICE


def _answers(scope: Scope, areas: Areas) -> Select[Any]:
    """(area, author, weeks ago, how many, likes, accepted)."""
    c, t = contributions, threads
    joined, area = _areas(scope, areas)
    age = _age(scope, c.c.created_at)
    accepted = func.sum(case((t.c.solved_by == c.c.id, 1), else_=0))
    likes = func.sum(func.coalesce(c.c.likes, 0))
    return (
        select(area, c.c.author, age, func.count(), likes, accepted)
        .select_from(joined)
        .where(visible(scope), open_threads(scope), _is_answer(scope), c.c.author.is_not(None))
        .group_by(area, c.c.author, age)
    )


def _questions(scope: Scope, areas: Areas) -> Select[Any]:
    """(area, author, weeks ago, how many); a wiki page is no question."""
    t = threads
    joined, area = _with_area(scope, areas, t)
    age = _age(scope, t.c.created_at)
    return (
        select(area, t.c.author, age, func.count())
        .select_from(joined)
        .where(open_threads(scope), t.c.author.is_not(None), t.c.created_at.is_not(None))
        .where(literal(scope.family == "forum"))
        .group_by(area, t.c.author, age)
    )


def _people(scope: Scope, areas: Areas) -> Select[Any]:
    """(area, author, others): whose threads were answered; on a wiki, who else edited the same pages."""
    c, t = contributions, threads
    joined, area = _areas(scope, areas)
    where = [visible(scope), open_threads(scope), _is_answer(scope), c.c.author.is_not(None)]
    if scope.family == "forum":
        others = func.count(t.c.author.distinct())
    else:
        other = contributions.alias("other")
        same = and_(other.c.site == c.c.site, other.c.thread == c.c.thread, other.c.author != c.c.author)
        joined, others = joined.join(other, same), func.count(other.c.author.distinct())
        where.append(visible(scope, other))
    return select(area, c.c.author, others).select_from(joined).where(*where).group_by(area, c.c.author)


def flat(ranking: dict[str, list[Expert]]) -> Iterator[Expert]:
    for experts in ranking.values():
        yield from experts
