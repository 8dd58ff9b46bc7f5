"""One topic with all of its posts, in as few requests as its size and our rights allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...config.errors import Forbidden
from .client import Client, Json

CHUNK = 20
"""A topic's view has so many posts; its print view has a thousand."""
BATCH = 200
"""Ids in one request; more would make the address too long for common proxies."""


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic as its page shows it, and its posts with `raw`, each once."""

    topic: Json
    posts: list[Json]

    @property
    def author(self) -> str | None:
        number = self.topic.get("user_id")
        if number is None:
            number = ((self.topic.get("details") or {}).get("created_by") or {}).get("id")
        return None if number is None else str(number)

    @property
    def solved_by(self) -> str | None:
        """Id of the accepted post; '' for none, None where the forum has no solutions."""
        accepted = self.topic.get("accepted_answer")
        if accepted:
            number = accepted.get("post_number")
            return next((str(p["id"]) for p in self.posts if p.get("post_number") == number), "")
        flagged = [post["accepted_answer"] for post in self.posts if "accepted_answer" in post]
        return "" if flagged else None


def read_topic(client: Client, number: str, *, posts: int = 0, deleted: bool = False) -> TopicView:
    """Read a topic; `posts` is how many it is expected to have, `deleted` asks for deleted posts as well
    (staff). Raises NotFound for one that is not there, or not for us."""
    params: dict[str, Any] = {"include_raw": "true"}
    if deleted:
        params["show_deleted"] = "true"
    view = _view(client, number, posts, params)
    posts_shown = (view.get("post_stream") or {}).get("posts") or ()
    found = {int(post["id"]): post for post in posts_shown}
    last = max((int(post["post_number"]) for post in found.values()), default=0)
    missing = [i for i in stream(client, view, above=last) if i not in found]
    for post in posts_by_id(client, number, missing, **params):
        found[int(post["id"])] = post
    return TopicView(view, [found[key] for key in sorted(found)])


def _view(client: Client, number: str, posts: int, params: dict[str, Any]) -> Json:
    """The print view where that saves requests: administrators may have as many as they like, unless the
    forum has switched printing off, for everybody (`max_prints_per_hour_per_user` is 0)."""
    if not (posts > CHUNK and client.prints and client.me().admin):
        return client.topic_view(number, **params)
    try:
        return client.topic_view(number, **params, print="true")
    except Forbidden:
        view = client.topic_view(number, **params)  # raises the same where the topic is closed to us
        client.prints = False
        return view


def posts_by_id(client: Client, number: str, ids: Sequence[int], **params: Any) -> Iterator[Json]:
    """These posts of a topic; those that are gone, moved or hidden from us are left out."""
    params.setdefault("include_raw", "true")
    for start in range(0, len(ids), BATCH):
        answer = client.posts(number, list(ids[start : start + BATCH]), **params)
        yield from (answer.get("post_stream") or {}).get("posts") or ()


def stream(client: Client, view: Json, above: int = 0) -> list[int]:
    """The ids of a topic's posts, in order. From 10,000 posts on its view names none, and those with numbers
    above `above` are asked for, all in one request."""
    named = (view.get("post_stream") or {}).get("stream")
    if named is None:
        named = client.get(f"/t/{view['id']}/post_ids.json", post_number=above).get("post_ids") or ()
    return [int(i) for i in named]


def last_posts(client: Client, view: Json, count: int) -> list[Json]:
    """The last `count` posts of a topic's view, newest first; reads those that the view lacks."""
    found = {int(post["id"]): post for post in view["post_stream"].get("posts") or () if "raw" in post}
    end = int(view.get("highest_post_number") or 0) - BATCH  # numbers have holes
    ids = stream(client, view, above=max(0, end))[-count:]
    missing = [i for i in ids if i not in found]
    found |= {int(p["id"]): p for p in posts_by_id(client, str(view["id"]), missing)}
    return [found[i] for i in reversed(ids) if i in found]
