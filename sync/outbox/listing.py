"""Looking proposals up: for the queue, for the journal, for the pages that people read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_
from sqlalchemy import select as select_

from ...connectors.actions import Action, from_json
from ...connectors.base import Receipt, receipt_from_json
from ...connectors.records import Ref
from ..store.tables import attempts, contacts, contributions, members, proposals, reviews, threads
from ..store.times import micros, moment
from .attempts import Doing, Outcome
from .proposals import Proposal, from_row
from .states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All of them must hold; an empty one always does.

    `verbs`: kinds of action. `words`: part of the title or name of the item, as the mirror has it.
    `member`: whom it concerns or was written to. `by`: who approved or undid it. `since`, `until`: when it
    came into its state, from (including) and to (excluding).
    """

    states: Collection[State] = ()
    policies: Collection[str] = ()
    sites: Collection[str] = ()
    verbs: Collection[str] = ()
    words: str = ""
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
    """One line of the journal: `receipt` is of the performing, `at` the time of the state."""

    proposal: Proposal
    receipt: Receipt | None
    undone_by: str | None = None

    @property
    def at(self) -> datetime:
        return self.proposal.changed_at


def select(
    conn: Connection, filters: Filters, *, limit: int | None = None, offset: int = 0, newest: bool = False
) -> list[Proposal]:
    """Proposals by id, or those first whose state changed last."""
    order = (proposals.c.changed_at.desc(), proposals.c.id.desc()) if newest else (proposals.c.id,)
    query = select_(proposals).where(*conditions(filters)).order_by(*order)
    if limit is not None:
        query = query.limit(limit)
    return [from_row(row) for row in conn.execute(query.offset(offset))]


def count(conn: Connection, filters: Filters) -> int:
    query = select_(func.count()).select_from(proposals).where(*conditions(filters))
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


def journal(
    conn: Connection, filters: Filters, *, limit: int | None = None, offset: int = 0
) -> list[Entry]:
    """What was done, the newest first."""
    chosen = select(conn, filters, limit=limit, offset=offset, newest=True)
    receipts: dict[int, Receipt] = {}
    undone: dict[int, str] = {}
    for row in _done(conn, [proposal.id for proposal in chosen]):
        if row.doing == Doing.UNDO:
            undone[row.proposal] = row.by
        else:
            receipts[row.proposal] = receipt_from_json(json.loads(row.receipt))
    return [Entry(p, receipts.get(p.id), undone.get(p.id)) for p in chosen]


def _done(conn: Connection, ids: Sequence[int]) -> Iterator[Row[Any]]:
    """The successful attempts of these proposals."""
    for start in range(0, len(ids), 400):
        yield from conn.execute(
            select_(attempts)
            .where(attempts.c.proposal.in_(ids[start : start + 400]), attempts.c.outcome == Outcome.DONE)
            .order_by(attempts.c.id)
        )


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters in SQL, over the table `proposals`."""
    c = proposals.c
    found: list[ColumnElement[bool]] = []
    for column, wanted in (
        (c.state, filters.states),
        (c.policy, filters.policies),
        (c.site, filters.sites),
        (c.verb, filters.verbs),
    ):
        if wanted:
            found.append(column.in_(sorted(wanted)))
    if filters.words:
        found.append(_named(filters.words))
    if filters.item is not None:
        found.append(c.item == str(filters.item))
    if filters.member is not None:
        found.append(or_(c.item == str(filters.member), _contacted(filters.member)))
    if filters.by is not None:
        found.append(or_(c.approved_by == filters.by, _tried_by(filters.by)))
    if filters.since is not None:
        found.append(c.changed_at >= micros(filters.since))
    if filters.until is not None:
        found.append(c.changed_at < micros(filters.until))
    return found


def _named(words: str) -> ColumnElement[bool]:
    """Whether the item is called so: a member, a thread, a contribution's thread, a page by its title."""
    m, t, c = members.c, threads.c, contributions.c
    called = or_(_has(m.username, words), _has(m.name, words))
    people = select_(m.site.concat(":member:").concat(m.id)).where(called)
    titled = select_(t.site.concat(":thread:").concat(t.id)).where(_has(t.title, words))
    posts = (
        select_(c.site.concat(":contribution:").concat(c.id))
        .join_from(contributions, threads, and_(t.site == c.site, t.id == c.thread))
        .where(_has(t.title, words))
    )
    item = proposals.c.item
    return or_(item.in_(people), item.in_(titled), item.in_(posts), _has(item, words, "%:title:"))


def _has(column: ColumnElement[str], words: str, before: str = "") -> ColumnElement[bool]:
    """Without regard to case; SQLite folds the letters of ASCII only, hence the spellings."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    spellings = {escaped}
    if not escaped.isascii():
        spellings |= {escaped.lower(), escaped.upper(), escaped.title()}
    return or_(*(column.ilike(f"{before}%{each}%", escape="\\") for each in sorted(spellings)))


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
