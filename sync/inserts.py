"""SQL that both databases speak and SQLAlchemy Core has no common word for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_new(conn: Connection, table: Table, **values: Any) -> int | None:
    """Insert a row of a table with an `id` and return that; None where a unique index stands against it.

    Other than an IntegrityError, a conflict leaves a PostgreSQL transaction usable.
    """
    statement = _insert(conn, table).values(**values).on_conflict_do_nothing()
    stored = conn.execute(statement.returning(table.c.id))
    row = stored.one_or_none()
    return None if row is None else int(row.id)


def insert_missing(conn: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Insert the rows that are not there yet and return how many that were."""
    if not rows:
        return 0
    statement = _insert(conn, table).values(rows).on_conflict_do_nothing()
    return len(conn.execute(statement.returning(*table.primary_key.columns)).all())


def _insert(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Each database's module is loaded where that is used: PostgreSQL's takes a twentieth of a run."""
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_there

        return insert_there(table)
    from sqlalchemy.dialects.sqlite import insert

    return insert(table)
