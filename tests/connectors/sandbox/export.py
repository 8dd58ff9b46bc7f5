"""The forum side of a sandbox as JSON lines: users, topics, posts and categories, as the Discourse stand-in
loads them and as public forum archives come."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ordito.connectors.sandbox.community import Sandbox, split_labels
from ordito.connectors.sandbox.schema import moment

Row = dict[str, Any]
_POST_TYPES = {"regular": 1, "moderator": 2, "small": 3, "whisper": 4}


def export(sandbox: Sandbox, folder: Path) -> None:
    """Write `users.jsonl`, `topics.jsonl`, `posts.jsonl` and `categories.jsonl` into the folder."""
    tables = {"users": users, "topics": topics, "posts": posts, "categories": categories}
    for name, rows in tables.items():
        _write(folder / f"{name}.jsonl", rows(sandbox))


def _write(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def users(sandbox: Sandbox) -> Iterator[Row]:
    for row in sandbox.rows("SELECT * FROM member WHERE side = 'forum' ORDER BY id"):
        yield {
            "id": row["id"], "username": row["username"], "name": row["name"],
            "created_at": _time(row["joined_at"]), "last_seen_at": _time(row["last_seen_at"]),
            "trust_level": row["trust_level"], "admin": bool(row["admin"]),
            "moderator": bool(row["moderator"]), "title": row["title"] or None,
            "suspended_till": _time(row["suspended_until"]), "locale": row["language"],
            "groups": sorted(sandbox.groups_of("forum", row["id"])),
        }  # fmt: skip


def categories(sandbox: Sandbox) -> Iterator[Row]:
    for row in sandbox.rows("SELECT * FROM space WHERE side = 'forum' ORDER BY id"):
        yield {
            "id": row["id"], "name": row["name"], "slug": _slug(row["name"]), "parent_id": row["parent"],
            "restricted": bool(row["restricted"]),
        }  # fmt: skip


def topics(sandbox: Sandbox) -> Iterator[Row]:
    answers = dict(
        sandbox.db.execute(
            "SELECT t.id, c.position FROM thread t JOIN contribution c"
            " ON c.side = 'forum' AND c.id = t.solved_by WHERE t.side = 'forum' AND t.solved_by > 0"
        )
    )
    for row in sandbox.rows("SELECT * FROM thread WHERE side = 'forum' ORDER BY id"):
        message = row["kind"] == "message"
        yield {
            "id": row["id"], "title": row["title"], "slug": _slug(row["title"]), "category_id": row["space"],
            "created_at": _time(row["created_at"]), "last_posted_at": _time(row["last_activity_at"]),
            "views": row["views"], "like_count": row["likes"], "visible": bool(row["visible"]),
            "closed": bool(row["closed"]), "archived": bool(row["archived"]), "pinned": bool(row["pinned"]),
            "user_id": row["author"], "accepted_answer_post_number": answers.get(row["id"]),
            "tags": sorted(split_labels(row["labels"])), "deleted_at": _time(row["deleted_at"]),
            "archetype": "private_message" if message else "regular",
            "allowed_users": _recipients(sandbox, row) if message else [],
        }  # fmt: skip


def posts(sandbox: Sandbox) -> Iterator[Row]:
    cursor = sandbox.db.execute(
        "SELECT c.id, c.thread, c.position, c.author, c.created_at, c.updated_at, p.position, c.kind,"
        " c.likes, c.text, c.deleted_at FROM contribution c LEFT JOIN contribution p"
        " ON p.side = 'forum' AND p.id = c.parent WHERE c.side = 'forum' ORDER BY c.id"
    )
    for id, thread, position, author, created, updated, answered, kind, likes, text, deleted in cursor:
        yield {
            "id": id, "topic_id": thread, "post_number": position, "user_id": author,
            "created_at": _time(created), "updated_at": _time(updated), "reply_to_post_number": answered,
            "post_type": _POST_TYPES[kind], "like_count": likes, "raw": text, "deleted_at": _time(deleted),
        }  # fmt: skip


def _recipients(sandbox: Sandbox, thread: Row) -> list[int]:
    rows = sandbox.rows("SELECT member FROM recipient WHERE thread = ?", thread["id"])
    return sorted({thread["author"], *(row["member"] for row in rows)})


def _time(at: int | None) -> str | None:
    """As Discourse writes times: with milliseconds."""
    return None if at is None else moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "topic"
