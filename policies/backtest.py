"""Policies over the mirrored past: what they would have done, and how that would have turned out.

The same code decides as for today, at one past moment after the other; several settings of one policy share
what is computed at each moment. How it would have turned out is judged by what then really happened
(`outcomes.py`); what cannot be known of the past is named as assumed, and limits, budgets, opt-outs and the
moderators' own verdicts are left out of account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ..config.durations import Duration
from ..connectors.records import Ref
from ..sync.outbox import Because
from ..sync.store.states import chunks
from ..sync.store.times import micros
from .builtin.common import SECTIONS
from .builtin.stale import WARN, Stale
from .carrying import Carried
from .holdout import Arms
from .kind import Candidate, Crowd, Kind
from .resting import Resting

if TYPE_CHECKING:
    from .community import Community
    from .engine import Engine

_EXAMPLES = 10
_MANY = 5_000  # of so many and more, it is quicker to ask for all of a crowd
_NEVER = datetime.max.replace(tzinfo=UTC)
_NO_PAST = frozenset({"leave", "revoke", "directory", "tell", SECTIONS})
"""Steps that ask what was done before, or the text of pages as it is today."""

LEFT_OUT = ("limits", "contact budget", "opt-outs", "reviews")
"""What would have held some of it back, and is not taken into account."""

Number = float | int | None


@dataclass(frozen=True, slots=True)
class Acted:
    """One thing that the policy would have done. `grounds`: the reasons, which few of so many are asked for;
    `outcome`: in words; `good` False: better left undone."""

    at: datetime
    item: Ref
    occasion: str
    step: str
    grounds: Sequence[Because] = field(compare=False)
    outcome: str = ""
    good: bool = True

    @property
    def because(self) -> str:
        """The facts and their values, in words."""
        return "; ".join(dict.fromkeys(f"{b.fact} {b.value}" for b in self.grounds))


@dataclass
class Backtest:
    """`settings`: what differs from the policy as it is written; `outcomes`: numbers by name; `assumed`: the
    facts whose past is not known; `arms`: of a welcome with a holdout."""

    policy: str
    start: datetime
    end: datetime
    settings: Mapping[str, str] = field(default_factory=dict)
    steps: int = 0
    actions: list[Acted] = field(default_factory=list)
    outcomes: dict[str, Number] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    arms: Arms | None = None
    _seen: dict[tuple[Ref, str, str], datetime] = field(default_factory=dict)
    _rests: dict[tuple[str, tuple[str, ...]], dict[tuple[int, str], datetime]] = field(default_factory=dict)
    """By site and steps, until when nothing is to be done again of those in crowds."""

    def examples(self, most: int = _EXAMPLES) -> list[Acted]:
        """So many of the actions, those with an outcome before mere warnings: up to half of them such as were
        better left undone, the rest from all over the span."""
        of = [each for each in self.actions if each.outcome] or self.actions
        of = sorted(of, key=lambda each: (each.at, each.item))
        bad = _spread([each for each in of if not each.good], most // 2)
        good = _spread([each for each in of if each.good], most - len(bad))
        return sorted((*bad, *good), key=lambda each: (each.at, each.item))

    def take(self, kind: Kind, candidate: Candidate, moment: datetime) -> None:
        """Do what a candidate calls for, once."""
        step = self._step(kind, candidate, moment)
        key = (candidate.item, candidate.occasion, step)
        if step and key not in self._seen:
            self._seen[key] = moment
            reasons = candidate.because
            self.actions.append(Acted(moment, candidate.item, candidate.occasion, step, reasons))

    def take_many(
        self, kind: Kind, crowd: Crowd, moment: datetime, resting: Resting | None = None
    ) -> None:
        """The same for a crowd, of which many may wait since the step before: nothing new is to be done."""
        rests = self._rests.setdefault((crowd.site, crowd.steps), {})
        due = {wait[1]: wait for wait in crowd.waits if rests.get(wait, moment) <= moment}
        for some in chunks(due) if len(due) < _MANY else [None]:
            for candidate in crowd.make(some):
                if candidate.item.id in due:
                    self.take(kind, candidate, moment)
        again = _NEVER
        if isinstance(kind, Stale) and crowd.steps == (WARN,):
            again = kind.parameters.warn.grace.after(moment)
        for wait in due.values():
            rests[wait] = _NEVER if wait in rests else again
        if resting is not None:
            resting.rest(crowd.site, crowd.items, ((id, micros(rests[wait])) for id, wait in due.items()))

    def _step(self, kind: Kind, candidate: Candidate, moment: datetime) -> str:
        """What would be done now: after a warning and its grace, what the warning announced; '' = nothing."""
        if candidate.step != WARN or not isinstance(kind, Stale):
            return candidate.step
        warned = self._seen.get((candidate.item, candidate.occasion, WARN))
        if warned is None:
            return WARN
        due = kind.parameters.warn.grace.after(warned)
        return str(kind.parameters.then[0]) if moment >= due else ""


def backtest(
    engine: Engine,
    conn: Connection,
    kinds: Sequence[tuple[Mapping[str, str], Kind]],
    start: datetime,
    end: datetime,
    every: Duration,
    now: datetime,
) -> list[Backtest]:
    """Run settings of a policy at `start` and then `every` so often until `end`, all at the same moments.

    `kinds`: what differs, and the policy made with it. Reads only.
    """
    from .outcomes import judge

    results = [
        Backtest(kind.policy, start, end, settings, assumed=_assumed(engine, kind))
        for settings, kind in kinds
    ]
    carried = Carried(conn, start, end)
    resting = [Resting(carried) for _ in results]
    try:
        moment = start
        while moment <= end:
            _step(engine.community(conn, moment, live=False, carried=carried), kinds, results, resting)
            moment = every.after(moment)
    finally:
        carried.close()
    for result, (_, kind) in zip(results, kinds, strict=True):
        judge(engine, conn, kind, result, now)
    return results


def _step(
    community: Community,
    kinds: Sequence[tuple[Mapping[str, str], Kind]],
    results: Sequence[Backtest],
    resting: Sequence[Resting],
) -> None:
    """What the settings of the policy would do at one moment."""
    try:
        for result, (_, kind), done_with in zip(results, kinds, resting, strict=True):
            community.memo.clear()  # what one setting has worked out is not true of the next
            community.resting = done_with
            _look(community, kind, result)
            result.steps += 1
    finally:
        community.close()


def _look(community: Community, kind: Kind, result: Backtest) -> None:
    for site in kind.parameters.on:
        for each in kind.survey(community, site) if community.sites[site].complete else ():
            match each:
                case Candidate(step=step) if step not in _NO_PAST:
                    result.take(kind, each, community.now)
                case Crowd():
                    result.take_many(kind, each, community.now, community.resting)


def _assumed(engine: Engine, kind: Kind) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for site in kind.parameters.on:
        when, unless = kind.conditions(engine.platforms[site].family)
        for atom in (*when.atoms(), *unless.atoms()):
            if atom.use.fact.past == "assumed":
                names[atom.use.name] = None
        if kind.links(site, ""):
            names["links to the page"] = None
    return tuple(names)


def _spread(of: Sequence[Acted], most: int) -> list[Acted]:
    """So many at most, evenly from all of them."""
    stride = max(1, -(-len(of) // most)) if most else 1
    return list(of[::stride][:most])
