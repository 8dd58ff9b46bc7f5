"""Who knows about what, from what people did.

In an area, somebody's answers are contributions to threads that others began (forum) or edits of pages that
lasted (wiki, see `lasting`); an accepted answer counts as three, and each like as a quarter more. Their
questions are the threads that they began there. Both fade with a half-life. The score is the Z-score of
Zhang, Ackerman and Adamic ("Expertise Networks in Online Communities", WWW 2007): z = (a − q) / √(a + q), how
far answering exceeds asking beyond what chance would give somebody who does both alike; or, on a forum, their
ExpertiseRank (see `central`). On a wiki an area is a category, whatever it is on a forum.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Select,
    Table,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from ...config.durations import Duration
from ...connectors.records import Kind, Ref
from ...sync.store.tables import members, spaces, states, threads
from ...sync.store.times import micros
from ..community import Community
from ..sources import Scope, open_threads, words
from .central import centrality
from .lasting import fleeting, lasted

Areas = Literal["labels", "spaces"]
Score = Literal["z", "pagerank"]
LEVEL: dict[Score, float] = {"z": 0.0, "pagerank": 1.0}
"""Above this somebody stands out: answers more than asks, or is more central than most."""

_ACCEPTED = 2.0
"""What an accepted answer counts beyond being one."""
_LIKE = 0.25
_SLICE = 7 * 24 * 3600 * 1_000_000
"""Contributions fade together by week, so that SQL can count and Python weigh."""
_CHUNK = 1000


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
    community: Community, site: str, areas: Areas, half_life: Duration, *, evidence: int, people: int,
    score: Score = "z",
) -> dict[str, list[Expert]]:  # fmt: skip
    """Everybody with at least so much evidence about at least so many people, by area, best first."""
    scope = Scope(site, community.sites[site].family, micros(community.now), community.live)
    fade = fading(community, scope, half_life)
    restored = counted(community, scope)
    sums: dict[tuple[str, str], _Sum] = {}
    enough_of = answers_by_area(scope, areas, fade, restored).having(func.count() >= evidence)
    for area, author, answered, answers, others in _rows(community.conn, enough_of):
        sums[area, author] = _Sum(answered, answers=answers, people=others)
    for area, author, asked in _rows(community.conn, questions_by_area(scope, areas, fade)):
        if (area, author) in sums:
            sums[area, author].asked = asked
    if scope.family == "wiki":
        for key, others in _fellows(community.conn, scope, areas, restored, sums).items():
            sums[key].people = others
    enough = {key: s for key, s in sums.items() if s.people >= people}
    if score == "pagerank" and scope.family == "forum":
        edges = _rows(community.conn, _exchanges(scope, areas, fade, restored))
        return _ranked(community, site, enough, _central(edges))
    return _ranked(community, site, enough, {key: z(s.answered, s.asked) for key, s in enough.items()})


def z(answered: float, asked: float) -> float:
    """The Z-score; 0 for who did neither."""
    return (answered - asked) / math.sqrt(answered + asked) if answered + asked else 0.0


def _central(edges: Iterable[Any]) -> dict[tuple[str, str], float]:
    """By (area, author), from (area, who asked, who answered, how much)."""
    by_area: dict[str, list[tuple[str, str, float]]] = {}
    for area, asker, answerer, weight in edges:
        by_area.setdefault(area, []).append((asker, answerer, weight))
    return {
        (area, who): value for area, found in by_area.items() for who, value in centrality(found).items()
    }


def _ranked(
    community: Community, site: str, sums: dict[tuple[str, str], _Sum], scores: dict[tuple[str, str], float]
) -> dict[str, list[Expert]]:
    names = _usernames(community, site, {author for _, author in sums})
    by_area: dict[str, list[tuple[float, str, _Sum]]] = {}
    for (area, author), s in sums.items():
        if author in names:
            score = round(scores[area, author], 9)  # the same numbers in another order are still a tie
            by_area.setdefault(area, []).append((-score, author, s))
    return {
        area: [
            Expert(Ref(site, Kind.MEMBER, author), names[author], area, place, -score, s.answers, s.people)
            for place, (score, author, s) in enumerate(sorted(found, key=lambda each: each[:2]), start=1)
        ]
        for area, found in sorted(by_area.items())
    }


def _usernames(community: Community, site: str, among: Container[str]) -> dict[str, str]:
    """Those of these accounts that can be named: no bots, no staged, deleted or suspended ones."""
    m, now = members, micros(community.now)
    able = select(m.c.id, m.c.username).where(
        m.c.site == site,
        m.c.bot.is_(False),
        m.c.staged.is_(False),
        m.c.deleted_at.is_(None),
        or_(m.c.suspended_until.is_(None), m.c.suspended_until <= now),
    )
    return {member: username for member, username in _rows(community.conn, able) if member in among}


def evidence_of(community: Community, expert: Expert, areas: Areas, limit: int = 3) -> list[tuple[str, str]]:
    """(contribution id, thread title) of what speaks most for somebody: accepted, then liked, then recent;
    one of each thread."""
    scope = Scope(expert.member.site, community.sites[expert.member.site].family, micros(community.now))
    w, t = words(scope), threads
    joined, area = _areas(scope, areas, w)
    accepted = case((t.c.solved_by == w.c.id, 1), else_=0)
    rows = community.conn.execute(
        select(w.c.id, t.c.title, t.c.id.label("thread"))
        .select_from(joined)
        .where(open_threads(scope), _is_answer(scope, w, counted(community, scope)))
        .where(area == expert.area, w.c.author == expert.member.id)
        .order_by(accepted.desc(), func.coalesce(w.c.likes, 0).desc(), w.c.created_at.desc())
        .limit(limit * 5)
    )
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        found.setdefault(row.thread, (row.id, row.title))
    return list(found.values())[:limit]


def fading(community: Community, scope: Scope, half_life: Duration) -> Table:
    """What something so many weeks ago still counts, for every week since 1970."""
    half = scope.now - micros(half_life.before(community.now))
    columns = [Column("age", BigInteger, primary_key=True, autoincrement=False), Column("weight", Double)]
    rows = [(age, 0.5 ** (age * _SLICE / half)) for age in range(scope.now // _SLICE + 1)]
    return community.scratch(("fade", str(half)), columns, rows)


def _areas(scope: Scope, areas: Areas, w: Any) -> tuple[Any, ColumnElement[str]]:
    """Contributions joined with their threads and the threads' areas, and the area's column."""
    t = threads
    joined = w.join(t, and_(t.c.site == scope.site, t.c.id == w.c.thread))
    return _with_area(scope, areas, joined)


def _with_area(scope: Scope, areas: Areas, joined: Any) -> tuple[Any, ColumnElement[str]]:
    t = threads
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


def counted(community: Community, scope: Scope) -> Table | None:
    """What tells the edits of a wiki that lasted; nothing is asked about a forum."""
    return fleeting(community, scope) if scope.family == "wiki" else None


def _is_answer(scope: Scope, w: Any, restored: Table | None) -> ColumnElement[bool]:
    """On a forum, what is written in somebody else's thread; on a wiki, an edit that is not minor and
    lasted."""
    if scope.family == "wiki":
        return and_(threads.c.kind == "page", w.c.kind == "regular", lasted(scope, w, restored))
    return and_(threads.c.author.is_not(None), w.c.author != threads.c.author)


def _narrowed(scope: Scope, author: ColumnElement[Any]) -> ColumnElement[bool]:
    return author.is_not(None) if scope.only is None else author.in_(scope.only)


def _age(scope: Scope, at: ColumnElement[int]) -> ColumnElement[int]:
    return (literal(scope.now) - at) // _SLICE


def answers_by_area(scope: Scope, areas: Areas, fade: Table, restored: Table | None) -> Select[Any]:
    """(area, author, faded answers, how many, whose threads were answered)."""
    w, t = words(scope), threads
    joined, area = _areas(scope, areas, w)
    others = func.count(t.c.author.distinct()) if scope.family == "forum" else literal(0)
    return (
        select(area, w.c.author, func.sum(_worth(w) * fade.c.weight), func.count(), others)
        .select_from(joined.join(fade, fade.c.age == _age(scope, w.c.created_at)))
        .where(open_threads(scope), _is_answer(scope, w, restored), _narrowed(scope, w.c.author))
        .group_by(area, w.c.author)
    )


def _exchanges(scope: Scope, areas: Areas, fade: Table, restored: Table | None) -> Select[Any]:
    """(area, who asked, who answered, faded answers)."""
    w, t = words(scope), threads
    joined, area = _areas(scope, areas, w)
    return (
        select(area, t.c.author, w.c.author, func.sum(_worth(w) * fade.c.weight))
        .select_from(joined.join(fade, fade.c.age == _age(scope, w.c.created_at)))
        .where(open_threads(scope), _is_answer(scope, w, restored), w.c.author.is_not(None))
        .group_by(area, t.c.author, w.c.author)
        .order_by(area, t.c.author, w.c.author)
    )


def _worth(w: Any) -> ColumnElement[float]:
    accepted = case((threads.c.solved_by == w.c.id, _ACCEPTED), else_=0.0)
    return 1.0 + _LIKE * func.coalesce(w.c.likes, 0) + accepted


def questions_by_area(scope: Scope, areas: Areas, fade: Table) -> Select[Any]:
    """(area, author, faded questions); a wiki page is no question."""
    t = threads
    joined, area = _with_area(scope, areas, t)
    return (
        select(area, t.c.author, func.sum(fade.c.weight))
        .select_from(joined.join(fade, fade.c.age == _age(scope, t.c.created_at)))
        .where(open_threads(scope), _narrowed(scope, t.c.author), t.c.created_at.is_not(None))
        .where(literal(scope.family == "forum"))
        .group_by(area, t.c.author)
    )


def _fellows(
    conn: Connection, scope: Scope, areas: Areas, restored: Table | None, wanted: Container[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """On a wiki, by area and author, how many others edited the same pages. Page after page, since there are
    far more pairs of editors than edits."""
    w, t = words(scope), threads
    joined, area = _with_area(scope, areas, t)
    areas_of: defaultdict[str, list[str]] = defaultdict(list)
    for page, name in _rows(conn, select(t.c.id, area).select_from(joined).where(open_threads(scope))):
        areas_of[page].append(name)
    edits = (
        select(w.c.thread, w.c.author, _is_answer(scope, w, restored))
        .join_from(w, t, and_(t.c.site == scope.site, t.c.id == w.c.thread))
        .where(open_threads(scope), w.c.author.is_not(None))
        .order_by(w.c.thread)
    )
    met: dict[tuple[str, str], set[str]] = {}
    for page, rows in groupby(_rows(conn, edits), key=itemgetter(0)):
        answering: dict[str, bool] = {}
        for _, author, answers in rows:
            answering[author] = bool(answers) or answering.get(author, False)
        for name in areas_of.get(page, ()):
            for author, answers in answering.items():
                if answers and (name, author) in wanted:
                    met.setdefault((name, author), set()).update(answering)
    return {key: len(people) - 1 for key, people in met.items()}


def _rows(conn: Connection, statement: Select[Any]) -> Iterator[Any]:
    """The rows, fetched many at a time: one by one they cost as much again."""
    return chain.from_iterable(conn.execute(statement.execution_options(yield_per=_CHUNK)).partitions())


def flat(ranking: dict[str, list[Expert]]) -> Iterator[Expert]:
    for experts in ranking.values():
        yield from experts
