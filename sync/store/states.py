"""The table `states`: reading a state as of a moment, and keeping its history while records come in.

*Sparse.* A state with one value (`closed`, `archived`, `visible`, `space` of threads; `trust_level`, `title`
of members) has rows only once it changed: as long as it has none, the item's own row says what it always
was, as far as is known. Once it has rows they tell the whole history, and a moment that none covers is
unknown. Of the sets (`label` of threads, `group` and `badge` of members) every element has a row for each
time it was in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, case, func, literal, or_, select

from ...connectors.records import Change
from .tables import states
from .timeline import ASSUMED, FALSE, OBSERVED, PLATFORM, TRUE, Point, rebased, seen, told
from .times import micros

SETS = frozenset({"label", "group", "badge"})
THREAD_FIELDS = ("closed", "archived", "visible", "space")
MEMBER_FIELDS = ("trust_level", "title")

_CHUNK = 400  # of ids in one statement; SQLite takes 32,766 variables, and plans long lists slowly


def written(value: str | int | bool | None) -> str:
    """A state's value as the table holds it; `space` may be none, which is ''."""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    return "" if value is None else str(value)


def in_force(site: str, kind: str, field: str, at: int | ColumnElement[int]) -> ColumnElement[bool]:
    """The rows of a field that hold at a moment (microseconds)."""
    return and_(
        states.c.site == site,
        states.c.kind == kind,
        states.c.field == field,
        states.c.valid_from <= at,
        or_(states.c.valid_to.is_(None), states.c.valid_to > at),
    )


def value_at(
    site: str, kind: str, field: str, item: ColumnElement[str], now: ColumnElement[Any], at: int
) -> ColumnElement[str]:
    """What a state with one value was at a moment, as the table writes it; NULL where it is unknown.

    `item` is the id and `now` the column of the item's own row that has today's value.
    """
    mine = and_(states.c.site == site, states.c.kind == kind, states.c.field == field, states.c.item == item)
    then: Select[Any] = select(states.c.value).where(states.c.item == item, in_force(site, kind, field, at))
    ever = select(literal(1)).where(mine).exists()
    return case((ever, then.scalar_subquery()), else_=_as_written(field, now))


