"""Syncs of a real wiki into a real store, with a world in which waiting takes no time."""

from __future__ import annotations

from typing import Any

from ordito.connectors.base import World
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.sync.mirror import Source
from tests.connectors.mediawiki.site import settings
from tests.servers.mediawiki.wiki import Wiki


def source(wiki: Wiki, world: World, **more: Any) -> Source:
    """The wiki as a sync takes it; `url` leads there by another way."""
    chosen = settings(wiki, **more)
    return Source(
        site="wiki",
        family="wiki",
        settings=chosen,
        connect=lambda: MediaWikiConnector("wiki", chosen, world),
    )
