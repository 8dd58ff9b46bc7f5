"""A mirror in memory against the wiki's own tables."""

from __future__ import annotations

from dataclasses import replace

from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.records import Contribution
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.site import (
    held,
    truth,
)
from tests.servers.mediawiki.wiki import Wiki


def assert_equal(
    mirrored: MemoryMirror, wiki: Wiki, namespaces: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
) -> None:
    have, want = held(mirrored), truth(wiki, namespaces)
    for part in ("members", "threads", "contributions"):
        there, wanted = getattr(have, part), getattr(want, part)
        assert sorted(there) == sorted(wanted)
        for key, item in wanted.items():
            if isinstance(item, Contribution) and item.text is None:
                there[key] = replace(there[key], text=None)  # of older revisions the mirror drops the text
            assert there[key] == item


def revisions(mirrored: MemoryMirror) -> list[Contribution]:
    return [c for c in mirrored.of(Contribution).values() if isinstance(c, Contribution)]


def update(mirrored: MemoryMirror, connector: MediaWikiConnector) -> None:
    mirrored.connector = connector
    mirrored.sync()
