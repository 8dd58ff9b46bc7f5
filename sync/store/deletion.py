"""Marking items as deleted, and unmarking them: nothing that was mirrored is lost.

With a thread, what was written in it is marked with the very same time, so that a thread that comes back
brings it along, but not what had been deleted before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select, true, update

from ...connectors.records import Kind, Ref
from .rows import MIRRORED, with_ids
from .states import chunks
from .tables import contributions, threads


def existing(
    connection: Connection, table: Table, site: str, ids: Iterable[str], *columns: str
) -> dict[str, Row[Any]]:
    """The rows of a mirrored table with these ids, by id; as for flags, see `with_ids`."""
    rows: dict[str, Row[Any]] = {}
    for chunk in chunks(ids):
        rows |= {row.id: row for row in with_ids(connection, table, site, chunk, ("id", *columns))}
    return rows


def mark(connection: Connection, ref: Ref, when: int | None, now: int) -> tuple[int | None, int] | None:
    """Mark an item as deleted: at `when`, else when it was marked before, else `now`.

    Returns the mark before and after; None for what the mirror never held.
    """
    table = MIRRORED[ref.kind]
    row = existing(connection, table, ref.site, [ref.id], "deleted_at").get(ref.id)
    if row is None:
        return None
    after = when if when is not None else row.deleted_at if row.deleted_at is not None else now
    if after != row.deleted_at:
        mine = (table.c.site == ref.site, table.c.id == ref.id)
        connection.execute(update(table).where(*mine).values(deleted_at=after))
    return row.deleted_at, after


def cascade(connection: Connection, thread: Ref, before: int | None, after: int | None) -> None:
    """What a thread's deletion or return means for the contributions in it."""
    if before == after:
        return
    c = contributions
    inside = update(c).where(c.c.site == thread.site, c.c.thread == thread.id).values(deleted_at=after)
    if before is not None:
        connection.execute(inside.where(c.c.deleted_at == before))
    if after is not None:
        connection.execute(inside.where(c.c.deleted_at.is_(None)))


def within(kind: Kind, since: int | None) -> ColumnElement[bool]:
    """Whether an item belongs to the history that begins at `since`. An enumeration that is bounded by it
    shows no older one, which may still be held from before it was: that says nothing of a deletion."""
    at = {Kind.THREAD: threads.c.last_activity_at, Kind.CONTRIBUTION: contributions.c.created_at}.get(kind)
    return true() if since is None or at is None else or_(at.is_(None), at >= since)


def unseen(
    connection: Connection, site: str, kind: Kind, scan: str, limit: int, since: int | None = None
) -> list[Ref]:
    """Undeleted items `within` the history that the mirror holds and a finished enumeration did not see."""
    table = MIRRORED[kind.value]
    query = select(table.c.id).where(
        table.c.site == site, table.c.scan != scan, table.c.deleted_at.is_(None), within(kind, since)
    )
    return [Ref(site, kind, id_) for id_ in connection.scalars(query.limit(limit))]


def mark_seen(connection: Connection, refs: Sequence[Ref], scan: str) -> None:
    """They were asked for one by one: they are there, though the enumeration does not show them."""
    for ref in refs:
        table = MIRRORED[ref.kind]
        connection.execute(
            update(table).where(table.c.site == ref.site, table.c.id == ref.id).values(scan=scan)
        )
