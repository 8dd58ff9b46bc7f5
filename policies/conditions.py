"""Conditions: `posts: ">= 3"` → typed tests → SQL, and the same object in Python, with its reasons.

A condition is true, false or unknown (None). Unknown never matches: not in `when`, and not under `not`;
SQL's own three-valued logic says the same. What SQL cannot say alike on both databases (text) is relaxed
to candidates there and decided in Python, so `holds` is always the last word.

Grammar (DESIGN §7): numbers "3", ">= 3", "1..5"; ages "< 14 days", "> 6 months"; text a value, a list,
`contains`, `matches`; sets any of a list, `all`, `none`; booleans. A mapping means all of it; `any: […]`;
`not: {…}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from ..config.placed import PlacedError, PlacedErrors
from .comparisons import Columns, Comparison, parse_comparison
from .facts import FactUse, find_fact

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

Values = Mapping[str, Any]
"""Fact name (with prefix) → value: number, micros of a moment, text, frozenset, bool; None = unknown."""


class Condition(Protocol):
    """A node of a condition."""

    def holds(self, values: Values, now: datetime) -> bool | None:
        """True, false, or None for unknown."""

    def sql(self, columns: Columns, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        """The condition in SQL; with what only Python can decide taken as true (`widen`) or false."""

    def atoms(self) -> Iterator[Atom]:
        """Its tests, from left to right."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One fact and one test."""

    use: FactUse
    test: Comparison

    def holds(self, values: Values, now: datetime) -> bool | None:
        value = values.get(self.use.name)
        return None if value is None else self.test.holds(value, now)

    def sql(self, columns: Columns, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        return self.test.sql(columns, self.use, now, widen=widen)

    def atoms(self) -> Iterator[Atom]:
        yield self

    def __str__(self) -> str:
        return f"{self.use.name}: {self.test}"


@dataclass(frozen=True, slots=True)
class All:
    """True if every part is, false if one is false, else unknown."""

    parts: tuple[Condition, ...]

    def holds(self, values: Values, now: datetime) -> bool | None:
        verdict: bool | None = True
        for part in self.parts:
            held = part.holds(values, now)
            if held is False:
                return False
            verdict = verdict if held else None
        return verdict

    def sql(self, columns: Columns, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import and_, true

        return and_(true(), *(part.sql(columns, now, widen=widen) for part in self.parts))

    def atoms(self) -> Iterator[Atom]:
        for part in self.parts:
            yield from part.atoms()

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self.parts)) + "}"


