"""Records as rows of the mirror, and the statements that put them there, the same on both databases.

A record is the truth for its columns, with one exception: where a column's NULL means *unknown*, a None does
not wipe what is known, because the platforms' lists tell less of an item than the item itself does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table

from ...connectors.records import Contribution, Group, Member, Space, Thread
from .tables import contributions, members, site_groups, spaces, threads
from .times import micros

UNKNOWN_KEEPS = {
    "members": {"joined_at", "last_seen_at", "trust_level", "title"},
    "threads": {
        "author", "created_at", "last_activity_at", "closed", "archived", "visible", "pinned", "views",
        "likes", "solved_by",
    },
    "contributions": {"likes", "size", "sha1"},
}  # fmt: skip
"""Columns of which a None does not say that there is nothing."""

Rows = list[tuple[Any, ...]]

_ASKED = 500
"""Ids in one question; SQLite takes 999 parameters in its oldest builds."""


def member_rows(site: str, records: Iterable[Member], scan: str) -> Rows:
    return [
        (
            site, r.id, r.username, r.name, micros(r.joined_at), micros(r.last_seen_at), r.trust_level,
            r.admin, r.moderator, r.bot, r.staged, micros(r.suspended_until), micros(r.silenced_until),
            r.title, micros(r.deleted_at), scan,
        )
        for r in records
    ]  # fmt: skip


def space_rows(site: str, records: Iterable[Space], scan: str) -> Rows:
    return [(site, r.id, r.name, r.parent, r.restricted, micros(r.deleted_at), scan) for r in records]


def thread_rows(site: str, records: Iterable[Thread], scan: str) -> Rows:
    return [
        (
            site, r.id, r.kind.value, r.space, r.title, r.author or None, micros(r.created_at),
            micros(r.last_activity_at), r.closed, r.archived, r.visible, r.pinned, r.views, r.likes,
            r.solved_by, r.stamp, micros(r.deleted_at), scan,
        )
        for r in records
    ]  # fmt: skip


def contribution_rows(site: str, records: Iterable[Contribution], scan: str) -> Rows:
    # Millions pass here: `and` spares the call for what is None, and str() is the enum's value, quickly.
    return [
        (
            site, r.id, r.thread, r.author, micros(r.created_at), r.updated_at and micros(r.updated_at),
            r.position, r.parent, r.parent_position, r.likes, r.size, r.sha1, str(r.kind),
            r.deleted_at and micros(r.deleted_at), scan,
        )
        for r in records
    ]  # fmt: skip


def group_rows(site: str, records: Iterable[Group], scan: str, *, known: bool) -> Rows:
    """`known`: who belongs to them is known, whether or not these records say it."""
    return [(site, r.id, r.name, known or r.members is not None, micros(r.deleted_at), scan) for r in records]


def upsert(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert the rows, in the order of the table's columns, or update those that are there."""
    if rows:
        connection.exec_driver_sql(_upsert_sql(table, connection.dialect.name), rows)


def changes(connection: Connection, table: Table, site: str, rows: Rows) -> set[str]:
    """The ids of those of these rows, in the order of the table's columns, that are new to the table or
    differ from it.

    Whether something was seen in an enumeration is no difference.
    """
    names = [column.name for column in table.columns]
    keeps = UNKNOWN_KEEPS.get(table.name, set()) | {"parent"}
    changed: set[str] = set()
    for start in range(0, len(rows), _ASKED):
        chunk = {row[1]: row for row in rows[start : start + _ASKED]}
        there = {row.id: row for row in with_ids(connection, table, site, list(chunk), names)}
        for item, row in chunk.items():
            before = there.get(item)
            if before is None or any(
                new != old and not (new is None and name in keeps) and not (new == "" and name == "stamp")
                for name, new, old in zip(names, row, before, strict=True)
                if name != "scan"
            ):
                changed.add(item)
    return changed


def delete_keys(connection: Connection, table: Table, keys: Rows) -> None:
    """Delete the rows with these primary keys."""
    if keys:
        mark = _mark(connection)
        where = " AND ".join(f"{column.name} = {mark}" for column in table.primary_key.columns)
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {where}", keys)  # noqa: S608 (our names)


def with_ids(
    connection: Connection, table: Table, site: str, ids: Sequence[str], columns: Sequence[str]
) -> Iterable[Row[Any]]:
    """The rows with these ids; flags come as the driver gives them, 0 and 1 on SQLite.

    Without SQLAlchemy's own IN, which takes longer for a long list than the database does.
    """
    mark = _mark(connection)
    marks = ", ".join([mark] * len(ids))
    return connection.exec_driver_sql(
        f"SELECT {', '.join(columns)} FROM {table.name} "  # noqa: S608 (our own names)
        f"WHERE site = {mark} AND id IN ({marks})",
        (site, *ids),
    )


def _mark(connection: Connection) -> str:
    return "%s" if connection.dialect.name == "postgresql" else "?"


@cache
def _upsert_sql(table: Table, dialect: str) -> str:
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key.columns]
    marks = ", ".join(["%s" if dialect == "postgresql" else "?"] * len(names))
    sets = ", ".join(f"{name} = {_new_value(table.name, name)}" for name in names if name not in keys)
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks}) "  # noqa: S608 (our own names)
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets}"
    )


def _new_value(table: str, name: str) -> str:
    if name in UNKNOWN_KEEPS.get(table, ()):
        return f"COALESCE(excluded.{name}, {table}.{name})"
    if name == "scan":  # '' = read outside of an enumeration, which has seen it or will
        return f"CASE WHEN excluded.scan = '' THEN {table}.scan ELSE excluded.scan END"
    if (table, name) == ("threads", "stamp"):  # '' = read otherwise than by the platform's list
        return "CASE WHEN excluded.stamp = '' THEN threads.stamp ELSE excluded.stamp END"
    if (table, name) == ("site_groups", "members_known"):
        return f"(excluded.{name} OR {table}.{name})"
    if (table, name) == ("contributions", "parent"):  # found by its position already
        same = f"excluded.parent_position = {table}.parent_position AND excluded.thread = {table}.thread"
        return f"CASE WHEN excluded.parent IS NULL AND {same} THEN {table}.parent ELSE excluded.parent END"
    return f"excluded.{name}"


MIRRORED = {
    "member": members,
    "space": spaces,
    "thread": threads,
    "contribution": contributions,
    "group": site_groups,
}
"""The table of each kind of record."""
