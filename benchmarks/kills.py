"""Kill runs of `apply` at random moments and count what the sites were made to do.

    python -m benchmarks.kills [--kills 200] [--seed 1]

Prints one line of JSON; ends with 1 if an approved action was lost or carried out twice.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.sync.outbox.killing import kill_again_and_again


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill runs of apply at random moments.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = kill_again_and_again(Path(folder), options.kills, options.seed)
    times = Counter(result.done.values())
    outcome = {
        "kills": result.kills,
        "killed_at_work": result.working,
        "left_an_attempt_open": result.unfinished,
        "approved": len(result.done),
        "lost": times[0],
        "twice": sum(count for often, count in times.items() if often > 1),
        "states": result.states,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(outcome))
    return 1 if outcome["lost"] or outcome["twice"] else 0


if __name__ == "__main__":
    sys.exit(main())