def _as_written(field: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if field in ("closed", "archived", "visible"):
        return case((column.is_(None), None), (column, TRUE), else_=FALSE)
    if field == "space":
        return func.coalesce(column, "")
    return column.cast(BigInteger).cast(states.c.value.type) if field == "trust_level" else column


Key = tuple[str, str, str]
"""(item, field, element); the element is '' for a state with one value."""

Row = tuple[str, int, int | None, str]
"""(value, valid_from, valid_to, source)"""


class Histories:
    """The histories of some items of one kind: loaded, changed, and the difference saved."""

    def __init__(self, connection: Connection, site: str, kind: str, items: Iterable[str]) -> None:
        self._connection = connection
        self._site, self._kind = site, kind
        self._stored: dict[Key, list[Row]] = defaultdict(list)
        self._changed: dict[Key, list[Point]] = {}
        self._sets: dict[tuple[str, str], set[str]] = defaultdict(set)  # all elements that ever were in
        self._items: set[str] = set()  # with any history
        self._new: list[tuple[Any, ...]] = []
        for chunk in chunks(items):
            self._load(chunk)

    def _load(self, items: Sequence[str]) -> None:
        found = self._connection.execute(
            select(
                states.c.item, states.c.field, states.c.value,
                states.c.valid_from, states.c.valid_to, states.c.source,
            ).where(states.c.site == self._site, states.c.kind == self._kind, states.c.item.in_(items))
        )  # fmt: skip
        for item, field, value, *rest in found:
            element = value if field in SETS else ""
            self._items.add(item)
            self._stored[item, field, element].append((value, *rest))
            if element:
                self._sets[item, field].add(element)

    def begin(self, item: str, field: str, elements: Iterable[str], start: int) -> bool:
        """Of an item that is new: its set is assumed to have been so since `start`, nothing else is said.

        False, and nothing done, for an item of which something is known already.
        """
        if item in self._items:
            return False
        head = (self._site, self._kind, item, field)
        self._new += [(*head, element, start, None, ASSUMED) for element in elements]
        return True

    def see(self, item: str, field: str, before: str | None, value: str, start: int, now: int) -> None:
        """A sync at `now` read `value`; `before` is what the item's row held, None = unknown or no row."""
        key = (item, field, "")
        if key in self._stored or key in self._changed:
            points = rebased(self._points(key), start)
            self._changed[key] = seen(points, value, now)
        elif before is not None and before != value:
            self._changed[key] = seen([Point(min(start, now - 1), before, ASSUMED)], value, now)

    def see_set(
        self, item: str, field: str, values: Iterable[str], start: int, now: int, *, new: bool
    ) -> None:
        """A sync at `now` read the whole set; `new`: the first time that it was read for this item."""
        wanted = set(values)
        for element in wanted | self._sets.get((item, field), set()):
            self.see_element(item, field, element, element in wanted, start, now, new=new)

    def see_element(
        self, item: str, field: str, element: str, inside: bool, start: int, now: int, *, new: bool
    ) -> None:
        """The same for one element of a set."""
        key = (item, field, element)
        points = self._points(key)
        if not points:
            if inside:
                self._changed[key] = [Point(start, TRUE, ASSUMED) if new else Point(now, TRUE, OBSERVED)]
            return
        changed = seen(rebased(points, start) if new else points, TRUE if inside else FALSE, now)
        if changed != points:
            self._changed[key] = changed

    def tell(self, changes: Iterable[Change], starts: Mapping[str, int], rows: Mapping[Key, str]) -> None:
        """The platform's own record. `starts`: since when items exist (else 0); `rows`: the value of states
        without a history that held before these changes."""
        grouped: dict[Key, list[Point]] = defaultdict(list)
        for change in changes:
            is_set = change.field in SETS
            element = str(change.value) if is_set else ""
            value = written(change.on) if is_set else written(change.value)
            grouped[change.id, change.field, element].append(Point(micros(change.at), value, PLATFORM))
        for key, news in grouped.items():
            self._items.add(key[0])
            start = 0 if key[1] in ("group", "badge") else starts.get(key[0], 0)
            points = self._points(key)
            if not points and key in rows:
                points = [Point(start, rows[key], ASSUMED)]
            self._changed[key] = told(points, news, start)
            if key[2]:
                self._sets[key[0], key[1]].add(key[2])

    def save(self) -> None:
        """Write what differs from the stored rows."""
        gone: list[tuple[Any, ...]] = []
        come = self._new
        for key, points in self._changed.items():
            item, field, _ = key
            head = (self._site, self._kind, item, field)
            before, after = set(self._stored.get(key, ())), set(_rows(key, points))
            gone += [(*head, value, valid_from) for value, valid_from, *_ in before - after]
            come += [(*head, *row) for row in after - before]
        mark = "%s" if self._connection.dialect.name == "postgresql" else "?"
        if gone:
            self._connection.exec_driver_sql(_DELETE.replace("?", mark), gone)
        if come:
            self._connection.exec_driver_sql(_INSERT.replace("?", mark), come)

    def _points(self, key: Key) -> list[Point]:
        if key in self._changed:
            return self._changed[key]
        rows = sorted(self._stored.get(key, ()), key=lambda row: row[1])
        points: list[Point] = []
        for index, (value, valid_from, valid_to, source) in enumerate(rows):
            points.append(Point(valid_from, TRUE if key[2] else value, source))
            following = rows[index + 1][1] if index + 1 < len(rows) else None
            if key[2] and valid_to is not None and valid_to != following:
                points.append(Point(valid_to, FALSE, OBSERVED))  # who said so is not kept, and not needed
        return points


_DELETE = (
    "DELETE FROM states WHERE site = ? AND kind = ? AND item = ? AND field = ? AND value = ?"
    " AND valid_from = ?"
)
_INSERT = (
    "INSERT INTO states (site, kind, item, field, value, valid_from, valid_to, source)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def _rows(key: Key, points: Sequence[Point]) -> list[Row]:
    ends = [point.at for point in points[1:]] + [None]
    rows = [(p.value, p.at, end, p.source) for p, end in zip(points, ends, strict=True)]
    return [(key[2], *row[1:]) for row in rows if row[0] == TRUE] if key[2] else rows


def chunks(items: Iterable[str]) -> Iterable[list[str]]:
    """Lists short enough for one statement."""
    everything = list(items)
    for start in range(0, len(everything), _CHUNK):
        yield everything[start : start + _CHUNK]
