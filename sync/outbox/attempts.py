"""Attempts: written before a platform is asked to do something, completed when it is known what came of it.

An attempt without an outcome is the trace that a killed process leaves; `settling` finds out about it. Every
function here belongs inside one transaction and changes attempt, proposal and contact budget together.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update

from ...config.errors import TransitionError
from ...connectors.base import Marker, Receipt, receipt_from_json, receipt_to_json
from ...connectors.records import Ref
from ..inserts import insert_missing
from ..store.tables import attempts, contacts, doings, plans, proposals
from ..store.times import micros, moment
from .proposals import Proposal, get, move
from .states import State


class Doing(StrEnum):
    PERFORM = "perform"
    UNDO = "undo"


class Outcome(StrEnum):
    """`unsettled`: it could not be found out; a person has to say."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`proposal` as it stands with the attempt; `first_at` is when it was tried for the first time.

    `given_up_at`: when its process stopped waiting for an answer; None if that was killed before.
    """

    id: int
    proposal: Proposal
    doing: Doing
    token: str
    started_at: datetime
    first_at: datetime
    given_up_at: datetime | None

    def marker(self, note: str) -> Marker:
        return Marker(self.token, note)


def begin(
    conn: Connection,
    proposal: Proposal,
    doing: Doing,
    *,
    by: str,
    installation: str,
    contacted: Sequence[Ref],
    now: datetime,
) -> Attempt:
    """Write the attempt and reserve the contacts; what is performed becomes `applying` with it.

    Raises TransitionError where another process was faster.
    """
    if doing == Doing.PERFORM:
        move(conn, proposal, State.APPLYING, now, error=None)
    stored = conn.execute(
        insert(attempts)
        .values(
            proposal=proposal.id,
            doing=doing,
            by=by,
            token=_token(installation, proposal.id, doing),
            started_at=micros(now),
        )
        .returning(attempts.c.id)
    ).scalar_one()
    insert_missing(
        conn,
        contacts,
        [{"attempt": stored, "site": c.site, "member": c.id, "at": micros(now)} for c in contacted],
    )
    return load(conn, stored)


def load(conn: Connection, attempt: int) -> Attempt:
    row = conn.execute(select(attempts).where(attempts.c.id == attempt)).one()
    first = conn.execute(
        select(func.min(attempts.c.started_at)).where(
            attempts.c.proposal == row.proposal, attempts.c.doing == row.doing
        )
    ).scalar_one()
    return Attempt(
        id=row.id,
        proposal=get(conn, row.proposal),
        doing=Doing(row.doing),
        token=row.token,
        started_at=moment(row.started_at),
        first_at=moment(first),
        given_up_at=moment(row.finished_at),
    )


def without_outcome(conn: Connection) -> list[Attempt]:
    """What was begun, by whichever process, and not completed; the oldest first."""
    ids = conn.execute(select(attempts.c.id).where(attempts.c.outcome.is_(None)).order_by(attempts.c.id))
    return [load(conn, attempt) for attempt in ids.scalars().all()]


def is_undecided(conn: Connection, proposal: int) -> bool:
    """Whether there is an attempt of which nobody knows what came of it."""
    open_or_unsettled = attempts.c.outcome.is_(None) | (attempts.c.outcome == Outcome.UNSETTLED)
    query = select(attempts.c.id).where(attempts.c.proposal == proposal, open_or_unsettled)
    return conn.execute(query.limit(1)).first() is not None


def performed_since_the_plan(conn: Connection) -> Counter[str]:
    """By policy, how many of its proposals were carried out, or perhaps were, since the newest plan."""
    newest = func.coalesce(select(func.max(plans.c.created_at)).scalar_subquery(), 0)
    rows = conn.execute(
        select(proposals.c.policy, func.count())
        .join_from(attempts, proposals, proposals.c.id == attempts.c.proposal)
        .where(attempts.c.doing == Doing.PERFORM, attempts.c.started_at >= newest)
        .where(attempts.c.outcome.is_(None) | (attempts.c.outcome != Outcome.NOT_DONE))
        .group_by(proposals.c.policy)
    )
    return Counter({policy: number for policy, number in rows})


def was_tried(conn: Connection, proposal: int) -> bool:
    """Whether it was begun before, and not carried out as far as that is known."""
    query = select(attempts.c.id).where(attempts.c.proposal == proposal, attempts.c.doing == Doing.PERFORM)
    return conn.execute(query.limit(1)).first() is not None


def unsettled_of(conn: Connection, proposal: int) -> int | None:
    """The attempt of a proposal that only a person can settle."""
    return conn.execute(
        select(attempts.c.id)
        .where(attempts.c.proposal == proposal, attempts.c.outcome == Outcome.UNSETTLED)
        .order_by(attempts.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def performed(conn: Connection, proposal: int) -> Attempt:
    """The attempt by which a proposal was carried out. Raises TransitionError where none was."""
    row = conn.execute(_successful(proposal, attempts.c.id)).one_or_none()
    if row is None:
        raise TransitionError(f"Proposal {proposal} was not carried out.")
    return load(conn, row.id)


def receipt_of(conn: Connection, proposal: int) -> Receipt:
    """What carrying it out left. Raises TransitionError where it was not carried out."""
    row = conn.execute(_successful(proposal, attempts.c.receipt)).one_or_none()
    if row is None:
        raise TransitionError(f"Proposal {proposal} was not carried out.")
    return receipt_from_json(json.loads(row.receipt))


def _successful(proposal: int, column: ColumnElement[Any]) -> Select[Any]:
    return select(column).where(
        attempts.c.proposal == proposal,
        attempts.c.doing == Doing.PERFORM,
        attempts.c.outcome == Outcome.DONE,
    )


def done(conn: Connection, attempt: Attempt, receipt: Receipt, now: datetime) -> None:
    """It was carried out: keep the receipt, and remember what it made as our own doing."""
    text = json.dumps(receipt_to_json(receipt), ensure_ascii=False)
    _complete(conn, attempt, Outcome.DONE, now, receipt=text)
    made = [{"site": r.site, "kind": r.kind, "id": r.id, "attempt": attempt.id} for r in receipt.made]
    insert_missing(conn, doings, made)
    new = State.APPLIED if attempt.doing == Doing.PERFORM else State.UNDONE
    move(conn, attempt.proposal, new, now, error=None)


def not_done(conn: Connection, attempt: Attempt, why: str, now: datetime) -> Proposal:
    """It was certainly not carried out: the budget is given back and the approval stands."""
    _complete(conn, attempt, Outcome.NOT_DONE, now, error=why)
    conn.execute(delete(contacts).where(contacts.c.attempt == attempt.id))
    if attempt.doing == Doing.PERFORM:
        move(conn, attempt.proposal, State.APPROVED, now, error=why)
    return get(conn, attempt.proposal.id)


def refused(conn: Connection, attempt: Attempt, why: str, now: datetime) -> None:
    """The platform said no: certainly not carried out, and not tried again by itself."""
    _complete(conn, attempt, Outcome.NOT_DONE, now, error=why)
    conn.execute(delete(contacts).where(contacts.c.attempt == attempt.id))
    if attempt.doing == Doing.PERFORM:
        move(conn, attempt.proposal, State.FAILED, now, error=why)


def unsettled(conn: Connection, attempt: Attempt, why: str, now: datetime) -> None:
    """It could not be found out; the budget stays reserved until a person has said."""
    _complete(conn, attempt, Outcome.UNSETTLED, now, error=why)
    if attempt.doing == Doing.PERFORM:
        move(conn, attempt.proposal, State.UNSETTLED, now, error=why)


def give_up(conn: Connection, attempt: Attempt, why: str, now: datetime) -> None:
    """No answer came: the outcome stays open, and `now` is the last moment at which it was asked for."""
    conn.execute(
        update(attempts)
        .where(attempts.c.id == attempt.id, attempts.c.outcome.is_(None))
        .values(finished_at=micros(now), error=why)
    )


def _complete(
    conn: Connection,
    attempt: Attempt,
    outcome: Outcome,
    now: datetime,
    *,
    receipt: str | None = None,
    error: str | None = None,
) -> None:
    open_or_unsettled = attempts.c.outcome.is_(None) | (attempts.c.outcome == Outcome.UNSETTLED)
    changed = conn.execute(
        update(attempts)
        .where(attempts.c.id == attempt.id, open_or_unsettled)
        .values(outcome=outcome, finished_at=micros(now), receipt=receipt, error=error)
    )
    if changed.rowcount != 1:
        raise TransitionError(f"Another run has settled attempt {attempt.id} already.")


def marker(installation: str, proposal: int, note: str) -> Marker:
    """Of every try to carry a proposal out."""
    return Marker(_token(installation, proposal, Doing.PERFORM), note)


def _token(installation: str, proposal: int, doing: Doing) -> str:
    """The same for every try of one proposal, and never a part of another token."""
    return f"{installation[:8]}-{proposal}-{'do' if doing == Doing.PERFORM else 'undo'}"
