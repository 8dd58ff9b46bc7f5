"""How much of a wiki the mirror holds by the settings of its syncs, so that other settings are noticed.

What the settings leave out now and the mirror holds goes at the beginning of a sync (`sync/store/guard.py`).
What they add has to be read (`adding.py`). Names of what is left out are remembered sealed only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..base import Known
from .scope import Scope


@dataclass(frozen=True, slots=True)
class Extent:
    """`labels` and `members` are the seals of those that are left out; `settings` is the seal of all settings
    that it follows from, by which it is seen without asking the wiki whether they are the same."""

    namespaces: frozenset[int]
    labels: frozenset[str]
    members: frozenset[str]
    text: bool
    settings: str = field(default="", compare=False)

    @classmethod
    def of(cls, scope: Scope, known: Known) -> Extent:
        """As the settings say now."""
        return cls(
            frozenset(scope.namespaces),
            frozenset(map(known.sealed, scope.labels)),
            frozenset(map(known.sealed, scope.members)),
            scope.text,
            known.sealed(scope.digest),
        )

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Extent:
        return cls(
            frozenset(document["namespaces"]),
            frozenset(document["labels"]),
            frozenset(document["members"]),
            bool(document["text"]),
            document["settings"],
        )

    def document(self) -> dict[str, Any]:
        """As a part of the cursor."""
        return {
            "namespaces": sorted(self.namespaces),
            "labels": sorted(self.labels),
            "members": sorted(self.members),
            "text": self.text,
            "settings": self.settings,
        }

    def within(self, now: Extent) -> Extent:
        """What is left of this one where the settings are those of `now`."""
        return Extent(
            self.namespaces & now.namespaces,
            self.labels | now.labels,
            self.members | now.members,
            self.text and now.text,
        )
