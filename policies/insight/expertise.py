"""Who knows about what, from what people did (see `area_sums`).

The score is the Z-score of Zhang, Ackerman and Adamic ("Expertise Networks in Online Communities", WWW 2007):
z = (a − q) / √(a + q), how far answering (a) exceeds asking (q) beyond what chance would give somebody who
does both alike; or, on a forum, their ExpertiseRank (see `central`).

Who is first in an area is found without adding up what everybody did there. z is at most √a, and a at most
what all that somebody ever wrote still counts, which is known at once. Those who wrote most are looked at
first, until nobody who is left could come before those found: the idea of the threshold algorithm of Fagin,
Lotem and Naor ("Optimal Aggregation Algorithms for Middleware", PODS 2001).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Select, Table, case, func, or_, select

from ...config.durations import Duration
from ...connectors.records import Kind, Ref
from ...sync.store.states import chunks
from ...sync.store.tables import members, threads
from ...sync.store.times import micros
from ..community import Community
from ..sources import Scope, open_threads, words
from .area_sums import (
    Areas,
    accepted_answers,
    answers_by_area,
    area_sizes,
    counted,
    editors_of,
    everything_written,
    exchanges,
    fading,
    is_answer,
    pages_edited,
    questions_by_area,
    with_areas,
)
from .central import centrality

Score = Literal["z", "pagerank"]
LEVEL: dict[Score, float] = {"z": 0.0, "pagerank": 1.0}
"""Above this somebody stands out: answers more than asks, or is more central than most."""
SHOWN = 1
"""Decimals of a score that are shown, and that tell who is above the level: what is less has faded."""

_TOGETHER = 100
"""So many of those who wrote most are looked at at once."""
_NAMES = 1000
"""More areas than that are not named in a statement."""
_DIGITS = 9
"""The same numbers in another order are still a tie."""
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
    """What somebody did in an area. `people`: None where it has not been asked yet."""

    username: str
    answered: float
    answers: int
    people: int | None
    asked: float = 0.0
    score: float = 0.0


_Sums = dict[tuple[str, str], _Sum]
"""By area and author."""


def rank(
    community: Community, site: str, areas: Areas, half_life: Duration, *, evidence: int, people: int,
    score: Score = "z", top: int | None = None,
) -> dict[str, list[Expert]]:  # fmt: skip
    """Everybody with at least so much evidence about at least so many people, by area, best first.

    `top`: only the first so many of each area.
    """
    scope = Scope(site, community.sites[site].family, micros(community.now), community.live)
    fade = fading(community, scope, half_life)
    ranking = _Ranking(community, scope, areas, fade, counted(community, scope), evidence, people)
    if score == "pagerank" and scope.family == "forum":
        sums = ranking.central()
    elif top is None:
        sums = ranking.sums()
    else:
        sums = ranking.likely(top)
    return {
        area: [
            Expert(Ref(site, Kind.MEMBER, author), s.username, area, place, s.score, s.answers, s.people or 0)
            for place, (author, s) in enumerate(found, start=1)
        ]
        for area, found in sorted(ranking.first(sums, top).items())
    }


def z(answered: float, asked: float) -> float:
    """The Z-score; 0 for who did neither."""
    return (answered - asked) / math.sqrt(answered + asked) if answered + asked else 0.0


@dataclass(frozen=True)
class _Ranking:
    """One ranking while it is being made. `fade` and `restored` as in `area_sums`."""

    community: Community
    scope: Scope
    areas: Areas
    fade: Table
    restored: Table | None
    evidence: int
    people: int

    def sums(self, of: Sequence[str] | None = None, among: Collection[str] | None = None) -> _Sums:
        """Everybody who can be named and has the evidence; of some authors, among some areas."""
        scope = self.scope if of is None else self.scope.within(tuple(of))
        enough = answers_by_area(scope, self.areas, self.fade, self.restored, among).having(
            func.count() >= self.evidence
        )
        names, sums = self._usernames(of), _Sums()
        for area, author, answered, answers, others in self._rows(enough):
            if author in names:
                people = others if scope.family == "forum" else None
                sums[area, author] = _Sum(names[author], answered, answers, people)
        for area, author, asked in self._rows(questions_by_area(scope, self.areas, self.fade, among)):
            if (area, author) in sums:
                sums[area, author].asked = asked
        for s in sums.values():
            s.score = round(z(s.answered, s.asked), _DIGITS)
        return sums

    def central(self) -> _Sums:
        """The same of everybody, with their ExpertiseRank for a score."""
        sums = self.sums()
        edges: defaultdict[str, list[tuple[str, str, float]]] = defaultdict(list)
        for area, *edge in self._rows(exchanges(self.scope, self.areas, self.fade, self.restored)):
            edges[area].append((edge[0], edge[1], edge[2]))
        for area, found in edges.items():
            for author, score in centrality(found).items():
                if (area, author) in sums:
                    sums[area, author].score = round(score, _DIGITS)
        return sums

    def likely(self, top: int) -> _Sums:
        """Enough of everybody to tell the first so many of each area.

        It is asked about those who wrote most, some at a time, until as much has been read for them as it
        takes to read all of the areas that are still open.
        """
        writers = self._writers()
        sizes = {area: size for area, size in self._rows(area_sizes(self.scope, self.areas))}
        sums, open_, read = _Sums(), set(sizes), 0
        whole, threads = sum(how_many for *_, how_many in writers), sum(sizes.values())
        for place in range(0, len(writers), _TOGETHER):
            if read * threads >= whole * sum(sizes[area] for area in open_):
                return sums | self.sums(among=open_ if len(open_) <= _NAMES else None) if open_ else sums
            some = writers[place : place + _TOGETHER]
            sums |= self.sums([author for author, *_ in some])
            read += sum(how_many for *_, how_many in some)
            following = writers[place + _TOGETHER : place + _TOGETHER + 1]
            open_ -= self._closed(sums, top, most=following[0][1] if following else 0.0)
        return sums

    def _writers(self) -> list[tuple[str, float, int]]:
        """Everybody who wrote enough: what all of it counts at most, and how much it is; most first."""
        accepted: dict[str, float] = {}
        if self.scope.family == "forum":
            accepted = {author: more for author, more in self._rows(accepted_answers(self.scope, self.fade))}
        written = self._rows(everything_written(self.scope, self.fade, self.restored, self.evidence))
        writers = [(author, worth + accepted.get(author, 0.0), count) for author, worth, count in written]
        return sorted(writers, key=lambda each: (-each[1], each[0]))

    def _closed(self, sums: _Sums, top: int, most: float) -> set[str]:
        """The areas of which the first so many are known, as nobody else's answers count more than `most`."""
        # A little more, as the same numbers added in another order may come to a little less.
        highest = math.sqrt(most) + 10**-_DIGITS
        first = self.first(sums, top)
        return {area for area, found in first.items() if len(found) == top and found[-1][1].score > highest}

    def first(self, sums: _Sums, top: int | None) -> dict[str, list[tuple[str, _Sum]]]:
        """By area those who had to do with enough people, the first so many, best first."""
        by_area: defaultdict[str, list[tuple[str, _Sum]]] = defaultdict(list)
        for (area, author), s in sums.items():
            by_area[area].append((author, s))
        waiting = {
            area: iter(sorted(each, key=lambda pair: (-pair[1].score, pair[0])))
            for area, each in by_area.items()
        }
        found: dict[str, list[tuple[str, _Sum]]] = {area: [] for area in waiting}
        while waiting:
            some = {
                area: list(islice(each, None if top is None else top - len(found[area])))
                for area, each in waiting.items()
            }
            self._ask_for_people(sums, [(area, author) for area, each in some.items() for author, _ in each])
            for area, each in some.items():
                found[area] += [(author, s) for author, s in each if (s.people or 0) >= self.people]
                if not each or len(found[area]) == top:
                    del waiting[area]
        return {area: each for area, each in found.items() if each}

    def _ask_for_people(self, sums: _Sums, of: Iterable[tuple[str, str]]) -> None:
        """On a wiki it takes long to tell how many others edited the same pages, so it is asked of those only
        who may be named."""
        unknown = {key for key in of if sums[key].people is None}
        shared: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for authors in chunks({author for _, author in unknown}):
            pages = pages_edited(self.scope.within(tuple(authors)), self.areas, self.restored)
            for area, author, page in self._rows(pages):
                if (area, author) in unknown:
                    shared[page].append((area, author))
        met: dict[tuple[str, str], set[str]] = {key: set() for key in unknown}
        for some in chunks(shared):
            for page, editors in groupby(self._rows(editors_of(self.scope, some)), key=itemgetter(0)):
                people = {author for _, author in editors}
                for key in shared[page]:
                    met[key] |= people
        for key, people in met.items():
            sums[key].people = len(people - {key[1]})

    def _usernames(self, of: Sequence[str] | None) -> dict[str, str]:
        """Those of these, or of all accounts, that can be named: no bots, no staged, deleted or suspended
        ones."""
        m = members
        able = select(m.c.id, m.c.username).where(
            m.c.site == self.scope.site,
            m.c.bot.is_(False),
            m.c.staged.is_(False),
            m.c.deleted_at.is_(None),
            or_(m.c.suspended_until.is_(None), m.c.suspended_until <= self.scope.now),
        )
        rows = self._rows(able if of is None else able.where(m.c.id.in_(of)))
        return {member: username for member, username in rows}

    def _rows(self, statement: Select[Any]) -> Iterator[Any]:
        """The rows, fetched many at a time: one by one they cost as much again."""
        result = self.community.conn.execute(statement.execution_options(yield_per=_CHUNK))
        return chain.from_iterable(result.partitions())


def evidence_of(community: Community, expert: Expert, areas: Areas, limit: int = 3) -> list[tuple[str, str]]:
    """(contribution id, thread title) of what speaks most for somebody: accepted, then liked, then recent;
    one of each thread."""
    scope = Scope(expert.member.site, community.sites[expert.member.site].family, micros(community.now))
    w, t = words(scope), threads
    joined, area = with_areas(scope, areas, w)
    accepted = case((t.c.solved_by == w.c.id, 1), else_=0)
    rows = community.conn.execute(
        select(w.c.id, t.c.title, t.c.id.label("thread"))
        .select_from(joined)
        .where(open_threads(scope), is_answer(scope, w, counted(community, scope)))
        .where(area == expert.area, w.c.author == expert.member.id)
        .order_by(accepted.desc(), func.coalesce(w.c.likes, 0).desc(), w.c.created_at.desc())
        .limit(limit * 5)
    )
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        found.setdefault(row.thread, (row.id, row.title))
    return list(found.values())[:limit]


def flat(ranking: dict[str, list[Expert]]) -> Iterator[Expert]:
    for experts in ranking.values():
        yield from experts
