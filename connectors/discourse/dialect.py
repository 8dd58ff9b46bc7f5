"""The ways in which versions of Discourse page, found out while reading and never configured.

`/posts.json?before=N` exists in three forms: 50 *ids* up to N, in which any number of posts can be seen,
also none (to 2022); 50 posts up to N (about 2023); 50 posts below N (by 2026). docs/discourse.md tells them
apart; api.discourse.org describes only the newest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...config.errors import NotFound, Refused
from .client import Client, Json
from .topic import stream

IDS = 50
"""So many ids does one page of the oldest form cover."""

ABOVE = IDS - 1
"""So many ids does one page show for certain whatever its form."""

ABOVE_ALL = 2**31 - 1
"""No post has so high an id: a page below it is empty in the oldest form, and full in the others."""

_FEW = 5
"""Posts that may be written between two requests."""


@dataclass(slots=True)
class PostList:
    """One list of posts, `/posts.json` or `/private-posts.json`, read from the newest to the oldest.

    `window` and `inclusive` are what has been learnt of the server: None means not yet. Where nothing of the
    list is to be seen, `highest` is an id up to which it has to be read.
    """

    client: Client
    path: str = "/posts.json"
    key: str = "latest_posts"
    window: Literal["ids", "posts"] | None = None
    inclusive: bool | None = None
    highest: int = 0

    def place(self, below: int) -> Json:
        """Where a descent stands, for a cursor."""
        return {"below": below, "window": self.window, "inclusive": self.inclusive}

    def learn(self, place: Mapping[str, Any]) -> None:
        """What the cursor of an interrupted descent knows of the server."""
        self.window, self.inclusive = place.get("window", self.window), place.get("inclusive")

    def newest(self) -> list[Json]:
        """The first page, newest post first; empty where the newest ids are all hidden from us."""
        return self._page()

    def probe(self, newest: list[Json]) -> None:
        """Find out how the server pages; the newest page often tells, else one request does."""
        if int(newest[0]["id"]) - int(newest[-1]["id"]) >= IDS or self.shows_posts():
            self.window = "posts"
        else:
            self.window, self.inclusive = "ids", True

    def descend(self, below: int | None = None, floor: int = 0) -> Iterator[tuple[list[Json], int]]:
        """Pages of posts with ids under `below` (None: all), each with the id down to which everything
        has now been seen; ends at `floor` or with the last post."""
        if below is None or self.window is None:
            rows, top = self._top()
            if below is None:
                yield rows, top
                below = top
        while below > max(floor, 1):
            rows = [row for row in self._below(below) if row["id"] < below]
            if self.window == "posts" and not rows:
                return
            below = below - IDS if self.window == "ids" else rows[-1]["id"]
            yield rows, below

    def _top(self) -> tuple[list[Json], int]:
        """The newest posts, and the id from which everything above has been seen. Learns the window."""
        rows = self._page(ABOVE_ALL)
        if rows:
            self.window = "posts"
            return rows, rows[-1]["id"]
        if self.window == "posts":
            return [], 1
        rows = self._page()
        if 0 < len(rows) <= _FEW and self.shows_posts():  # the only ones to be seen, and just written
            self.window = "posts"
            return rows, rows[-1]["id"]
        self.window, self.inclusive = "ids", True
        return (rows, rows[-1]["id"]) if rows else ([], (self.highest or self._highest()) + 1)

    def shows_posts(self) -> bool:
        """Whether a page has fifty posts, and not what there is of fifty ids."""
        return bool(self._page(ABOVE_ALL))

    def above(self, known: int) -> list[Json]:
        """A page with all of the `ABOVE` ids above one, in every form; it may have others as well."""
        return self._page(known + IDS)

    def _highest(self) -> int:
        """An id at least as high as that of any post that we may see, where the first page shows none."""
        try:
            rows = self.client.get("/private-posts.json").get("private_posts", [])
            if rows:
                return max(int(row["id"]) for row in rows)
        except Refused:
            pass  # not ours to read
        topics = self.client.latest_topics()["topic_list"]["topics"]
        if not topics:
            return 0
        newest = max(topics, key=lambda topic: topic.get("last_posted_at") or "")
        view = self.client.topic_view(str(newest["id"]))
        return max(stream(self.client, view), default=0)

    def _below(self, below: int) -> list[Json]:
        rows = self._page(below - 1 if self.inclusive else below)
        if self.inclusive is None:
            # `below` is the id of a post that the page before has shown.
            self.inclusive = any(row["id"] == below for row in rows)
        return rows

    def _page(self, before: int | None = None) -> list[Json]:
        params: dict[str, Any] = {} if before is None else {"before": before}
        rows: list[Json] = self.client.get(self.path, **params).get(self.key) or []
        return sorted({row["id"]: row for row in rows}.values(), key=lambda row: -int(row["id"]))


class Descent:
    """A descent through a list of posts that can be laid down and taken up again."""

    def __init__(self, posts: PostList, place: Mapping[str, Any]) -> None:
        """`place` as `PostList.place` gave it; empty for the newest post."""
        posts.learn(place)
        self.posts = posts
        self.below = int(place.get("below", 0))
        self._pages = posts.descend(self.below or None)

    def __iter__(self) -> Iterator[list[Json]]:
        """The pages; `below` then says down to which id everything was seen."""
        for rows, below in self._pages:
            self.below = below
            yield rows


@dataclass(frozen=True, slots=True)
class TopicPage:
    """One page of a topic list. `last`: no other follows."""

    rows: list[Json]
    names: dict[str, str]
    """Usernames by id, of the members that the rows mention."""
    last: bool


def topic_page(client: Client, path: str = "/latest.json", page: int = 0, **params: Any) -> TopicPage:
    """A page of a topic list, with as many rows as the server gives (30; from about 2025 on 100)."""
    if page:
        params["page"] = page
    answer = client.get(path, **params)
    topics: Json = answer.get("topic_list") or {}
    rows: list[Json] = topics.get("topics") or []
    return TopicPage(
        rows=rows,
        names={str(user["id"]): str(user["username"]) for user in answer.get("users") or ()},
        last=not topics.get("more_topics_url") or not rows,
    )


def topic_pages(
    client: Client, path: str = "/latest.json", page: int = 0, **params: Any
) -> Iterator[tuple[TopicPage, int]]:
    """Pages of a topic list from `page` on, each with the number of the next one."""
    while True:
        try:
            found = topic_page(client, path, page, **params)
        except NotFound:
            return  # a page past the end
        page += 1
        yield found, page
        if found.last:
            return


def topic_rows(client: Client, ids: list[str]) -> Iterator[tuple[Json, dict[str, str]]]:
    """The rows of these topics, as far as lists show them: no messages, deleted or About topics."""
    for start in range(0, len(ids), 30):
        page = topic_page(client, topic_ids=",".join(ids[start : start + 30]))
        for row in page.rows:
            yield row, page.names
