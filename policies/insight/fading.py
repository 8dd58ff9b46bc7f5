"""Counts that fade: what happened long ago counts less than what happened just now."""

from __future__ import annotations

from collections.abc import Hashable


class Fading:
    """For each key how often something happened, each time worth half after every `half_life` (in days).

    Times are days since 1970. A value is kept as it was when something last happened, so that nothing has to
    be done while time goes by.
    """

    __slots__ = ("_half_life", "_values")

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life
        self._values: dict[Hashable, tuple[float, float]] = {}

    def add(self, key: Hashable, at: float) -> None:
        """It happened once more; `at` is not before what was added earlier for this key."""
        self._values[key] = (self.value(key, at) + 1.0, at)

    def value(self, key: Hashable, now: float) -> float:
        """What is left of it at `now`."""
        found = self._values.get(key)
        return 0.0 if found is None else found[0] * 0.5 ** ((now - found[1]) / self._half_life)
