"""The query for Data Explorer on a real PostgreSQL, under the names and types of Discourse's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ordito.connectors.discourse.query import COLUMNS, QUERY, number, same, wire
from tests.connectors.discourse.scenes import TEXT, anna, topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.explorer import TABLES, StoredQuery, parameters, run, table_rows
from tests.servers.discourse.records import Badge

DOCS = Path(__file__).parents[3] / "docs" / "discourse.md"

TYPES = {
    "text": "raw archetype name username title details previous_value new_value action_code",
    "boolean": "hidden user_deleted admin moderator staged automatic system",
    "timestamp without time zone": "created_at updated_at deleted_at last_seen_at suspended_till"
    " silenced_till granted_at",
}
"""Of columns; all others are integers, ids bigint as of 2025."""


@pytest.fixture
def forum(postgres_url: str) -> Iterator[tuple[DiscourseServer, psycopg.Connection]]:
    """A forum with something of everything, and its tables."""
    with DiscourseServer(dialect="2026") as server:
        DiscourseSite(server)
        _fill(server)
        with psycopg.connect(postgres_url) as connection:
            for table, columns in TABLES.items():
                names = columns.split()
                connection.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {_type(n)}' for n in names)})")
                marks = ", ".join("%s" if _type(n) != "boolean" else "%s::int::boolean" for n in names)
                insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608
                for row in table_rows(server.forum, table):
                    connection.execute(insert, [int(v) if isinstance(v, bool) else v for v in row])
            yield server, connection


def _type(column: str) -> str:
    return next((kind for kind, names in TYPES.items() if column in names.split()), "bigint")


def _fill(server: DiscourseServer) -> None:
    made, boss = topics(server, 3, replies=2), server.as_user("boss")
    posts = [list(server.forum.posts_of(topic)) for topic in made]
    group, kind = server.forum.group("experts"), server.forum.ids["badge"]
    server.forum.badges[kind] = Badge(kind, "Carpenter")
    assert group is not None
    boss.message("anna", "Something between us", TEXT)
    boss.like(posts[0][1])
    boss.like(posts[0][2])
    boss.unlike(posts[0][2])
    boss.delete(posts[1][1])
    boss.delete(made[2])
    boss.close(made[0])
    server.forum.tag("wax")
    boss.tag(made[0], "wax")
    boss.add_to(group, anna(server).user)
    boss.remove_from(group, anna(server).user)
    server.forum.promote(anna(server).user, 3)
    boss.grant(server.forum.badges[kind], anna(server).user)
    boss.suspend(anna(server).user, server.clock() + timedelta(days=9))


def _asked(connection: psycopg.Connection, given: dict[str, str]) -> list[dict[str, Any]]:
    """As Data Explorer does it: literals put in, and the limit around it."""
    sql = QUERY
    values = parameters(QUERY, given)
    for name in sorted(values, key=len, reverse=True):
        sql = sql.replace(f":{name}", values[name])
    cursor = connection.execute(f"WITH query AS (\n{sql}\n) SELECT * FROM query\nLIMIT 1000")
    assert tuple(column.name for column in cursor.description or ()) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in cursor]


TIMES = ("moment", "created", "updated", "deleted", "removed", "seen", "suspended", "silenced")


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: wire(row[name]) for name in TIMES}


def test_postgresql_gives_what_the_stand_in_gives(
    forum: tuple[DiscourseServer, psycopg.Connection],
) -> None:
    server, connection = forum
    there = _asked(connection, {"since": "2000-01-01"})
    cursor = run(server.forum, StoredQuery(7, QUERY), {"since": "2000-01-01"}, None)
    here = [dict(zip(COLUMNS, row, strict=True)) for row in cursor]
    assert [_comparable(row) for row in there] == [_comparable(row) for row in here]
    assert {row["kind"] for row in there} == {"post", "topic", "member", "group", "log", "badge"}
    private = {p.id for p in server.forum.posts.values() if server.forum.topics[p.topic_id].private}
    assert private.isdisjoint(row["id"] for row in there if row["kind"] == "post")


def test_pages_join_without_gap_or_overlap(forum: tuple[DiscourseServer, psycopg.Connection]) -> None:
    _, connection = forum
    everything = _asked(connection, {"since": "2000-01-01"})
    found: list[dict[str, Any]] = []
    place = {"since": "2000-01-01"}
    while page := _asked(connection, {**place, "rows": "4"}):
        found += page
        last = page[-1]
        place = {"since": last["moment"], "after": last["kind"], "id": str(number(last["id"]))}
    assert found == everything


def test_no_column_has_a_name_that_data_explorer_would_add_to() -> None:
    assert not any(name.endswith(("_id", "_url", "payload")) or "$" in name for name in COLUMNS)
    assert ";" not in QUERY


def test_the_query_in_the_docs_is_the_query() -> None:
    block = DOCS.read_text().split("```sql\n")[1].split("```")[0]
    assert same(block)
    assert not same(block.replace("2, 14, 15", "2, 15"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05 12:00:00.123456", "2026-01-05T12:00:00.123Z"),
        ("2026-01-05 12:00:00", "2026-01-05T12:00:00.000Z"),
        ("2026-01-05 12:00:00.5", "2026-01-05T12:00:00.500Z"),
        ("2026-01-05T12:00:00.123Z", "2026-01-05T12:00:00.123Z"),
        ("2026-01-05 12:00:00.123456+00", "2026-01-05T12:00:00.123Z"),
        (None, None),
    ],
)
def test_times_of_the_database_are_those_of_the_api(text: str | None, expected: str | None) -> None:
    assert wire(text) == expected
    assert expected is None or datetime.fromisoformat(expected).tzinfo is not None
