"""Facts that are several rows of an item, sets and scores: asked for many items at once, after the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection

from .comparisons import PartlyKnown
from .facts import FactUse
from .query import FactQuery

MANY = frozenset({"set", "scores"})
"""Types of such facts."""

Values = dict[str, Any]


def fill(conn: Connection, query: FactQuery, use: FactUse, chunk: list[Values]) -> None:
    """Put the set's elements, or the scores by area, in the place of their owner's id."""
    owners = {values[use.name] for values in chunk} - {None}
    if not owners:
        return
    if use.fact.type == "scores":
        _fill_scores(conn, query, use, chunk, owners)
    else:
        _fill_set(conn, query, use, chunk, owners)


def _fill_scores(
    conn: Connection, query: FactQuery, use: FactUse, chunk: list[Values], owners: set[str]
) -> None:
    scores: dict[str, dict[str, float]] = {owner: {} for owner in owners}
    for owner, area, score in conn.execute(query.scores(use, owners)):
        scores[owner][area] = score
    for values in chunk:
        values[use.name] = scores.get(values[use.name])


def _fill_set(
    conn: Connection, query: FactQuery, use: FactUse, chunk: list[Values], owners: set[str]
) -> None:
    elements: dict[str, set[str]] = {owner: set() for owner in owners}
    for owner, name in conn.execute(query.elements(use, owners)):
        elements[owner].add(name)
    dark = query.coverage.dark_groups if use.fact.column == "group" else frozenset()
    for values in chunk:
        owner = values[use.name]
        if query.doubts(use.fact):
            values[use.name] = None
        elif owner is not None:
            seen = elements[owner]
            values[use.name] = PartlyKnown(seen, dark) if dark else frozenset(seen)


def regrouped(chunks: Iterable[list[Values]], size: int) -> Iterator[list[Values]]:
    """Chunks of which a filter left little, as full ones, for what is then asked about each of them."""
    gathered: list[Values] = []
    for chunk in chunks:
        gathered += chunk
        if len(gathered) >= size:
            yield gathered[:size]
            del gathered[:size]
    if gathered:
        yield gathered
