"""Of which items a backtest need not hear again: nothing new is to be done with them until something changes.

Half of all threads may match a policy day after day, and be done with on the first. They are left out by the
database, so that a day costs what is new on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Column, Select, Table, Text, delete, insert, or_, select

from .carrying import Carried

_OWNERS = {"thread": "thread", "member": "author"}
"""Items whose changes are known, and as what."""


@dataclass
class Resting:
    """What rests of one setting of a policy. Moments come in their order."""

    carried: Carried
    _tables: dict[tuple[str, str], tuple[Table, int]] = field(default_factory=dict)
    """By site and kind of item; with the moment at which it was last asked about."""

    def asleep(self, site: str, kind: str, now: int) -> Select[tuple[str]] | None:
        """The ids of the items that rest; None for those of a kind whose changes are not known. Whoever has
        rested long enough is awake again, and whatever was written in, or changed its state, since the last
        time that somebody asked."""
        if kind not in _OWNERS:
            return None
        if (site, kind) not in self._tables:
            columns: list[Column[Any]] = [Column("key", Text, primary_key=True), Column("until", BigInteger)]
            self._tables[site, kind] = self.carried.scratch("resting", columns), now
        table, asked = self._tables[site, kind]
        changed = self.carried.changed(_OWNERS[kind], asked, site, now)
        self.carried.conn.execute(delete(table).where(or_(table.c.until <= now, table.c.key.in_(changed))))
        self._tables[site, kind] = table, now
        return select(table.c.key)

    def rest(self, site: str, kind: str, waits: Iterable[tuple[str, int]]) -> None:
        """Let items (by id) rest until a moment, as far as anybody has asked for what rests there."""
        rows = [{"key": id, "until": until} for id, until in waits]
        if rows and (site, kind) in self._tables:
            self.carried.conn.execute(insert(self._tables[site, kind][0]), rows)
