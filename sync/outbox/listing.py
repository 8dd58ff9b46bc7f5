"""Looking proposals up: for the queue, for the journal, for the pages that people read."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_
from sqlalchemy import select as select_

from ...connectors.actions import Action, from_json
from ...connectors.base import Receipt, receipt_from_json
from ...connectors.records import Ref
from ..store.tables import attempts, contacts, proposals, reviews
from ..store.times import micros, moment
from .attempts import Doing, Outcome
from .proposals import Proposal, from_row
from .states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All of them must hold; an empty one always does.

    `member`: whom it concerns or was written to. `by`: who approved or undid it. `since`, `until`: when it
    came into its state, from (including) and to (excluding).
    """

    states: Collection[State] = ()
    policies: Collection[str] = ()
    sites: Collection[str] = ()
    item: Ref | None = None
    member: Ref | None = None
    by: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision on a proposal. `before`: the action as it was before the reviewer rewrote it."""

    at: datetime
    by: str
    decision: str
    reason: str
    bulk: bool
    before: Action | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal. `by` asked for it; `receipt` is of the performing, `at` of the state."""

    proposal: Proposal
    receipt: Receipt | None

    @property
    def at(self) -> datetime:
        return self.proposal.changed_at


def select(
    conn: Connection, filters: Filters, *, limit: int | None = None, offset: int = 0, newest: bool = False
) -> list[Proposal]:
    """Proposals by id, or those first whose state changed last."""
    order = (proposals.c.changed_at.desc(), proposals.c.id.desc()) if newest else (proposals.c.id,)
    query = select_(proposals).where(*_conditions(filters)).order_by(*order)
    if limit is not None:
        query = query.limit(limit)
    return [from_row(row) for row in conn.execute(query.offset(offset))]


def count(conn: Connection, filters: Filters) -> int:
    query = select_(func.count()).select_from(proposals).where(*_conditions(filters))
    return conn.execute(query).scalar_one()


def decisions(conn: Connection, proposal: int) -> list[Decided]:
    """What was decided about a proposal, in order."""
    rows = conn.execute(select_(reviews).where(reviews.c.proposal == proposal).order_by(reviews.c.id))
    return [
        Decided(
            moment(row.at),
            row.by,
            row.decision,
            row.reason,
            row.bulk,
            None if row.action_before is None else from_json(json.loads(row.action_before)),
        )
        for row in rows
    ]


def journal(conn: Connection, filters: Filters, *, limit: int | None = None) -> list[Entry]:
    """What was done, the newest first."""
    chosen = select(conn, filters, limit=limit, newest=True)
    receipts = _receipts(conn, [proposal.id for proposal in chosen])
    return [Entry(proposal, receipts.get(proposal.id)) for proposal in chosen]


def _receipts(conn: Connection, ids: Sequence[int]) -> dict[int, Receipt]:
    found: dict[int, Receipt] = {}
    for start in range(0, len(ids), 400):
        rows = conn.execute(
            select_(attempts.c.proposal, attempts.c.receipt)
            .where(
                attempts.c.proposal.in_(ids[start : start + 400]),
                attempts.c.doing == Doing.PERFORM,
                attempts.c.outcome == Outcome.DONE,
            )
            .order_by(attempts.c.id)
        )
        found.update({row.proposal: receipt_from_json(json.loads(row.receipt)) for row in rows})
    return found


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    c = proposals.c
    conditions: list[ColumnElement[bool]] = []
    for column, wanted in ((c.state, filters.states), (c.policy, filters.policies), (c.site, filters.sites)):
        if wanted:
            conditions.append(column.in_(sorted(wanted)))
    if filters.item is not None:
        conditions.append(c.item == str(filters.item))
    if filters.member is not None:
        conditions.append(or_(c.item == str(filters.member), _contacted(filters.member)))
    if filters.by is not None:
        conditions.append(or_(c.approved_by == filters.by, _tried_by(filters.by)))
    if filters.since is not None:
        conditions.append(c.changed_at >= micros(filters.since))
    if filters.until is not None:
        conditions.append(c.changed_at < micros(filters.until))
    return conditions


def _contacted(member: Ref) -> ColumnElement[bool]:
    return exists().where(
        and_(
            attempts.c.proposal == proposals.c.id,
            contacts.c.attempt == attempts.c.id,
            contacts.c.site == member.site,
            contacts.c.member == member.id,
        )
    )


def _tried_by(person: str) -> ColumnElement[bool]:
    return exists().where(and_(attempts.c.proposal == proposals.c.id, attempts.c.by == person))
