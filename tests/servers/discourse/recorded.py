"""The made-up site of the recordings, rebuilt request by request, with what happened in between put in.

The recordings hold only one of each kind of request; the people, topics and posts that were made between them
are taken from the lists that were recorded later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from .app import App
from .clock import Clock
from .forum import Forum
from .records import Badge, Grant, Group, Post, Reader, Topic, User
from .replay import Exchange, differences, play
from .text import parse_time

KEY = "0123456789abcdef" * 4
START = "2026-11-21T16:49:30Z"
MADE = ("user_badge", "basic_group", "category", "badge", "key")
KINDS = {
    "posts": "post",
    "user_badges": "grant",
    "admin/groups": "group",
    "users": "user",
    "admin/badges": "badge",
    "admin/api/keys": "key",
}


class RecordedSite:
    """Plays the recordings in their order and keeps the differences of each."""

    def __init__(self, folder: Path) -> None:
        self.exchanges = [Exchange.read(file) for file in sorted(folder.glob("[0-9]*.json"))]
        self.by_number = {e.name[:3]: e for e in self.exchanges}
        self.forum = Forum(Clock(parse_time(START)))
        self.forum.settings.title = "Recorded Discourse"
        self.forum.settings.max_admin_api_reqs_per_minute = None
        self.forum.add_key(KEY)
        self.app = App(self.forum)
        self.found: dict[str, list[str]] = {}
        self._before: dict[str, Callable[[], None]] = {
            "001": self._first_topics,
            "010": lambda: self._people(range(4, 17)),
            "013": lambda: self._people(range(20, 140)),
            "020": self._trust,
            "055": self._long_topic,
            "056": self._many_topics,
            "296": lambda: self._group(43),
            "345": lambda: self._badge(103),
            "391": self._first_badges,
            "569": self._use_up_the_key,
            "578": self._use_up_the_address,
            "581": lambda: self._wait(11),
            "582": lambda: self._wait(61),
        }

    def play(self, wanted: Callable[[str], bool]) -> None:
        """Send everything that is wanted, and note what differs."""
        for exchange in self.exchanges:
            number = exchange.name[:3]
            if number in self._before:
                self._before[number]()
            if not wanted(number):
                continue
            self._align(exchange)
            self.found[exchange.name] = differences(exchange, play(self.app, exchange))

    # --- making ids and times meet

    def _align(self, exchange: Exchange) -> None:
        """Let the next thing made have the id and the time that were recorded."""
        forum, body = self.forum, exchange.json
        forum.clock.advance(0.1)
        if exchange.method != "POST" or not isinstance(body, dict):
            return
        made = next((body[key] for key in MADE if key in body), body)
        name = exchange.path.split("?")[0].strip("/").removesuffix(".json")
        number = made.get("id") or made.get("user_id")
        if name not in KINDS or not isinstance(number, int) or exchange.status != 200:
            return
        forum.ids.seen(KINDS[name], number - 1)
        if name == "admin/api/keys":
            forum.next_secret = made["key"]
        if name == "posts":
            if made["post_number"] == 1:
                forum.ids.seen("topic", made["topic_id"] - 1)
            at = parse_time(made["updated_at"])
            if at > forum.clock():
                forum.clock.set(at - timedelta(milliseconds=1))

    # --- what happened between the recordings

    def _rows(self, *numbers: str) -> Iterator[dict[str, Any]]:
        """Rows of recorded lists, each id once."""
        seen: set[int] = set()
        for number in numbers:
            body = self.by_number[number].json
            for key in ("latest_posts", "topic_list", "topics"):
                body = body.get(key, body) if isinstance(body, dict) else body
            for row in body:
                if row["id"] not in seen:
                    seen.add(row["id"])
                    yield row

    def _first_topics(self) -> None:
        """Nine topics with twelve posts that a new Discourse has."""
        forum = self.forum
        forum.ids.seen("topic", 147)
        posts = sorted(self._rows("083"), key=lambda row: int(row["id"]))
        for row in posts:
            if row["topic_id"] not in forum.topics:
                self._topic(
                    row["topic_id"], row["topic_title"], row["category_id"], row["user_id"], row["created_at"]
                )
            self._post(row)
        for category, topic in ((2, 1), (3, 2), (4, 3)):
            forum.categories[category].topic_id = topic
        for number in range(1, 10):
            if number in forum.topics:
                forum.recount(forum.topics[number])
        forum.topics[7].pinned_at, forum.topics[7].pinned_globally = forum.clock(), True
        forum.topics[8].pinned_at = forum.clock()
        forum.categories[1].description = forum.categories[3].description = "Some words."
        forum.ids.seen("post", 150)

    def _topic(self, number: int, title: str, category: int | None, user: int, created: str) -> Topic:
        at = parse_time(created)
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        return self.forum.add_topic(Topic(number, title, slug, user, at, at, at, category))

    def _post(self, row: dict[str, Any]) -> None:
        forum = self.forum
        at = parse_time(row["created_at"])
        raw = row.get("raw") or re.sub(r"<[^>]+>", "", row["cooked"])
        post = Post(
            row["id"], row["topic_id"], row["user_id"], row["post_number"], raw, at, at, last_version_at=at
        )
        post.last_editor_id, post.reply_to, post.reads = (
            row["user_id"],
            row["reply_to_post_number"],
            row["reads"],
        )
        forum.add_post(post)
        topic = forum.topics[post.topic_id]
        reader = topic.readers.setdefault(post.user_id, Reader(level=3, posted=True))
        reader.last_read = post.post_number
        topic.bumped_at = max(topic.bumped_at, at)
        author = forum.users[post.user_id]
        author.last_posted_at = max(author.last_posted_at or at, at)

    def _people(self, numbers: range) -> None:
        for row in self._rows("359", "380"):
            if row["id"] in numbers and row["id"] not in self.forum.users:
                email = f"{row['username']}@example.com"
                at = parse_time(row["created_at"])
                user = User(row["id"], row["username"], at, row["name"], email, row["trust_level"])
                self.forum.add_user(user)

    def _trust(self) -> None:
        for number in range(3, 17):
            self.forum.users[number].trust_level = 2
            self.forum.assign_automatic_groups(self.forum.users[number])
        for badge in (Badge(9, "Autobiographer", system=True), Badge(41, "First Emoji", system=True)):
            self.forum.badges[badge.id] = badge

    def _long_topic(self) -> None:
        """The posts that fill the long topic."""
        stream = self.by_number["061"].json["post_stream"]["posts"]
        for row in stream:
            if row["id"] not in self.forum.posts and row["id"] < 221:
                self._post(row)
        self.forum.recount(self.forum.topics[151])

    def _group(self, number: int) -> None:
        self.forum.add_group(Group(number, f"group{number}", self.forum.clock()))

    def _badge(self, number: int) -> None:
        self.forum.badges[number] = Badge(number, f"Badge {number}")

    def _first_badges(self) -> None:
        """Badges of trust levels, which a job gives, and first emoji."""
        for user, badge in ((2, 1), (2, 2), (3, 2), (1, 4)):
            number = self.forum.ids["grant"]
            self.forum.grants[number] = Grant(number, badge, user, -1, self.forum.clock())

    def _use_up_the_key(self) -> None:
        self.forum.settings.max_admin_api_reqs_per_minute = 60
        for _ in range(60):
            play(self.app, self.by_number["005"], self.by_number["001"].request_headers)
        self._wait(23.3)

    def _use_up_the_address(self) -> None:
        self.forum.settings.max_reqs_per_ip_per_10_seconds = 50
        for _ in range(50):
            play(self.app, self.by_number["005"])

    def _wait(self, seconds: float) -> None:
        self.forum.clock.advance(seconds)

    def _many_topics(self) -> None:
        """The topics that fill the lists, with their tags."""
        forum = self.forum
        texts = {row["topic_id"]: row for row in self._rows("081", "082") if row["post_number"] == 1}
        for row in sorted(self._rows("097", "099"), key=lambda r: int(r["id"])):
            if row["id"] in forum.topics or row["id"] == 197:
                continue
            first = texts[row["id"]]
            topic = self._topic(
                row["id"], row["title"], row["category_id"], first["user_id"], row["created_at"]
            )
            topic.tags = list(row["tags"])
            for tag in topic.tags:
                forum.tag(tag)
            self._post(first)
            forum.recount(topic)
