"""Why a policy proposes something for an item, or why not: every condition, and all else that counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ..connectors.records import Kind as RecordKind
from ..connectors.records import Ref
from ..sync.outbox import spent
from ..sync.store.times import moment
from .comparisons import AgeIs
from .conditions import Atom, matches
from .constitution import Law
from .engine import Engine
from .kind import Candidate, Held, Kind
from .wording import shown


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition. `holds` None: unknown. `next`: when time alone will make it hold."""

    condition: str
    value: str
    holds: bool | None
    next: datetime | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """`matches`: whether the policy means the item; `held_by`: what stands against it all the same."""

    policy: str
    item: Ref
    matches: bool
    conditions: tuple[Reason, ...]
    held_by: tuple[str, ...]


def explain(engine: Engine, conn: Connection, kind: Kind, item: Ref, now: datetime) -> Why | None:
    """None if the mirror has no such item."""
    community = engine.community(conn, now, only=item)
    try:
        view = community.sites[item.site]
        when, unless = kind.conditions(view.family)
        atoms = [*when.atoms(), *unless.atoms()]
        found: list[Candidate | Held] = []
        for site in kind.parameters.on:
            if community.sites[site].complete:
                found.extend(kind.propose(community, site))
        candidates = [each for each in found if isinstance(each, Candidate) and each.item == item]
        held = [each.reason for each in found if isinstance(each, Held) and each.item == str(item)]
        if item.kind not in (RecordKind.MEMBER, RecordKind.THREAD, RecordKind.CONTRIBUTION):
            return _of_candidates(kind, item, candidates, held)
        uses = list(dict.fromkeys(atom.use for atom in atoms))
        values = community.values(kind.subject, item, uses) if item.kind == kind.subject else None
        if values is None:
            return None
        excepted = {id(atom) for atom in unless.atoms()}
        reasons = [_reason(atom, values.get(atom.use.name), now, id(atom) in excepted) for atom in atoms]
        reasons += [
            Reason(f"{b.fact} {b.condition}", b.value, True)
            for b in (candidates[0].because if candidates and not atoms else ())
        ]
        meant = bool(candidates) or (bool(when.atoms()) and matches(when, unless, values, now))
        standing = [*held, *_standing(engine, conn, kind, candidates, now)]
        if not view.complete:
            standing.append(f"the first sync of {item.site} is not finished")
        if item.site not in kind.parameters.on:
            standing.append(f"the policy does not look after {item.site}")
        return Why(kind.policy, item, meant, tuple(reasons), tuple(dict.fromkeys(standing)))
    finally:
        community.close()


def _of_candidates(kind: Kind, item: Ref, candidates: list[Candidate], held: list[str]) -> Why:
    because = candidates[0].because if candidates else ()
    reasons = tuple(Reason(f"{b.fact} {b.condition}", b.value, True) for b in because)
    return Why(kind.policy, item, bool(candidates), reasons, tuple(held))


def _reason(atom: Atom, value: object, now: datetime, excepted: bool) -> Reason:
    holds = None if value is None else atom.test.holds(value, now)
    later = atom.test.next(value, now) if value is not None else None
    words = f"{atom.use.name}: {atom.test}"
    shown_value = shown(atom.use.fact, value, now)
    if excepted:
        good = None if holds is None else not holds
        return Reason(f"not {words}", shown_value, good, _until(atom, value, now) if holds else None)
    return Reason(words, shown_value, holds, later)


def _until(atom: Atom, value: object, now: datetime) -> datetime | None:
    """When an exception that is about a young age ends."""
    if isinstance(atom.test, AgeIs) and atom.test.operator[0] == "<" and isinstance(value, int):
        return atom.test.duration.after(moment(value))
    return None


def _standing(
    engine: Engine, conn: Connection, kind: Kind, candidates: list[Candidate], now: datetime
) -> list[str]:
    """What would hold the candidates back: done before, or the constitution."""
    law = Law(conn, engine.settings.constitution)
    used = spent(conn, kind.policy, [each.key for each in candidates])
    reasons = [f"{key[2]}: {why}" for key, why in used.items()]
    for each in candidates:
        against = law.barred(each, now)
        if each.key not in used and against is not None:
            until = f", until {against.until:%Y-%m-%d %H:%M} UTC" if against.until else ""
            reasons.append(f"{each.step}: {against.reason}{until}")
    if kind.parameters.mode.within(law.text.mode).level == "off":
        reasons.append("the policy is off")
    return reasons
