"""An item of the mirror against the same item read afresh, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from ..connectors.records import Contribution, Kind, Member, Record, Thread
from .store import rows
from .store.deletion import existing
from .store.states import chunks
from .store.tables import contributions, members, states, texts, threads
from .store.times import micros

_MEMBER = ("username", "name", "trust_level", "admin", "moderator", "bot", "suspended_until", "title")
_THREAD = (
    "kind", "space", "title", "author", "created_at", "closed", "archived", "visible", "solved_by",
)  # fmt: skip
_CONTRIBUTION = ("thread", "author", "created_at", "kind")

Difference = tuple[str, str]
"""(kind of records that differ, in words what does)."""


def differences(
    connection: Connection, site: str, fresh: Sequence[Record], until: int
) -> Iterator[Difference]:
    """What the mirror has otherwise than `fresh`, which may hold an item and everything in it.

    What was made after `until` (microseconds), when the mirror was true, is no difference; what passes by
    itself (views, likes, visits) is none either.
    """
    people = [r for r in fresh if isinstance(r, Member)]
    talks = [r for r in fresh if isinstance(r, Thread)]
    words = [r for r in fresh if isinstance(r, Contribution)]
    yield from _compare(connection, site, Kind.MEMBER, people, rows.member_rows, _MEMBER, until)
    yield from _compare(connection, site, Kind.THREAD, talks, rows.thread_rows, _THREAD, until)
    as_rows = rows.contribution_rows
    yield from _compare(connection, site, Kind.CONTRIBUTION, words, as_rows, _CONTRIBUTION, until)
    yield from _sets(connection, site, "thread", "label", {t.id: t.labels for t in talks})
    yield from _sets(connection, site, "member", "group", {m.id: m.groups for m in people})
    yield from _texts(connection, site, words)


def vanished(connection: Connection, site: str, fresh: Sequence[Record]) -> Iterator[Difference]:
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
            yield "contributions", f"contribution {id_} is gone"


def _compare(
    connection: Connection,
    site: str,
    kind: Kind,
    records: Sequence[Any],
    as_rows: Any,
    fields: Iterable[str],
    until: int,
) -> Iterator[Difference]:
    table, plural = rows.MIRRORED[kind.value], f"{kind.value}s"
    names = [column.name for column in table.columns]
    held = existing(connection, table, site, [r.id for r in records], *names[2:])
    for row in (dict(zip(names, row, strict=True)) for row in as_rows(site, records, "")):
        ours = held.get(row["id"])
        since = row.get("created_at") or row.get("joined_at") or 0
        if ours is None or ours.deleted_at is not None:
            if since <= until:
                yield plural, f"{kind.value} {row['id']} is missing"
            continue
        differ = [f for f in fields if row[f] is not None and row[f] != getattr(ours, f)]
        if differ:
            yield plural, f"{kind.value} {row['id']} differs in {', '.join(differ)}"


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
            yield f"{kind}s", f"{kind} {id_} differs in {field}s"


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
                yield "texts", f"the text of contribution {row.contribution} differs"
