"""When members came into a group and left it, by the group's own log: 25 rows a request, for those who may
manage it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from ...config.errors import Refused
from ..records import Change, Group
from . import mapping, notes
from .acting import SKEW
from .client import Json
from .reading import Reading


def group_log(r: Reading, row: Json, group: Group) -> list[Change]:
    """The log of a group whose members have changed since it was read, back to then; the first time all of
    it, and where Data Explorer tells of memberships, only then, unless it has told of all of them."""
    if group.members is None or (r.state.told_all and r.explorer is not None):
        return []
    digest = hashlib.blake2b(",".join(sorted(group.members)).encode(), digest_size=6).hexdigest()
    before = r.state.logged.get(group.id)
    r.state.logged[group.id] = digest
    if before == digest or (before is not None and r.explorer is not None):
        return []
    since = datetime.fromisoformat(r.state.swept_before) - SKEW if before is not None else None
    return list(_changes(r, str(row["name"]), since))


def _changes(r: Reading, name: str, since: datetime | None) -> Iterator[Change]:
    offset = 0
    while True:
        try:
            answer = r.client.get(f"/groups/{name}/logs.json", offset=offset)
        except Refused:
            return  # neither an administrator nor an owner of this group
        rows: list[Json] = answer.get("logs") or []
        for row in rows:
            at, target = mapping.moment(row.get("created_at")), row.get("target_user") or {}
            if at is None or (since is not None and at < since):
                return
            action, member = row.get("action"), target.get("id")
            told = action in (notes.JOINED, notes.LEFT) and member is not None
            if told and r.scope.member(target.get("username")):
                yield notes.membership(r.site, str(member), name, action == notes.JOINED, at)
        offset += len(rows)
        if not rows or answer.get("all_loaded"):
            return
