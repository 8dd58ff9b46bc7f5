"""Who is in a generated community: accounts of both sides, and who speaks up in which area."""

from __future__ import annotations

from bisect import bisect, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from random import Random
from typing import TypeVar

from .areas import AREAS
from .manners import FIRST_NAMES, LAST_NAMES
from .schema import micros

T = TypeVar("T")
HOUR = 3_600_000_000
DAY = 24 * HOUR
FORUM_SHARE = 0.75
"""Of all accounts; the others are on the wiki, most of them of people who are on the forum as well."""
_WEIGHT = {"admin": 3.0, "moderator": 5.0, "greeter": 5.0, "expert": 12.0, "regular": 2.0, "occasional": 0.3}
_TRUST = {"admin": 4, "moderator": 4, "greeter": 3, "expert": 3, "regular": 2, "occasional": 1, "bot": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large a community to generate, and when its history ends."""

    now: datetime
    seed: int = 1
    members: int = 120
    threads: int = 400
    contributions: int = 3000
    languages: Sequence[str] = ("en", "it")
    days: int = 1100
    wiki: float = 0.25
    """Share of the threads and contributions that are pages and revisions."""

    @property
    def end(self) -> int:
        return micros(self.now)

    @property
    def begin(self) -> int:
        return self.end - self.days * DAY


@dataclass(slots=True)
class Person:
    """An account; `joined` in microseconds."""

    role: str
    joined: int
    language: str
    area: int
    username: str = ""
    name: str = ""
    last_seen: int = 0
    accepts: bool = True

    @property
    def trust_level(self) -> int:
        return _TRUST.get(self.role, 0)


@dataclass
class Pool:
    """Members in the order of joining, to draw from those who were there at a time."""

    joined: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    _sums: list[float] = field(default_factory=list)

    def add(self, id: int, person: Person, weight: float) -> None:
        self.joined.append(person.joined)
        self.ids.append(id)
        self.weights.append(weight)

    def draw(self, at: int, rng: Random) -> int | None:
        """A member there at that time, by weight."""
        if not self._sums:
            self._sums = list(accumulate(self.weights))
        there = bisect_right(self.joined, at)
        if not there:
            return None
        return self.ids[bisect(self._sums, rng.random() * self._sums[there - 1], 0, there - 1)]

    def draw_recent(self, at: int, rng: Random) -> int | None:
        """A member there at that time, the later joined the likelier."""
        there = bisect_right(self.joined, at)
        if not there:
            return None
        back = int(rng.expovariate(4 / there))
        return self.ids[max(0, there - 1 - back)]


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of them; half the time of `Random.choice`, and as even as a community needs."""
    return options[int(rng.random() * len(options))]


class People:
    """The accounts of the forum and of the wiki; the id of an account is its place in the list plus one."""

    def __init__(self, sizes: Sizes, rng: Random) -> None:
        self._rng = rng
        self._sizes = sizes
        self._taken: set[str] = set()
        forum = max(20, round(sizes.members * FORUM_SHARE))
        self.forum = self._forum(forum)
        self.wiki = self._wiki(max(6, sizes.members - forum))
        self.answerers = {(a, lang): Pool() for a in range(len(AREAS)) for lang in sizes.languages}
        self.askers = {(a, lang): Pool() for a in range(len(AREAS)) for lang in sizes.languages}
        self.editors, self.greeters, self.staff = Pool(), Pool(), Pool()
        self.newcomers = [i for i, p in enumerate(self.forum, 1) if p.role == "newcomer"]
        self._fill_pools()

    def _forum(self, size: int) -> list[Person]:
        people = [self._person(role, early) for role, early in self._roles(size)]
        for i, expert in enumerate(p for p in people if p.role == "expert"):
            languages = self._sizes.languages
            expert.area = i % len(AREAS)
            expert.language = languages[i // len(AREAS) % len(languages)]
        ours = self._account("ordito", "Ordito", self._sizes.end - 40 * DAY)
        links = self._account("linkbot", "Link checker", self._sizes.begin + 200 * DAY)
        people = sorted([*people, ours, links], key=lambda p: p.joined)
        for person in people:
            if person.role != "bot":
                self._name(person)
        return people

    def _roles(self, size: int) -> list[tuple[str, float]]:
        """Roles, and the part of the history in which they joined."""
        areas, languages = len(AREAS), len(self._sizes.languages)
        experts = areas * languages * max(1, min(size // 300, 40) + 1)
        newcomers = min(12, size // 7) + size // 300
        fixed = [("admin", 0.0), ("moderator", 0.0), ("moderator", 0.01)]
        fixed += [("greeter", 0.1)] * min(60, 3 + size // 400)
        fixed += [("expert", 0.25 if i >= areas * languages else 0.0) for i in range(experts)]
        fixed += [("newcomer", -1.0)] * newcomers
        left = max(0, size - 2 - len(fixed))
        suspended = max(1, left // 60)
        regular, occasional = left // 6, left * 2 // 5
        fixed += [("suspended", 1.0)] * min(suspended, left)
        fixed += [("regular", 1.0)] * regular + [("occasional", 1.0)] * occasional
        return fixed + [("lurker", 1.0)] * max(0, left - suspended - regular - occasional)

    def _person(self, role: str, early: float) -> Person:
        rng, sizes = self._rng, self._sizes
        span = sizes.end - sizes.begin
        if early < 0:
            joined = sizes.end - int((0.05 + 0.95 * rng.random()) * 13 * DAY)
        elif early == 0:
            joined = sizes.begin + rng.randrange(5 * DAY)
        else:
            latest = min(early, 1 - 16 * DAY / span)
            joined = sizes.begin + int(span * latest * rng.random() ** 0.7)
        language = sizes.languages[0] if rng.random() < 0.65 else pick(rng, sizes.languages)
        person = Person(role, joined, language, rng.randrange(len(AREAS)), accepts=rng.random() > 0.03)
        person.last_seen = self._last_seen(person)
        return person

    def _last_seen(self, person: Person) -> int:
        rng, end = self._rng, self._sizes.end
        if person.role in ("lurker", "occasional", "suspended"):
            return person.joined + int((end - person.joined) * rng.random())
        return max(person.joined, end - int(rng.expovariate(1 / 6) * DAY))

    def _account(self, username: str, name: str, joined: int) -> Person:
        self._taken.add(username)
        return Person("bot", joined, self._sizes.languages[0], 0, username, name, joined)

    def _name(self, person: Person) -> None:
        first, last = (
            pick(self._rng, FIRST_NAMES[person.language]),
            pick(self._rng, LAST_NAMES[person.language]),
        )
        person.name = f"{first} {last}"
        base = pick(
            self._rng, (f"{first}_{last}", f"{first}{last[0]}", f"{first}.{last}", last + first[:2])
        ).lower()
        person.username = self._free(base)

    def _free(self, base: str) -> str:
        name, n = base, 1
        while name.lower() in self._taken:
            n = n * 2 + self._rng.randrange(n + 1)
            name = f"{base}{n}"
        self._taken.add(name.lower())
        return name

    def _wiki(self, size: int) -> list[Person]:
        rng = self._rng
        ours = Person("bot", self._sizes.end - 40 * DAY, self._sizes.languages[0], 0, "Ordito", "Ordito")
        lively = [p for p in self.forum if p.role not in ("bot", "lurker", "suspended", "newcomer")]
        both = rng.sample(lively, min(len(lively), size * 7 // 10))
        both = sorted(
            {id(p): p for p in [*[p for p in lively if p.role == "admin"], *both]}.values(),
            key=lambda p: p.joined,
        )
        people = [self._second_account(p) for p in both]
        while len(people) < size - 1:
            person = self._person(pick(rng, ("regular", "occasional", "lurker")), 1.0)
            self._name(person)
            people.append(person)
        for person in people:
            person.username = person.username[:1].upper() + person.username[1:].replace("_", " ")
        return sorted([*people, ours], key=lambda p: p.joined)

    def _second_account(self, person: Person) -> Person:
        """The same person on the wiki, half of them under the same name."""
        admin = person.role == "admin"
        late = 0.0 if admin else 0.5 * self._rng.random()
        joined = person.joined + int((self._sizes.end - 15 * DAY - person.joined) * late)
        same = admin or self._rng.random() < 0.5
        username = (
            person.username
            if same
            else self._free(person.username[:4] + pick(self._rng, ("wiki", "42", "ette")))
        )
        return Person(person.role, joined, person.language, person.area, username, person.name, joined)

    def _fill_pools(self) -> None:
        for id, person in enumerate(self.forum, 1):
            key = (person.area, person.language)
            weight = _WEIGHT.get(person.role, 0.0)
            if weight:
                self.answerers[key].add(id, person, weight * self._rng.uniform(0.4, 1.6))
            if person.role in ("regular", "occasional", "greeter", "suspended"):
                self.askers[key].add(id, person, 1.0)
            if person.role in ("admin", "moderator"):
                self.staff.add(id, person, 1.0)
            if person.role == "greeter":
                self.greeters.add(id, person, 1.0)
        for id, person in enumerate(self.wiki, 1):
            if person.role in _WEIGHT:
                self.editors.add(id, person, _WEIGHT[person.role])

    def ids(self, side: str, *roles: str) -> list[int]:
        people = self.forum if side == "forum" else self.wiki
        return [id for id, person in enumerate(people, 1) if person.role in roles]
