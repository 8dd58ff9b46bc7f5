"""Tests of a fact that has a number for each area: `expertise: {beekeeping: ">= 2"}`, `expertise: ">= 2"`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..config.placed import PlacedError
from .comparisons import Columns, Comparison, NumberIs, Path, fold, number

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from .facts import FactUse

Scores = Mapping[str, float]
"""Name of an area → score. An area that is not in it has 0."""


@dataclass(frozen=True, slots=True)
class ScoresAre:
    """Each test holds of the score in its area; of area None, of the best score of all. Names are compared
    in their folded form."""

    tests: tuple[tuple[str | None, NumberIs], ...]

    def holds(self, value: Scores, now: datetime) -> bool | None:
        known = {fold(area): score for area, score in value.items()}
        best = max(known.values(), default=0.0)
        found = [best if area is None else known.get(fold(area), 0.0) for area, _ in self.tests]
        return all(test.holds(score, now) for score, (_, test) in zip(found, self.tests, strict=True))

    def sql(self, columns: Columns, use: FactUse, now: datetime, *, widen: bool) -> ColumnElement[Any]:
        from sqlalchemy import and_

        asked = ((columns.score(use, area and fold(area)), test) for area, test in self.tests)
        return and_(*(bound for column, test in asked for bound in test.bounds(column)))

    def next(self, value: Any, now: datetime) -> datetime | None:
        return None

    def __str__(self) -> str:
        return ", ".join(f"{test} in {area or 'some area'}" for area, test in self.tests)


def about(test: Comparison, value: Any) -> Any:
    """What of a fact's value a test looks at: of scores, those in the areas that it names."""
    if value is None or not isinstance(test, ScoresAre) or any(area is None for area, _ in test.tests):
        return value
    known = {fold(area): (area, score) for area, score in value.items()}
    return dict(known.get(fold(area), (area, 0.0)) for area, _ in test.tests if area is not None)


def scores(value: Any, path: Path) -> ScoresAre:
    """Read a test of every area, or one of the best. Raises PlacedError."""
    if not isinstance(value, Mapping):
        return ScoresAre(((None, number(value, path)),))
    if not value:
        hint = 'For example {beekeeping: ">= 2"}.'
        raise PlacedError("is empty; name an area and compare its score.", path=path, hint=hint)
    return ScoresAre(tuple((str(area), number(test, (*path, area))) for area, test in value.items()))
