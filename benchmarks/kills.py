"""Kill runs of `apply` and of `sync` at random moments and count what came of it.

    python -m benchmarks.kills [--kills 200] [--seed 1]

The runs of `apply` act on a sandbox, which is asked afterwards how often it was made to do each of the
approved actions. A sync is killed and resumed until it gets to its end; its store is then compared, row by
row, with that of a sync that nobody disturbed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.sync.outbox.killing import kill_again_and_again

from .killed_sync import kill_syncs
from .measure import Figure, show


def kill_applies(folder: Path, kills: int, seed: int) -> int:
    began = time.monotonic()
    result = kill_again_and_again(folder, kills, seed)
    lost = sum(1 for often in result.done.values() if often == 0)
    twice = sum(1 for often in result.done.values() if often > 1)
    waiting = len(result.done) - result.states["applied"]
    return show(
        f"ordito apply, killed {result.kills} times",
        [
            Figure("killed at work", result.working, "times"),
            Figure("left an attempt open", result.unfinished, "times"),
            Figure("approved actions", len(result.done), ""),
            Figure("lost", lost, "", aim=0),
            Figure("done twice", twice, "", aim=0),
            Figure("proposals not applied in the end", waiting, "", aim=0),
            Figure("attempts still open", result.open_attempts, "", aim=0),
            Figure("time", time.monotonic() - began, "s"),
        ],
    )


def kill_and_compare(folder: Path, kills: int, seed: int) -> int:
    began = time.monotonic()
    result = kill_syncs(folder, kills, seed)
    return show(
        f"ordito sync, killed {result.kills} times",
        [
            Figure("syncs that came to their end", result.syncs, ""),
            Figure("rows of the mirror", result.rows, ""),
            Figure("rows lost", result.lost, "", aim=0),
            Figure("rows there twice", result.twice, "", aim=0),
            Figure("rows that differ", result.other, "", aim=0),
            Figure("time", time.monotonic() - began, "s"),
        ],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill runs at random moments and count.")
    parser.add_argument("--kills", type=int, default=200, help="of each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["apply", "sync"])
    options = parser.parse_args()
    missed = 0
    for name, kill in (("apply", kill_applies), ("sync", kill_and_compare)):
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                missed |= kill(Path(folder), options.kills, options.seed)
    return missed


if __name__ == "__main__":
    sys.exit(main())
