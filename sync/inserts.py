"""SQL that both databases speak and SQLAlchemy Core has no common word for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(conn: Connection, table: Table, **values: Any) -> int | None:
    """Insert a row of a table with an `id` and return that; None where a unique index stands against it.

    Other than an IntegrityError, a conflict leaves a PostgreSQL transaction usable.
    """
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    stored = conn.execute(insert(table).values(**values).on_conflict_do_nothing().returning(table.c.id))
    row = stored.one_or_none()
    return None if row is None else int(row.id)


def insert_missing(conn: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Insert the rows that are not there yet and return how many that were."""
    if not rows:
        return 0
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(rows).on_conflict_do_nothing()
    return len(conn.execute(statement.returning(*table.primary_key.columns)).all())
