"""What is read afresh before something is done: its item, and what people may have said since the last sync.

`apply` may run without a sync before it, and minutes after somebody has answered us. Nothing of it takes more
than a few requests, and nothing at all where nobody is addressed.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, select, tuple_

from ...connectors.records import Kind, Ref
from ..identities import accounts_of
from ..store.tables import attempts, contacts, contributions, doings, proposals, threads
from .proposals import Proposal

_CONVERSATIONS = 5
"""Of so many threads in which we wrote to somebody, the newest ones, it is read what they answered."""


def to_read(conn: Connection, proposal: Proposal) -> list[Ref]:
    """In the order in which they should be read. Nothing for a group or a title: the mirror has nothing of
    them that could be out of date."""
    item = proposal.item
    if item.kind not in (Kind.MEMBER, Kind.THREAD, Kind.CONTRIBUTION):
        return []
    refs = [item, *_first_words(conn, proposal), *_conversations(conn, addressed(conn, proposal))]
    return list(dict.fromkeys(refs))


def addressed(conn: Connection, proposal: Proposal) -> tuple[Ref, ...]:
    """All accounts of the person to whom an action speaks or who is singled out by it; none for others."""
    item = proposal.item
    if item.kind == Kind.MEMBER:
        return accounts_of(conn, item)
    if not proposal.action.contact:
        return ()
    table = threads if item.kind == Kind.THREAD else contributions
    query = select(table.c.author).where(table.c.site == item.site, table.c.id == item.id)
    author = conn.execute(query).scalar_one_or_none()
    return accounts_of(conn, Ref(item.site, Kind.MEMBER, author)) if author is not None else ()


def _first_words(conn: Connection, proposal: Proposal) -> list[Ref]:
    """Before a message to somebody, the thread in which they first wrote: people may have answered them
    there since the last sync, and are not to be outdone by a program."""
    who, c = proposal.item, contributions
    if who.kind != Kind.MEMBER or proposal.verb != "send_message":
        return []
    thread = conn.execute(
        select(c.c.thread)
        .where(c.c.site == who.site, c.c.author == who.id, c.c.deleted_at.is_(None))
        .order_by(c.c.created_at, c.c.id)
        .limit(1)
    ).scalar_one_or_none()
    return [Ref(who.site, Kind.THREAD, thread)] if thread is not None else []


def _conversations(conn: Connection, who: tuple[Ref, ...]) -> list[Ref]:
    """The threads in which we wrote to somebody: there they may have said that they want no more of it."""
    made, mirrored, opened = doings, contributions, threads
    rows = conn.execute(
        select(made.c.site, made.c.kind, made.c.id, mirrored.c.thread, proposals.c.item)
        .join_from(contacts, made, made.c.attempt == contacts.c.attempt)
        .join(attempts, attempts.c.id == contacts.c.attempt)
        .join(proposals, proposals.c.id == attempts.c.proposal)
        .outerjoin(
            mirrored,
            and_(
                made.c.kind == Kind.CONTRIBUTION,
                mirrored.c.site == made.c.site,
                mirrored.c.id == made.c.id,
            ),
        )
        .outerjoin(
            opened, and_(made.c.kind == Kind.THREAD, opened.c.site == made.c.site, opened.c.id == made.c.id)
        )
        .where(tuple_(contacts.c.site, contacts.c.member).in_([(each.site, each.id) for each in who]))
        .where(opened.c.deleted_at.is_(None), mirrored.c.deleted_at.is_(None))
        .order_by(contacts.c.at.desc(), contacts.c.attempt.desc(), made.c.kind.desc())
    )
    found: dict[Ref, None] = {}
    for row in rows:
        if row.kind == Kind.THREAD or row.thread is not None:
            found[Ref(row.site, Kind.THREAD, row.id if row.kind == Kind.THREAD else row.thread)] = None
        else:  # written since the last sync: the platform says where it is, or the proposal does
            found[Ref(row.site, Kind.CONTRIBUTION, row.id)] = None
            item = Ref.parse(row.item)
            if item.kind == Kind.THREAD:
                found[item] = None
    return list(found)[:_CONVERSATIONS]
