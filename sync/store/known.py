"""What a connector may ask the mirror while it reads (`connectors.base.Known`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from ...connectors.records import Kind, ThreadKind
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
