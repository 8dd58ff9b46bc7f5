"""What the log of staff actions tells since the last sweep: edits and deletions of other people's posts,
which leave no trace in any list, and when members' levels, titles and badges were changed.

What authors do to their own posts, recoveries, and levels that members earn are not in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ...config.errors import Forbidden, NotFound
from ..base import Batch
from ..records import Change, Ref
from . import mapping, notes
from .acting import SKEW
from .client import Json
from .reading import Reading

_ACTIONS = frozenset({"post_edit", "delete_post"})
_PAGE = 200


def staff_doings(r: Reading) -> Iterator[Batch]:
    """The notes, and the posts that the log names, read again one by one; a webhook tells of posts as well,
    and Data Explorer of all of it."""
    if r.explorer is not None or r.state.no_members or not r.state.swept_before:
        return
    since = datetime.fromisoformat(r.state.swept_before) - SKEW
    rows = _rows(r, since)
    yield r.batch(_changes(r, rows), "log", len(rows), gone=list(_deleted(r, rows)))
    if r.webhook is not None:
        return
    for number in sorted({int(row["post_id"]) for row in rows if _tells(row)}):
        if number > int(r.state.at.get("post", 0)):
            r.state.at = {"post": number}
            if (batch := _read(r, number)) is not None:
                yield batch


def _rows(r: Reading, since: datetime) -> list[Json]:
    """The log, newest first, back to `since`."""
    found: list[Json] = []
    page = 0
    while True:
        try:
            answer = r.client.get("/admin/logs/staff_action_logs.json", limit=_PAGE, page=page)
        except (Forbidden, NotFound):
            return found
        rows: list[Json] = answer.get("staff_action_logs") or []
        late = [row for row in rows if (mapping.moment(row.get("created_at")) or since) > since]
        found += late
        if len(late) < _PAGE:
            return found
        page += 1


def _changes(r: Reading, rows: list[Json]) -> Iterator[Change]:
    for row in rows:
        at, target = mapping.moment(row.get("created_at")), row.get("target_user") or {}
        if at is not None and r.scope.member(target.get("username")):
            change = notes.of_staff(r.site, row, at)
            if change is not None and not (change.field == "badge" and r.state.holds_on(str(change.value))):
                yield change


def _deleted(r: Reading, rows: list[Json]) -> Iterator[Ref]:
    for row in rows:
        if row.get("action_name") == "delete_user":
            ref = notes.deleted(r.site, row.get("details"))
            if ref is not None:
                yield ref


def _tells(row: Json) -> bool:
    return row.get("action_name") in _ACTIONS and row.get("post_id") is not None


def _read(r: Reading, number: int) -> Batch | None:
    try:
        post = r.client.post_by_id(number)
    except (Forbidden, NotFound):
        return None
    thread = str(post["topic_id"])
    if not r.known.stamps([thread]) or not r.scope.post(post):
        return None
    return r.batch(r.contributions([post]), "posts again")
