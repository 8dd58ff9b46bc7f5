"""A real MediaWiki under the contract of all connectors."""

from __future__ import annotations

import pytest

from tests.connectors.contract import ConnectorContract
from tests.connectors.mediawiki.contract_site import MediaWikiSite, prepare
from tests.servers.mediawiki.wiki import Snapshot, Wiki

_made: dict[str, Snapshot] = {}


class TestMediaWiki(ConnectorContract):
    @pytest.fixture
    def site(self, mediawiki: Wiki) -> MediaWikiSite:
        key = str(mediawiki.folder)
        if key not in _made:
            prepare(mediawiki)
            _made[key] = mediawiki.snapshot()
        mediawiki.restore(_made[key])
        return MediaWikiSite(mediawiki)
