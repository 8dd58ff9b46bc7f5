"""Who will answer a new topic, from what happened before it only.

A conditional logit model (McFadden 1974): everybody who could answer gets a sum of a few terms, and who
answers is expected in proportion to its exponential. Each term is the logarithm of a share that can be said
in words: of the topics of late that somebody answered; of those in this area, of those most like this one and
of those of this author, each beside that; how long ago and how often they were here; and whether they write
at this time of day. So a sum can be taken apart, and each part has its evidence. See docs/experts.md.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import NamedTuple

from .fading import Fading
from .similar import Similar, Words

GONE = 400.0
"""Days: who wrote nothing for so long is not expected to answer."""
RECENT = 60
"""Days that reasons speak of."""

_SPANS = (14, 180, 365)
_HOURS = 4
_NEAREST, _ALIKE, _AROUND = 10, 60, 100
_LEAST = 1e-6
_MOST = 500
"""Of a large community, so many who answered most of late are looked at, and who answered what is alike."""


class Terms(NamedTuple):
    """The terms of one person's sum, each a natural logarithm."""

    lately: float
    """Share of the topics answered, those of the last 14 days counting most (half-life)."""
    absent: float
    """Days since they last wrote anything."""
    present: float
    """Days on which they wrote, with a half-life of 60 days."""
    hour: float
    """How much of what they wrote was written in the four hours of the day that come now, beside a sixth."""
    area: float
    """Share of the topics answered in the topic's areas within about a year, beside the share of all."""
    nearest: float
    """Share answered of the 10 topics most like it, weighed by likeness, beside the share of all."""
    around: float
    """The same of the nearest 100."""
    alike: float
    """One and the likeness of those among the nearest 60 that they answered, however long ago."""
    author: float
    """Share answered of the author's other topics, beside the share of all."""


COEFFICIENTS = Terms(
    lately=0.685, absent=-0.187, present=0.337, hour=0.198, area=0.252, nearest=0.123, around=0.395,
    alike=0.482, author=0.136,
)  # fmt: skip
"""From the topics of 2016 to 2018 of a public forum, by `python -m benchmarks.ranking --tune`."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What is known of a topic when it is opened. `areas`: its space and its labels, as any keys."""

    id: str
    author: str | None
    areas: tuple[str, ...]
    words: Words


@dataclass(frozen=True, slots=True)
class Likely:
    """One person who may answer. `chance`: of all who may, the share of answers expected of this one.

    `parts`: by how much each term lifts the sum above that of the others who may answer, on average.
    """

    who: str
    chance: float
    parts: Terms


@dataclass(slots=True)
class _Thread:
    author: str | None
    areas: tuple[str, ...]
    at: float
    answers: dict[str, str] = field(default_factory=dict)
    """Who answered, and their first contribution there."""


@dataclass(slots=True)
class _Person:
    """What somebody did. `answered`: when they first wrote in each topic of others, in order of time."""

    last: float = 0.0
    day: int = -1
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    written: int = 0
    answered: list[float] = field(default_factory=list)


class Near(NamedTuple):
    """A topic like the one asked about, when it was opened, and who answered it with what."""

    topic: str
    likeness: float
    at: float
    answers: dict[str, str]


class _Shared(NamedTuple):
    """What everybody answered of some topics, by their weight, and the weight of all of them."""

    by: dict[str, float]
    whole: float

    @classmethod
    def of(cls, topics: Sequence[tuple[dict[str, str], float]]) -> _Shared:
        by: dict[str, float] = {}
        for answers, weight in topics:
            for who in answers:
                by[who] = by.get(who, 0.0) + weight
        return cls(by, sum(weight for _, weight in topics) + _LEAST)

    def beside(self, who: str, share: float) -> float:
        """The logarithm of somebody's share beside what they answer anyway, which counts half as much."""
        expected = 0.5 * self.whole * share
        return math.log((self.by.get(who, 0.0) + expected) / (1.5 * self.whole * share))


class _Nearby(NamedTuple):
    """The topics most like one, in the three ways in which they count."""

    nearest: _Shared
    around: _Shared
    alike: _Shared


