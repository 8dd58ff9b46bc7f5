"""Single items, read fresh: the item and everything that is decided by."""

from __future__ import annotations

from dataclasses import replace

from ...config.errors import Forbidden, NotFound
from ..base import Batch
from ..records import Kind, Record, Ref, Thread
from . import mapping
from .client import Json
from .dialect import topic_rows
from .read_people import read_group
from .reading import Reading
from .stamps import Stamp
from .topic import read_topic


def fetch(r: Reading, ref: Ref) -> Batch | None:
    """None for what is gone, excluded, or not visible to us; no records for a member of whom that cannot be
    told, because the account may not look members up."""
    try:
        records = _records(r, ref)
    except (NotFound, Forbidden) as refusal:
        return _as_all_see(r, ref) if _is_about_us(r, ref, refusal) else None
    return Batch(records=tuple(records)) if records else None


def _is_about_us(r: Reading, ref: Ref, refusal: NotFound | Forbidden) -> bool:
    """Whether it says only that the list of users is closed to our account or its key: to who is not staff
    every member there looks as one that does not exist."""
    return ref.kind == Kind.MEMBER and (isinstance(refusal, Forbidden) or not r.client.me().staff)


def _as_all_see(r: Reading, ref: Ref) -> Batch | None:
    """A member by the card that everybody may see; nothing where there is none: for a hidden profile, and
    for one that is gone."""
    try:
        users = r.client.get("/user-cards.json", user_ids=ref.id).get("users") or ()
    except (NotFound, Forbidden):
        return Batch()
    if any(not r.scope.member(user["username"]) for user in users):
        return None
    return Batch(records=tuple(mapping.member(r.site, user) for user in users))


def _records(r: Reading, ref: Ref) -> list[Record]:
    match ref.kind:
        case Kind.THREAD:
            return _thread(r, ref.id)
        case Kind.CONTRIBUTION:
            return _contribution(r, ref.id)
        case Kind.MEMBER:
            return _member(r, ref.id)
        case Kind.SPACE | Kind.GROUP:
            return _structure(r, ref)
    return []


def _thread(r: Reading, number: str) -> list[Record]:
    view = read_topic(r.client, number)
    if view.topic.get("deleted_at") or not r.scope.admits(view.topic):
        return []
    record = mapping.thread(r.site, view.topic, author=view.author, solved_by=view.solved_by)
    if (row := _row(r, number)) is not None:
        stamp = replace(Stamp.of(row[0]), solved=view.solved_by or "")
        listed = r.thread(row[0], row[1], None)
        record = replace(listed, solved_by=view.solved_by, stamp=str(stamp))
    return [record, *r.posts_of(view)]


def _row(r: Reading, number: str) -> tuple[Json, dict[str, str]] | None:
    """The topic's row in lists, if it has one: messages have none."""
    return next(iter(topic_rows(r.client, [number])), None)


def _contribution(r: Reading, number: str) -> list[Record]:
    post = r.client.post_by_id(number)
    view = r.client.topic_view(str(post["topic_id"]))
    post = {**post, "category_id": view.get("category_id")}
    if view.get("deleted_at") or not (r.scope.topic(view) and r.scope.post(post)):
        return []
    contribution = mapping.contribution(r.site, post, text=r.scope.text)
    if contribution.deleted_at is not None:
        return []
    return [_bare_thread(r, view), contribution]


def _bare_thread(r: Reading, view: Json) -> Thread:
    author = view.get("user_id")
    return mapping.thread(r.site, view, author=None if author is None else str(author))


def _member(r: Reading, number: str) -> list[Record]:
    user = r.client.user_all(number)
    if not r.scope.member(user["username"]):
        return []
    groups = (str(g["name"]) for g in user.get("groups") or () if not _by_trust(int(g["id"])))
    return [mapping.member(r.site, user, groups)]


def _by_trust(group: int) -> bool:
    """Groups that the reading leaves out as well."""
    return group == 0 or 10 <= group <= 14


def _structure(r: Reading, ref: Ref) -> list[Record]:
    site = r.client.get_site_info()
    if ref.kind == Kind.SPACE:
        spaces = [mapping.space(r.site, row) for row in site.get("categories") or ()]
        r.scope.learn(spaces)
        return [s for s in spaces if s.id == ref.id and r.scope.space(s.id)]
    return [read_group(r, row) for row in site.get("groups") or () if str(row["id"]) == ref.id]
