"""Putting what a connector read into the mirror, inside the transaction of the caller."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, func, select, update

from ...connectors.base import Batch, Family
from ...connectors.records import (
    Badge,
    Change,
    Contribution,
    Group,
    Kind,
    Member,
    Record,
    Ref,
    Space,
    Thread,
)
from . import rows
from .deletion import cascade, mark
from .guard import Guard
from .items import Items
from .states import chunks
from .tables import contributions, members, spaces, texts, threads
from .times import micros

_COUNTED = (Kind.MEMBER, Kind.THREAD, Kind.CONTRIBUTION)
"""Kinds that people are told the numbers of. A space is gone for the mirror when it is excluded, too."""

R = TypeVar("R", Member, Space, Thread, Contribution, Group, Badge)


@dataclass(slots=True)
class Counts:
    """What a sync stored: items that are new or differ, and items newly marked as deleted."""

    members: int = 0
    threads: int = 0
    contributions: int = 0
    deleted: int = 0


@dataclass(slots=True)
class Ingest:
    """One site's way into the store.

    `now`: the moment that observations get. `synced_at` (microseconds): up to when the mirror was true before
    this sync; None while there never was a complete one.
    """

    site: str
    family: Family
    guard: Guard
    now: datetime
    synced_at: int | None = None
    counts: Counts = field(default_factory=Counts)
    _members: set[str] = field(default_factory=set)
    _threads: set[str] = field(default_factory=set)
    """Ids of those that were counted. Of contributions, which may be millions, each comes whole."""

    def store(self, connection: Connection, batch: Batch) -> None:
        """Store a batch, but not its cursor. Storing it again changes nothing."""
        records = self.guard.admit(batch.records)
        self.guard.drop(connection, batch.records)
        found = _Sorted(records)
        people, talks, words = found.all(Member), found.all(Thread), found.all(Contribution)
        wiki = self.family == "wiki"
        self._count(connection, people, talks, words)
        items = Items(connection, self.site, batch.scan, micros(self.now), self.synced_at, wiki)
        rows.upsert(connection, spaces, rows.space_rows(self.site, found.all(Space), batch.scan))
        items.members(people, [c for c in found.changes if c.kind is Kind.MEMBER])
        items.groups(found.all(Group))
        items.badges(found.all(Badge))
        items.threads(talks, [c for c in found.changes if c.kind is Kind.THREAD])
        self._contributions(connection, words, batch.scan)
        self._gone(connection, items, batch.gone)
        self.counts.deleted += items.deleted

    def _count(
        self,
        connection: Connection,
        people: Sequence[Member],
        talks: Sequence[Thread],
        words: Sequence[Contribution],
    ) -> None:
        """What is new or differs. Not in a first sync, where nearly everything is new: see `held`."""
        if self.synced_at is None:
            return
        site, counts = self.site, self.counts
        counts.members += self._once(
            rows.changes(connection, members, site, rows.member_rows(site, people, "")), self._members
        )
        counts.threads += self._once(
            rows.changes(connection, threads, site, rows.thread_rows(site, talks, "")), self._threads
        )
        counts.contributions += len(
            rows.changes(connection, contributions, site, rows.contribution_rows(site, words, ""))
        )

    def _once(self, changed: set[str], before: set[str]) -> int:
        """How many of them this sync has not counted before: a thread may come in two parts."""
        fresh = len(changed - before)
        before |= changed
        return fresh

    def _contributions(self, connection: Connection, records: Sequence[Contribution], scan: str) -> None:
        if not records:
            return
        rows.upsert(connection, contributions, rows.contribution_rows(self.site, records, scan))
        written = [(self.site, r.id, r.text) for r in records if r.text is not None]
        if self.family == "wiki":
            self._drop_old_texts(connection, records)
        rows.upsert(connection, texts, written)
        waiting = [r.id for r in records if r.parent is None and r.parent_position is not None]
        find_parents(connection, self.site, waiting)

    def _drop_old_texts(self, connection: Connection, records: Sequence[Contribution]) -> None:
        """Of a page only the current revision's text is kept: the one that was read with its text."""
        current = {r.thread: r.id for r in records if r.text is not None}
        for chunk in chunks(current):
            inside = select(contributions.c.id).where(
                contributions.c.site == self.site, contributions.c.thread.in_(chunk)
            )
            kept = [current[thread] for thread in chunk]
            connection.execute(
                delete(texts).where(
                    texts.c.site == self.site,
                    texts.c.contribution.in_(inside),
                    texts.c.contribution.not_in(kept),
                )
            )
        without = [(self.site, r.id) for r in records if r.text is None]
        rows.delete_keys(connection, texts, without)

    def _gone(
        self, connection: Connection, items: Items, gone: Iterable[tuple[Ref, datetime | None]]
    ) -> None:
        for ref, when in gone:
            if ref.kind not in rows.MIRRORED:
                continue
            marked = mark(connection, ref, micros(when), micros(self.now))
            if marked is None:
                continue
            before, after = marked
            items.deleted += before is None and ref.kind in _COUNTED
            if ref.kind == Kind.THREAD:
                cascade(connection, ref, before, after)
            if ref.kind == Kind.GROUP:
                items.end_group(ref.id)


def held(connection: Connection, site: str) -> Counts:
    """What the mirror holds of a site and is not deleted. A first sync brought the difference, as it reads
    some items more than once."""
    counts = Counts()
    for table in (members, threads, contributions):
        there = select(func.count()).where(table.c.site == site, table.c.deleted_at.is_(None))
        setattr(counts, table.name, connection.execute(there).scalar_one())
    return counts


def find_parents(connection: Connection, site: str, ids: Iterable[str] | None = None) -> None:
    """Fill in `parent` where a contribution names what it answers by its position, and that has been read.

    None: of all that still wait for it, which a sync does at its end.
    """
    c, parents = contributions, contributions.alias("parents")
    found = select(func.min(parents.c.id)).where(
        parents.c.site == site,
        parents.c.thread == c.c.thread,
        parents.c.position == c.c.parent_position,
    )
    fill = (
        update(c)
        .where(c.c.site == site, c.c.parent.is_(None), c.c.parent_position.is_not(None))
        .values(parent=found.scalar_subquery())
    )
    if ids is None:
        connection.execute(fill.where(c.c.parent_position >= 0))  # makes SQLite take the partial index
    else:
        for chunk in chunks(ids):
            connection.execute(fill.where(c.c.id.in_(chunk)))


class _Sorted:
    """The records of a batch by type; of an item that is there twice, the last."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._of: dict[type[Record], dict[str, Any]] = defaultdict(dict)
        self.changes: list[Change] = []
        for record in records:
            if type(record) is Change:
                self.changes.append(record)
            else:
                self._of[type(record)][record.id] = record

    def all(self, of: type[R]) -> list[R]:
        return list(self._of[of].values())