class Past:
    """The history of a forum, fed in the order of time with `opened` and `wrote`; times are days since 1970.

    A step costs the same however long the history is; `likely` looks at those who may answer, one by one.
    """

    def __init__(self) -> None:
        self.people: dict[str, _Person] = {}
        self.began: list[float] = []
        self._threads: dict[str, _Thread] = {}
        self._similar = Similar()
        self._answered = {span: Fading(span) for span in _SPANS}
        self._topics = {span: Fading(span) for span in _SPANS}
        self._present = Fading(60)
        self._in_area, self._of_area = Fading(365), Fading(365)
        self._for_author, self._of_author = Fading(180), Fading(180)

    # --- what happened ------------------------------------------------------------------------------------

    def opened(self, topic: Topic, at: float) -> None:
        """Somebody opened a topic."""
        self._threads[topic.id] = _Thread(topic.author, topic.areas, at)
        self.began.append(at)
        for faded in self._topics.values():
            faded.add("", at)
        for area in topic.areas:
            self._of_area.add(area, at)
        self._of_author.add(topic.author, at)
        if topic.words:
            self._similar.add(topic.id, topic.words)

    def wrote(self, who: str, thread: str, contribution: str, at: float) -> None:
        """Somebody wrote. In a thread that was not `opened` it only shows that they are there."""
        person = self.people.setdefault(who, _Person())
        person.last = at
        person.hours[int(at * 24) % 24] += 1
        person.written += 1
        if int(at) != person.day:
            person.day = int(at)
            self._present.add(who, at)
        there = self._threads.get(thread)
        if there is None or who == there.author or who in there.answers:
            return
        there.answers[who] = contribution
        person.answered.append(at)
        for faded in self._answered.values():
            faded.add(who, at)
        for area in there.areas:
            self._in_area.add((who, area), at)
        self._for_author.add((who, there.author), at)

    # --- who may answer -----------------------------------------------------------------------------------

    def likely(self, topic: Topic, now: float, barred: Container[str] = ()) -> list[Likely]:
        """Everybody who may answer, most likely first; `barred` people are as if they were not there."""
        terms = {who: each for who, each in self.terms(topic, now).items() if who not in barred}
        if not terms:
            return []
        sums = {who: sum(map(mul, COEFFICIENTS, each)) for who, each in terms.items()}
        most = max(sums.values())
        shares = {who: math.exp(value - most) for who, value in sums.items()}
        whole = sum(shares.values())
        means = [sum(column) / len(terms) for column in zip(*terms.values(), strict=True)]
        order = sorted(terms, key=lambda who: (-sums[who], who))
        return [Likely(who, shares[who] / whole, _parts(terms[who], means)) for who in order]

    def terms(self, topic: Topic, now: float) -> dict[str, Terms]:
        """The terms of everybody who may answer, in no order."""
        near = self._near(topic, now)
        return {who: self._terms_of(who, topic, now, near) for who in self._candidates(topic, now, near)}

    def nearest(self, topic: Topic) -> list[Near]:
        """The topics most like it, best first."""
        found = self._similar.like(topic.words, _AROUND + 1)
        known = [(id_, likeness, self._threads[id_]) for id_, likeness in found if id_ != topic.id]
        return [Near(id_, likeness, there.at, there.answers) for id_, likeness, there in known[:_AROUND]]

    def _near(self, topic: Topic, now: float) -> _Nearby:
        found = self.nearest(topic)
        faded = [(each.answers, each.likeness * 0.5 ** ((now - each.at) / 365)) for each in found]
        return _Nearby(
            _Shared.of(faded[:_NEAREST]),
            _Shared.of(faded),
            _Shared.of([(each.answers, each.likeness) for each in found[:_ALIKE]]),
        )

    def _candidates(self, topic: Topic, now: float, near: _Nearby) -> list[str]:
        able = [
            who
            for who, person in self.people.items()
            if person.answered and who != topic.author and now - person.last < GONE
        ]
        if len(able) <= _MOST:
            return able
        busy = self._answered[180]
        kept = set(heapq.nlargest(_MOST, able, key=lambda who: (busy.value(who, now), who)))
        return [who for who in able if who in kept or who in near.nearest.by]

    def _terms_of(self, who: str, topic: Topic, now: float, near: _Nearby) -> Terms:
        person = self.people[who]
        share = {span: self._share(span, who, now) for span in _SPANS}
        author = self._for_author.value((who, topic.author), now) + 2 * share[180]
        theirs = self._of_author.value(topic.author, now) + 2
        there, there_all = 3 * share[365], 3.0
        for area in topic.areas:
            there += self._in_area.value((who, area), now)
            there_all += self._of_area.value(area, now)
        hour = int(now * 24)
        now_ish = sum(person.hours[(hour + later) % 24] for later in range(_HOURS))
        return Terms(
            lately=math.log(share[14]),
            absent=math.log(now - person.last + 0.05),
            present=math.log(self._present.value(who, now) + 0.1),
            hour=math.log((now_ish + _HOURS) / (person.written + 24) * 24 / _HOURS),
            area=math.log(there / there_all / share[365]),
            nearest=near.nearest.beside(who, share[365]),
            around=near.around.beside(who, share[365]),
            alike=math.log1p(near.alike.by.get(who, 0.0)),
            author=math.log(author / theirs / share[180]),
        )

    def _share(self, span: int, who: str, now: float) -> float:
        """Of the topics of late the share that somebody answered, a little more than nothing for nobody."""
        return (self._answered[span].value(who, now) + 0.3) / (self._topics[span].value("", now) + 3)

    # --- what can be said of it ---------------------------------------------------------------------------

    def answered_since(self, who: str, since: float) -> int:
        """How many topics somebody answered since then."""
        times = self.people[who].answered
        return len(times) - bisect_left(times, since)

    def opened_since(self, since: float) -> int:
        return len(self.began) - bisect_left(self.began, since)

    def answers_of(self, who: str, wanted: Callable[[str | None, tuple[str, ...]], bool]) -> list[str]:
        """Somebody's first contributions to the topics (author, areas) that are wanted, newest first."""
        found = [
            (there.at, there.answers[who])
            for there in self._threads.values()
            if who in there.answers and wanted(there.author, there.areas)
        ]
        return [contribution for _, contribution in sorted(found, reverse=True)]


def _parts(terms: Terms, means: list[float]) -> Terms:
    return Terms(*(c * (value - mean) for c, value, mean in zip(COEFFICIENTS, terms, means, strict=True)))

