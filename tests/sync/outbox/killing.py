"""Killing a run at random moments, again and again, and counting afterwards what the sites were made to do.

Run as a module with a folder, this is the process that gets killed: one run of `apply` over the sandbox. As
long as it has the folder's lock it answers for it; SIGKILL lets it clean up nothing.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select

from ordito.config.errors import LockHeld
from ordito.connectors.actions import Action, Reply, SendMessage
from ordito.connectors.base import World
from ordito.connectors.sandbox.connector import SandboxConnector
from ordito.connectors.sandbox.settings import SandboxSettings
from ordito.sync.locks import Holder, run_lock
from ordito.sync.outbox import (
    Bench,
    Decision,
    Draft,
    Go,
    Proposal,
    Verdict,
    Wait,
    apply,
    propose,
    review,
)
from ordito.sync.store.store import Store
from ordito.sync.store.tables import attempts, contacts, proposals

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 0.25
"""Seconds of work after which a run is killed at the latest."""

_ACTIONS = 24
"""Approved before every run: more than one gets done before it is killed."""

_WORLD = World(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep)


class _Open:
    """A gate through which everything may go, every contact with its budget."""

    def begin(self, now: datetime) -> None:
        pass

    def hold(self, conn: Connection, proposal: Proposal, now: datetime) -> Wait | None:
        return None

    def prepare(self, proposal: Proposal, now: datetime) -> None:
        pass

    def check(self, conn: Connection, proposal: Proposal, now: datetime) -> Verdict:
        return Go((proposal.action.item,) if proposal.verb == "send_message" else ())


@dataclass(frozen=True, slots=True)
class Kills:
    """What came of it: `working` of the `kills` met a process at work, `unfinished` left an attempt open.

    `done` has how often the sites carried out each approved proposal; `states` counts the proposals.
    """

    kills: int
    working: int
    unfinished: int
    done: Counter[int]
    states: Counter[str]
    open_attempts: int
    contacts: int


def kill_again_and_again(folder: Path, kills: int, seed: int) -> Kills:
    """Start a run, kill it, and so on; then let one run end, and count."""
    chance = random.Random(seed)
    with opened(folder) as store:
        connectors(folder)  # makes the community
        working = unfinished = 0
        for number in range(kills):
            approve(store, number)
            working += _run_and_kill(folder, chance.uniform(0, LONGEST))
            with store.read() as conn:
                unfinished += bool(_open_attempts(conn))
        run_to_its_end(folder)
        return count(folder, store, kills, working, unfinished)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The folder's store: the one whose URL stands in `store.url`, else a file of its own."""
    named = folder / "store.url"
    url = named.read_text() if named.exists() else f"sqlite:///{folder}/ordito.db"
    store = Store.open(url, now=datetime.now(UTC))
    try:
        yield store
    finally:
        store.close()


def connectors(folder: Path) -> dict[str, SandboxConnector]:
    """Both sides of one sandbox in the folder."""

    def connector(side: str) -> SandboxConnector:
        settings = SandboxSettings.model_validate(
            {
                "connector": "sandbox",
                "file": str(folder / "sandbox.db"),
                "side": side,
                "members": 40,
                "threads": 40,
                "contributions": 100,
            }
        )
        return SandboxConnector(side, settings, _WORLD)

    return {side: connector(side) for side in ("forum", "wiki")}


def start(folder: Path) -> subprocess.Popen[str]:
    """A run of its own, which says `ready` when it begins."""
    command = [sys.executable, "-m", "tests.sync.outbox.killing", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def run_to_its_end(folder: Path) -> None:
    with start(folder) as process:
        pass
    assert process.returncode == 0


def _run_and_kill(folder: Path, after: float) -> bool:
    """Whether it was still at work."""
    with start(folder) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def approve(store: Store, number: int) -> None:
    """Two dozen actions of several kinds on both sides."""
    drafts = [
        Draft("kill", action.item, f"{number}-{n}", "only", action, ())
        for n, action in enumerate(_action(number, n) for n in range(_ACTIONS))
    ]
    now = datetime.now(UTC)
    with store.write() as conn:
        for proposal in propose(conn, drafts, plan=None, now=now, expire=None).new:
            review(conn, proposal.id, Decision.APPROVED, by="anna", now=now)


def _action(number: int, n: int) -> Action:
    text = f"Action {n} of round {number}."
    match n % 3:
        case 0:
            return Reply(site="forum", thread=str(n // 3 + 1), text=text)
        case 1:
            return SendMessage(site="forum", to=(str(n + 2),), subject=text, text=text)
        case _:
            return SendMessage(site="wiki", to=(str(n % 9 + 2),), subject=text, text=text)


def count(folder: Path, store: Store, kills: int = 0, working: int = 0, unfinished: int = 0) -> Kills:
    with store.read() as conn:
        ids = conn.execute(select(proposals.c.id)).scalars().all()
        states = Counter(conn.execute(select(proposals.c.state)).scalars())
        contacted = conn.execute(select(func.count()).select_from(contacts)).scalar_one()
        still_open = _open_attempts(conn)
    with closing(sqlite3.connect(folder / "sandbox.db")) as sandbox:
        marks = " ".join(mark for (mark,) in sandbox.execute(_MARKS))
    done = Counter({id_: marks.count(f"{store.installation[:8]}-{id_}-do") for id_ in ids})
    return Kills(kills, working, unfinished, done, states, still_open, contacted)


_MARKS = "SELECT CASE side WHEN 'forum' THEN text ELSE summary END FROM contribution"
"""A page's later revisions repeat its text, so that on the wiki only the summaries tell."""


def _open_attempts(conn: Connection) -> int:
    query = select(func.count()).select_from(attempts).where(attempts.c.outcome.is_(None))
    return conn.execute(query).scalar_one()


def main(folder: Path) -> int:
    """One run; 4 if another one holds the lock."""
    sites = connectors(folder)
    with opened(folder) as store:
        print("ready", flush=True)
        try:
            with run_lock(store, Holder.here("apply", "anna"), _WORLD.now) as lock:
                bench = Bench(
                    store=store,
                    world=_WORLD,
                    lock=lock,
                    connector=lambda site: sites[site],
                    ingest=lambda conn, site, batch, now: None,
                    note=lambda proposal: "policy kill",
                    say=lambda text: None,
                    in_flight=lambda site: timedelta(0),
                )
                report = apply(bench, _Open())
        except LockHeld:
            return 4
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
