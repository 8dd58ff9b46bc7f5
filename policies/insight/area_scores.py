"""The fact `expertise`: everybody's Z-score in every area, as a table that conditions can be asked of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from sqlalchemy import Column, Double, Table, Text

from ...config.durations import Duration
from ..community import Community
from ..comparisons import fold
from ..sources import Scope
from .area_sums import Areas, answers_by_area, counted, fading, questions_by_area
from .expertise import z

HALF_LIFE = Duration(365, "day")
_DIGITS = 3
"""What is compared is what is shown, and does not hang on the order in which numbers were added."""
_ANEW = count()
"""Numbers that nobody has had: a community outlives what one setting of a policy has worked out."""


def area_scores(community: Community, scope: Scope) -> Table:
    """A row for each member and area: `key`, `area` (folded), `name`, `score`. Of all members it is made
    once; of `scope.only`, for members about whom somebody asks one by one, each time anew."""
    whose = scope.site if scope.only is None else f"{scope.site} {next(_ANEW)}"
    columns: list[Column[Any]] = [
        Column("key", Text, primary_key=True), Column("area", Text, primary_key=True),
        Column("name", Text), Column("score", Double),
    ]  # fmt: skip
    return community.scratch(("expertise", whose), columns, _rows(community, scope))


def _rows(community: Community, scope: Scope) -> Iterator[tuple[str, str, str, float]]:
    kinds: tuple[Areas, ...] = ("labels", "spaces") if scope.family == "forum" else ("labels",)
    best: dict[tuple[str, str], tuple[float, str]] = {}
    for areas in kinds:
        for (area, author), (answered, asked) in _sums(community, scope, areas).items():
            key, score = (author, fold(area)), round(z(answered, asked), _DIGITS)
            best[key] = max(best.get(key, (score, area)), (score, area))
    for (author, area), (score, name) in sorted(best.items()):
        yield author, area, name, score


def _sums(community: Community, scope: Scope, areas: Areas) -> dict[tuple[str, str], tuple[float, float]]:
    """(area, author) → faded answers and questions."""
    fade, restored = fading(community, scope, HALF_LIFE), counted(community, scope)
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for row in community.conn.execute(answers_by_area(scope, areas, fade, restored)):
        sums[row[0], row[1]] = (row[2], 0.0)
    for area, author, asked in community.conn.execute(questions_by_area(scope, areas, fade)):
        sums[area, author] = (sums.get((area, author), (0.0, 0.0))[0], asked)
    return sums
