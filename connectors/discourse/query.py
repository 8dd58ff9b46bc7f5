"""The query for Data Explorer, as an administrator stores it on the forum, and what its rows hold.

It tells what was changed since a moment: posts (written, edited, hidden, moved, deleted, liked), topics,
members and what the forum notes of them (trust levels, groups, badges); nothing of private messages. Names of
columns by which the plugin would add to the answer are avoided (`…_id`, `…_url`); times are cast to text
because versions hand them over with different precision. A page goes on behind the last row before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ROWS = 2000
"""Rows of a page: each may hold the text of a post, and the forum gives 10,000 at most."""

COLUMNS = (
    "moment", "kind", "id", "topic", "member", "username", "created", "updated", "deleted", "removed",
    "number", "reply", "type", "code", "likes", "hidden", "withdrawn", "raw", "label", "name", "title",
    "seen", "trust", "admin", "moderator", "staged", "suspended", "silenced", "action", "details", "value",
)  # fmt: skip

QUERY = """\
-- [params]
-- string :since = 2000-01-01
-- string :after = .
-- bigint :id = 0
-- bigint :rows = 2000

WITH open_topics AS (
  SELECT id FROM topics WHERE archetype <> 'private_message'
), marks AS (
  SELECT 'post' AS kind, id, updated_at AS moment FROM posts
    WHERE updated_at >= :since AND topic_id IN (SELECT id FROM open_topics)
  UNION ALL SELECT 'post', id, deleted_at FROM posts
    WHERE deleted_at >= :since AND topic_id IN (SELECT id FROM open_topics)
  UNION ALL SELECT 'post', p.id, a.created_at FROM post_actions a JOIN posts p ON p.id = a.post_id
    WHERE a.post_action_type_id = 2 AND a.created_at >= :since
    AND p.topic_id IN (SELECT id FROM open_topics)
  UNION ALL SELECT 'post', p.id, a.deleted_at FROM post_actions a JOIN posts p ON p.id = a.post_id
    WHERE a.post_action_type_id = 2 AND a.deleted_at >= :since
    AND p.topic_id IN (SELECT id FROM open_topics)
  UNION ALL SELECT 'topic', id, updated_at FROM topics
    WHERE updated_at >= :since AND archetype <> 'private_message'
  UNION ALL SELECT 'topic', id, deleted_at FROM topics
    WHERE deleted_at >= :since AND archetype <> 'private_message'
  UNION ALL SELECT 'topic', topic_id, created_at FROM topic_tags
    WHERE created_at >= :since AND topic_id IN (SELECT id FROM open_topics)
  UNION ALL SELECT 'member', id, updated_at FROM users WHERE updated_at >= :since
  UNION ALL SELECT 'group', id, created_at FROM group_histories
    WHERE created_at >= :since AND action IN (2, 3) AND target_user_id IS NOT NULL
  UNION ALL SELECT 'log', id, created_at FROM user_histories
    WHERE created_at >= :since AND action IN (1, 2, 14, 15)
  UNION ALL SELECT 'badge', id, granted_at FROM user_badges
    WHERE granted_at >= :since AND badge_id IN (SELECT id FROM badges WHERE NOT system)
), page AS (
  SELECT kind, id, MAX(moment) AS moment FROM marks
  GROUP BY kind, id
  HAVING (MAX(moment), kind, id) > (:since, :after, :id)
  ORDER BY MAX(moment), kind, id
  LIMIT :rows
)
SELECT
  CAST(page.moment AS text) AS moment, page.kind, page.id,
  t.id AS topic, w.id AS member, w.username,
  CAST(COALESCE(p.created_at, u.created_at) AS text) AS created,
  CAST(p.updated_at AS text) AS updated,
  CAST(p.deleted_at AS text) AS deleted, CAST(t.deleted_at AS text) AS removed,
  p.post_number AS number, p.reply_to_post_number AS reply, p.post_type AS type,
  p.action_code AS code, p.like_count AS likes,
  CASE WHEN p.hidden THEN 1 ELSE 0 END AS hidden,
  CASE WHEN p.user_deleted THEN 1 ELSE 0 END AS withdrawn,
  p.raw,
  COALESCE(g.name, b.name) AS label,
  u.name, u.title, CAST(u.last_seen_at AS text) AS seen, u.trust_level AS trust,
  CASE WHEN u.admin THEN 1 ELSE 0 END AS admin,
  CASE WHEN u.moderator THEN 1 ELSE 0 END AS moderator,
  CASE WHEN u.staged THEN 1 ELSE 0 END AS staged,
  CAST(u.suspended_till AS text) AS suspended, CAST(u.silenced_till AS text) AS silenced,
  COALESCE(h.action, l.action) AS action, l.details, l.new_value AS value
FROM page
LEFT JOIN posts p ON page.kind = 'post' AND p.id = page.id
LEFT JOIN topics t ON t.id = CASE page.kind WHEN 'topic' THEN page.id ELSE p.topic_id END
LEFT JOIN users u ON page.kind = 'member' AND u.id = page.id
LEFT JOIN group_histories h ON page.kind = 'group' AND h.id = page.id
LEFT JOIN groups g ON g.id = h.group_id
LEFT JOIN user_histories l ON page.kind = 'log' AND l.id = page.id
LEFT JOIN user_badges ub ON page.kind = 'badge' AND ub.id = page.id
LEFT JOIN badges b ON b.id = ub.badge_id
LEFT JOIN users w ON w.id = COALESCE(p.user_id, u.id, h.target_user_id, l.target_user_id, ub.user_id)
ORDER BY page.moment, page.kind, page.id
"""


def same(stored: str) -> bool:
    """Whether a stored query is this one, whatever became of its white space."""
    return stored.split() == QUERY.split()


@dataclass(frozen=True, slots=True)
class Address:
    """Where the query is run: by administrators, or by the members of a `group` that it is shared with."""

    number: str
    group: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """`12`, or `group/12`."""
        group, _, number = text.rpartition("/")
        return cls(number, group)

    @property
    def stored(self) -> str:
        if self.group:
            return f"/g/{self.group}/reports/{self.number}.json"
        return f"/admin/plugins/explorer/queries/{self.number}.json"

    @property
    def run(self) -> str:
        return f"{self.stored.removesuffix('.json')}/run.json"


Row = Mapping[str, Any]


def rows_of(content: Mapping[str, Any]) -> list[Row] | None:
    """The rows of a result by the names of the columns; None if it is the result of another query."""
    columns: Sequence[str] = content.get("columns") or ()
    if tuple(columns) != COLUMNS:
        return None
    rows: Sequence[Sequence[Any]] = content.get("rows") or ()
    if any(len(row) != len(columns) or not row[0] for row in rows):
        return None
    return [dict(zip(columns, values, strict=True)) for values in rows]


def number(value: Any) -> int | None:
    """Versions give numbers as numbers or as text."""
    return None if value is None or value == "" else int(value)


def flag(value: Any) -> bool:
    return number(value) == 1


def wire(text: str | None) -> str | None:
    """A time of the database (`2026-01-05 12:00:00.123456`, UTC) as the API would have written it."""
    if not text:
        return None
    moment = datetime.fromisoformat(re.sub(r"(?:Z|[+-]00(?::?00)?)$", "", text))
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def database_time(text: str) -> str:
    """The other way."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S.%f")
