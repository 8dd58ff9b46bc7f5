"""Both sides of the sandbox under the contract of all connectors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordito.connectors.sandbox import reading
from tests.connectors.contract import ConnectorContract
from tests.connectors.sandbox.site import SandboxSite

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a community of forty members is read in more than one batch of each kind."""
    monkeypatch.setattr(reading, "BATCH", 9)


class TestForumSide(ConnectorContract):
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[SandboxSite]:
        site = SandboxSite(tmp_path, "forum", NOW)
        yield site
        site.sandbox.close()


class TestWikiSide(ConnectorContract):
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[SandboxSite]:
        site = SandboxSite(tmp_path, "wiki", NOW)
        yield site
        site.sandbox.close()
