"""What a connector may ask the mirror while it reads (`connectors.base.Known`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select

from ...connectors.records import ContributionKind, Kind, ThreadKind
from .guard import name_digest
from .states import chunks
from .store import Store
from .tables import contributions, doings, threads


@dataclass(frozen=True, slots=True)
class MirrorKnown:
    store: Store
    site: str

    def stamps(self, ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        with self.store.read() as connection:
            for chunk in chunks(ids):
                rows = connection.execute(
                    select(threads.c.id, threads.c.stamp).where(
                        threads.c.site == self.site, threads.c.id.in_(chunk), threads.c.deleted_at.is_(None)
                    )
                )
                found |= {row.id: row.stamp for row in rows}
        return found

    def conversations(self) -> Sequence[str]:
        ours = (
            select(doings.c.id)
            .outerjoin(threads, (threads.c.site == doings.c.site) & (threads.c.id == doings.c.id))
            .where(doings.c.site == self.site, doings.c.kind == Kind.THREAD.value)
            .where(or_(threads.c.kind.is_(None), threads.c.kind == ThreadKind.MESSAGE.value))
            .where(threads.c.deleted_at.is_(None))
            .order_by(doings.c.id)
        )
        with self.store.read() as connection:
            return list(connection.scalars(ours))

    def contribution_ids(self, thread: str) -> frozenset[str]:
        held = select(contributions.c.id).where(
            contributions.c.site == self.site,
            contributions.c.thread == thread,
            contributions.c.deleted_at.is_(None),
        )
        with self.store.read() as connection:
            return frozenset(connection.scalars(held))

    def listed(self, low: int, high: int) -> frozenset[str]:
        held = (
            select(contributions.c.id)
            .join(
                threads,
                (threads.c.site == contributions.c.site) & (threads.c.id == contributions.c.thread),
            )
            .where(
                contributions.c.site == self.site,
                contributions.c.kind.in_((ContributionKind.REGULAR.value, ContributionKind.MODERATOR.value)),
                contributions.c.deleted_at.is_(None),
                threads.c.kind == ThreadKind.TOPIC.value,
                threads.c.visible.is_not(False),
                threads.c.deleted_at.is_(None),
            )
        )
        with self.store.read() as connection:
            return frozenset(
                id for span in _spans(low, high) for id in connection.scalars(held.where(span))
            )

    def spoken(self, threads: Sequence[str]) -> Mapping[str, int]:
        c = contributions.c
        unspoken = (ContributionKind.SMALL.value, ContributionKind.WHISPER.value)
        found: dict[str, int] = {}
        with self.store.read() as connection:
            for chunk in chunks(threads):
                rows = connection.execute(
                    select(c.thread, func.count())
                    .where(c.site == self.site, c.thread.in_(chunk))
                    .where(c.kind.not_in(unspoken), c.deleted_at.is_(None))
                    .group_by(c.thread)
                )
                found |= {thread: count for thread, count in rows}
        return found

    def sealed(self, name: str) -> str:
        return name_digest(self.store.secret, self.site, name)


def _spans(low: int, high: int) -> Iterator[ColumnElement[bool]]:
    """Conditions on `contributions.id` for the numbers from `low` to `high`. Ids are texts, and among those
    with as many digits their order, which the primary key has, is that of the numbers."""
    column = contributions.c.id
    for digits in range(len(str(low)), len(str(high)) + 1):
        first, last = max(low, 10 ** (digits - 1)), min(high, 10**digits - 1)
        if first <= last:
            yield column.between(str(first), str(last)) & (func.length(column) == digits)
