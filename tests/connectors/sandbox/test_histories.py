"""Property: whatever people do while a mirror reads, cut off wherever, it ends with what the server has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordito.config.errors import Refused
from ordito.connectors.sandbox import reading
from ordito.connectors.sandbox.community import Side
from tests.connectors.adapter import MemoryMirror, Unsupported
from tests.connectors.reading import assert_true
from tests.connectors.sandbox.site import SandboxSite

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
Act = Callable[[SandboxSite, Random], object]


def _thread(site: SandboxSite, rng: Random) -> str:
    return rng.choice(sorted(site.truth().threads))


def _post(site: SandboxSite, rng: Random) -> str:
    return rng.choice(sorted(site.truth().contributions))


def _name(rng: Random) -> str:
    return f"Person {rng.randrange(10**9)}"


ACTS: dict[str, Act] = {
    "join": lambda site, rng: site.join(_name(rng)),
    "open": lambda site, rng: site.open(site.moderator(), f"Thread {_name(rng)}", "Words.", ["bees"]),
    "contribute": lambda site, rng: site.contribute(site.moderator(), _thread(site, rng), "More words."),
    "rewrite": lambda site, rng: site.rewrite(site.moderator(), _thread(site, rng), _name(rng)),
    "edit": lambda site, rng: site.edit(site.moderator(), _post(site, rng), _name(rng)),
    "relabel": lambda site, rng: site.relabel(
        site.moderator(), _thread(site, rng), rng.sample(["bees", "honey", "hives"], rng.randrange(3))
    ),
    "close": lambda site, rng: site.close(site.moderator(), _thread(site, rng), rng.random() < 0.7),
    "archive": lambda site, rng: site.archive(site.moderator(), _thread(site, rng), rng.random() < 0.7),
    "retitle": lambda site, rng: site.retitle(site.moderator(), _thread(site, rng), _name(rng)),
    "like": lambda site, rng: site.like(site.join(_name(rng)), _post(site, rng)),
    "delete a post": lambda site, rng: site.delete_contribution(site.moderator(), _post(site, rng)),
    "delete": lambda site, rng: site.delete_thread(site.moderator(), _thread(site, rng)),
    "suspend": lambda site, rng: site.suspend(site.moderator(), site.join(_name(rng))),
    "group": lambda site, rng: site.put_into_group(site.moderator(), site.join(_name(rng)), site.group),
}

STEPS = st.lists(st.sampled_from([*ACTS, "batch", "batch", "batch", "cut"]), min_size=1, max_size=30)


@pytest.mark.parametrize("side", ["forum", "wiki"])
@given(steps=STEPS, seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mirror_ends_with_the_truth_whatever_happens_while_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: Side, steps: list[str], seed: int
) -> None:
    """`batch` reads one batch more, `cut` ends the connection as a kill would."""
    monkeypatch.setattr(reading, "BATCH", 11)
    (tmp_path / "community.db").unlink(missing_ok=True)
    site, rng = SandboxSite(tmp_path, side, NOW), Random(seed)
    connector = site.connect()
    mirror = MemoryMirror(connector)
    batches = iter(connector.changes(None, mirror))
    for step in steps:
        if step == "cut":
            connector.close()
            connector = mirror.connector = site.connect()
            batches = iter(connector.changes(mirror.cursor, mirror))
        elif step == "batch":
            batch = next(batches, None)
            if batch is not None:
                mirror.apply(batch)
        else:
            _attempt(ACTS[step], site, rng)
    connector.close()
    mirror.connector = site.connect()
    mirror.sync()
    assert_true(mirror, site)
    mirror.connector.close()
    site.sandbox.close()


def _attempt(act: Act, site: SandboxSite, rng: Random) -> None:
    """People try things that the platform does not have, or refuses."""
    try:
        act(site, rng)
    except (Unsupported, Refused):
        return
