"""Whatever strikes a write on its way to a forum or back: settled as `apply` does it, it is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ordito.connectors.actions import Action, CloseThread, Reply, SendMessage, SetLabels
from ordito.connectors.discourse.connector import DiscourseConnector
from tests.connectors.discourse.scenes import anna, topics
from tests.connectors.discourse.site import DiscourseSite, connect
from tests.connectors.settled import carry_out, strikes, struck
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Topic
from tests.servers.proxy import Proxy
from tests.servers.proxy.shapes import FORUM
from tests.sync.faulty import be_impatient

WORDS = "We have used them for years now, and they are as good as new."
WRITES = {
    "message": "^POST /posts", "reply": "^POST /posts", "labels": "^PUT /t/-/", "close": r"^PUT /t/\d+/status"
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect="2026") as server:
        DiscourseSite(server)
        server.forum.tag("wax")
        yield server


def _action(verb: str, server: DiscourseServer, topic: Topic) -> Action:
    thread = str(topic.id)
    actions: dict[str, Action] = {
        "message": SendMessage(site="forum", to=(str(anna(server).user.id),), subject="Welcome", text=WORDS),
        "reply": Reply(site="forum", thread=thread, text=WORDS),
        "labels": SetLabels(site="forum", thread=thread, add=("wax",)),
        "close": CloseThread(site="forum", thread=thread),
    }
    return actions[verb]


def _times_done(verb: str, server: DiscourseServer, topic: Topic) -> int:
    forum = server.forum
    posts = list(forum.posts_of(topic))
    match verb:
        case "message":
            return sum(t.private for t in forum.topics.values())
        case "reply":
            return sum(WORDS in post.raw for post in posts)
        case "labels":
            return len(forum.first_post(topic).revisions) if topic.tags == ["wax"] else 0
    return sum(post.action_code == "closed.enabled" for post in posts) if topic.closed else 0


@pytest.mark.parametrize("what", strikes(FORUM))
def test_every_write_is_done_once(
    server: DiscourseServer, monkeypatch: pytest.MonkeyPatch, what: dict[str, object]
) -> None:
    be_impatient(monkeypatch, 0.7)
    since = server.clock()
    with Proxy(server.url) as proxy:
        opened: list[DiscourseConnector] = []

        def again() -> DiscourseConnector:
            opened.append(connect(server, url=proxy.url))
            return opened[-1]

        for verb, pattern in WRITES.items():
            topic = topics(server, 1)[0]
            fault = proxy.add(struck(what, pattern))
            later: Callable[[], object] = lambda: server.clock.advance(600)  # noqa: E731 - beyond every memo
            carry_out(again, _action(verb, server, topic), since, later)
            assert fault.struck == 1
            assert _times_done(verb, server, topic) == 1, verb
        for connector in opened:
            connector.close()
