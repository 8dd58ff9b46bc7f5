"""Categories, groups and members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...config.errors import Forbidden, NotFound, Refused
from ..base import Batch
from ..records import Group, Kind
from . import mapping
from .client import Json
from .group_log import group_log
from .reading import Reading

ADMINS, MODERATORS, STAFF = 1, 2, 3
"""Ids of the groups that follow from members' flags; their names depend on the forum's language."""

PAGE = 100
GROUP_PAGE = 1000


def structure(r: Reading) -> Iterator[Batch]:
    """Categories; and which groups there are."""
    site = r.client.get_site_info()
    spaces = [mapping.space(r.site, row) for row in site.get("categories") or ()]
    r.scope.learn(spaces)
    r.state.hidden_spaces = sorted(r.scope.hidden_spaces)
    r.groups = list(site.get("groups") or ())
    r.state.abouts = about_topics(site.get("categories") or ())
    yield r.batch((s for s in spaces if r.scope.space(s.id)), "categories", len(spaces), ended=[Kind.SPACE])


def about_topics(categories: Iterable[Json]) -> list[int]:
    """Numbers of the topics that describe these categories, by their addresses."""
    ends = (str(row.get("topic_url") or "").rpartition("/")[2] for row in categories)
    return sorted(int(end) for end in ends if end.isdecimal())


def members(r: Reading) -> Iterator[Batch]:
    """All members, newest first; an account that is not staff learns of them from their posts only.

    Only without an order of ours does the forum put those who joined in one moment, as people do who were
    imported, in an order as well (lib/admin_user_index_query.rb), so that none falls between two pages."""
    page = int(r.state.at.get("page", 1))
    if page == 1:
        r.state.admins, r.state.moderators = [], []
    while True:
        try:
            rows = r.client.list_users("new", page=page)
        except (Forbidden, NotFound):
            r.state.no_members = True
            return
        r.state.no_members = False
        _note_staff(r, rows)
        page += 1
        r.state.at = {"page": page}
        r.state.joined = max([r.state.joined, *(str(row["created_at"]) for row in rows)])
        last = len(rows) < PAGE
        kept = [mapping.member(r.site, row) for row in rows if r.scope.member(row["username"])]
        yield r.batch(kept, "members", (page - 2) * PAGE + len(rows), ended=[Kind.MEMBER] if last else [])
        if last:
            return


def _note_staff(r: Reading, rows: list[Json]) -> None:
    # Accounts of the forum itself, with ids below 1, are in no automatic group (models/group.rb).
    kept = [row for row in rows if int(row["id"]) > 0 and r.scope.member(row["username"])]
    r.state.admins += [str(row["id"]) for row in kept if row.get("admin")]
    r.state.moderators += [str(row["id"]) for row in kept if row.get("moderator")]


def new_members(r: Reading) -> Iterator[Batch]:
    """Members who joined since the last run, newest first; the page tells of others' flags as well."""
    if r.state.no_members:
        return  # the next sweep tries again
    page, newest = 1, r.state.joined
    while True:
        try:
            rows = r.client.list_users("new", page=page)
        except (Forbidden, NotFound):  # our account is not staff any more
            r.state.no_members = True
            return
        newest = max([newest, *(str(row["created_at"]) for row in rows)])
        last = len(rows) < PAGE or str(rows[-1]["created_at"]) <= r.state.joined
        if last:
            r.state.joined = newest
        kept = [mapping.member(r.site, row) for row in rows if r.scope.member(row["username"])]
        yield r.batch(kept, "members", len(kept))
        if last:
            return
        page += 1


def groups(r: Reading) -> Iterator[Batch]:
    """Groups with their members; those of trust levels are left out, members carry their level."""
    if not r.groups:
        r.groups = list(r.client.get_site_info().get("groups") or ())
    rows = sorted((g for g in r.groups if is_read(int(g["id"]))), key=lambda g: int(g["id"]))
    for row in rows:
        if int(row["id"]) <= int(r.state.at.get("group", 0)):
            continue
        derived = _derived(r, row)
        group = derived or read_group(r, row)
        changes = [] if derived or r.state.job == "full" else group_log(r, row, group)
        r.state.at = {"group": int(row["id"])}
        yield r.batch([group, *changes], "groups", rows.index(row) + 1, len(rows))
    yield r.batch(ended=[Kind.GROUP])


def is_read(number: int) -> bool:
    """Whether a group's members are part of the mirror."""
    return number in (ADMINS, MODERATORS, STAFF) or number > 14


def _derived(r: Reading, row: Json) -> Group | None:
    """The groups of staff, without a request: the list of members has just told who they are."""
    if r.state.no_members:
        return None
    admins, moderators = set(r.state.admins), set(r.state.moderators)
    whose = {ADMINS: admins, MODERATORS: moderators, STAFF: admins | moderators}.get(int(row["id"]))
    return None if whose is None else mapping.group(r.site, row, whose)


def read_group(r: Reading, row: Json) -> Group:
    """A group with its members, or with unknown ones where we may not see them."""
    found: dict[str, str] = {}
    offset = 0
    while True:
        try:
            answer = r.client.get(f"/groups/{row['name']}/members.json", limit=GROUP_PAGE, offset=offset)
        except Refused:
            return mapping.group(r.site, row, None)
        page = answer.get("members") or []
        found.update((str(member["id"]), str(member["username"])) for member in page)
        offset += GROUP_PAGE
        if offset >= int((answer.get("meta") or {}).get("total") or 0) or not page:
            break
    return mapping.group(r.site, row, (i for i, name in found.items() if r.scope.member(name)))
