"""What planning costs on a large community, beside reading it once; and a backtest beside one plan.

    python -m benchmarks.plan [--contributions 1000000] [--backtest 100000] [--repeats 3] [--keep FOLDER]

Members and threads are a tenth of the contributions each. The plan is a dry run of the four kinds together;
beside it a process that fetches `SELECT thread, author, created_at FROM contributions` row by row through
sqlite3 from the same store. Processor time is compared. `--keep` names a folder for the sandboxes and their
stores, which take minutes to make.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from .community import NOW, community
from .ingest import write_settings
from .measure import Figure, Spent, in_turn, middle, ordito, show, spent
from .start import POLICIES

READ = """\
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT thread, author, created_at FROM contributions"):
    pass
"""
STEPS = 90
KINDS = {
    "welcome-newcomers": "1d", "archive-stale": "1d", "tag-install-questions": "1d", "recognise-experts": "7d"
}  # fmt: skip
"""The policies and how often a backtest asks them."""


def synced(folder: Path, contributions: int) -> Path:
    """A folder with settings and a store that holds a sandbox of this size."""
    place = folder.resolve() / f"store-{contributions}"
    place.mkdir(parents=True, exist_ok=True)
    store = write_settings(place, community(folder.resolve() / f"{contributions}.db", contributions))
    settings = place / "ordito.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + POLICIES, encoding="utf-8")
    if not (place / "synced").exists():
        store.unlink(missing_ok=True)
        ordito("sync", cwd=place)
        (place / "synced").touch()
    return place


def plans(place: Path, contributions: int, repeats: int) -> int:
    def read() -> Spent:
        return spent([sys.executable, "-c", READ, str(place / "ordito.db")], cwd=place)

    def plan() -> Spent:
        return ordito("plan", "--dry-run", cwd=place)

    base, ours = map(middle, in_turn(repeats, read, plan))
    return show(
        f"A plan with four kinds, {contributions:,} contributions",
        [
            Figure("plan, processor", ours.cpu, "s", base.cpu, "reading once", 10),
            Figure("plan, time", ours.seconds, "s", base.seconds, "reading once"),
            Figure("plan, memory", ours.memory, "MB", aim=300),
        ],
    )


def backtests(place: Path, contributions: int, repeats: int) -> int:
    start = (NOW - timedelta(days=STEPS)).date().isoformat()
    end = (NOW - timedelta(days=1)).date().isoformat()
    figures: list[Figure] = []
    for policy, every in KINDS.items():

        def plan(policy: str = policy) -> Spent:
            return ordito("plan", policy, "--dry-run", cwd=place)

        def test(policy: str = policy, every: str = every) -> Spent:
            return ordito("backtest", policy, "--from", start, "--to", end, "--every", every, cwd=place)

        one, all_of_them = map(middle, in_turn(repeats, plan, test))
        figures.append(Figure(policy, all_of_them.cpu, "s", one.cpu, "one plan", 20))
    title = f"A backtest of {STEPS} days, daily (experts: weekly), {contributions:,} contributions; processor"
    return show(title, figures)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time and memory of plans and backtests.")
    parser.add_argument("--contributions", type=int, default=1_000_000, help="0: no plan")
    parser.add_argument("--backtest", type=int, default=100_000, help="contributions; 0: no backtest")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where sandboxes and stores stay")
    options = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        folder: Path = options.keep or Path(name)
        if options.contributions:
            place = synced(folder, options.contributions)
            missed |= plans(place, options.contributions, options.repeats)
        if options.backtest:
            place = synced(folder, options.backtest)
            missed |= backtests(place, options.backtest, 1)
    return missed


if __name__ == "__main__":
    sys.exit(main())
