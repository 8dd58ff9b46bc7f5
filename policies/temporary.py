"""Temporary tables: each has a number of its own on its connection, and the same ones are the same objects.

So the statements about them are put together once, however many moments a backtest looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, MetaData, Select, Table, Text, insert

from .sources import FLAGS

_TAKEN = "ordito_temporary"
_TEXTS = frozenset({"key", "waiting_on", "id", "author", "thread", "kind", "parent"})


class Temporary:
    """Temporary tables that are dropped together."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._made: list[tuple[str, int, Table]] = []

    def create(self, name: str, columns: Sequence[Column[Any]]) -> Table:
        """An empty table with these columns."""
        taken = self._conn.info.setdefault(_TAKEN, set())
        number = next(number for number in count() if (name, number) not in taken)
        table = _table(f"facts_{name}_{number}", tuple(map(_described, columns)))
        table.create(self._conn)
        taken.add((name, number))
        self._made.append((name, number, table))
        return table

    def compute(self, name: str, statement: Select[Any]) -> Table:
        """A table with the rows of a select, whose columns tell by their names of which type they are."""
        columns = [_column(c.name) for c in statement.selected_columns]
        table = self.create(name, columns)
        self._conn.execute(insert(table).from_select([c.name for c in columns], statement))
        return table

    def close(self) -> None:
        """Drop them."""
        for name, number, table in self._made:
            table.drop(self._conn)
            self._conn.info[_TAKEN].discard((name, number))
        self._made.clear()


@cache
def _table(name: str, columns: tuple[tuple[str, type[Any], bool], ...]) -> Table:
    made = [Column(label, kind, primary_key=key) for label, kind, key in columns]
    keyed = any(key for _, _, key in columns)
    return Table(name, MetaData(), *made, prefixes=["TEMPORARY"], sqlite_with_rowid=not keyed)


def _described(column: Column[Any]) -> tuple[str, type[Any], bool]:
    return column.name, type(column.type), column.primary_key


def _column(name: str) -> Column[Any]:
    if name in _TEXTS:
        return Column(name, Text, primary_key=name == "key")
    return Column(name, Boolean if name in FLAGS else BigInteger)
