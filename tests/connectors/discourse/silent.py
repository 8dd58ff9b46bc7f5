"""Changes of a forum that bump nothing, and where they show in a mirror that knows of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ordito.connectors.records import Contribution, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, topics
from tests.servers.discourse import DiscourseServer, Person
from tests.servers.discourse.records import Post, Topic


def buried(server: DiscourseServer, under: int) -> Topic:
    """A topic with two answers, under so many later ones that no list of news shows it."""
    made = topics(server, 1, replies=2)[0]
    topics(server, under)
    return made


def answer(server: DiscourseServer, topic: Topic, number: int = 0) -> Post:
    return list(server.forum.posts_of(topic))[number + 1]


def held_thread(mirror: MemoryMirror, topic: Topic) -> Thread:
    found = mirror.of(Thread)[str(topic.id)]
    assert isinstance(found, Thread)
    return found


def held_post(mirror: MemoryMirror, post: Post) -> Contribution:
    found = mirror.of(Contribution)[str(post.id)]
    assert isinstance(found, Contribution)
    return found


@dataclass(frozen=True)
class Silent:
    """`happens` to an answer or its topic; `shows` in the mirror."""

    happens: Callable[[Person, Topic, Post], object]
    shows: Callable[[MemoryMirror, Topic, Post], bool]


CHANGES: dict[str, Silent] = {
    "an edit": Silent(
        lambda boss, topic, post: boss.edit(post, f"{TEXT} Edited."),
        lambda mirror, topic, post: held_post(mirror, post).text == f"{TEXT} Edited.",
    ),
    "a deletion": Silent(
        lambda boss, topic, post: boss.delete(post),
        lambda mirror, topic, post: str(post.id) not in mirror.of(Contribution),
    ),
    "a closing": Silent(
        lambda boss, topic, post: boss.close(topic),
        lambda mirror, topic, post: held_thread(mirror, topic).closed is True,
    ),
    "tags": Silent(
        lambda boss, topic, post: boss.tag(topic, "wax"),
        lambda mirror, topic, post: held_thread(mirror, topic).labels == frozenset({"wax"}),
    ),
    "a deleted topic": Silent(
        lambda boss, topic, post: boss.delete(topic),
        lambda mirror, topic, post: str(topic.id) not in mirror.of(Thread),
    ),
}
LIKE = Silent(
    lambda boss, topic, post: boss.like(post),
    lambda mirror, topic, post: held_post(mirror, post).likes == 1,
)
