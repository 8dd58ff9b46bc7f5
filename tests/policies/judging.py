"""What comparisons mean, in plain Python: one value against one test as it is written in the settings.

None is unknown, and `all_`, `any_` and `not_` are those of three values.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AtLeast:
    """A number of which only a lower bound is known."""

    bound: int


@dataclass(frozen=True)
class PartlyDark:
    """A set of which some names are seen and of others nobody knows whether they are in it."""

    seen: frozenset[str]
    dark: frozenset[str]


def judged(type: str, value: Any, wanted: Any, moment: datetime) -> bool | None:
    """One value against one comparison, as it is written in the settings."""
    if value is None:
        return None
    match type:
        case "number":
            return _number(value, str(wanted))
        case "age":
            return _age(value, wanted, moment)
        case "boolean":
            return bool(value is wanted)
        case "set":
            return _set(value, wanted)
        case "choice":
            return bool(value in _listed(wanted))
        case "scores":
            return _scores(value, wanted)
    if isinstance(wanted, dict) and "matches" in wanted:
        return re.search(wanted["matches"], value) is not None
    if isinstance(wanted, dict):
        return any(_folded(part) in _folded(value) for part in _listed(wanted["contains"]))
    return _folded(value) in {_folded(each) for each in _listed(wanted)}


def _age(start: int, wanted: str, moment: datetime) -> bool:
    operator, amount, unit = wanted.split()
    cutoff = micros(_back(moment, int(amount), unit.rstrip("s")))
    younger, older = start > cutoff, start < cutoff
    return {"<": younger, "<=": not older, ">": older, ">=": not younger}[operator]


def micros(moment: datetime) -> int:
    return round((moment - _EPOCH) / timedelta(microseconds=1))


def all_(verdicts: list[bool | None]) -> bool | None:
    return False if False in verdicts else None if None in verdicts else True


def any_(verdicts: list[bool | None]) -> bool | None:
    return True if True in verdicts else None if None in verdicts else False


def not_(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _number(value: Any, wanted: str) -> bool | None:
    if ".." in wanted:
        low, high = wanted.split("..")
        return all_([_number(value, f">= {low}"), _number(value, f"<= {high}")])
    operator, _, digits = wanted.rpartition(" ")
    if operator in ("", "="):
        return all_([_number(value, f">= {digits}"), _number(value, f"<= {digits}")])
    if isinstance(value, AtLeast):  # more than the bound is possible: only what more cannot change is known
        sure = _number(value.bound, wanted)
        return sure if operator[0] == ">" and sure else False if operator[0] == "<" and not sure else None
    bound = float(digits)
    more, less = bool(value > bound), bool(value < bound)
    return {">": more, ">=": not less, "<": less, "<=": not more}[operator]


def _scores(value: Any, wanted: Any) -> bool | None:
    if not isinstance(wanted, dict):
        return _number(max(value.values(), default=0), str(wanted))
    known = {_folded(area): score for area, score in value.items()}
    return all_([_number(known.get(_folded(area), 0), str(test)) for area, test in wanted.items()])


def _set(value: Any, wanted: Any) -> bool | None:
    asked = wanted if isinstance(wanted, dict) else {"any": wanted}
    verdicts: list[bool | None] = []
    for how, names in asked.items():
        each = [_inside(value, name) for name in _listed(names)]
        verdicts.append({"any": any_(each), "all": all_(each), "none": not_(any_(each))}[how])
    return all_(verdicts)


def _inside(value: Any, name: str) -> bool | None:
    if isinstance(value, PartlyDark):
        return True if name in value.seen else None if name in value.dark else False
    return name in value


def _back(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in ("month", "year"):
        months = moment.year * 12 + moment.month - 1 - amount * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
    return moment - timedelta(**{unit + "s": amount})
