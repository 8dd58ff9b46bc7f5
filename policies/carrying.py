"""What many facts come from, carried from one moment of a backtest to the next.

From one day to the next most members and threads stay as they were: only those are asked about again of which
a contribution came or went, or a state changed, in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from .verdicts import Known

OWNERS = {
    "first_words": "author", "latest_words": "author", "written": "author", "liked": "author",
    "last_words": "thread", "extent": "thread", "participants": "thread", "replied": "thread",
    "waiting": "thread",
}  # fmt: skip
"""Sources about the contributions of one member, or of one thread and its states, and nothing else."""


@dataclass
class Carried:
    """The sources of all moments from `start` to `end`, over one connection. Moments come in their order."""

    conn: Connection
    start: datetime
    end: datetime
    _tables: Temporary = field(init=False)
    _held: dict[tuple[str, str], tuple[Table, int]] = field(default_factory=dict)
    _changes: dict[str, Table] = field(default_factory=dict)
    _verdicts: dict[object, Known] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tables = Temporary(self.conn)

    def has(self, name: str) -> bool:
        return name in OWNERS

    def verdicts(self, condition: object) -> Known:
        """What a condition has been found to say of some texts, and where more is put."""
        return self._verdicts.setdefault(condition, {})

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
        changed = self.changed(OWNERS[name], at, scope.site, scope.now)
        self.conn.execute(delete(table).where(table.c.key.in_(changed)))
        # What it asks of another source is about all: that one is held too.
        anew = SOURCES[name](scope.within(changed), lambda name, of: others(name, scope))
        self.conn.execute(insert(table).from_select([c.name for c in anew.selected_columns], anew))

    def changed(self, owner: str, after: int, site: str, now: int) -> Select[Any]:
        """The members (`author`) or threads of whose contributions or states one came, went or changed after
        a moment."""
        if site not in self._changes:
            self._changes[site] = self._all_changes(site)
        at, whose = self._changes[site].c.at, self._changes[site].c[owner]
        return select(whose).where(at > after, at <= now, whose.is_not(None))

    def scratch(self, name: str, columns: Sequence[Column[Any]]) -> Table:
        """An empty table that is there as long as this is."""
        return self._tables.create(name, columns)

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
            select(moment, *whose).where(s.c.site == site, s.c.kind == kind, moment.between(*span))
            for kind, whose in (("thread", (s.c.item, null())), ("member", (null(), s.c.item)))
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
