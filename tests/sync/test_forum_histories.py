"""The store against a forum's own state, over random histories: cut between any two requests and resumed, it
ends as one that was never cut. ORDITO_EXAMPLES in the environment tries more of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table

from ordito.config.durations import Duration
from ordito.connectors.discourse.reading import ROUND
from ordito.connectors.records import ContributionKind
from ordito.sync.mirror import SiteReport, Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from ordito.sync.store.tables import contributions, threads
from tests.connectors.adapter import seen
from tests.connectors.discourse.life import Deed, Lively, deeds, make_pages_small
from tests.connectors.discourse.site import settings as site_settings
from tests.servers.discourse import DiscourseServer
from tests.sync.conftest import NOW
from tests.sync.reading_forum import Patience, cut_off
from tests.sync.truth import dump, held

STEPS = st.lists(
    st.tuples(st.lists(deeds, max_size=12), st.lists(st.integers(0, 30), max_size=3)), min_size=1, max_size=4
)

STAFF = {"admins", "moderators", "staff"}
"""Groups that follow from members' flags."""


_CHANGING = {
    "thread", "position", "parent", "parent_position", "updated_at", "likes", "size", "sha1", "kind",
    "deleted_at",
}  # fmt: skip
"""Of a deleted post: what it was last seen like, and when it was missed, which the forum does not tell."""


@pytest.fixture
def stores(tmp_path: Path, open_store: Callable[[str], Store]) -> Callable[[str], Store]:
    """Empty stores, made anew for each example."""
    open_store(f"sqlite:///{tmp_path}/template.db").close()

    def make(name: str) -> Store:
        for file in tmp_path.glob(f"{name}.db*"):
            file.unlink()
        shutil.copy(tmp_path / "template.db", tmp_path / f"{name}.db")
        return Store.open(f"sqlite:///{tmp_path}/{name}.db", now=NOW)

    return make


@pytest.mark.parametrize("dialect", ["2021", "2026"])
@settings(
    max_examples=int(os.environ.get("ORDITO_EXAMPLES", "4")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=STEPS)
def test_a_store_that_was_cut_anywhere_is_the_same_and_true(
    dialect: str, stores: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch,
    steps: list[tuple[list[Deed], list[int]]],
) -> None:  # fmt: skip
    whole, pieces = stores("whole"), stores("pieces")
    make_pages_small(monkeypatch)
    with DiscourseServer(dialect=dialect) as server:
        lively = Lively(server)
        for done, cuts in steps:
            lively.live(done)
            now = server.clock.advance(ROUND)
            assert _sync(whole, lively, now).error is None
            for cut in cuts:
                cut_off(server, cut)
                _sync(pieces, lively, now)
                server.faults.clear()
            assert _sync(pieces, lively, now).error is None
            now = server.clock.advance(ROUND)  # what no list shows comes with a round after the one under way
            for store in (whole, pieces):
                assert _sync(store, lively, now).error is None
            assert _lasting(pieces, lively) == _lasting(whole, lively)
            _assert_true(whole, lively)
    whole.close()
    pieces.close()


def _sync(store: Store, lively: Lively, now: datetime) -> SiteReport:
    world = Patience(now).world()
    source = Source(
        site="forum",
        family="forum",
        settings=site_settings(lively.server, sweep=Duration(0, "minute")),
        connect=lively.connect,
    )
    (report,) = sync_sites(store, {"forum": source}, world, Silence())
    return report


def _lasting(store: Store, lively: Lively) -> dict[str, list[Any]]:
    """What does not depend on how often an item was read by itself, which the stamp of a topic says. Versions
    to 2022 count that as a view; from 2023 on the forum's own notes come with it only. A post that was
    moved, or liked, and deleted before the next sync, is known as it was seen last."""
    tables = dump(store)
    stamp = _names(threads).index("stamp")
    for place, row in enumerate(tables["threads"]):
        tables["threads"][place] = (*row[:stamp], row[stamp].removesuffix("|whole"), *row[stamp + 1 :])
    tables["threads"] = _without({"views"}, threads, tables["threads"])
    deleted = {row[1] for row in tables["contributions"] if row[_names(contributions).index("deleted_at")]}
    gone = [row for row in tables["contributions"] if row[1] in deleted]
    tables["contributions"] = [row for row in tables["contributions"] if row[1] not in deleted]
    tables["deleted"] = _without(_CHANGING, contributions, gone)
    if lively.site.forum.dialect.posts_regular_only:
        notes = {id for id, c in held(store).contributions.items() if c.kind == ContributionKind.SMALL}
        for name in ("contributions", "deleted", "texts"):
            tables[name] = [row for row in tables[name] if row[1] not in notes]
    return tables


def _without(names: set[str], table: Table, rows: list[Any]) -> list[Any]:
    kept = [place for place, name in enumerate(_names(table)) if name not in names]
    return [tuple(row[place] for place in kept) for row in rows]


def _names(table: Table) -> list[str]:
    """The columns of a dump."""
    return [column.name for column in table.columns if column.name != "scan"]


def _assert_true(store: Store, lively: Lively) -> None:
    mirror, truth = held(store), lively.truth()
    spoken = {i: c for i, c in mirror.contributions.items() if c.kind != ContributionKind.SMALL}
    mirror = replace(mirror, contributions=spoken)
    for kind in ("members", "threads", "contributions"):
        ours, theirs = getattr(mirror, kind), getattr(truth, kind)
        assert ours.keys() == theirs.keys(), kind
        for id, item in theirs.items():
            here, there = seen(ours[id]), seen(item)
            if kind == "members":
                here["groups"] -= STAFF
                there["groups"] = lively.groups_of(id)
            assert here == there
