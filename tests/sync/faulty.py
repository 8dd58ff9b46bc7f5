"""A sync of two sites, of which the way to one is disturbed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ordito.connectors.base import Batch, World
from ordito.connectors.http import PoliteSession
from ordito.sync.mirror import SiteReport, Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from ordito.sync.syncing import Synced, error_line
from tests.servers.proxy.shapes import Shape
from tests.sync.fakes import FakeSite
from tests.sync.fakes import source as fake_source
from tests.sync.records import member

OTHER = "other"


def be_impatient(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let every session wait so long for an answer, instead of a minute."""
    usual = PoliteSession.__init__.__kwdefaults__
    assert usual is not None
    monkeypatch.setitem(usual, "timeout", (5, seconds))


def sync_both(store: Store, disturbed: Source, world: World) -> Synced:
    """The disturbed site first, and another one that has something new each time."""
    other = FakeSite(batches=[Batch(records=(member("1", site=OTHER),))], site=OTHER)
    sources = {disturbed.site: disturbed, OTHER: fake_source(other)}
    return Synced(sync_sites(store, sources, world, Silence()))


def report_of(synced: Synced, site: str) -> SiteReport:
    return next(report for report in synced.reports if report.site == site)


def assert_told(synced: Synced, site: str, shape: Shape) -> None:
    """It ended with code 3, one line that says what is the matter, and the same in the document."""
    report = report_of(synced, site)
    assert synced.exit_code == 3
    assert report_of(synced, OTHER).complete and not report.complete
    line = error_line(report)
    assert "\n" not in line and line.startswith(f"{site}: ")
    assert re.search(shape.words, line), line
    document: dict[str, Any] = synced.document()
    (error,) = document["errors"]
    assert (error["site"], error["kind"]) == (site, shape.lasting), error
    assert error["message"].endswith(".") and error["hint"].endswith(".")
