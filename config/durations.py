"""Durations as people write them: `14 days`, `6 months`, `90 minutes`.

Minutes, hours, days and weeks have a fixed length; months and years are those of the calendar, so that
"6 months before 31 August" is 28 (or 29) February.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_UNITS = ("minute", "hour", "day", "week", "month", "year")
_FIXED = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_PATTERN = re.compile(rf"\s*(\d+)\s*({'|'.join(_UNITS)})s?\s*")


@dataclass(frozen=True, slots=True)
class Duration:
    """`amount` (≥ 0) of `unit`, one of minute, hour, day, week, month, year."""

    amount: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Raises ValueError, with an example, for anything else."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' is not a duration; write a number and a unit, such as '14 days'")
        return cls(int(match[1]), match[2])

    def before(self, moment: datetime) -> datetime:
        """The moment this long before `moment`; the earliest datetime where the calendar ends."""
        return self._move(moment, -1)

    def after(self, moment: datetime) -> datetime:
        """The moment this long after `moment`; the latest datetime where the calendar ends."""
        return self._move(moment, 1)

    def _move(self, moment: datetime, sign: int) -> datetime:
        limit = (datetime.max if sign > 0 else datetime.min).replace(tzinfo=moment.tzinfo)
        try:
            if self.unit in _FIXED:
                return moment + sign * self.amount * _FIXED[self.unit]
            months = self.amount * (12 if self.unit == "year" else 1)
            index = moment.year * 12 + moment.month - 1 + sign * months
            year, month = index // 12, index % 12 + 1
            if not 1 <= year <= 9999:
                return limit
            day = min(moment.day, calendar.monthrange(year, month)[1])
            return moment.replace(year=year, month=month, day=day)
        except OverflowError:
            return limit

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"
