"""One fact against one comparison string, in Python, in SQL, and as words.

Values: numbers are int or float; ages are moments in microseconds; sets are frozensets of names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from ..config.durations import Duration
from ..config.placed import PlacedError
from ..config.words import suggestion
from ..sync.store.times import micros, moment

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from .facts import Fact, FactUse

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"(>=|<=|>|<|=)?\s*(-?\d+(?:\.\d+)?)")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)")
_AGE = re.compile(r"(>=|<=|>|<)\s*(.+)")


class Columns(Protocol):
    """What a comparison needs of a query."""

    def value(self, use: FactUse) -> ColumnElement[Any]:
        """The column of a fact; sets are asked by `has`."""

    def has(self, use: FactUse, names: Sequence[str]) -> ColumnElement[Any]:
        """Whether a set fact contains any of the names: true, false or NULL."""

    def lower_bound(self, use: FactUse) -> bool:
        """Whether the column is only known to be at least so much (something is excluded)."""

    def score(self, use: FactUse, area: str | None) -> ColumnElement[Any]:
        """The score in an area (folded name), or the best one."""


class AtLeast(int):
    """A count of which only a lower bound is known."""

    def __str__(self) -> str:
        return f"at least {int(self)}"


class PartlyKnown(frozenset[str]):
    """A set of which some elements are seen; of the names in `dark` nobody knows whether they are in it."""

    dark: frozenset[str]

    def __new__(cls, seen: Iterable[str], dark: Iterable[str]) -> PartlyKnown:
        made = super().__new__(cls, seen)
        made.dark = frozenset(dark)
        return made


class Comparison(Protocol):
    """`value` is never None here: unknown is dealt with by the condition."""

    def holds(self, value: Any, now: datetime) -> bool | None: ...

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]: ...

    def next(self, value: Any, now: datetime) -> datetime | None:
        """When time alone will make it hold; None: never by itself, or it holds already."""


@dataclass(frozen=True, slots=True)
class NumberIs:
    """Between `low` and `high`; None = no bound there; an open end does not count itself."""

    low: float | None
    high: float | None
    low_open: bool
    high_open: bool
    text: str

    def holds(self, value: Any, now: datetime) -> bool | None:
        above = self.low is None or (value > self.low if self.low_open else value >= self.low)
        below = self.high is None or (value < self.high if self.high_open else value <= self.high)
        if isinstance(value, AtLeast) and below:
            return True if above and self.high is None else None
        return above and below

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import and_, case, false, not_, null, true

        above, below = self.bounds(columns.value(use))
        if not columns.lower_bound(use):
            return and_(above, below)
        if self.high is None:
            return case((above, true()), else_=null())
        return case((not_(below), false()), else_=null())

    def bounds(self, column: ColumnElement[Any]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Whether a column is not too low, and whether it is not too high."""
        from sqlalchemy import true

        above: ColumnElement[bool] = true()
        below: ColumnElement[bool] = true()
        if self.low is not None:
            above = column > self.low if self.low_open else column >= self.low
        if self.high is not None:
            below = column < self.high if self.high_open else column <= self.high
        return above, below

    def next(self, value: Any, now: datetime) -> datetime | None:
        return None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class AgeIs:
    """`operator` compares the time since the moment with `duration`; `> 6 months` = before the cutoff."""

    operator: str
    duration: Duration
    text: str

    def holds(self, value: Any, now: datetime) -> bool:
        cutoff = micros(self.duration.before(now))
        return bool({"<": value > cutoff, "<=": value >= cutoff, ">": value < cutoff, ">=": value <= cutoff}[
            self.operator
        ])

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        column, cutoff = columns.value(use), micros(self.duration.before(now))
        match self.operator:
            case "<":
                return column > cutoff
            case "<=":
                return column >= cutoff
            case ">":
                return column < cutoff
            case _:
                return column <= cutoff

    def next(self, value: Any, now: datetime) -> datetime | None:
        return None if self.operator[0] == "<" or self.holds(value, now) else self._turns(value, now)

    def until(self, value: Any, now: datetime) -> datetime | None:
        """When time alone will end it; None: never by itself, or it does not hold."""
        return self._turns(value, now) if self.operator[0] == "<" and self.holds(value, now) else None

    def _turns(self, value: Any, now: datetime) -> datetime | None:
        """From when on (but for an instant) the answer is another one than now.

        A calendar month after the 31st of January is the 28th of February, but it is in March that a month
        before is later than the 31st: so the day is looked for.
        """
        due = self.duration.after(moment(int(value)))
        if due.year >= datetime.max.year:
            return None
        while self.holds(value, due + timedelta(microseconds=1)) == self.holds(value, now):
            due += timedelta(days=1)
        return due

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class TextIs:
    """Equal to one of `values`, or containing one of `parts` (NFKC, case folded), or matching `pattern`."""

    values: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    def holds(self, value: Any, now: datetime) -> bool:
        if self.pattern is not None:
            return self.pattern.search(value) is not None
        folded = fold(value)
        if self.parts:
            return any(part in folded for part in self.parts)
        return folded in self.values

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import case, false, null, true

        relaxed = true() if widen else false()
        return case((columns.value(use).is_(None), null()), else_=relaxed)

    def next(self, value: Any, now: datetime) -> datetime | None:
        return None

    def __str__(self) -> str:
        if self.pattern is not None:
            return f"matches {self.pattern.pattern}"
        return "contains " + " or ".join(self.parts) if self.parts else " or ".join(self.values)


