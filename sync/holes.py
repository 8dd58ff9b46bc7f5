"""Where contributions may be missing: in runs of numbers, and of days, of which the mirror holds none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, cast, func, select

from .store.tables import contributions
from .store.times import moment

_LONGEST, _MOST_SILENT = 3, 2
_HOLE = 50
"""So many numbers in a row are often left out, by what was never saved or is not public."""
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Hole:
    """The numbers `first` to `last`, and when the contributions beside them were made (microseconds)."""

    first: int
    last: int
    after: int
    before: int

    def __str__(self) -> str:
        if self.before - self.after < _DAY or not self.after:
            return f"{self.first} to {self.last}"
        days = " and ".join(f"{moment(at):%Y-%m-%d}" for at in (self.after, self.before))
        return f"{self.first} to {self.last}, made between {days}"


def holes(connection: Connection, site: str) -> Sequence[Hole]:
    """The longest runs of missing numbers, and those over which the mirror is silent for longest.

    Numbers that are missing may never have been given, or belong to what is not mirrored; and where none is
    missing between two contributions, nothing was written between them, however long that is.
    """
    c = contributions
    number, at = cast(c.c.id, BigInteger).label("number"), c.c.created_at
    held = select(number, at).where(c.c.site == site)
    if connection.dialect.name == "postgresql":
        held = held.where(c.c.id.regexp_match("^[0-9]+$"))
    ordered = held.subquery().c
    before = [
        func.lag(column, 1, 0).over(order_by=ordered.number).label(f"last_{column.name}")
        for column in (ordered.number, ordered.created_at)
    ]
    pairs = select(ordered.number, ordered.created_at, *before).subquery().c
    length, silence = pairs.number - pairs.last_number, pairs.created_at - pairs.last_created_at
    found: dict[int, Hole] = {}
    for limit, least, order in (
        (_LONGEST, length > _HOLE, length), (_MOST_SILENT, (length > 1) & (silence > _DAY), silence)
    ):  # fmt: skip
        query = select(*pairs).where(least).order_by(order.desc(), pairs.number).limit(limit)
        for row in connection.execute(query):
            hole = Hole(row.last_number + 1, row.number - 1, row.last_created_at, row.created_at)
            found.setdefault(hole.first, hole)
    return list(found.values())
