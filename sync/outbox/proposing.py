"""From drafts to proposals: what is new is stored, what was decided or done before is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, select, update

from ...config.durations import Duration
from ...connectors.records import Ref
from ..inserts import insert_new
from ..store.tables import proposals, reviews
from ..store.times import micros, moment
from .proposals import Draft, Proposal, action_text, because_text, from_row, get, move
from .states import DROPPED, REARMING, State

_CHUNK = 400
"""Items asked for in one statement; SQLite takes 999 parameters in its oldest builds."""

_FEW = 4000
"""Where more items are asked about, all proposals of the policy are looked through, once."""

Key = tuple[Ref, str, str]
"""Item, occasion and step: the part of a proposal's key that follows the policy."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """`skipped`: drafts whose key is in use, used up, or waits to become true anew, with the reason."""

    new: tuple[Proposal, ...]
    skipped: tuple[tuple[Draft, str], ...]


@dataclass(frozen=True, slots=True)
class _Used:
    id: int
    state: State
    rearmed: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class _Approval:
    by: str
    at: int
    inherited_from: Proposal | None = None


def propose(
    conn: Connection,
    drafts: Iterable[Draft],
    *,
    plan: int | None,
    now: datetime,
    expire: Duration | None,
    approve_as: str | None = None,
) -> Proposed:
    """Store the drafts that are new, in one transaction with the plan.

    `expire`: how long a proposal waits for its review; None = for ever. `approve_as`: the name under
    which they are approved at once (a policy that acts by itself); None = a person decides. A draft that
    follows a step approved by a person is approved by that same review.
    """
    new: list[Proposal] = []
    skipped: list[tuple[Draft, str]] = []
    lapses = micros(expire.after(now)) if expire else None
    for policy, group in groupby(sorted(drafts, key=attrgetter("policy")), key=attrgetter("policy")):
        of_policy = list(group)
        before = _latest(conn, policy, {str(draft.item) for draft in of_policy})
        for draft in of_policy:
            why = _spent(before.get((str(draft.item), draft.occasion, draft.step)))
            why = why or _step_before(conn, draft)
            proposal = None if why else _insert(conn, draft, plan, now, lapses, approve_as)
            if proposal is None:
                skipped.append((draft, why or "another run has just proposed it"))
            else:
                new.append(proposal)
    return Proposed(tuple(new), tuple(skipped))


def proposed_items(conn: Connection, policy: str) -> set[str]:
    """The items (`site:kind:id`) that a policy has ever proposed anything for."""
    query = select(proposals.c.item).where(proposals.c.policy == policy).distinct()
    return set(conn.execute(query).scalars())


def spent(conn: Connection, policy: str, keys: Iterable[Key]) -> dict[Key, str]:
    """The keys of a policy that `propose` would skip, with the reason."""
    wanted = {(str(key[0]), key[1], key[2]): key for key in keys}
    before = _latest(conn, policy, {item for item, _, _ in wanted})
    reasons = {wanted[key]: _spent(used) for key, used in before.items() if key in wanted}
    return {key: reason for key, reason in reasons.items() if reason}


def rearm(conn: Connection, policy: str, matching: Iterable[Key]) -> int:
    """Free the lapsed and superseded keys of a policy whose conditions do not hold at the moment.

    `matching`: what the policy would act on now. The number of keys freed is returned. To be called at
    every plan of the policy, with everything that matches, before `propose`.
    """
    holding = {(str(item), occasion, step) for item, occasion, step in matching}
    rows = conn.execute(
        select(proposals.c.id, proposals.c.item, proposals.c.occasion, proposals.c.step).where(
            proposals.c.policy == policy,
            proposals.c.state.in_(sorted(REARMING)),
            proposals.c.rearmed.is_(False),
        )
    ).all()
    free = [row.id for row in rows if (row.item, row.occasion, row.step) not in holding]
    for start in range(0, len(free), _CHUNK):
        chunk = free[start : start + _CHUNK]
        conn.execute(update(proposals).where(proposals.c.id.in_(chunk)).values(rearmed=True))
    return len(free)


def lapse(conn: Connection, now: datetime) -> list[Proposal]:
    """Let the proposals go that nobody reviewed in time; an approval never lapses by age."""
    due = conn.execute(
        select(proposals)
        .where(proposals.c.state == State.PROPOSED, proposals.c.lapses_at <= micros(now))
        .order_by(proposals.c.id)
    ).all()
    lapsed = []
    for row in due:
        if get(conn, row.id).state == State.PROPOSED:  # not superseded with the step before
            move(conn, from_row(row), State.LAPSED, now, error="nobody reviewed it in time")
            lapsed.append(get(conn, row.id))
    return lapsed


