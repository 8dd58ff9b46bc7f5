"""A proposal: one action with its final text, why it was proposed, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from ...config.errors import TransitionError, UsageError
from ...connectors.actions import Action, from_json, to_json
from ...connectors.records import Ref
from ..store.tables import proposals
from ..store.times import micros, moment
from .states import DROPPED, WAITING, State, require


@dataclass(frozen=True, slots=True)
class Because:
    """One condition that held and the value that it held with, both as shown to people."""

    fact: str
    condition: str
    value: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What a policy wants done. `after` is the proposal of the step before, `not_before` the earliest
    time of its being carried out."""

    policy: str
    item: Ref
    occasion: str
    step: str
    action: Action
    because: tuple[Because, ...]
    after: int | None = None
    not_before: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.policy} {self.item} {self.occasion} {self.step}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A stored draft. `error` says why it failed, was superseded or came back to review."""

    id: int
    policy: str
    item: Ref
    occasion: str
    step: str
    action: Action
    because: tuple[Because, ...]
    state: State
    plan: int | None
    after: int | None
    not_before: datetime | None
    lapses_at: datetime | None
    created_at: datetime
    changed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    edited: bool = False
    rearmed: bool = False
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    error: str | None = None

    @property
    def key(self) -> str:
        """Unique among the proposals that live or have used it up."""
        return f"{self.policy} {self.item} {self.occasion} {self.step}"

    @property
    def site(self) -> str:
        """Where the action is carried out; the item may be on another site."""
        return self.action.site

    @property
    def verb(self) -> str:
        return self.action.verb


def action_text(action: Action) -> str:
    """The action as it stands in the store."""
    return json.dumps(to_json(action), ensure_ascii=False, sort_keys=True)


def because_text(because: Sequence[Because]) -> str:
    reasons = [{"fact": b.fact, "condition": b.condition, "value": b.value} for b in because]
    return json.dumps(reasons, ensure_ascii=False)


def from_row(row: Row[Any]) -> Proposal:
    """A row of all columns of `proposals`."""
    return Proposal(
        id=row.id,
        policy=row.policy,
        item=Ref.parse(row.item),
        occasion=row.occasion,
        step=row.step,
        action=from_json(json.loads(row.action)),
        because=tuple(Because(**reason) for reason in json.loads(row.because)),
        state=State(row.state),
        plan=row.plan,
        after=row.after,
        not_before=moment(row.not_before),
        lapses_at=moment(row.lapses_at),
        created_at=moment(row.created_at),
        changed_at=moment(row.changed_at),
        approved_by=row.approved_by,
        approved_at=moment(row.approved_at),
        edited=row.edited,
        rearmed=row.rearmed,
        claimed_by=row.claimed_by,
        claimed_until=moment(row.claimed_until),
        error=row.error,
    )


def get(conn: Connection, proposal: int) -> Proposal:
    """Raises UsageError where there is no such proposal."""
    row = conn.execute(select(proposals).where(proposals.c.id == proposal)).one_or_none()
    if row is None:
        raise UsageError(
            f"There is no proposal {proposal}.", hint="`ordito review list` and `ordito log` show them."
        )
    return from_row(row)


def move(
    conn: Connection, proposal: Proposal, new: State, now: datetime, **values: str | int | bool | None
) -> None:
    """Bring a proposal into another state, setting further columns with it.

    Compares and sets: of two processes that move the same proposal from the same state, one gets a
    TransitionError. Later steps that wait for one that will not come are superseded with it.
    """
    require(proposal.state, new, proposal.id)
    changed = conn.execute(
        update(proposals)
        .where(proposals.c.id == proposal.id, proposals.c.state == proposal.state)
        .values(state=new, changed_at=micros(now), claimed_by=None, claimed_until=None, **values)
    )
    if changed.rowcount != 1:
        meanwhile = get(conn, proposal.id).state
        raise TransitionError(
            f"Proposal {proposal.id} was {proposal.state} and has meanwhile become {meanwhile}.",
            hint=f"Look at it again: ordito review show {proposal.id}",
        )
    if new in DROPPED:
        for successor in successors(conn, proposal.id, WAITING):
            reason = f"the step before ({proposal.step}, proposal {proposal.id}) is {new}"
            move(conn, successor, State.SUPERSEDED, now, rearmed=True, error=reason)


def successors(conn: Connection, proposal: int, states: frozenset[State]) -> list[Proposal]:
    """The steps that come directly after this one and are in one of the states."""
    rows = conn.execute(
        select(proposals)
        .where(proposals.c.after == proposal, proposals.c.state.in_(sorted(states)))
        .order_by(proposals.c.id)
    )
    return [from_row(row) for row in rows]
