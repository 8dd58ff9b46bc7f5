"""Every verb on a real MediaWiki: see `tests.connectors.cells`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.matrix import Matrix, cells
from tests.connectors.mediawiki.contract_site import prepare
from tests.connectors.mediawiki.lab import MediaWikiLab
from tests.connectors.mediawiki.prepared import Prepared
from tests.servers.mediawiki.wiki import Wiki


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    with Prepared(prepare) as state:
        yield state


@pytest.mark.parametrize(("verb", "column"), cells("wiki"))
class TestMediaWiki(Matrix):
    @pytest.fixture
    def lab(self, mediawiki: Wiki, prepared: Prepared) -> MediaWikiLab:
        return MediaWikiLab(mediawiki, prepared.restore(mediawiki))
