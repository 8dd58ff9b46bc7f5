"""What the constitution lets through of all that a policy found: the longest wait first, the rest held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from operator import itemgetter

from sqlalchemy import Connection, func, select

from ..config.errors import ConnectorError
from ..connectors.records import Ref
from ..sync.outbox import Key, State, proposed_items, spent
from ..sync.store.tables import proposals
from .constitution import Law
from .kind import Candidate, Crowd, Held, Kind
from .standing import Ask, Standings

_FIRST, _MORE = 50, 500
"""Candidates of a crowd that are made together: at first, and where those were not enough."""

_Turn = tuple[int, str, str, str, int, Candidate | Crowd]
"""Since when it waits; site, kind and id of the item; a number that keeps what is about one item in the order
in which it was found; and the candidate, or the crowd that the item is one of."""


@dataclass(slots=True)
class Found:
    """What a policy found on all its sites."""

    candidates: list[Candidate] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)

    def keys(self, conn: Connection, policy: str) -> list[Key]:
        """The keys of everything found that a proposal may have: of the candidates in crowds, those about
        items for which the policy has proposed something before."""
        keys = [each.key for each in self.candidates]
        if self.crowds:
            before = proposed_items(conn, policy)
            keys += [key for crowd in self.crowds for key in crowd.keys(before)]
        return keys


@dataclass(slots=True)
class Chosen:
    """`failed`: sites that could not be asked about their pages."""

    through: list[Candidate] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    failed: dict[str, ConnectorError] = field(default_factory=dict)


def choose(
    conn: Connection, kind: Kind, found: Found, looked_at: int, law: Law, ask: Ask | None, now: datetime
) -> Chosen:
    """What of a policy is let through, in the order of waiting.

    `looked_at`: the number of items of which the limit `share` is a share. Where the law is asked about an
    earlier moment, what is proposed or done today does not count.
    """
    live = law.at is None
    used = spent(conn, kind.policy, found.keys(conn, kind.policy)) if live else {}
    limits = law.text.limits
    most = min(limits.per_policy, max(1, int(limits.share * looked_at)))
    waiting = _waiting(conn, kind.policy) if live else 0
    full = f"the limit of {most} for this policy; the longest wait comes first"
    if waiting:
        full = f"{waiting} of this policy wait already; its limit is {most}"
    turns = _turns(found)
    standings = Standings(kind, [turn[-1] for turn in turns if isinstance(turn[-1], Candidate)], ask)
    line = _Line(kind, law, standings, used, full, max(0, most - waiting), now)
    crowded = _Crowded(turns)
    for place, (since, site, items, id, _, thing) in enumerate(turns):
        if isinstance(thing, Candidate):
            line.comes(thing)
        elif line.room:
            for each in crowded.candidates(place):
                line.comes(each)
        elif (site, items, id) in line.known:
            for step in thing.steps:
                line.too_late((Ref(site, items, id), thing.occasion(since), step))
        else:
            line.chosen.held += [Held(kind.policy, f"{site}:{items}:{id}", "limit", full)] * len(thing.steps)
    line.chosen.failed |= standings.failed
    return line.chosen


def _turns(found: Found) -> list[_Turn]:
    """Everything found, the longest wait first."""
    turns: list[_Turn] = [
        (each.since, each.item.site, each.item.kind, each.item.id, number, each)
        for number, each in enumerate(found.candidates)
    ]
    for number, crowd in enumerate(found.crowds, len(turns)):
        turns += [(since, crowd.site, crowd.items, id, number, crowd) for since, id in crowd.waits]
    turns.sort(key=itemgetter(0, 1, 2, 3, 4))
    return turns


@dataclass(slots=True)
class _Line:
    """The candidates of one policy, as they come one after the other while there is room."""

    kind: Kind
    law: Law
    standings: Standings
    used: dict[Key, str]
    full: str
    room: int
    now: datetime
    chosen: Chosen = field(default_factory=Chosen)
    known: set[tuple[str, str, str]] = field(init=False)
    """Items of which something is done, under way, or turned down: site, kind, id."""

    def __post_init__(self) -> None:
        self.known = {(item.site, item.kind, item.id) for item, _, _ in self.used}

    def comes(self, each: Candidate) -> None:
        if each.key in self.used or self.room == 0:
            self.too_late(each.key)
        elif against := self.law.barred(each, self.now):
            self._hold(each.item, against.by, against.reason)
        elif objection := self.standings.against(each):
            self._hold(each.item, *objection)
        else:
            self.room -= 1
            if each.prepare is not None:
                each.prepare()
            self.chosen.through.append(each)

    def too_late(self, key: Key) -> None:
        """There is no room, or it was proposed before. Keys that wait to become true anew are reported; what
        is done or under way is no news."""
        why = self.used.get(key)
        if why is None:
            self._hold(key[0], "limit", self.full)
        elif "true ever since" in why:
            self._hold(key[0], "occasion", why)

    def _hold(self, item: Ref, by: str, reason: str) -> None:
        self.chosen.held.append(self.kind.held(item, by, reason))


class _Crowded:
    """Makes the candidates of crowds whose turn it is, and with them those of the next turns."""

    def __init__(self, turns: Sequence[_Turn]) -> None:
        self._turns = turns
        self._made: dict[tuple[int, str], list[Candidate]] = {}
        self._many = _FIRST

    def candidates(self, place: int) -> list[Candidate]:
        """Those of the item whose turn it is."""
        _, _, _, id, number, crowd = self._turns[place]
        if (number, id) not in self._made and isinstance(crowd, Crowd):
            ids = list(islice(self._next(place, number), self._many))
            self._many = _MORE
            self._made |= {(number, each): [] for each in ids}
            for candidate in crowd.make(ids):
                self._made[number, candidate.item.id].append(candidate)
        return self._made.pop((number, id))

    def _next(self, place: int, number: int) -> Iterator[str]:
        """The items of one crowd from a turn on."""
        for at in range(place, len(self._turns)):
            if self._turns[at][4] == number:
                yield self._turns[at][3]


def _waiting(conn: Connection, policy: str) -> int:
    """How many proposals of a policy nobody has decided on, or carried out, yet: a queue that nobody
    works through must not grow at every run."""
    query = select(func.count()).where(
        proposals.c.policy == policy, proposals.c.state.in_((State.PROPOSED, State.APPROVED))
    )
    return conn.execute(query).scalar_one()
