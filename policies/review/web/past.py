"""What somebody looks for in the history: the filters as they stand in an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, select

from ....connectors.base import Platform
from ....sync.items import resolve
from ....sync.outbox import Filters, State
from ....sync.outbox_commands import DONE
from ....sync.store.tables import attempts, proposals
from .finding import arguments, page_number, typed

LOOKED_FOR = (*DONE, State.REJECTED, State.HANDLED)
"""What was done or tried, and what somebody decided to leave."""
_MOST_NAMES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An empty filter lets everything through that was done or tried.

    `item`: part of a title or name, or what `ordito log` takes for an item. `by`: who approved or undid it.
    `since`, `until`: days (UTC), both included.
    """

    policy: str = ""
    by: str = ""
    item: str = ""
    state: str = ""
    since: date | None = None
    until: date | None = None
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Past:
        """From the arguments of an address; what cannot be meant is left out."""
        state = query.get("state", "")
        return cls(
            policy=typed(query, "policy"),
            by=typed(query, "by"),
            item=typed(query, "item"),
            state=state if state in LOOKED_FOR else "",
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
            page=page_number(query.get("page", "")),
        )

    def query(self, page: int = 1) -> dict[str, str]:
        """The arguments of an address."""
        return arguments(
            page,
            policy=self.policy,
            by=self.by,
            item=self.item,
            state=self.state,
            since=self.since.isoformat() if self.since else "",
            until=self.until.isoformat() if self.until else "",
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.query())

    def filters(self, conn: Connection, platforms: Mapping[str, Platform]) -> Filters:
        """Raises UsageError where `item` is written as a reference and names none."""
        exact = "://" in self.item or self.item.startswith("@") or self.item.partition(":")[0] in platforms
        after = self.until + timedelta(days=1) if self.until and self.until < date.max else None
        return Filters(
            states=(State(self.state),) if self.state else DONE,
            policies=(self.policy,) if self.policy else (),
            by=self.by or None,
            words="" if exact else self.item,
            item=resolve(self.item, platforms, conn) if exact else None,
            since=_start(self.since),
            until=_start(after),
        )


def people(conn: Connection) -> list[str]:
    """Who approved or undid something, by name."""
    approved = select(proposals.c.approved_by).where(
        proposals.c.state.in_(sorted(DONE)), proposals.c.approved_by.is_not(None)
    )
    tried = select(attempts.c.by).where(attempts.c.doing == "undo")
    return sorted(conn.scalars(approved.union(tried).limit(_MOST_NAMES)))


def policies(conn: Connection) -> list[str]:
    """Of which something was done or left."""
    states = proposals.c.state.in_(sorted(LOOKED_FOR))
    return sorted(conn.scalars(select(proposals.c.policy).where(states).distinct()))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        return None


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, tzinfo=UTC) if day else None
