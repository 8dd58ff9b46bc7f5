"""A policy over the mirrored past: what it would have done, and how that would have turned out.

The same code decides as for today, at one past moment after the other. What each kind would have achieved is
judged by what then really happened; what cannot be known of the past is named as assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, func, select

from ..config.durations import Duration
from ..connectors.records import Ref
from ..sync.store.tables import contributions, threads
from ..sync.store.times import micros
from .builtin.experts import Experts
from .builtin.stale import WARN, Stale
from .builtin.welcome import Welcome
from .kind import Candidate, Kind
from .sources import Scope, visible

if TYPE_CHECKING:
    from .community import Community
    from .engine import Engine

FOLLOWED = timedelta(days=90)
"""How long after an action its outcome is looked at, where a kind needs such a span."""
_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Acted:
    """One thing that the policy would have done."""

    at: datetime
    item: Ref
    step: str
    because: str


@dataclass
class Backtest:
    """`outcomes` are numbers by name; `assumed` the facts whose past is not known."""

    policy: str
    start: datetime
    end: datetime
    steps: int = 0
    actions: list[Acted] = field(default_factory=list)
    outcomes: dict[str, float | int | None] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    @property
    def examples(self) -> list[Acted]:
        """Some of the actions, evenly from all of them."""
        stride = max(1, len(self.actions) // _EXAMPLES)
        return self.actions[::stride][:_EXAMPLES]


def backtest(
    engine: Engine, conn: Connection, kind: Kind, start: datetime, end: datetime, every: Duration
) -> Backtest:
    """Run a policy at `start` and then `every` so often until `end`. Reads only."""
    result = Backtest(kind.policy, start, end, assumed=_assumed(engine, kind))
    seen: dict[tuple[Ref, str, str], datetime] = {}
    moment = start
    last = engine.community(conn, end, live=False)
    try:
        while moment <= end:
            for candidate in _candidates(engine.community(conn, moment, live=False, later=last), kind):
                step = _step(kind, candidate, seen, moment)
                if step and (key := (candidate.item, candidate.occasion, step)) not in seen:
                    seen[key] = moment
                    result.actions.append(Acted(moment, candidate.item, step, _words(candidate)))
            result.steps += 1
            moment = every.after(moment)
    finally:
        last.close()
    result.outcomes = _outcomes(engine, conn, kind, result)
    return result


def _candidates(community: Community, kind: Kind) -> Iterator[Candidate]:
    try:
        for site in kind.parameters.on:
            if community.sites[site].complete:
                for each in kind.propose(community, site):
                    if isinstance(each, Candidate) and each.step not in ("leave", "revoke", "directory"):
                        yield each
    finally:
        community.close()


def _step(
    kind: Kind, candidate: Candidate, seen: dict[tuple[Ref, str, str], datetime], moment: datetime
) -> str:
    """What would be done now: after a warning and its grace, what the warning announced; '' = nothing."""
    if candidate.step != WARN or not isinstance(kind, Stale):
        return candidate.step
    warned = seen.get((candidate.item, candidate.occasion, WARN))
    if warned is None:
        return WARN
    due = kind.parameters.warn.grace.after(warned)
    return str(kind.parameters.then[0]) if moment >= due else ""


def _words(candidate: Candidate) -> str:
    return "; ".join(f"{b.fact} {b.value}" for b in candidate.because)


def _assumed(engine: Engine, kind: Kind) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for site in kind.parameters.on:
        when, unless = kind.conditions(engine.platforms[site].family)
        for atom in (*when.atoms(), *unless.atoms()):
            if atom.use.fact.past == "assumed":
                names[atom.use.name] = None
    return tuple(names)


def _outcomes(
    engine: Engine, conn: Connection, kind: Kind, result: Backtest
) -> dict[str, float | int | None]:
    steps = Counter(acted.step for acted in result.actions)
    outcomes: dict[str, float | int | None] = dict(sorted(steps.items()))
    if isinstance(kind, Stale):
        done = [acted for acted in result.actions if acted.step in kind.parameters.then]
        outcomes["revived later"] = sum(_written_after(conn, acted) for acted in done)
    elif isinstance(kind, Welcome):
        outcomes |= _newcomers(engine, conn, kind, result)
    elif isinstance(kind, Experts):
        named = {acted.item: acted.at for acted in reversed(result.actions)}
        outcomes["people named"] = len(named)
        outcomes["who answered others within 90 days"] = sum(
            _answered_after(conn, who, at) for who, at in named.items()
        )
    else:
        weeks = max((result.end - result.start) / timedelta(weeks=1), 1 / 7)
        outcomes["matches per week"] = round(len(result.actions) / weeks, 2)
    return outcomes


def _written_after(conn: Connection, acted: Acted) -> bool:
    c = contributions
    query = select(c.c.id).where(
        c.c.site == acted.item.site,
        c.c.thread == acted.item.id,
        c.c.created_at > micros(acted.at),
        c.c.kind == "regular",
        c.c.deleted_at.is_(None),
    )
    return conn.execute(query.limit(1)).first() is not None


def _answered_after(conn: Connection, who: Ref, at: datetime) -> bool:
    c, t = contributions, threads
    query = (
        select(c.c.id)
        .join_from(c, t, and_(t.c.site == c.c.site, t.c.id == c.c.thread))
        .where(c.c.site == who.site, c.c.author == who.id, t.c.author != who.id)
        .where(c.c.created_at > micros(at), c.c.created_at <= micros(at + FOLLOWED))
    )
    return conn.execute(query.limit(1)).first() is not None


def _newcomers(
    engine: Engine, conn: Connection, kind: Welcome, result: Backtest
) -> dict[str, float | int | None]:
    """Everybody who first wrote in the span: how many people greeted, and after how many hours."""
    joined, greeted, hours = 0, 0, []
    for site in kind.parameters.on:
        family = engine.platforms[site].family
        for delay in _first_replies(conn, site, family, result):
            joined += 1
            if delay is not None:
                greeted += 1
                hours.append(delay / timedelta(hours=1))
    return {
        "newcomers": joined,
        "answered by people": greeted,
        "median hours to the first answer": round(median(hours), 1) if hours else None,
    }


def _first_replies(
    conn: Connection, site: str, family: str, result: Backtest
) -> Iterator[timedelta | None]:
    """For each newcomer of the span, how long it took until somebody else wrote in the same thread; None if
    nobody did within 90 days after the span."""
    scope = Scope(site, family, micros(result.end + FOLLOWED))
    c = contributions
    first = (
        select(c.c.author, func.min(c.c.created_at).label("at"))
        .where(visible(scope), c.c.author.is_not(None))
        .group_by(c.c.author)
        .having(func.min(c.c.created_at).between(micros(result.start), micros(result.end)))
        .subquery("first")
    )
    mine, later = contributions.alias("mine"), contributions.alias("later")
    answer = (
        select(func.min(later.c.created_at))
        .where(visible(scope, later), later.c.thread == mine.c.thread)
        .where(later.c.author != first.c.author, later.c.created_at > first.c.at)
        .scalar_subquery()
    )
    rows = conn.execute(
        select(first.c.at, func.min(answer))
        .join_from(first, mine, and_(mine.c.author == first.c.author, mine.c.created_at == first.c.at))
        .where(mine.c.site == site)
        .group_by(first.c.author, first.c.at)
    )
    for at, answered in rows:
        yield timedelta(microseconds=answered - at) if answered is not None else None
