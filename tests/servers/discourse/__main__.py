"""`python -m tests.servers.discourse --data FOLDER --port 0 --dialect 2021`: a stand-in to try by hand."""

from __future__ import annotations

import argparse
import threading
from datetime import UTC, datetime
from pathlib import Path

from . import DIALECTS, Clock, DiscourseServer, Forum, load_forum


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.servers.discourse", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with users, topics and posts (.jsonl or .jsonl.gz)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="2021")
    parser.add_argument(
        "--no-limit", action="store_true", help="without the limit of 60 admin requests a minute"
    )
    given = parser.parse_args()
    now = datetime.now(UTC)
    if given.data:
        forum = load_forum(given.data, shift_to=now, dialect=given.dialect)
    else:
        forum = Forum(Clock(now), given.dialect)
    if given.no_limit:
        forum.settings.max_admin_api_reqs_per_minute = None
    with DiscourseServer(forum, port=given.port) as server:
        print(f"url      {server.url}\napi key  {server.api_key}\nusername system", flush=True)
        _keep_time(forum.clock)


def _keep_time(clock: Clock) -> None:
    """Let the clock follow the real one until Ctrl-C."""
    pause = threading.Event()
    try:
        while not pause.wait(0.2):
            clock.set(max(clock(), datetime.now(UTC)))
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
