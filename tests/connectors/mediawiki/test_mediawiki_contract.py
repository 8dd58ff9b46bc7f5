"""A real MediaWiki under the contract of all connectors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.contract import ConnectorContract
from tests.connectors.mediawiki.contract_site import MediaWikiSite, prepare
from tests.connectors.mediawiki.prepared import Prepared
from tests.servers.mediawiki.wiki import Wiki


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    with Prepared(prepare) as state:
        yield state


class TestMediaWiki(ConnectorContract):
    @pytest.fixture
    def site(self, mediawiki: Wiki, prepared: Prepared) -> MediaWikiSite:
        return MediaWikiSite(mediawiki, prepared.restore(mediawiki))
