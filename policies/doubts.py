"""Which facts an audit's findings make unknown: those that the changes it found missing would have changed.

An audit looks at a sample. What it found in there is mended; what it did not look at may be wrong in the same
way, until another audit, or a sync with --full, finds it right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..connectors.base import Aspect
from .facts import Fact, Subject

_WORDS: frozenset[Aspect] = frozenset({"contributions", "threads", "deletions"})
"""What whole histories are made of."""

_ALSO: Mapping[tuple[Subject, str], frozenset[Aspect]] = {
    ("member", "solutions"): frozenset({"solutions"}),
    ("member", "likes_received"): frozenset({"likes"}),
    ("member", "expertise"): frozenset({"solutions", "likes", "labels", "moves"}),
    ("thread", "waiting_on"): frozenset({"solutions", "states"}),
}
"""Histories that are more than who wrote when."""

_OF: Mapping[tuple[Subject, str], Aspect] = {
    ("member", "trust_level"): "trust levels", ("member", "groups"): "groups",
    ("member", "title"): "member titles", ("member", "username"): "renames", ("member", "admin"): "roles",
    ("member", "moderator"): "roles", ("member", "bot"): "roles", ("member", "staged"): "roles",
    ("member", "suspended"): "suspensions", ("member", "silenced"): "suspensions",
    ("thread", "space"): "moves", ("thread", "labels"): "labels", ("thread", "title"): "titles",
    ("thread", "likes"): "likes", ("thread", "solved"): "solutions", ("thread", "closed"): "states",
    ("thread", "archived"): "states", ("thread", "pinned"): "states", ("thread", "visible"): "states",
    ("contribution", "size"): "edits", ("contribution", "text"): "edits",
    ("contribution", "edited"): "edits", ("contribution", "likes"): "likes",
}  # fmt: skip
"""What one kind of change makes. All other facts never change: when something was made, of what kind."""


def doubted(fact: Fact, gaps: Collection[str]) -> bool:
    """Whether one of these kinds of changes, if missed, may have changed the fact."""
    return bool(gaps) and not aspects(fact).isdisjoint(gaps)


def aspects(fact: Fact) -> frozenset[Aspect]:
    """The kinds of changes that a fact depends on."""
    key = (fact.subject, fact.name)
    if fact.history:
        return _WORDS | _ALSO.get(key, frozenset())
    return frozenset({_OF[key]}) if key in _OF else frozenset()