@dataclass(frozen=True, slots=True)
class Some:
    """`any`: true if one part is, false if every part is false, else unknown."""

    parts: tuple[Condition, ...]

    def holds(self, values: Values, now: datetime) -> bool | None:
        verdict: bool | None = False
        for part in self.parts:
            held = part.holds(values, now)
            if held:
                return True
            verdict = None if held is None else verdict
        return verdict

    def sql(self, columns: Columns, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import false, or_

        return or_(false(), *(part.sql(columns, now, widen=widen) for part in self.parts))

    def atoms(self) -> Iterator[Atom]:
        for part in self.parts:
            yield from part.atoms()

    def __str__(self) -> str:
        return "any: [" + ", ".join(map(str, self.parts)) + "]"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    part: Condition

    def holds(self, values: Values, now: datetime) -> bool | None:
        held = self.part.holds(values, now)
        return None if held is None else not held

    def sql(self, columns: Columns, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import not_

        return not_(self.part.sql(columns, now, widen=not widen))

    def atoms(self) -> Iterator[Atom]:
        yield from self.part.atoms()

    def __str__(self) -> str:
        return f"not: {self.part}"


NOTHING_ASKED = All(())
"""The condition of an empty mapping: always true."""

NEVER = Some(())
"""The condition that is never true: an `except` that was not written."""


def parse(document: Any, subject: str, *, path: tuple[str | int, ...] = ()) -> All:
    """Read a mapping of tests on `subject` (member, thread, contribution).

    Raises PlacedErrors: every fault, each with the path of its key and the nearest valid word.
    """
    faults: list[PlacedError] = []
    condition = _all(document, subject, path, faults)
    if faults:
        raise PlacedErrors(faults)
    return condition


def _all(document: Any, subject: str, path: tuple[str | int, ...], faults: list[PlacedError]) -> All:
    if not isinstance(document, Mapping):
        hint = 'For example {posts: ">= 3"}.'
        faults.append(PlacedError("must be a mapping of facts to tests.", path=path, hint=hint))
        return NOTHING_ASKED
    parts: list[Condition] = []
    for key, value in document.items():
        try:
            parts.append(_part(str(key), value, subject, (*path, key), faults))
        except PlacedError as fault:
            faults.append(fault)
    return All(tuple(parts))


def _part(
    key: str, value: Any, subject: str, path: tuple[str | int, ...], faults: list[PlacedError]
) -> Condition:
    match key:
        case "any":
            return Some(tuple(_each(value, subject, path, faults)))
        case "all":
            return All(tuple(_each(value, subject, path, faults)))
        case "not":
            return Not(_all(value, subject, path, faults))
        case _:
            use = find_fact(key, subject, path)
            return Atom(use, parse_comparison(use.fact, value, path))


def _each(
    value: Any, subject: str, path: tuple[str | int, ...], faults: list[PlacedError]
) -> Iterator[Condition]:
    if not isinstance(value, list) or not value:
        hint = "For example any: [{bot: true}, {staged: true}]."
        raise PlacedError("must be a list of mappings.", path=path, hint=hint)
    for index, each in enumerate(value):
        yield _all(each, subject, (*path, index), faults)


def signed(condition: Condition, negated: bool = False) -> Iterator[tuple[Atom, bool]]:
    """Its tests from left to right, each with whether it stands under a `not` (or under two)."""
    match condition:
        case Atom():
            yield condition, negated
        case Not(part):
            yield from signed(part, not negated)
        case All(parts) | Some(parts):
            for part in parts:
                yield from signed(part, negated)


def grounds(
    condition: Condition, values: Values, now: datetime, verdict: bool = True
) -> Iterator[tuple[Atom, bool]]:
    """The tests that make a condition true (or false, if that is its `verdict`), each with what it says; the
    parts of an `any` that do not hold are left out."""
    match condition:
        case Atom():
            yield condition, verdict
        case Not(part):
            yield from grounds(part, values, now, not verdict)
        case All(parts) | Some(parts):
            for part in parts:
                if part.holds(values, now) is verdict:
                    yield from grounds(part, values, now, verdict)


def matches(when: Condition, unless: Condition, values: Values, now: datetime) -> bool:
    """Whether an item is meant: `when` holds, and `except` surely does not."""
    return when.holds(values, now) is True and unless.holds(values, now) is False


def undecided(when: Condition, unless: Condition, values: Values, now: datetime) -> bool:
    """Whether an item might be meant, for all we know: it neither `matches` nor surely does not."""
    asked, barred = when.holds(values, now), unless.holds(values, now)
    return asked is not False and barred is not True and (asked is None or barred is None)


def parts(condition: Condition) -> Iterator[Condition]:
    """What must each hold for it to hold, from left to right."""
    if isinstance(condition, All):
        for part in condition.parts:
            yield from parts(part)
    else:
        yield condition


def alternatives(condition: Condition) -> Iterator[Condition]:
    """What must each be false for it to be false, from left to right."""
    if isinstance(condition, Some):
        for part in condition.parts:
            yield from alternatives(part)
    else:
        yield condition


def keep(when: Condition, unless: Condition, wanted: Callable[[Condition], bool]) -> tuple[All, Some]:
    """The two without the parts that are not wanted: whatever `matches` all of it matches this as well, and
    what is `undecided` with all of it is not surely left out by this."""
    return All(tuple(filter(wanted, parts(when)))), Some(tuple(filter(wanted, alternatives(unless))))


def candidates(when: Condition, unless: Condition, columns: Columns, now: datetime) -> ColumnElement[Any]:
    """SQL that is true for every item that `matches`, and for few others."""
    from sqlalchemy import and_, func, not_, true

    excluded = func.coalesce(unless.sql(columns, now, widen=False), true())
    return and_(when.sql(columns, now, widen=True), not_(excluded))

