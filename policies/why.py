"""Why a policy proposes something for an item, or why not: every condition, and all else that counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ..config.errors import ConnectorError, NotFound
from ..connectors.records import Kind as RecordKind
from ..connectors.records import Ref
from ..sync.outbox import spent
from .area_tests import about
from .comparisons import AgeIs
from .conditions import Atom, matches, signed
from .constitution import Law
from .engine import Engine
from .kind import Candidate, Held, Kind
from .standing import Standings
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
        asked = [*signed(when), *signed(unless, negated=True)]
        found: list[Candidate | Held] = []
        for site in kind.sites_of(item):
            if community.sites[site].complete:
                found += [*kind.propose(community, site), *kind.reports(community, site)]
        candidates = [each for each in found if isinstance(each, Candidate) and each.item == item]
        held = [each.reason for each in found if isinstance(each, Held) and each.item == str(item)]
        if item.kind not in (RecordKind.MEMBER, RecordKind.THREAD, RecordKind.CONTRIBUTION):
            if kind.subject == "thread":  # a title that no page of the mirror has
                return None
            standing = [*held, *_standing(engine, conn, kind, candidates, now)]
            return Why(kind.policy, item, bool(candidates), tuple(_reasons(candidates)), tuple(standing))
        uses = list(dict.fromkeys(atom.use for atom, _ in asked))
        values = community.values(kind.subject, item, uses) if item.kind == kind.subject else None
        if values is None:
            return None
        reasons = [_reason(atom, negated, values[atom.use.name], now) for atom, negated in asked]
        if not any(when.atoms()):  # a kind that asks by other means than a condition
            reasons = [*_reasons(candidates), *reasons]
        meant = bool(candidates) or (any(when.atoms()) and matches(when, unless, values, now))
        standing = [*held, *_standing(engine, conn, kind, candidates, now)]
        if not view.complete:
            standing.append(f"the first sync of {item.site} is not finished")
        if item.site not in kind.parameters.on:
            standing.append(f"the policy does not look after {item.site}")
        return Why(kind.policy, item, meant, tuple(reasons), tuple(dict.fromkeys(standing)))
    finally:
        community.close()


def _reasons(candidates: list[Candidate]) -> list[Reason]:
    because = candidates[0].because if candidates else ()
    return [Reason(f"{b.fact} {b.condition}", b.value, True) for b in because]


def _reason(atom: Atom, negated: bool, value: object, now: datetime) -> Reason:
    """One test as it counts: under a `not`, and in an exception, it is good if it does not hold."""
    holds = None if value is None else atom.test.holds(value, now)
    words, found = f"{atom.use.name}: {atom.test}", shown(atom.use.fact, about(atom.test, value), now)
    if not negated:
        return Reason(words, found, holds, None if value is None else atom.test.next(value, now))
    over = atom.test.until(value, now) if value is not None and isinstance(atom.test, AgeIs) else None
    return Reason(f"not {words}", found, None if holds is None else not holds, over)


def _standing(
    engine: Engine, conn: Connection, kind: Kind, candidates: list[Candidate], now: datetime
) -> list[str]:
    """What would hold the candidates back: done before, the constitution, or what only the site can say."""
    law = Law(conn, engine.settings.constitution)
    pages = Standings(kind, candidates, engine.standing)
    used = spent(conn, kind.policy, [each.key for each in candidates])
    reasons = [f"{key[2]}: {why}" for key, why in used.items()]
    for each in candidates:
        if each.key in used:
            continue
        if against := law.barred(each, now):
            until = f", until {against.until:%Y-%m-%d %H:%M} UTC" if against.until else ""
            reasons.append(f"{each.step}: {against.reason}{until}")
        elif objection := pages.against(each) or _takes_none(engine, each):
            reasons.append(f"{each.step}: {objection[1]}")
    if kind.parameters.mode.within(law.text.mode).level == "off":
        reasons.append("the policy is off")
    return reasons


def _takes_none(engine: Engine, candidate: Candidate) -> tuple[str, str] | None:
    """By what and why somebody cannot be written to, as a plan finds when it asks for their profile."""
    if candidate.addressee is None:
        return None
    try:
        profile = engine.profile(candidate.addressee)
    except NotFound:
        return "gone", "the account is not there"
    except ConnectorError as error:
        return "unreachable", error.message
    return None if profile.accepts else ("opt-out", profile.reason)
