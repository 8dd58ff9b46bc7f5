"""What of a wiki is mirrored, by the settings: namespaces, exclusions, the beginning, texts.

Redirects are addresses, not pages: they are treated as if they did not exist. Nothing can be discussed or
archived there, and a move leaves one behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time

from .settings import MediaWikiSettings
from .wiki import Namespace, Wiki, tidy

CATEGORY = 14
"""Number of the namespace of categories."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Names are as the wiki stores them (`tidy`)."""

    namespaces: tuple[int, ...]
    labels: frozenset[str]
    """Pages in these categories are left out."""
    members: frozenset[str]
    """What these accounts wrote is left out, and the accounts themselves."""
    since: datetime | None
    """Older revisions are left out; a page's current one is always read."""
    text: bool
    digest: str
    """See `digest_of`."""

    @classmethod
    def of(cls, settings: MediaWikiSettings, wiki: Wiki) -> Scope:
        excluded = {n.id for name in settings.exclude.spaces if (n := wiki.namespace(name)) is not None}
        wanted = tuple(n for n in sorted(settings.namespaces) if n in wiki.namespaces and n not in excluded)
        since = settings.since
        return cls(
            namespaces=wanted,
            labels=frozenset(label_of(name, wiki) for name in settings.exclude.labels),
            members=frozenset(tidy(name) for name in settings.exclude.members),
            since=datetime.combine(since, time(), UTC) if since is not None else None,
            text=settings.text,
            digest=digest_of(settings),
        )

    def wants_labels(self, labels: Iterable[str]) -> bool:
        return self.labels.isdisjoint(labels)

    def wants_member(self, username: str) -> bool:
        return username not in self.members


def digest_of(settings: MediaWikiSettings) -> str:
    """Of all settings that bound what is read, apart from `since`; the wiki need not be asked for it."""
    excluded = settings.exclude
    parts = (sorted(settings.namespaces), *map(sorted, (excluded.spaces, excluded.labels, excluded.members)))
    return hashlib.blake2b(repr((parts, settings.text)).encode(), digest_size=8).hexdigest()


def label_of(name: str, wiki: Wiki) -> str:
    """A category's name without its namespace, as the wiki stores it."""
    space, colon, rest = name.partition(":")
    namespace: Namespace | None = wiki.namespace(space) if colon else None
    bare = rest if namespace is not None and namespace.id == CATEGORY else name
    return tidy(bare, capital=wiki.first_letter)
