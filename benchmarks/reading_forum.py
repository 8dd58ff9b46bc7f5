"""What it costs to mirror a Discourse, beside the least that its API allows and beside Perceval.

    python -m benchmarks.reading_forum [--data FOLDER] [--dialects 2021 2026] [--topics N] [--perceval FOLDER]

The server is the stand-in of the tests with the real forum of ../shared/data/forum (any folder with files in
the shape that tests/servers/discourse/README.md describes); requests are counted by the server.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ordito.connectors.discourse.query import QUERY
from tests.servers.discourse import Community, DiscourseServer, Forum, load, load_forum
from tests.servers.discourse.explorer import StoredQuery
from tests.servers.discourse.records import Topic

from . import perceval
from .measure import ROOT, Figure, Spent, ordito, show

SETTINGS = """\
store: sqlite:///ordito.db
sites:
  forum:
    connector: discourse
    url: {url}
    username: system
    api_key: {{env: FORUM_KEY}}
    requests_per_minute: 1000000
"""
LONG = 100
"""Posts of the topic that gets a new reply."""


def least(forum: Forum) -> int:
    """The requests of api-facts A7 (i) for the parts that Ordito mirrors: structure, members, groups with
    members of their own, topic rows, posts."""
    topics, posts = len(forum.topics), len(forum.posts)
    members = sum(1 for user in forum.users.values() if user.id > 0)
    groups = [group for group in forum.groups.values() if not group.automatic]
    rows = 100 if forum.dialect.per_page else 30
    by_ids = forum.dialect.posts_window == "ids"
    return (
        1
        + _pages(members, 100)
        + sum(max(1, math.ceil(len(group.members) / 1000)) for group in groups)
        + _pages(topics, rows)
        + (math.ceil(max(forum.posts) / 50) if by_ids else math.ceil(posts / 50) + 1)
    )


def _pages(items: int, size: int) -> int:
    """With the empty page that says that the one before was the last."""
    return math.ceil(items / size) + (items % size == 0)


class Counting:
    """The requests that the server received since the last question."""

    def __init__(self, server: DiscourseServer) -> None:
        self._server, self._seen = server, 0

    def __call__(self) -> int:
        before, self._seen = self._seen, len(self._server.requests)
        return self._seen - before

    def kinds(self) -> str:
        """Where the requests so far went."""
        paths = Counter(entry.path.split("/")[1].removesuffix(".json") for entry in self._server.requests)
        return ", ".join(f"{count:,} /{path}" for path, count in paths.most_common())


def forum_of(data: Path, dialect: str, topics: int | None) -> Forum:
    """The forum, its last event an hour ago; only the newest `topics` if that is said."""
    now = datetime.now(UTC)
    last = now - timedelta(hours=1)
    if topics is None:
        forum = load_forum(data, shift_to=last, dialect=dialect)
    else:
        forum = load(_newest(data, topics), shift_to=last, dialect=dialect)
    forum.clock.set(now)
    forum.settings.max_admin_api_reqs_per_minute = None
    return forum


def _newest(data: Path, topics: int) -> Community:
    kept = sorted(_rows(data, "topics"), key=lambda row: int(row["id"]))[-topics:]
    ids = {row["id"] for row in kept}
    posts = [row for row in _rows(data, "posts") if row["topic_id"] in ids]
    return Community(_rows(data, "users"), kept, posts)


def _rows(data: Path, name: str) -> list[dict[str, Any]]:
    packed = data / f"{name}.jsonl.gz"
    with gzip.open(packed, "rt") if packed.exists() else (data / f"{name}.jsonl").open() as lines:
        return [json.loads(line) for line in lines]


def long_topic(forum: Forum) -> Topic:
    """The open public topic whose number of posts is nearest to `LONG`."""
    topics = forum.topics.values()
    shown = (topic for topic in topics if topic.visible and topic.deleted_at is None)
    open_ones = (topic for topic in shown if not (topic.closed or topic.archived))
    return min(open_ones, key=lambda topic: abs(len(topic.posts) - LONG))


@contextmanager
def prepared(forum: Forum) -> Iterator[tuple[DiscourseServer, Path]]:
    """A server that runs, and a folder with settings for it."""
    with DiscourseServer(forum) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ordito.yaml").write_text(SETTINGS.format(url=server.url), encoding="utf-8")
        yield server, folder


def compare(forum: Forum, executable: Path, limit: float) -> int:
    """The table for one forum."""
    minimum = least(forum)
    with prepared(forum) as (server, folder):
        counted = Counting(server)

        def sync() -> tuple[Spent, int]:
            server.clock.set(datetime.now(UTC))
            took = ordito("--json", "sync", cwd=folder, FORUM_KEY=server.api_key)
            return took, counted()

        def peer(since: datetime | None = None) -> tuple[Spent, int]:
            words = ("discourse", server.url, "-t", server.api_key, "--api-username", "system")
            return perceval.fetch(executable, folder, *words, since=since, limit=limit), counted()

        first, first_requests = sync()
        print(f"requests of the first sync: {counted.kinds()}", flush=True)
        _, idle_requests = sync()
        server.clock.set(datetime.now(UTC))
        before = server.clock()
        _, peer_idle = peer(before)
        topic = long_topic(forum)
        length = len(topic.posts)
        server.clock.advance(1)
        server.as_user("system").reply(topic, "One more reply to a long conversation.")
        _, reply_requests = sync()
        _, peer_reply = peer(before)
        print("Perceval reads everything …", flush=True)
        full, full_requests = peer()
    query_first, query_idle = by_query(forum)
    size = f"{len(forum.topics):,} topics, {len(forum.posts):,} posts"
    return show(
        f"Discourse {forum.dialect.name}: {size}",
        [
            Figure("first sync, least possible", first_requests, "requests", minimum, "A7", 1.05),
            Figure("first sync, Perceval", first_requests, "requests", full_requests, "Perceval", 0.2),
            Figure("first sync, time", first.seconds, "s", full.seconds, "Perceval"),
            Figure("first sync, processor", first.cpu, "s", full.cpu, "Perceval"),
            Figure("first sync, memory", first.memory, "MB", full.memory, "Perceval"),
            Figure("nothing new", idle_requests, "requests", peer_idle, "Perceval", 3, ratio=False),
            Figure(
                f"a reply in a topic of {length} posts",
                *(reply_requests, "requests", peer_reply, "Perceval", 3),
                ratio=False,
            ),
            Figure("first sync, Data Explorer", query_first, "requests", minimum, "A7 by lists"),
            Figure("nothing new, the query", query_idle, "requests", peer_idle, "Perceval", 3, ratio=False),
        ],
    )  # fmt: skip


def by_query(forum: Forum) -> tuple[int, int]:
    """Requests of a first sync and of one with nothing new where Data Explorer has Ordito's query."""
    forum.settings.data_explorer_enabled = True
    forum.queries[1] = StoredQuery(1, QUERY)
    with prepared(forum) as (server, folder):
        with (folder / "ordito.yaml").open("a", encoding="utf-8") as settings:
            settings.write("    data_explorer: 1\n")
        counted = Counting(server)
        found = []
        for _ in range(2):
            server.clock.set(datetime.now(UTC))
            ordito("--json", "sync", cwd=folder, FORUM_KEY=server.api_key)
            found.append(counted())
    return found[0], found[1]


def main() -> int:
    parser = argparse.ArgumentParser(description="Requests and time of mirroring a Discourse.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "forum")
    parser.add_argument("--dialects", nargs="+", default=["2021", "2026"])
    parser.add_argument("--topics", type=int, help="only the newest N topics, for a quick run")
    parser.add_argument("--limit", type=float, default=1800, help="seconds that Perceval may take")
    perceval.add_options(parser)
    options = parser.parse_args()
    if not options.data.exists():
        print(f"skipped: there is no forum in {options.data}")
        return 0
    missed = 0
    with tempfile.TemporaryDirectory() as made:
        executable = perceval.program(options.perceval or Path(made) / "perceval")
        for dialect in options.dialects:
            forum = forum_of(options.data, dialect, options.topics)
            missed |= compare(forum, executable, options.limit)
    return missed


if __name__ == "__main__":
    sys.exit(main())
