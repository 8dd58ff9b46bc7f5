"""How a policy would have turned out in the past, judged by what then really happened."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import singledispatch
from statistics import median, quantiles
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, select

from ..connectors.records import Ref
from ..sync.store.states import chunks
from ..sync.store.tables import contributions, threads
from ..sync.store.times import micros, moment
from .backtest import Acted, Backtest, Number
from .builtin.experts import Experts
from .builtin.stale import WARN, Stale
from .builtin.welcome import Welcome
from .firsts import first_answers
from .holdout import compare
from .kind import Kind
from .sources import Scope, visible

if TYPE_CHECKING:
    from .engine import Engine

FOLLOWED = timedelta(days=90)
"""How long after an action its outcome is looked at, where a kind needs such a span."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the judging of one kind needs."""

    engine: Engine
    conn: Connection
    result: Backtest
    now: datetime

    def scope(self, site: str) -> Scope:
        """All that the mirror knows now."""
        return Scope(site, self.engine.platforms[site].family, micros(self.now))


def judge(engine: Engine, conn: Connection, kind: Kind, result: Backtest, now: datetime) -> None:
    """Fill in the outcomes of a backtest, and of each of its actions."""
    result.outcomes |= _outcomes(kind, Past(engine, conn, result, now))


@singledispatch
def _outcomes(kind: Kind, past: Past) -> dict[str, Number]:
    """Of a kind of which nothing is known but that it acts."""
    result = past.result
    weeks = max((result.end - result.start) / timedelta(weeks=1), 1 / 7)
    by_week = Counter((each.at - result.start) // timedelta(weeks=1) for each in result.actions)
    return {
        "matches": len(result.actions),
        "items": len({each.item for each in result.actions}),
        "matches per week": round(len(result.actions) / weeks, 2),
        "most in one week": max(by_week.values(), default=0),
    }


# --- stale ----------------------------------------------------------------------------------------------


@_outcomes.register
def _(kind: Stale, past: Past) -> dict[str, Number]:
    """What would have been closed, and how much of that somebody wrote in again."""
    result = past.result
    written = _written(past, {each.item for each in result.actions})
    done: dict[tuple[Ref, str], timedelta | None] = {}
    judged = []
    for each in result.actions:
        after = _next(written.get(each.item, ()), each.at)
        if each.step == WARN:
            judged.append(each)
            continue
        done[each.item, each.occasion] = after
        words = "nobody wrote there again" if after is None else f"woke after {_days(after)}"
        judged.append(replace(each, outcome=words, good=after is None))
    result.actions = judged
    steps = Counter(each.step for each in judged)
    delays = [after for after in done.values() if after is not None]
    soon = sum(after <= FOLLOWED for after in delays)
    outcomes: dict[str, Number] = {"due on the first day already": sum(e.at == result.start for e in judged)}
    if kind.parameters.warn is not None:
        outcomes |= {WARN: steps[WARN], "kept open by a reply in the grace": _kept(kind, judged, written)}
    outcomes |= {step: steps[step] for step in kind.parameters.then}
    return outcomes | {
        "revived within 90 days": soon,
        "revived later": len(delays),
        "revived later, %": _percent(len(delays), len(done)),
        "median days until revived": _median([delay / timedelta(days=1) for delay in delays]),
    }


def _kept(kind: Stale, acted: Iterable[Acted], written: Mapping[Ref, list[int]]) -> int:
    kept = 0
    for each in acted:
        if each.step == WARN:
            after = _next(written.get(each.item, ()), each.at)
            kept += after is not None and each.at + after <= kind.parameters.warn.grace.after(each.at)
    return kept


def _written(past: Past, items: Iterable[Ref]) -> dict[Ref, list[int]]:
    """When people wrote in these threads, in order."""
    by_site: dict[str, list[str]] = defaultdict(list)
    for item in items:
        by_site[item.site].append(item.id)
    found: dict[Ref, list[int]] = defaultdict(list)
    c = contributions
    for site, ids in by_site.items():
        for chunk in chunks(sorted(ids)):
            rows = past.conn.execute(
                select(c.c.thread, c.c.created_at)
                .where(visible(past.scope(site)), c.c.thread.in_(chunk))
                .order_by(c.c.created_at)
            )
            for thread, at in rows:
                found[Ref(site, "thread", thread)].append(at)
    return found


def _next(times: list[int] | tuple[int, ...], at: datetime) -> timedelta | None:
    """How long after a moment the next of the times comes."""
    place = bisect_right(times, micros(at))
    return moment(times[place]) - at if place < len(times) else None


# --- welcome --------------------------------------------------------------------------------------------


@_outcomes.register
def _(kind: Welcome, past: Past) -> dict[str, Number]:
    """Newcomers, how many of them people had greeted, and how soon; both arms of a holdout."""
    result = past.result
    joined = answered = in_time = 0
    hours: list[float] = []
    answers: dict[Ref, timedelta] = {}
    for site in kind.parameters.on:
        for who, first, delay in first_answers(past.conn, past.scope(site), result.start, result.end):
            joined += 1
            if delay is not None and delay <= FOLLOWED:
                answered += 1
                in_time += first + delay <= kind.parameters.after.after(first)
                hours.append(delay / timedelta(hours=1))
                answers[who] = delay
    result.actions = [_greeted(each, answers.get(each.item)) for each in result.actions]
    result.arms = compare(past.conn, kind.policy, result.start, result.end, past.now)
    low, middle, high = _quartiles(hours)
    return {
        "newcomers": joined,
        "would be welcomed": len(result.actions),
        "answered by people": answered,
        "answered by people, %": _percent(answered, joined),
        f"answered within {kind.parameters.after}": in_time,
        "hours to the first answer, first quartile": low,
        "hours to the first answer, median": middle,
        "hours to the first answer, third quartile": high,
    }


def _greeted(acted: Acted, delay: timedelta | None) -> Acted:
    words = "nobody answered" if delay is None else f"people answered after {_hours(delay)}"
    return replace(acted, outcome=words)


def _quartiles(hours: list[float]) -> tuple[Number, Number, Number]:
    if len(hours) < 2:
        only = round(hours[0], 1) if hours else None
        return only, only, only
    low, middle, high = quantiles(hours, n=4, method="inclusive")
    return round(low, 1), round(middle, 1), round(high, 1)


# --- experts --------------------------------------------------------------------------------------------


@_outcomes.register
def _(kind: Experts, past: Past) -> dict[str, Number]:
    """Whether those who were named went on answering others."""
    result = past.result
    named: dict[Ref, datetime] = {}
    for each in result.actions:
        named.setdefault(each.item, each.at)
    answers = {who: _answers(past, who, at) for who, at in named.items()}
    result.actions = [
        replace(each, outcome=f"answered others {_times(answers[each.item][0])} in 90 days",
                good=answers[each.item][0] > 0)
        for each in result.actions
    ]  # fmt: skip
    counts = [count for count, _ in answers.values()]
    outcomes: dict[str, Number] = {
        "people named": len(named),
        "who answered others within 90 days": sum(count > 0 for count in counts),
        "who answered others within 90 days, %": _percent(sum(count > 0 for count in counts), len(named)),
        "answers in 90 days, median": _median(counts),
        "answers in 90 days, all": sum(counts),
        "of these accepted": sum(accepted for _, accepted in answers.values()),
    }
    young = sum(at + FOLLOWED > past.now for at in named.values())
    return outcomes | ({"named less than 90 days ago": young} if young else {})


def _answers(past: Past, who: Ref, at: datetime) -> tuple[int, int]:
    """How often somebody wrote in threads that others began within 90 days, and how often to be accepted."""
    c, t = contributions, threads
    rows = past.conn.execute(
        select(c.c.id, t.c.solved_by)
        .join_from(c, t, and_(t.c.site == c.c.site, t.c.id == c.c.thread))
        .where(visible(past.scope(who.site)), c.c.author == who.id, t.c.author != who.id)
        .where(c.c.created_at > micros(at), c.c.created_at <= micros(at + FOLLOWED))
    ).all()
    return len(rows), sum(row.id == row.solved_by for row in rows)


# --- words ----------------------------------------------------------------------------------------------


def _percent(part: int, of: int) -> Number:
    return round(100 * part / of, 1) if of else None


def _median(values: Sequence[float]) -> Number:
    return round(median(values), 1) if values else None


def _days(length: timedelta) -> str:
    return "a day" if length < timedelta(days=2) else f"{length.days} days"


def _hours(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    return f"{hours:.1f} hours" if hours < 48 else f"{length.days} days"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def told(number: Number) -> str:
    """A number for people; – where there is nothing to count."""
    return "–" if number is None else f"{number:g}"
