"""What of a forum a mirror holds by the settings of its syncs, so that other settings are noticed.

What they leave out more goes at the beginning of a sync (`sync/store/guard.py`), and nothing need be read for
it. What they leave out less nobody has read: then everything is read again. Names of what is left out are
remembered sealed only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Known
from .settings import DiscourseSettings

_SHORT = 16
"""Digits of a seal that are kept: the cursor is stored with every batch."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`since`: a day, or '' for the whole history; `excluded`: the seals of spaces, labels and members."""

    since: str
    text: bool
    messages: bool
    excluded: frozenset[str]

    @classmethod
    def of(cls, settings: DiscourseSettings, known: Known) -> Bounds:
        """As the settings say now."""

        def sealed(kind: str, names: Iterable[str]) -> set[str]:
            return {known.sealed(f"{kind}:{name}")[:_SHORT] for name in names}

        exclude = settings.exclude
        return cls(
            since="" if settings.since is None else settings.since.isoformat(),
            text=settings.text,
            messages=settings.messages,
            excluded=frozenset(
                sealed("space", exclude.spaces)
                | sealed("label", exclude.labels)
                | sealed("member", exclude.members)
            ),
        )

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Bounds:
        return cls(
            document["since"], document["text"], document["messages"], frozenset(document["excluded"])
        )

    def document(self) -> dict[str, Any]:
        """As a part of the cursor."""
        return {
            "since": self.since,
            "text": self.text,
            "messages": self.messages,
            "excluded": sorted(self.excluded),
        }

    def cover(self, other: Bounds) -> bool:
        """Whether a mirror within these bounds holds all that one within the others would."""
        return (
            self.since <= other.since  # '' comes first
            and self.text >= other.text
            and self.messages >= other.messages
            and self.excluded <= other.excluded
        )
