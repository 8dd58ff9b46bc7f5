"""The mirror against a site's own state, over random histories, cut off and resumed anywhere.

The oracle of what was so at a moment is plain Python: it looks at the site after every act.
ORDITO_EXAMPLES=5000 in the environment tries that many histories with each test.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ordito.config.errors import Unreachable
from ordito.config.model import SiteSettings
from ordito.connectors.base import Batch, Connector, Cursor, Known
from ordito.connectors.sandbox import reading
from ordito.sync.mirror import SiteReport, Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.states import in_force, value_at
from ordito.sync.store.store import Store
from ordito.sync.store.tables import states, threads
from ordito.sync.store.times import micros
from tests.connectors.adapter import Site
from tests.connectors.sandbox import site as sandbox_site
from tests.connectors.sandbox.site import SandboxSite
from tests.sync.conftest import NOW
from tests.sync.fakes import standing
from tests.sync.truth import act, assert_true, dump

_CUTS = st.lists(st.integers(0, 9), max_size=3)
STEPS = st.lists(st.tuples(st.integers(0, 6), _CUTS), min_size=1, max_size=4)
EXAMPLES = settings(
    max_examples=int(os.environ.get("ORDITO_EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class _CutOff:
    """A connector whose line goes dead after so many batches."""

    def __init__(self, connector: Connector, batches: int) -> None:
        self._connector, self._left = connector, batches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def changes(self, cursor: Cursor | None, known: Known) -> Iterator[Batch]:
        for batch in self._connector.changes(cursor, known):
            if self._left == 0:
                raise Unreachable("The line went dead.")
            self._left -= 1
            yield batch


def sync(
    store: Store, site: Site, now: datetime, cut: int | None = None, *, full: bool = False
) -> SiteReport:
    connector: Any = site.connect()
    try:
        limited = connector if cut is None else _CutOff(connector, cut)
        given_settings = SiteSettings(connector="any", messages=True)
        source = Source(
            site=site.name, family=site.family, settings=given_settings, connect=lambda: limited
        )
        (report,) = sync_sites(store, {site.name: source}, standing(now), Silence(), full=full)
        return report
    finally:
        connector.close()


@pytest.fixture(scope="session")
def community(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SandboxSite(tmp_path_factory.mktemp("community"), "forum", NOW).sandbox.path


@pytest.fixture(params=["forum", "wiki"])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, community: Path) -> Any:
    """Small batches, so that a small community takes several; and a community that is made only once."""
    monkeypatch.setattr(reading, "BATCH", 40)
    monkeypatch.setattr(sandbox_site, "generate", lambda path, sizes: shutil.copy(community, path))
    return request.param


@pytest.fixture
def stores(tmp_path: Path, open_store: Callable[[str], Store]) -> Callable[[str], Store]:
    """Empty stores, a new one for each name."""
    open_store(f"sqlite:///{tmp_path}/template.db").close()

    def make(name: str) -> Store:
        shutil.copy(tmp_path / "template.db", tmp_path / f"{name}.db")
        return Store.open(f"sqlite:///{tmp_path}/{name}.db", now=NOW)

    return make


def fresh_site(folder: Path, side: Any, number: list[int]) -> Site:
    number[0] += 1  # hypothesis runs all its examples in one folder
    (folder / str(number[0])).mkdir()
    return cast(Site, SandboxSite(folder / str(number[0]), side, NOW))


@EXAMPLES
@given(steps=STEPS, seed=st.integers(0, 10**6))
def test_a_sync_cut_off_anywhere_and_resumed_ends_with_the_same_store(
    tmp_path: Path, side: Any, stores: Callable[[str], Store], steps: Any, seed: int,
    counter: list[int],
) -> None:  # fmt: skip
    site, random = fresh_site(tmp_path, side, counter), Random(seed)
    whole, pieces = stores(f"whole{counter[0]}"), stores(f"pieces{counter[0]}")
    for acts, cuts in steps:
        for _ in range(acts):
            act(site, random)
        now = site.now()
        assert sync(whole, site, now).error is None
        for cut in cuts:
            sync(pieces, site, now, cut)
        assert sync(pieces, site, now).error is None
        assert_true(whole, site)
        assert dump(pieces) == dump(whole)
    whole.close()
    pieces.close()


@EXAMPLES
@given(steps=STEPS, seed=st.integers(0, 10**6))
def test_what_happens_while_a_sync_is_under_way_is_not_lost(
    tmp_path: Path, side: Any, stores: Callable[[str], Store], steps: Any, seed: int,
    counter: list[int],
) -> None:  # fmt: skip
    site, random = fresh_site(tmp_path, side, counter), Random(seed)
    store = stores(f"store{counter[0]}")
    for acts, cuts in steps:
        for cut in cuts:
            sync(store, site, site.now(), cut)
            for _ in range(acts):
                act(site, random)
    assert sync(store, site, site.now()).error is None
    assert_true(store, site)
    assert sync(store, site, site.now(), full=True).counts.deleted == 0
    assert_true(store, site)
    store.close()


@EXAMPLES
@given(steps=STEPS, seed=st.integers(0, 10**6))
def test_the_past_can_be_asked(
    tmp_path: Path, side: Any, stores: Callable[[str], Store], steps: Any, seed: int,
    counter: list[int],
) -> None:  # fmt: skip
    site, random = fresh_site(tmp_path, side, counter), Random(seed)
    store = stores(f"store{counter[0]}")
    sync(store, site, site.now())
    truth: dict[datetime, Mapping[str, Any]] = {site.now(): _states(site)}
    met = set(_states(site))  # by a sync; what came and went between two of them nobody knows
    for acts, _ in steps:
        for _ in range(acts):
            act(site, random)
            if side == "forum":  # a wiki tells nobody when a page's categories changed: only syncs see it
                truth[site.now()] = _states(site)
        sync(store, site, site.now())
        truth[site.now()] = _states(site)
        met |= truth[site.now()].keys()
    for moment, states_then in truth.items():
        then = {key: value for key, value in states_then.items() if key in met}
        assert _states_as_of(store, site, moment, then) == then
    store.close()


@pytest.fixture
def counter() -> list[int]:
    return [0]


FIELDS = ("closed", "archived", "visible", "space")


def _states(site: Site) -> dict[str, Any]:
    """The oracle: of every thread its states, and of every member the groups, as they are now."""
    truth = site.truth()
    return {
        **{
            thread.id: (*(getattr(thread, field) for field in FIELDS), thread.labels)
            for thread in truth.threads.values()
        },
        **{f"@{id}": site.groups_of(id) for id in truth.members},
    }


def _states_as_of(store: Store, site: Site, moment: datetime, of: Mapping[str, Any]) -> dict[str, Any]:
    """The same of these items from the store, by the SQL that policies use."""
    at = micros(moment)
    columns = [
        value_at(site.name, "thread", field, threads.c.id, threads.c[field], at).label(field)
        for field in FIELDS
    ]
    with store.read() as connection:
        rows = connection.execute(select(threads.c.id, *columns)).all()
        elements: dict[tuple[str, str], set[str]] = {}
        for kind, field in (("thread", "label"), ("member", "group")):
            found = select(states.c.item, states.c.value).where(in_force(site.name, kind, field, at))
            for item, value in connection.execute(found):
                elements.setdefault((kind, item), set()).add(value)
    flags = {"true": True, "false": False, None: None}
    result: dict[str, Any] = {}
    for row in rows:
        closed, archived, visible = (flags[value] for value in row[1:4])
        labels = frozenset(elements.get(("thread", row.id), ()))
        result[row.id] = (closed, archived, visible, row.space or None, labels)
    for key in of:
        if key.startswith("@"):
            result[key] = frozenset(elements.get(("member", key[1:]), ()))
    return {key: value for key, value in result.items() if key in of}
