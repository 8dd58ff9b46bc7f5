"""Kill runs of `apply` and of `sync` at random moments and count what came of it.

    python -m benchmarks.kills [--kills 200] [--seed 1] [--only apply|undo|sync]
                              [--server sandbox|discourse|mediawiki]

The runs of `apply` act on a sandbox, on the stand-in for Discourse in a process of its own, and on a real
MediaWiki; each is asked afterwards how often it was made to do each of the approved actions. On the last two,
`undo` of all that was done is killed as well, half as often. A sync of the sandbox is killed and resumed
until it gets to its end; its store is then compared, row by row, with that of a sync that nobody disturbed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.sync.outbox.killing import kill_again_and_again

from .killed_apply import WHERE, Done, Killed, kill_on
from .killed_sync import kill_syncs
from .killed_undo import kill_undoing_on
from .measure import Figure, show


def kill_on_sandbox(folder: Path, kills: int, seed: int) -> int:
    began = time.monotonic()
    result = kill_again_and_again(folder, kills, seed)
    lost = sum(1 for often in result.done.values() if often == 0)
    twice = sum(1 for often in result.done.values() if often > 1)
    waiting = len(result.done) - result.states["applied"]
    return show(
        f"ordito apply on a sandbox, killed {result.kills} times",
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


def kill_on_server(site: str, folder: Path, kills: int, seed: int) -> int:
    began = time.monotonic()
    return _tell("apply", "applied", site, began, kill_on(site, folder, kills, seed))


def kill_undoing_on_server(site: str, folder: Path, kills: int, seed: int) -> int:
    began = time.monotonic()
    return _tell("undo", "undone", site, began, kill_undoing_on(site, folder, kills // 2, seed))


def _tell(command: str, state: str, site: str, began: float, result: Killed) -> int:
    name = {"forum": "a Discourse (stand-in)", "wiki": "a MediaWiki"}[site]
    others = result.states.total() - result.states[state]
    verbs = sorted({verb for verb, _ in result.expected})
    return show(
        f"ordito {command} on {name}, killed {result.kills} times",
        [
            *(Figure(f"killed {where}", result.where[where], "times") for where in WHERE),
            Figure("came to their end before", result.ended, "runs"),
            Figure("left an attempt open", result.unfinished, "times"),
            Figure("approved actions", len(result.expected), ""),
            *(Figure(f"{verb} on the server", _of(result.done, verb), "") for verb in verbs),
            Figure("lost", result.lost, "", aim=0),
            Figure("done twice", result.twice, "", aim=0),
            Figure("done and not approved", result.stray, "", aim=0),
            Figure(f"proposals not {state} in the end", others, "", aim=0),
            Figure("time", time.monotonic() - began, "s"),
        ],
    )


def _of(done: Counter[Done], verb: str) -> int:
    return sum(often for (each, _), often in done.items() if each == verb)


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
    parser.add_argument("--kills", type=int, default=200, help="of each command on each server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["apply", "undo", "sync"])
    parser.add_argument("--server", choices=["sandbox", "discourse", "mediawiki"], help="only on this one")
    options = parser.parse_args()
    jobs: dict[tuple[str, str], Callable[[Path, int, int], int]] = {
        ("apply", "sandbox"): kill_on_sandbox,
        ("apply", "discourse"): partial(kill_on_server, "forum"),
        ("apply", "mediawiki"): partial(kill_on_server, "wiki"),
        ("undo", "discourse"): partial(kill_undoing_on_server, "forum"),
        ("undo", "mediawiki"): partial(kill_undoing_on_server, "wiki"),
        ("sync", "sandbox"): kill_and_compare,
    }
    missed = 0
    for (command, server), kill in jobs.items():
        if options.only in (None, command) and options.server in (None, server):
            with tempfile.TemporaryDirectory() as folder:
                missed |= kill(Path(folder), options.kills, options.seed)
    return missed


if __name__ == "__main__":
    sys.exit(main())