@dataclass(frozen=True, slots=True)
class ChoiceIs:
    """One of a few words that the program itself defines."""

    values: tuple[str, ...]

    def holds(self, value: Any, now: datetime) -> bool:
        return value in self.values

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        return columns.value(use).in_(self.values)

    def next(self, value: Any, now: datetime) -> datetime | None:
        return None

    def __str__(self) -> str:
        return " or ".join(self.values)


@dataclass(frozen=True, slots=True)
class SetIs:
    """`some` of the names are in the set, and `every` one of these, and `none` of those."""

    some: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    def holds(self, value: Any, now: datetime) -> bool | None:
        verdicts = [contains(value, (name,)) for name in self.every]
        if self.some:
            verdicts.append(contains(value, self.some))
        if self.none:
            inside = contains(value, self.none)
            verdicts.append(None if inside is None else not inside)
        return False if False in verdicts else None if None in verdicts else True

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import and_, not_, true

        parts: list[ColumnElement[Any]] = []
        if self.some:
            parts.append(columns.has(use, self.some))
        parts.extend(columns.has(use, [name]) for name in self.every)
        if self.none:
            parts.append(not_(columns.has(use, self.none)))
        return and_(true(), *parts)

    def next(self, value: Any, now: datetime) -> datetime | None:
        return None

    def __str__(self) -> str:
        words = [" or ".join(self.some)] if self.some else []
        words += ["all of " + ", ".join(self.every)] if self.every else []
        words += ["none of " + ", ".join(self.none)] if self.none else []
        return "; ".join(words)


@dataclass(frozen=True, slots=True)
class BooleanIs:
    wanted: bool

    def holds(self, value: Any, now: datetime) -> bool:
        return bool(value) is self.wanted

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import not_

        column = columns.value(use)
        return column if self.wanted else not_(column)

    def next(self, value: Any, now: datetime) -> datetime | None:
        return None

    def __str__(self) -> str:
        return "yes" if self.wanted else "no"


def contains(value: frozenset[str], names: tuple[str, ...]) -> bool | None:
    """Whether any of the names is in a set; None where that is not known."""
    if value.intersection(names):
        return True
    return None if isinstance(value, PartlyKnown) and value.dark.intersection(names) else False


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC and case folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def parse_comparison(fact: Fact, value: Any, path: Path) -> Comparison:
    """Read a comparison for a fact of this type. Raises PlacedError."""
    from .area_tests import scores

    readers: dict[str, Callable[[Any, Path], Comparison]] = {
        "number": number,
        "scores": scores,
        "age": _age,
        "text": _text,
        "choice": lambda given, where: _choice(fact, given, where),
        "set": _set,
        "boolean": _boolean,
    }
    return readers[fact.type](value, path)


