"""Killing syncs at random moments and resuming them, until one ends; its store beside that of an undisturbed
sync.

Run as a module with a folder, this is the process that gets killed: one sync of both sides of the sandbox.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ordito.config.model import SiteSettings
from ordito.connectors.base import Family, World
from ordito.connectors.sandbox.connector import SandboxConnector
from ordito.connectors.sandbox.settings import SandboxSettings
from ordito.sync.mirror import Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from tests.sync.truth import dump

from .community import NOW, community
from .measure import ROOT

CONTRIBUTIONS = 10_000
_WORLD = World(now=lambda: NOW, monotonic=time.monotonic, sleep=time.sleep)
_SIDES: dict[str, Family] = {"forum": "forum", "wiki": "wiki"}


@dataclass(frozen=True, slots=True)
class Killed:
    """`kills` met a sync at work, `syncs` came to their end; `lost`, `twice` and `other` count their rows
    that are not as an undisturbed sync leaves them: missing, doubled, different."""

    kills: int
    syncs: int
    rows: int
    lost: int
    twice: int
    other: int


def kill_syncs(folder: Path, kills: int, seed: int) -> Killed:
    """Kill that many in all; whenever one got to its end, compare, and begin anew with an empty store."""
    chance = random.Random(seed)
    community(folder / "sandbox.db", CONTRIBUTIONS)
    began = time.monotonic()
    _run_and_kill(folder, None)
    longest = (time.monotonic() - began) / 3
    truth = _rows(folder)
    _forget(folder)
    working = syncs = 0
    wrong: Counter[str] = Counter()
    while True:
        ended = _run_and_kill(folder, chance.uniform(0, longest) if working < kills else None)
        if ended:
            syncs += 1
            wrong += _compare(truth, _rows(folder))
            _forget(folder)
            if working >= kills:
                return Killed(
                    working, syncs, sum(truth.values()), wrong["lost"], wrong["twice"], wrong["other"]
                )
        working += not ended


Rows = Counter[tuple[object, ...]]


def _run_and_kill(folder: Path, after: float | None) -> bool:
    """Whether it came to its end before."""
    command = [sys.executable, "-m", "benchmarks.killed_sync", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the sync did not start")
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        process.kill()
    if process.returncode not in (0, -9):
        raise RuntimeError(f"the sync ended with {process.returncode}")
    return process.returncode == 0


def _rows(folder: Path) -> Rows:
    """Every row of the mirror."""
    store = _open(folder)
    try:
        return Counter((table, *row) for table, rows in dump(store).items() for row in rows)
    finally:
        store.close()


def _compare(truth: Rows, found: Rows) -> Counter[str]:
    missing, more = truth - found, found - truth
    twice = sum(count for row, count in more.items() if row in truth)
    other = sum(count for row, count in more.items() if row not in truth)
    return Counter(lost=sum(missing.values()), twice=twice, other=other)


def _forget(folder: Path) -> None:
    for left in folder.glob("ordito.db*"):
        left.unlink()


def _open(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder}/ordito.db", now=NOW)


def _source(folder: Path, side: str, family: Family) -> Source:
    given = {"connector": "sandbox", "file": str(folder / "sandbox.db"), "side": side}
    settings = SandboxSettings.model_validate(given)
    return Source(
        site=side, family=family, settings=SiteSettings(connector="sandbox"),
        connect=partial(SandboxConnector, side, settings, _WORLD),
    )  # fmt: skip


def main(folder: Path) -> int:
    """One sync, from wherever the last one was stopped."""
    store = _open(folder)
    try:
        print("ready", flush=True)
        sources = {side: _source(folder, side, family) for side, family in _SIDES.items()}
        reports = sync_sites(store, sources, _WORLD, Silence())
    finally:
        store.close()
    return 0 if all(report.complete for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