def supersede(conn: Connection, proposal: Proposal, reason: str, now: datetime) -> None:
    """The conditions no longer hold: the key is free as soon as they hold again."""
    move(conn, proposal, State.SUPERSEDED, now, rearmed=True, error=reason)


def _latest(conn: Connection, policy: str, items: Set[str]) -> dict[tuple[str, str, str], _Used]:
    """The newest proposal of every key of these items."""
    p = proposals
    query = (
        select(p.c.id, p.c.item, p.c.occasion, p.c.step, p.c.state, p.c.rearmed, p.c.changed_at)
        .where(p.c.policy == policy)
        .order_by(p.c.id)
    )
    few = len(items) <= _FEW
    names = sorted(items) if few else []
    queries = [query.where(p.c.item.in_(names[at : at + _CHUNK])) for at in range(0, len(names), _CHUNK)]
    found: dict[tuple[str, str, str], _Used] = {}
    for each in queries if few else [query.execution_options(yield_per=_CHUNK)]:
        for row in conn.execute(each):
            if row.item in items:
                used = _Used(row.id, State(row.state), row.rearmed, moment(row.changed_at))
                found[(row.item, row.occasion, row.step)] = used
    return found


def _spent(used: _Used | None) -> str:
    """Why a key cannot be used again; '' = it can."""
    if used is None or (used.state in REARMING and used.rearmed):
        return ""
    if used.state in REARMING:
        return f"{used.state} on {used.since:%Y-%m-%d} (proposal {used.id}), and true ever since"
    return f"{used.state} already (proposal {used.id})"


def _step_before(conn: Connection, draft: Draft) -> str:
    """Why a later step cannot come; '' = it can."""
    if draft.after is None:
        return ""
    before = get(conn, draft.after)
    if before.state in DROPPED:
        return f"the step before ({before.step}, proposal {before.id}) is {before.state}"
    return ""


def _insert(
    conn: Connection,
    draft: Draft,
    plan: int | None,
    now: datetime,
    lapses: int | None,
    approve_as: str | None,
) -> Proposal | None:
    """None if another process has taken the key since we looked."""
    approval = _approval(conn, draft, now, approve_as)
    stored = insert_new(
        conn,
        proposals,
        policy=draft.policy,
        site=draft.action.site,
        item=str(draft.item),
        occasion=draft.occasion,
        step=draft.step,
        verb=draft.action.verb,
        action=action_text(draft.action),
        because=because_text(draft.because),
        state=State.APPROVED if approval else State.PROPOSED,
        plan=plan,
        after=draft.after,
        not_before=micros(draft.not_before),
        lapses_at=lapses,
        created_at=micros(now),
        changed_at=micros(now),
        approved_by=approval.by if approval else None,
        approved_at=approval.at if approval else None,
    )
    if stored is None:
        return None
    if approval and approval.inherited_from:
        record_inherited(conn, stored, approval.inherited_from, approval.by, now)
    return get(conn, stored)


def _approval(conn: Connection, draft: Draft, now: datetime, approve_as: str | None) -> _Approval | None:
    before = get(conn, draft.after) if draft.after is not None else None
    if before and before.approved_by and before.approved_at and was_reviewed(conn, before.id):
        return _Approval(before.approved_by, micros(before.approved_at), before)
    return _Approval(approve_as, micros(now)) if approve_as else None


def was_reviewed(conn: Connection, proposal: int) -> bool:
    """Whether a person approved it, rather than a policy that acts by itself."""
    query = select(reviews.c.id).where(reviews.c.proposal == proposal, reviews.c.decision == "approved")
    return conn.execute(query.limit(1)).first() is not None


def record_inherited(conn: Connection, proposal: int, before: Proposal, by: str, now: datetime) -> None:
    """Note the approval of a later step by the review of the step before.

    It is marked as bulk: nobody looked at this one by itself, so it does not count as a single review.
    """
    conn.execute(
        reviews.insert().values(
            proposal=proposal,
            at=micros(now),
            by=by,
            decision="approved",
            reason=f"approved together with {before.step} (proposal {before.id})",
            bulk=True,
        )
    )
