"""What the wiki's logs say: which pages and accounts to read again, and changes of rights.

The logs are kept for ever and name a page by the id that it had (`logpage`), also when it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network

from ..records import Change, Kind
from .client import Json
from .convert import moment

LOG_PROPS = "ids|type|title|timestamp|user|userid|details"

_OF_PAGES = frozenset(
    {"delete", "move", "import", "merge", "protect", "contentmodel", "pagelang", "upload", "stable"}
)
"""Most of them leave a revision that is not among the recent changes (`stable`: of FlaggedRevs)."""
_WITH_HISTORY = frozenset(
    {"delete/restore", "delete/revision", "import/interwiki", "import/upload", "merge/merge"}
)
_OF_USERS = frozenset({"block", "rights", "renameuser", "newusers", "gblrename", "usermerge"})


@dataclass(slots=True)
class Told:
    """By the log: pages to read again (their ids), with all revisions (`rewritten`), pages known by title
    only, with the number of the namespace, when pages were deleted, and accounts to read again by name or id.
    """

    pages: set[str] = field(default_factory=set)
    rewritten: set[str] = field(default_factory=set)
    titles: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)


def tell(rows: Iterable[Json]) -> Told:
    told = Told()
    for row in rows:
        kind = row.get("type", "")
        if kind in _OF_PAGES:
            _page(row, told)
        elif kind in _OF_USERS:
            _user(row, told)
    return told


def _page(row: Json, told: Told) -> None:
    page, action = str(row.get("logpage") or ""), f"{row['type']}/{row.get('action', '')}"
    params = row.get("params", {})
    if page:
        told.pages.add(page)
        if action in _WITH_HISTORY:
            told.rewritten.add(page)
        if action.startswith("delete/delete"):
            told.deleted[page] = moment(row["timestamp"])
    if row["type"] == "merge" and params.get("dest_title"):
        told.titles[params["dest_title"]] = params["dest_ns"]
    elif not page and row.get("title") and row["type"] != "protect":  # of a title without a page
        told.titles[row["title"]] = row["ns"]


def _user(row: Json, told: Told) -> None:
    params = row.get("params", {})
    if row["type"] == "newusers" and params.get("userid"):
        told.ids.add(str(params["userid"]))
    elif params.get("newuser"):
        told.names.add(params["newuser"])
    else:
        told.names.update(names_in([row]))


def names_in(rows: Iterable[Json]) -> list[str]:
    """The accounts that log rows are about, each once: their titles are those of user pages."""
    names = (row.get("title", "").partition(":")[2] for row in rows)
    return list(dict.fromkeys(name for name in names if name and not _is_address(name)))


def _is_address(name: str) -> bool:
    """Of the network, or a range of them; `#7` is a block of one that is not to be known."""
    try:
        ip_network(name, strict=False)
    except ValueError:
        return name.startswith("#")
    return True


def changes_of_rights(site: str, rows: Iterable[Json], ids: Mapping[str, str]) -> list[Change]:
    """Groups that people got and lost. `ids`: those of the names; who has none is gone or renamed."""
    changes: list[Change] = []
    for row in rows:
        params = row.get("params", {})
        member = ids.get(row.get("title", "").partition(":")[2])
        if row.get("type") != "rights" or member is None or "newgroups" not in params:
            continue
        before, after = set(params.get("oldgroups", ())), set(params["newgroups"])
        at = moment(row["timestamp"])
        for group in sorted(before ^ after):
            changes.append(
                Change(
                    site=site, kind=Kind.MEMBER, id=member, field="group", value=group, at=at,
                    on=group in after,
                )
            )  # fmt: skip
    return changes


def changes_of_space(site: str, rows: Iterable[Json]) -> list[Change]:
    """Pages that were moved into another namespace."""
    return [
        Change(
            site=site, kind=Kind.THREAD, id=str(row["logpage"]), field="space",
            value=str(row["params"]["target_ns"]), at=moment(row["timestamp"]),
        )
        for row in rows
        if row.get("type") == "move"
        and row.get("logpage")
        and row.get("params", {}).get("target_ns", row["ns"]) != row["ns"]
    ]  # fmt: skip
