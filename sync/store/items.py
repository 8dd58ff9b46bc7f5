"""Members, groups and threads: the records whose states have a history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from ...connectors.records import Badge, Change, Group, Kind, Member, Thread
from . import rows
from .deletion import cascade, existing
from .states import MEMBER_FIELDS, THREAD_FIELDS, Histories, Key, chunks, written
from .tables import members, site_groups, states, threads
from .times import micros

_BOOLEANS = frozenset({"closed", "archived", "visible"})


@dataclass(slots=True)
class Items:
    """Stores those of one batch. `now` and `synced_at` in microseconds, as in `Ingest`; `deleted` counts.

    `members_bring_groups`: a member's record has all of the member's groups (wikis), so that the groups
    themselves need not be read.
    """

    connection: Connection
    site: str
    scan: str
    now: int
    synced_at: int | None
    members_bring_groups: bool
    deleted: int = 0

    def members(self, records: Sequence[Member], changes: Sequence[Change]) -> None:
        if not records and not changes:
            return
        ids = {record.id for record in records} | {change.id for change in changes}
        before = existing(
            self.connection, members, self.site, ids, "joined_at", "deleted_at", *MEMBER_FIELDS
        )
        starts = _starts(before, "joined_at") | {r.id: micros(r.joined_at) for r in records if r.joined_at}
        histories = Histories(self.connection, self.site, Kind.MEMBER.value, ids)
        histories.tell(changes, starts, self._baselines(changes, before, starts))
        for record in records:
            new = record.id not in before
            if new and histories.begin(record.id, "group", record.groups or (), 0):
                continue
            self._see(histories, record, MEMBER_FIELDS, before, starts)
            if record.groups is not None:
                histories.see_set(record.id, "group", record.groups, 0, self.now, new=new)
        histories.save()
        rows.upsert(self.connection, members, rows.member_rows(self.site, records, self.scan))
        self._count_deleted(records, before)

    def threads(self, records: Sequence[Thread], changes: Sequence[Change]) -> None:
        if not records and not changes:
            return
        ids = {record.id for record in records} | {change.id for change in changes}
        before = existing(
            self.connection, threads, self.site, ids, "created_at", "deleted_at", "stamp", *THREAD_FIELDS
        )
        starts = _starts(before, "created_at") | {r.id: micros(r.created_at) for r in records if r.created_at}
        histories = Histories(self.connection, self.site, Kind.THREAD.value, ids)
        histories.tell(changes, starts, self._baselines(changes, before, starts))
        for record in records:
            start, old = starts.get(record.id, 0), before.get(record.id)
            if old is None and histories.begin(record.id, "label", record.labels or (), start):
                continue
            self._see(histories, record, THREAD_FIELDS, before, starts)
            if record.labels is not None:
                new = old is None or bool(record.stamp and not old.stamp)  # met, but not read until now
                histories.see_set(record.id, "label", record.labels, start, self.now, new=new)
        histories.save()
        rows.upsert(self.connection, threads, rows.thread_rows(self.site, records, self.scan))
        self._hide_authors(record.id for record in records if record.author == "")
        self._count_deleted(records, before)
        for record in records:
            if record.id in before:
                cascade(
                    self.connection, record.ref, before[record.id].deleted_at, micros(record.deleted_at)
                )

    def _hide_authors(self, ids: Iterable[str]) -> None:
        """Of these threads it is known that nobody is to be seen as their author, any more or ever."""
        for chunk in chunks(ids):
            where = (threads.c.site == self.site, threads.c.id.in_(chunk), threads.c.author.is_not(None))
            self.connection.execute(update(threads).where(*where).values(author=None))

    def groups(self, records: Sequence[Group]) -> None:
        ids = [record.id for record in records]
        before = existing(
            self.connection, site_groups, self.site, ids, "name", "members_known", "deleted_at"
        )
        for record in records:
            old = before.get(record.id)
            if old is not None and old.name != record.name:
                self._membership(old.name, frozenset(), new=False)
            if record.members is not None or record.deleted_at is not None:
                new = old is None or not old.members_known
                self._membership(record.name, record.members or frozenset(), new=new)
        found = rows.group_rows(self.site, records, self.scan, known=self.members_bring_groups)
        rows.upsert(self.connection, site_groups, found)
        self._count_deleted(records, before)

    def badges(self, records: Sequence[Badge]) -> None:
        """Each of them replaces what was known of who holds it; the grants have the platform's own times."""
        for record in records:
            told = [
                Change(site=self.site, kind=Kind.MEMBER, id=member, field="badge", value=record.name, at=at)
                for member, at in record.holders.items()
            ]
            held = self._inside("badge", record.name)
            for chunk in chunks(held | set(record.holders)):
                histories = Histories(self.connection, self.site, Kind.MEMBER.value, chunk)
                histories.tell((c for c in told if c.id in set(chunk)), {}, {})
                for member in held.intersection(chunk) - set(record.holders):
                    histories.see_element(member, "badge", record.name, False, 0, self.now, new=False)
                histories.save()

    def end_group(self, group: str) -> None:
        """Nobody is in a group that is gone."""
        row = existing(self.connection, site_groups, self.site, [group], "name")[group]
        self._membership(row.name, frozenset(), new=False)

    def _membership(self, name: str, wanted: frozenset[str], *, new: bool) -> None:
        for chunk in chunks(wanted ^ self._inside("group", name)):
            histories = Histories(self.connection, self.site, Kind.MEMBER.value, chunk)
            for member in chunk:
                histories.see_element(member, "group", name, member in wanted, 0, self.now, new=new)
            histories.save()

    def _inside(self, field: str, element: str) -> set[str]:
        """The members whose set has the element now."""
        query = select(states.c.item).where(
            states.c.site == self.site,
            states.c.kind == Kind.MEMBER.value,
            states.c.field == field,
            states.c.value == element,
            states.c.valid_to.is_(None),
        )
        return set(self.connection.scalars(query))

    def _see(
        self,
        histories: Histories,
        record: Member | Thread,
        fields: Sequence[str],
        before: Mapping[str, Row[Any]],
        starts: Mapping[str, int],
    ) -> None:
        old, start = before.get(record.id), starts.get(record.id, 0)
        for name in fields:
            value = getattr(record, name)
            if value is None and name != "space":
                continue
            was = None if old is None else _known(name, getattr(old, name))
            histories.see(record.id, name, was, written(value), start, self.now)

    def _baselines(
        self, changes: Sequence[Change], before: Mapping[str, Row[Any]], starts: Mapping[str, int]
    ) -> dict[Key, str]:
        """What was so before the first change that the platform tells of, where an earlier sync saw it."""
        found: dict[Key, str] = {}
        told_late: set[Key] = set()
        for change in changes:
            key = (change.id, change.field, "")
            row = before.get(change.id)
            if row is None or change.field not in (*THREAD_FIELDS, *MEMBER_FIELDS):
                continue
            if change.field in _BOOLEANS:  # they were the opposite
                continue
            was = _known(change.field, getattr(row, change.field))
            seen_since = self.synced_at is not None and starts.get(change.id, 0) < self.synced_at
            if was is None or not seen_since or micros(change.at) <= (self.synced_at or 0):
                told_late.add(key)
            else:
                found[key] = was
        return {key: value for key, value in found.items() if key not in told_late}

    def _count_deleted(
        self, records: Sequence[Member | Thread | Group], before: Mapping[str, Row[Any]]
    ) -> None:
        self.deleted += sum(
            1
            for record in records
            if record.deleted_at is not None
            and record.id in before
            and before[record.id].deleted_at is None
        )


def _starts(before: Mapping[str, Row[Any]], column: str) -> dict[str, int]:
    found = {id_: getattr(row, column) for id_, row in before.items()}
    return {id_: at for id_, at in found.items() if at is not None}


def _known(name: str, value: Any) -> str | None:
    """A column of an item's row as a state; None = unknown."""
    if value is None and name != "space":
        return None
    return written(bool(value) if name in _BOOLEANS else value)
