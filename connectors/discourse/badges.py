"""Who holds which badge: those that people made for this forum. Discourse's own follow from what members do,
which the mirror holds; to read them would take a request for each hundred grants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ...config.errors import Refused
from ..base import Batch
from ..records import Badge
from . import mapping
from .client import Json
from .reading import Reading


def badges(r: Reading) -> Iterator[Batch]:
    """The badges whose name or number of grants has changed, each with all who hold it."""
    try:
        rows = r.client.get("/badges.json").get("badges") or []
    except Refused:
        return  # this forum has none
    made = {str(row["id"]): row for row in rows if not row.get("system")}
    records: list[Badge] = []
    for number, (name, *_) in list(r.state.badges.items()):
        if number not in made or made[number]["name"] != name:
            records.append(Badge(site=r.site, id=number, name=str(name), holders={}))
            del r.state.badges[number]
    if records:
        yield r.batch(records, "badges")
    for number, row in made.items():
        name, count = str(row["name"]), int(row.get("grant_count") or 0)
        if count == r.state.badges.get(number, [name, 0])[1]:
            continue
        holders = _holders(r, number, count)
        if holders is not None:
            r.state.badges[number] = [name, count, bool(row.get("multiple_grant"))]
            yield r.batch([Badge(site=r.site, id=number, name=name, holders=holders)], "badges")


def _holders(r: Reading, number: str, count: int) -> dict[str, datetime] | None:
    """The members with the time of their first grant; None where the forum does not say."""
    found: dict[str, datetime] = {}
    offset = 0
    while offset < count:
        try:
            answer = r.client.get("/user_badges.json", badge_id=number, offset=offset)
        except Refused:
            return None
        names = {user["id"]: user.get("username") for user in answer.get("users") or ()}
        rows: list[Json] = (answer.get("user_badge_info") or answer).get("user_badges") or []
        for row in rows:
            at = mapping.moment(row.get("granted_at"))
            if at is not None and r.scope.member(names.get(row["user_id"])):
                member = str(row["user_id"])
                found[member] = min(at, found.get(member, at))
        offset += len(rows)
        if not rows:
            break
    return found