def number(value: Any, path: Path) -> NumberIs:
    """Read a comparison of a number. Raises PlacedError."""
    text = str(value).strip()
    if isinstance(value, bool):
        raise PlacedError("must be a number.", path=path, hint='For example "3", ">= 3" or "1..5".')
    if match := _RANGE.fullmatch(text):
        low, high = float(match[1]), float(match[2])
        if low > high:
            raise PlacedError(f"the range {text} is empty: its first number is the larger one.", path=path)
        return NumberIs(low, high, False, False, f"{match[1]} to {match[2]}")
    if match := _NUMBER.fullmatch(text):
        operator, number = match[1] or "=", float(match[2])
        at_least = number if operator in (">", ">=", "=") else None
        at_most = number if operator in ("<", "<=", "=") else None
        shown = match[2] if operator == "=" else f"{operator} {match[2]}"
        return NumberIs(at_least, at_most, operator == ">", operator == "<", shown)
    raise PlacedError(f"'{text}' does not compare a number.", path=path, hint='Write "3", ">= 3" or "1..5".')


def _age(value: Any, path: Path) -> Comparison:
    text = str(value).strip()
    match = _AGE.fullmatch(text)
    if match is None:
        hint = 'Write "< 14 days" or "> 6 months".'
        raise PlacedError(f"'{text}' does not compare an age.", path=path, hint=hint)
    try:
        duration = Duration.parse(match[2])
    except ValueError as error:
        raise PlacedError(f"{error}.", path=path) from error
    return AgeIs(match[1], duration, f"{match[1]} {duration}")


def _names(value: Any, path: Path) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    if not given or not all(isinstance(each, str | int | float) and str(each) for each in given):
        raise PlacedError("must be a word or a list of words.", path=path)
    return tuple(str(each) for each in given)


def _text(value: Any, path: Path) -> Comparison:
    if not isinstance(value, Mapping):
        return TextIs(values=tuple(fold(name) for name in _names(value, path)))
    key = _only_key(value, ("contains", "matches"), path)
    if key == "contains":
        return TextIs(parts=tuple(fold(name) for name in _names(value[key], (*path, key))))
    try:
        return TextIs(pattern=re.compile(str(value[key])))
    except re.error as error:
        raise PlacedError(f"not a regular expression: {error}.", path=(*path, key)) from error


def _choice(fact: Fact, value: Any, path: Path) -> Comparison:
    names = _names(value, path)
    for name in names:
        if name not in fact.choices:
            message = f"'{name}' is not a value of {fact.name}."
            raise PlacedError(message, path=path, hint=suggestion(name, fact.choices))
    return ChoiceIs(names)


def _set(value: Any, path: Path) -> Comparison:
    if not isinstance(value, Mapping):
        return SetIs(some=_names(value, path))
    parts: dict[str, tuple[str, ...]] = {}
    for key in value:
        if key not in ("any", "all", "none"):
            raise _unknown_test(key, "a set", ("any", "all", "none"), path)
        parts[key] = _names(value[key], (*path, key))
    if not parts:
        hint = "For example {none: [staff]}."
        raise PlacedError("is empty; name what must be in it.", path=path, hint=hint)
    return SetIs(parts.get("any", ()), parts.get("all", ()), parts.get("none", ()))


def _boolean(value: Any, path: Path) -> Comparison:
    if not isinstance(value, bool):
        raise PlacedError("must be true or false.", path=path)
    return BooleanIs(value)


def _only_key(value: Mapping[Any, Any], known: Sequence[str], path: Path) -> str:
    for key in value:
        if key not in known:
            raise _unknown_test(key, "a text", known, path)
    if len(value) != 1:
        raise PlacedError("takes one of " + " and ".join(known) + ", not both or none.", path=path)
    return str(next(iter(value)))


def _unknown_test(key: Any, of: str, known: Sequence[str], path: Path) -> PlacedError:
    hint = suggestion(str(key), known)
    return PlacedError(f"'{key}' is not a test of {of}.", path=(*path, str(key)), hint=hint, at_key=True)
