"""What is left of a condition for Python to decide, row after row; of a text that is met again, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from .conditions import All, Some, matches
from .facts import FactUse

Row = Sequence[Any]
Known = dict[tuple[Any, ...], bool]
"""What a condition says of the values that it asks for."""

_MOST = 200_000  # of titles, some tens of megabytes


def asked_of(left: tuple[All, Some]) -> list[FactUse]:
    """The facts that are asked for."""
    return list(dict.fromkeys(atom.use for condition in left for atom in condition.atoms()))


def lasting(asked: Sequence[FactUse]) -> bool:
    """Whether a verdict is worth keeping: on short texts, which say the same at every moment."""
    return all(use.fact.type == "text" and use.fact.column != "text" for use in asked)


def decide(
    left: tuple[All, Some], places: Sequence[tuple[str, int]], now: datetime, known: Known | None
) -> Callable[[Row], bool]:
    """Tells whether a row matches. `places`: where in it the facts stand; `known`: what is known, and where
    to put what becomes known (None: nowhere)."""
    names, at = [name for name, _ in places], [place for _, place in places]

    def anew(row: Row) -> bool:
        return matches(*left, {name: row[place] for name, place in places}, now)

    def again(row: Row) -> bool:
        key = tuple([row[place] for place in at])
        verdict = kept.get(key)
        if verdict is None:
            verdict = matches(*left, dict(zip(names, key, strict=True)), now)
            if len(kept) < _MOST:
                kept[key] = verdict
        return verdict

    if known is None:
        return anew
    kept = known
    return again
