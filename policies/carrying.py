"""What many facts come from, carried from one moment of a backtest to the next.

From one day to the next most members and threads stay as they were: only those are asked about again of which
a contribution came or went, or a state changed, in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    FromClause,
    Select,
    Table,
    Text,
    delete,
    insert,
    null,
    select,
)
from sqlalchemy import union_all as one_after_the_other

from ..sync.store.tables import contributions, states
from ..sync.store.times import micros
from .sources import SOURCES, Scope
from .temporary import Temporary

OWNERS = {
    "first_words": "author", "latest_words": "author", "written": "author", "liked": "author",
    "last_words": "thread", "extent": "thread", "participants": "thread", "replied": "thread",
    "waiting": "thread",
}  # fmt: skip
"""Sources about the contributions of one member, or of one thread and its states, and nothing else."""

_STATES = ("closed", "archived")
"""The states of threads that these ask for."""


@dataclass
class Carried:
    """The sources of all moments from `start` to `end`, over one connection. Moments come in their order."""

    conn: Connection
    start: datetime
    end: datetime
    _tables: Temporary = field(init=False)
    _held: dict[tuple[str, str], tuple[Table, int]] = field(default_factory=dict)
    _changes: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tables = Temporary(self.conn)

    def has(self, name: str) -> bool:
        return name in OWNERS

    def source(self, name: str, scope: Scope, others: Callable[[str, Scope], FromClause]) -> Table:
        """The table of a source about all members or threads, true at the scope's moment. `others`: gives
        those that it asks itself."""
        scope = replace(scope, only=None, named="")
        key = (name, scope.site)
        if key not in self._held:
            self._held[key] = self._tables.compute(name, SOURCES[name](scope, others)), scope.now
        table, at = self._held[key]
        if at < scope.now:
            self._refresh(name, table, at, scope, others)
            self._held[key] = table, scope.now
        return table

    def _refresh(
        self, name: str, table: Table, at: int, scope: Scope, others: Callable[[str, Scope], FromClause]
    ) -> None:
        changed = self._changed(OWNERS[name], at, scope)
        self.conn.execute(delete(table).where(table.c.key.in_(changed)))
        # What it asks of another source is about all: that one is held too.
        anew = SOURCES[name](scope.within(changed), lambda name, of: others(name, scope))
        self.conn.execute(insert(table).from_select([c.name for c in anew.selected_columns], anew))

    def _changed(self, owner: str, after: int, scope: Scope) -> Select[Any]:
        """The authors, or the threads, of which something changed after a moment."""
        if scope.site not in self._changes:
            self._changes[scope.site] = self._all_changes(scope.site)
        table = self._changes[scope.site]
        return select(table.c[owner]).where(
            table.c.at > after, table.c.at <= scope.now, table.c[owner].is_not(None)
        )

    def _all_changes(self, site: str) -> Table:
        """What came, went or changed at all between the first and the last moment."""
        at: Column[Any] = Column("at", BigInteger)
        table = self._tables.create("changes", [at, Column("thread", Text), Column("author", Text)])
        c, s, span = contributions, states, (micros(self.start), micros(self.end))
        came_and_went = [
            select(moment, c.c.thread, c.c.author).where(c.c.site == site, moment.between(*span))
            for moment in (c.c.created_at, c.c.deleted_at)
        ]
        turned = [
            select(moment, s.c.item, null()).where(
                s.c.site == site, s.c.kind == "thread", s.c.field.in_(_STATES), moment.between(*span)
            )
            for moment in (s.c.valid_from, s.c.valid_to)
        ]
        everything = one_after_the_other(*came_and_went, *turned)
        self.conn.execute(insert(table).from_select(["at", "thread", "author"], everything))
        return table

    def close(self) -> None:
        """Drop the tables."""
        self._tables.close()
        self._held.clear()
        self._changes.clear()
