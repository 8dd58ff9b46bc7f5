"""What the rows of the query tell: posts, topics, members, and what the forum notes of them, in the forms
that its lists would have them in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..records import Change, Kind, Record, Ref
from . import mapping, notes
from .client import Json
from .query import Row, flag, number, wire
from .reading import Reading

SMALL, WHISPER = 3, 4


@dataclass(slots=True)
class Told:
    """One page of the result."""

    posts: dict[str, list[Json]] = field(default_factory=dict)
    """By topic."""
    topics: dict[str, None] = field(default_factory=dict)
    people: list[Record] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    gone: list[tuple[Ref, datetime | None]] = field(default_factory=list)


def moment_of(text: str) -> datetime:
    at = mapping.moment(wire(text))
    return at or datetime.fromtimestamp(0, UTC)


def take_in(r: Reading, row: Row, told: Told) -> None:
    at = moment_of(row["moment"])
    if row["removed"] and row["topic"] is not None:
        ref = Ref(r.site, Kind.THREAD, str(row["topic"]))
        told.gone.append((ref, mapping.moment(wire(row["removed"]))))
    elif row["kind"] == "topic" and row["topic"] is not None:
        told.topics[str(row["id"])] = None
    elif row["kind"] == "post" and row["topic"] is not None:
        post = _post(row)
        if not (r.state.no_members and (flag(row["hidden"]) or post["post_type"] == WHISPER)):
            told.posts.setdefault(str(row["topic"]), []).append(post)
    elif r.state.no_members:
        return  # nor are the lists of members open to us
    elif row["kind"] == "log" and row["member"] is None:
        if number(row["action"]) == 1 and (ref_ := notes.deleted(r.site, row["details"])) is not None:
            told.gone.append((ref_, at))
    elif row["member"] is not None and r.scope.member(row["username"]):
        if row["kind"] == "member":
            told.people.append(mapping.member(r.site, _user(row)))
        elif (change := _change(r.site, row, at)) is not None:
            lost = change.field == "badge" and not change.on
            if not (lost and r.state.holds_on(str(change.value))):
                told.changes.append(change)


def _change(site: str, row: Row, at: datetime) -> Change | None:
    member, action, label = str(row["member"]), number(row["action"]), row["label"]
    match row["kind"]:
        case "group" if label:
            return notes.membership(site, member, str(label), action == 2, at)
        case "badge" if label:
            return notes.badge(site, member, str(label), True, at)
        case "log" if action == 14 and row["details"]:
            return notes.badge(site, member, str(row["details"]), False, at)
        case "log" if action in (2, 15):
            return notes.level(site, member, row["value"], row["details"], at)
    return None


def _post(row: Row) -> Json:
    """As the list of posts would have it."""
    likes = number(row["likes"]) or 0
    return {
        "id": number(row["id"]),
        "topic_id": number(row["topic"]),
        "user_id": number(row["member"]),
        "username": row["username"],
        "post_number": number(row["number"]),
        "reply_to_post_number": number(row["reply"]),
        "post_type": number(row["type"]),
        "action_code": row["code"],
        "raw": row["raw"] or "",
        "hidden": flag(row["hidden"]),
        "created_at": wire(row["created"]),
        "updated_at": wire(row["updated"]),
        "deleted_at": wire(row["deleted"]),
        "user_deleted": flag(row["withdrawn"]),
        "actions_summary": [{"id": mapping.LIKE, "count": likes}] if likes else [],
    }


def _user(row: Row) -> Json:
    """As the list of users would have it."""
    return {
        "id": number(row["id"]),
        "username": row["username"],
        "name": row["name"],
        "title": row["title"],
        "created_at": wire(row["created"]),
        "last_seen_at": wire(row["seen"]),
        "trust_level": number(row["trust"]),
        "admin": flag(row["admin"]),
        "moderator": flag(row["moderator"]),
        "staged": flag(row["staged"]),
        "suspended_till": wire(row["suspended"]),
        "silenced_till": wire(row["silenced"]),
    }
