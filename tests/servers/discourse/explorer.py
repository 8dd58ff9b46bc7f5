"""Data Explorer: stored SQL, run over the forum's state under Discourse's names of tables and columns.

The state is written into an SQLite database for each run, so a query that names what Discourse does not have
fails as it would there. What the plugin does around the SQL (lib/discourse_data_explorer/data_explorer.rb,
parameter.rb) is done here as well: parameters are declared in comments and put in as literals, semicolons are
refused, and the limit is put around the whole.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .forum import Forum

_DECLARED = re.compile(r"\s*--\s*([a-zA-Z_ ]+)\s*:([a-z_]+)\s*(?:=\s+(.*)\s*)?")
_INT = re.compile(r"-?\d+")

TABLES = {
    "topics": "id archetype updated_at deleted_at",
    "posts": "id topic_id user_id post_number post_type raw created_at updated_at deleted_at user_deleted"
    " reply_to_post_number like_count hidden action_code",
    "post_actions": "post_id user_id post_action_type_id created_at updated_at deleted_at",
    "topic_tags": "topic_id tag_id created_at",
    "users": "id username name title created_at updated_at last_seen_at trust_level admin moderator staged"
    " suspended_till silenced_till",
    "groups": "id name automatic",
    "group_histories": "id group_id acting_user_id target_user_id action created_at",
    "user_histories": "id action acting_user_id target_user_id details previous_value new_value created_at",
    "badges": "id name system",
    "user_badges": "id badge_id user_id granted_at",
}
GROUP_ACTIONS = {"change_group_setting": 1, "add_user_to_group": 2, "remove_user_from_group": 3}


class SqlError(Exception):
    """What PostgreSQL or the plugin says of a query."""


@dataclass(slots=True)
class StoredQuery:
    """`groups` may run it as well, by their own route."""

    id: int
    sql: str
    name: str = "A query"
    groups: set[str] = field(default_factory=set)


def run(forum: Forum, query: StoredQuery, given: dict[str, str], limit: str | None) -> sqlite3.Cursor:
    """Raises SqlError."""
    if ";" in query.sql:
        raise SqlError("DiscourseDataExplorer::ValidationError: Please remove all semicolons from the query.")
    if forum.settings.data_explorer_times_out:
        raise SqlError("PG::QueryCanceled: ERROR:  canceling statement due to statement timeout")
    sql = query.sql
    values = parameters(query.sql, given)
    for name in sorted(values, key=len, reverse=True):
        sql = sql.replace(f":{name}", values[name])
    most, usual = forum.settings.data_explorer_most_rows, forum.settings.data_explorer_query_result_limit
    rows = most if limit == "ALL" else min(int(limit or usual), most)
    with_limit = f"WITH query AS (\n{sql}\n) SELECT * FROM query\nLIMIT {rows}"  # noqa: S608 (that is its job)
    try:
        return database(forum).execute(with_limit)
    except sqlite3.Error as error:
        raise SqlError(f"PG::Error: ERROR:  {error}") from None


def parameters(sql: str, given: dict[str, str]) -> dict[str, str]:
    """The declared parameters as SQL literals. Raises SqlError."""
    found: dict[str, str] = {}
    lines = iter(sql.splitlines())
    if not any(re.fullmatch(r"\s*--\s*\[params\]\s*", line) for line in lines):
        return found
    for line in lines:
        match = _DECLARED.fullmatch(line)
        if match is None:
            break
        kind, name, default = match[1].strip(), match[2], match[3]
        value = given.get(name) or default
        if not value:
            raise SqlError(f"DiscourseDataExplorer::ValidationError: Missing parameter {name} of type {kind}")
        if kind in ("int", "integer", "bigint"):
            if not _INT.fullmatch(value):
                raise SqlError(f"DiscourseDataExplorer::ValidationError: '{value}' is an invalid {kind}")
            found[name] = value
        elif kind in ("string", "text"):
            found[name] = "'" + value.replace("'", "''") + "'"
        else:
            raise SqlError(f"the stand-in knows no parameters of type {kind}")
    return found


def database(forum: Forum) -> sqlite3.Connection:
    """The forum's state as Discourse's tables, as far as `TABLES` goes."""
    made = sqlite3.connect(":memory:")
    for table, columns in TABLES.items():
        names = columns.split()
        made.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        made.executemany(f"INSERT INTO {table} VALUES ({marks})", table_rows(forum, table))  # noqa: S608
    return made


def table_rows(forum: Forum, table: str) -> Iterable[tuple[Any, ...]]:
    """The rows of one of `TABLES`, times as PostgreSQL writes them."""
    match table:
        case "topics":
            return ((t.id, t.archetype, at(t.updated_at), at(t.deleted_at)) for t in forum.topics.values())
        case "posts":
            return (
                (
                    p.id, p.topic_id, p.user_id, p.post_number, int(p.post_type), p.raw, at(p.created_at),
                    at(p.updated_at), at(p.deleted_at), p.user_deleted, p.reply_to, p.like_count, p.hidden,
                    p.action_code,
                )
                for p in forum.posts.values()
            )  # fmt: skip
        case "post_actions":
            given = [
                (p.id, user, 2, at(when), at(when), None)
                for p in forum.posts.values()
                for user, when in p.likes.items()
            ]
            taken = [
                (post, user, 2, at(since), at(since), at(gone))
                for post, user, since, gone in forum.likes_taken_back
            ]
            return given + taken
        case "topic_tags":
            return (
                (t.id, forum.tags[tag].id, at(t.created_at)) for t in forum.topics.values() for tag in t.tags
            )
        case "users":
            return (
                (
                    u.id, u.username, u.name, u.title, at(u.created_at),
                    at(forum.users_changed.get(u.id, u.created_at)), at(u.last_seen_at), u.trust_level,
                    u.admin, u.moderator, u.staged, at(u.suspended_till), at(u.silenced_till),
                )
                for u in forum.users.values()
            )  # fmt: skip
        case "groups":
            return ((g.id, g.name, g.automatic) for g in forum.groups.values())
        case "group_histories":
            return (
                (
                    n, e.group_id, e.acting_user_id, e.target_user_id, GROUP_ACTIONS.get(e.action, 4),
                    at(e.created_at),
                )
                for n, e in enumerate(forum.group_log, start=1)
            )  # fmt: skip
        case "badges":
            return ((b.id, b.name, b.system) for b in forum.badges.values())
        case "user_badges":
            return ((g.id, g.badge_id, g.user_id, at(g.granted_at)) for g in forum.grants.values())
    return _histories(forum)


def _histories(forum: Forum) -> Iterable[tuple[Any, ...]]:
    from .views_logs import ACTION_IDS

    for action in [*forum.staff_log, *forum.other_log]:
        number = ACTION_IDS.get(action.action, 15 if action.action == "auto_trust_level_change" else 22)
        yield (
            action.id, number, action.acting_user_id, action.target_user_id, action.details, action.previous,
            action.new, at(action.created_at),
        )  # fmt: skip


def at(moment: datetime | None) -> str | None:
    """`2026-01-05 12:00:00.000123`, a time in UTC without saying so."""
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f")
