"""Whom a message brings together: nobody who takes no messages, as a platform would refuse it as a whole."""

from __future__ import annotations

from collections.abc import Callable

from ..config.errors import NotFound
from ..connectors.base import Profile
from ..connectors.records import Ref
from .kind import Candidate


def with_the_willing(candidate: Candidate, profile: Callable[[Ref], Profile]) -> Candidate:
    """The candidate with others in the place of those who take no messages, or with nobody.

    Raises ConnectorError where that cannot be read.
    """
    unwilling: set[Ref] = set()
    while candidate.without is not None:
        silent = {who for who in candidate.company if not _accepts(who, profile)}
        if not silent:
            break
        unwilling |= silent
        candidate = candidate.without(frozenset(unwilling))
    return candidate


def _accepts(who: Ref, profile: Callable[[Ref], Profile]) -> bool:
    try:
        return profile(who).accepts
    except NotFound:
        return False
