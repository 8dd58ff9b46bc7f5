"""Posts that wait for a moderator: the queue of reviews, and one's own."""

from __future__ import annotations

from typing import Any

from .call import Call, route
from .errors import not_found
from .text import iso

PER_PAGE = 10
STATUS = {"pending": 0, "approved": 1, "rejected": 2}


@route("GET", "/review", "reviewables/index")
def reviewables(call: Call) -> dict[str, Any]:
    """For staff; ten a page, those of the highest score first unless `sort_order` says otherwise. Of all that
    Discourse has there, the stand-in knows queued posts."""
    call.staff()
    wanted, whose = call.text("status") or "pending", call.text("username")
    rows = [*call.forum.pending, *call.forum.rejected]
    if call.text("type") not in (None, "ReviewableQueuedPost"):
        rows = []
    if whose is not None:
        user = call.forum.user(whose)
        rows = [row for row in rows if user is not None and row["user_id"] == user.id]
    rows = [row for row in rows if wanted == "all" or row.get("status", "pending") == wanted]
    if call.text("sort_order") == "created_at":
        rows.sort(key=lambda row: -row["id"])
    start = call.number("offset") or 0
    return {
        "reviewables": [_reviewable(row) for row in rows[start : start + PER_PAGE]],
        "meta": {"total_rows_reviewables": len(rows), "types": {}, "reviewable_count": len(rows)},
    }


def _reviewable(row: dict[str, Any]) -> dict[str, Any]:
    new = row["new"]
    return {
        "id": row["id"],
        "status": STATUS[row.get("status", "pending")],
        "type": "ReviewableQueuedPost",
        "created_at": iso(row["at"]),
        "topic_id": new.topic_id,
        "created_by_id": row["user_id"],
        "payload": {"raw": new.raw, "title": new.title, "archetype": "regular"},
    }


@route("GET", "/posts/<name>/pending", "posts/pending")
def pending(call: Call, name: str) -> dict[str, Any]:
    """One's own that wait, since November 2021; those of others only for staff."""
    me, user = call.me(), call.forum.user(name)
    if not call.forum.dialect.own_pending or user is None or not (me.staff or me.id == user.id):
        raise not_found()
    mine = [row for row in call.forum.pending if row["user_id"] == user.id]
    return {
        "pending_posts": [
            {
                "id": row["id"],
                "created_at": iso(row["at"]),
                "created_by_id": user.id,
                "raw_text": row["new"].raw,
                "title": row["new"].title,
                "topic_id": row["new"].topic_id,
                "username": user.username,
            }
            for row in mine
        ]
    }
