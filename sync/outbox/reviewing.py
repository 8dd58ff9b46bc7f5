"""What a person decides about a proposal, and the record of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, or_, update

from ...config.errors import TransitionError, UsageError
from ...connectors.actions import Action, SendMessage, to_json
from ..store.tables import proposals, reviews
from ..store.times import micros
from .proposals import Proposal, action_text, get, move, successors
from .proposing import record_inherited
from .states import State

CLAIM = timedelta(minutes=15)
"""After this time without a decision somebody else may take a claimed proposal."""

EDITABLE = frozenset({"text", "subject", "summary"})
"""The fields of an action that a reviewer may rewrite; whom and what it concerns stays as proposed."""


class Decision(StrEnum):
    """`edited` rewrites without deciding; `reopened` takes a decision back, an approval before it is
    carried out. `returned` is no person's: what was approved would now be another text."""

    APPROVED = "approved"
    REJECTED = "rejected"
    HANDLED = "handled"
    EDITED = "edited"
    REOPENED = "reopened"
    RETURNED = "returned"


_LEADS_TO = {
    Decision.APPROVED: State.APPROVED,
    Decision.REJECTED: State.REJECTED,
    Decision.HANDLED: State.HANDLED,
    Decision.REOPENED: State.PROPOSED,
}


def review(
    conn: Connection,
    proposal: int,
    decision: Decision,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    bulk: bool = False,
    action: Action | None = None,
) -> Proposal:
    """Record a decision and carry the proposal on; the proposal after it is returned.

    `bulk`: decided together with others. `action`: the text as the reviewer rewrote it, with `approved`
    or `edited`. Approving a first step approves the later ones too; approving a failed proposal asks for
    another try. Raises UsageError (no such proposal, an edit of more than the text) and TransitionError.
    """
    current = get(conn, proposal)
    _require_unclaimed(current, by, now)
    before = None
    if action is not None:
        before = _edit(conn, current, action, decision, now)
        current = get(conn, proposal)
    if decision == Decision.EDITED:
        if before is None:
            raise UsageError(f"Proposal {proposal} is not changed by this edit.")
    else:
        _carry_on(conn, current, decision, by, now)
    _record(conn, proposal, decision, by, now, reason, bulk, before)
    return get(conn, proposal)


def claim(conn: Connection, proposal: int, by: str, now: datetime) -> Proposal:
    """Keep a proposal for oneself for 15 minutes; again = for 15 more. Raises TransitionError."""
    current = get(conn, proposal)
    if current.state != State.PROPOSED:
        raise TransitionError(
            f"Proposal {proposal} is {current.state}; only what waits for a review can be claimed."
        )
    taken = conn.execute(
        update(proposals)
        .where(
            proposals.c.id == proposal,
            proposals.c.state == State.PROPOSED,
            or_(
                proposals.c.claimed_by.is_(None),
                proposals.c.claimed_by == by,
                proposals.c.claimed_until <= micros(now),
            ),
        )
        .values(claimed_by=by, claimed_until=micros(now + CLAIM))
    )
    current = get(conn, proposal)
    if taken.rowcount != 1:
        _require_unclaimed(current, by, now)
        raise TransitionError(f"Proposal {proposal} has meanwhile become {current.state}.")
    return current


def release(conn: Connection, proposal: int, by: str) -> None:
    """Give one's own claim back; nothing happens where there is none."""
    conn.execute(
        update(proposals)
        .where(proposals.c.id == proposal, proposals.c.claimed_by == by)
        .values(claimed_by=None, claimed_until=None)
    )


def reopen(conn: Connection, proposal: Proposal, action: Action, reason: str, now: datetime) -> None:
    """Bring an approval back to review because its action would now be another one.

    It gets as much time for the review as it had at first. A text that a person wrote stays.
    """
    if proposal.edited:
        action = as_written(proposal.action, action)
    values = {"action": action_text(action), "error": reason, **_unapproved(proposal, now)}
    move(conn, proposal, State.PROPOSED, now, **values)
    _record(conn, proposal.id, Decision.RETURNED, "Ordito", now, reason, bulk=False, before=None)


def as_written(written: Action, now: Action) -> Action:
    """What a person wrote, to those whom it would reach now: somebody may have opted out since.

    All else stays as they saw it, so that an edit over a page that has changed is a conflict.
    """
    if isinstance(written, SendMessage) and isinstance(now, SendMessage):
        return replace(written, to=now.to)
    return written


def _carry_on(conn: Connection, current: Proposal, decision: Decision, by: str, now: datetime) -> None:
    state = _LEADS_TO[decision]
    if decision == Decision.APPROVED:
        _approve(conn, current, by, now, now)
    elif decision == Decision.REOPENED:
        move(conn, current, state, now, **_unapproved(current, now))
    else:
        move(conn, current, state, now)


def _approve(conn: Connection, current: Proposal, by: str, now: datetime, approved_at: datetime) -> None:
    move(conn, current, State.APPROVED, now, approved_by=by, approved_at=micros(approved_at), error=None)
    for later in successors(conn, current.id, frozenset({State.PROPOSED})):
        _approve(conn, later, by, now, approved_at)
        record_inherited(conn, later.id, current, by, now)


def _unapproved(proposal: Proposal, now: datetime) -> dict[str, int | None]:
    lapses = proposal.lapses_at and now + (proposal.lapses_at - proposal.created_at)
    return {"approved_by": None, "approved_at": None, "lapses_at": micros(lapses)}


def _edit(
    conn: Connection, current: Proposal, action: Action, decision: Decision, now: datetime
) -> Action | None:
    """Store the rewritten action and return the one before; None where nothing differs."""
    if decision not in (Decision.APPROVED, Decision.EDITED):
        raise UsageError("Only an approval can come with an edited text.")
    if current.state != State.PROPOSED:
        raise TransitionError(
            f"Proposal {current.id} is {current.state}; only what waits for a review can be edited.",
            hint="Reopen it first." if current.state == State.APPROVED else "",
        )
    if action == current.action:
        return None
    if not _same_but_text(current.action, action):
        raise UsageError(
            "An edit may change the text only.", hint="Reject the proposal if it concerns the wrong item."
        )
    changed = conn.execute(
        update(proposals)
        .where(proposals.c.id == current.id, proposals.c.action == action_text(current.action))
        .values(action=action_text(action), edited=True, changed_at=micros(now))
    )
    if changed.rowcount != 1:
        raise TransitionError(f"Proposal {current.id} has just been edited by somebody else.")
    return current.action


def _same_but_text(old: Action, new: Action) -> bool:
    before, after = to_json(old), to_json(new)
    return {k: v for k, v in before.items() if k not in EDITABLE} == {
        k: v for k, v in after.items() if k not in EDITABLE
    }


def _require_unclaimed(current: Proposal, by: str, now: datetime) -> None:
    if current.claimed_by in (None, by) or current.claimed_until is None or current.claimed_until <= now:
        return
    raise TransitionError(
        f"Proposal {current.id} is being reviewed by {current.claimed_by}.",
        hint=f"It is free again at {current.claimed_until:%H:%M} UTC at the latest.",
    )


def _record(
    conn: Connection,
    proposal: int,
    decision: Decision,
    by: str,
    now: datetime,
    reason: str,
    bulk: bool,
    before: Action | None,
) -> None:
    conn.execute(
        reviews.insert().values(
            proposal=proposal,
            at=micros(now),
            by=by,
            decision=decision,
            reason=reason,
            bulk=bulk,
            action_before=action_text(before) if before is not None else None,
        )
    )
