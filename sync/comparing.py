"""An item of the mirror against the same item read afresh, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from ..connectors.base import Aspect
from ..connectors.records import Contribution, Kind, Member, Record, Ref, Thread
from .store import rows
from .store.deletion import existing
from .store.states import chunks
from .store.tables import contributions, members, states, texts, threads
from .store.times import micros

_FIELDS: Mapping[Kind, Mapping[str, Aspect]] = {
    Kind.MEMBER: {
        "username": "renames", "name": "renames", "joined_at": "members", "trust_level": "trust levels",
        "admin": "roles", "moderator": "roles", "bot": "roles", "staged": "roles",
        "suspended_until": "suspensions", "silenced_until": "suspensions", "title": "member titles",
    },
    Kind.THREAD: {
        "kind": "threads", "space": "moves", "title": "titles", "author": "threads", "created_at": "threads",
        "last_activity_at": "contributions", "closed": "states", "archived": "states", "visible": "states",
        "pinned": "states", "solved_by": "solutions",
    },
    Kind.CONTRIBUTION: {
        "thread": "contributions", "author": "contributions", "created_at": "contributions",
        "updated_at": "edits", "position": "contributions", "parent": "contributions", "size": "edits",
        "sha1": "edits", "kind": "contributions",
    },
}  # fmt: skip
"""Every column that is compared, and the kind of change that was missed where it differs. Views, likes and
visits pass by themselves; no reading of single items has all of them."""

_MISSING: Mapping[Kind, Aspect] = {
    Kind.MEMBER: "members", Kind.THREAD: "threads", Kind.CONTRIBUTION: "contributions",
}  # fmt: skip
_SETS: Mapping[str, Aspect] = {"label": "labels", "group": "groups"}
_ENDS = frozenset({"suspended_until", "silenced_until"})
"""Times of which those that have passed mean none."""
_LATER = frozenset({"last_activity_at", "updated_at"})
"""Times that say when something happened; after the last sync it is nothing that was missed."""

Difference = tuple[Aspect, str]
"""(what was missed, in words where)."""


def differences(
    connection: Connection, site: str, fresh: Sequence[Record], until: int
) -> Iterator[Difference]:
    """What the mirror has otherwise than `fresh`, which may hold an item and everything in it.

    What was made after `until` (microseconds), when the mirror was true, is no difference; what passes by
    itself (views, likes, visits) is none either, nor is it a lack of what the platform does not list.
    """
    people = [r for r in fresh if isinstance(r, Member)]
    talks = [r for r in fresh if isinstance(r, Thread)]
    words = [r for r in fresh if isinstance(r, Contribution)]
    yield from _compare(connection, site, Kind.MEMBER, people, rows.member_rows, until)
    yield from _compare(connection, site, Kind.THREAD, talks, rows.thread_rows, until)
    yield from _compare(connection, site, Kind.CONTRIBUTION, words, rows.contribution_rows, until)
    yield from _sets(connection, site, "thread", "label", {t.id: t.labels for t in talks})
    yield from _sets(connection, site, "member", "group", {m.id: m.groups for m in people})
    yield from _texts(connection, site, [r for r in words if (micros(r.updated_at) or 0) <= until])


def vanished(connection: Connection, site: str, fresh: Sequence[Record]) -> Iterator[Ref]:
    """Contributions that the mirror holds of the threads in `fresh`, and `fresh` does not have.

    A site may give only the newest of a long thread: what is older than all of those is not looked for.
    """
    words = [r for r in fresh if isinstance(r, Contribution)]
    there = {r.id for r in words}
    for thread in (r.id for r in fresh if isinstance(r, Thread)):
        oldest = min((r.created_at for r in words if r.thread == thread), default=None)
        if oldest is None:
            continue
        held = connection.scalars(
            select(contributions.c.id).where(
                contributions.c.site == site,
                contributions.c.thread == thread,
                contributions.c.created_at >= micros(oldest),
                contributions.c.deleted_at.is_(None),
            )
        )
        for id_ in sorted(set(held) - there):
            yield Ref(site, Kind.CONTRIBUTION, id_)


def _compare(
    connection: Connection,
    site: str,
    kind: Kind,
    records: Sequence[Any],
    as_rows: Any,
    until: int,
) -> Iterator[Difference]:
    table = rows.MIRRORED[kind.value]
    names = [column.name for column in table.columns]
    held = existing(connection, table, site, [r.id for r in records], *names[2:])
    unlisted = {r.id for r in records if isinstance(r, Contribution) and r.unlisted}
    for row in (dict(zip(names, row, strict=True)) for row in as_rows(site, records, "")):
        ours = held.get(row["id"])
        since = row.get("created_at") or row.get("joined_at") or 0
        if ours is None or ours.deleted_at is not None:
            if since <= until and row["id"] not in unlisted:
                yield _MISSING[kind], f"{kind.value} {row['id']} is missing"
            continue
        differ: dict[Aspect, list[str]] = {}
        for field, aspect in _FIELDS[kind].items():
            if _differs(table.name, field, row[field], getattr(ours, field), until):
                differ.setdefault(aspect, []).append(field)
        for aspect, unlike in differ.items():
            yield aspect, f"{kind.value} {row['id']} differs in {', '.join(unlike)}"


def _differs(table: str, field: str, fresh: Any, ours: Any, until: int) -> bool:
    if field in _ENDS:
        fresh, ours = (None if end is None or end <= until else end for end in (fresh, ours))
    if fresh is None and (field == "parent" or field in rows.UNKNOWN_KEEPS[table]):
        return False
    return bool(fresh != ours and not (field in _LATER and fresh is not None and fresh > until))


def _sets(
    connection: Connection, site: str, kind: str, field: str, fresh: Mapping[str, frozenset[str] | None]
) -> Iterator[Difference]:
    known = {id_: elements for id_, elements in fresh.items() if elements is not None}
    held: dict[str, set[str]] = {id_: set() for id_ in known}
    table = members if kind == "member" else threads
    stored = existing(connection, table, site, known)
    for chunk in chunks(known):
        found = connection.execute(
            select(states.c.item, states.c.value).where(
                states.c.site == site, states.c.kind == kind, states.c.field == field,
                states.c.item.in_(chunk), states.c.valid_to.is_(None),
            )
        )  # fmt: skip
        for row in found:
            held[row.item].add(row.value)
    for id_, elements in known.items():
        if id_ in stored and held[id_] != elements:
            yield _SETS[field], f"{kind} {id_} differs in {field}s"


def _texts(connection: Connection, site: str, records: Sequence[Contribution]) -> Iterator[Difference]:
    read = {r.id: r for r in records if r.text is not None}
    for chunk in chunks(read):
        found = connection.execute(
            select(texts.c.contribution, texts.c.text).where(
                texts.c.site == site, texts.c.contribution.in_(chunk)
            )
        )
        for row in found:
            if row.text != read[row.contribution].text:
                yield "edits", f"the text of contribution {row.contribution} differs"
