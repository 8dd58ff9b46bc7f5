"""What staff did to other people's posts since the last sweep: edits and deletions that leave no trace in
any list. Authors' own, and recoveries, are not in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ...config.errors import Forbidden, NotFound
from ..base import Batch
from . import mapping
from .acting import SKEW
from .client import Json
from .reading import Reading

_ACTIONS = frozenset({"post_edit", "delete_post"})
_PAGE = 200


def staff_doings(r: Reading) -> Iterator[Batch]:
    """The posts that the log names, read again one by one; a webhook tells of them as well."""
    if r.webhook is not None or r.state.no_members or not r.state.swept_before:
        return
    since = datetime.fromisoformat(r.state.swept_before) - SKEW
    for number in sorted(_named(r, since)):
        if number > int(r.state.at.get("post", 0)):
            r.state.at = {"post": number}
            if (batch := _read(r, number)) is not None:
                yield batch


def _named(r: Reading, since: datetime) -> set[int]:
    """Ids of the posts; the log is read back to `since`."""
    found: set[int] = set()
    page = 0
    while True:
        try:
            answer = r.client.get("/admin/logs/staff_action_logs.json", limit=_PAGE, page=page)
        except (Forbidden, NotFound):
            return found
        rows: list[Json] = answer.get("staff_action_logs") or []
        late = [row for row in rows if (mapping.moment(row.get("created_at")) or since) > since]
        found |= {int(row["post_id"]) for row in late if _tells(row)}
        if len(late) < _PAGE:
            return found
        page += 1


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
