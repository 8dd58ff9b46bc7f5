"""Posts that wait for the forum's own moderators: found while they wait, and whatever becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from ordito.connectors.actions import Action, Reply
from ordito.connectors.base import Connector, Found, Marker, NotDone, Receipt, Unknown
from tests.connectors.discourse.site import DiscourseSite, connect
from tests.servers.discourse import DiscourseServer, posting

TEXT = "Has anybody tried this with the smaller frames, and did it hold?"
MARKER = Marker("rule-7f3a")
OTHER = Marker("rule-0b1c")


class Queue:
    """A forum that looks at every post first, and our answer that waits there."""

    def __init__(self, server: DiscourseServer, *, staff: bool) -> None:
        self.server = server
        site = DiscourseSite(server)
        topic = server.as_user("boss").topic("Frames of a smaller size", TEXT)
        if not staff:
            site.demote()
        server.forum.settings.approve_all_posts = server.forum.settings.enqueue_staff_too = True
        self.action: Action = Reply(site="forum", thread=str(topic.id), text=TEXT)
        self.since: datetime = server.clock()
        server.clock.advance(60)
        self.connector: Connector = connect(server)
        self.connector.perform(self.action, MARKER)

    def find(self, marker: Marker = MARKER) -> Found:
        return connect(self.server).find(self.action, marker, self.since)


@pytest.fixture(params=["2021 staff", "2022 staff", "2026 member"])
def queue(request: pytest.FixtureRequest) -> Iterator[Queue]:
    dialect, _, who = request.param.partition(" ")
    with DiscourseServer(dialect=dialect) as server:
        yield Queue(server, staff=who == "staff")


def test_what_waits_is_found_and_not_posted_again(queue: Queue) -> None:
    found = queue.find()
    assert isinstance(found, Receipt) and found.pending and not found.made
    assert queue.find(OTHER) == NotDone()


def test_what_was_approved_since_is_found_where_it_stands_and_can_be_undone(queue: Queue) -> None:
    post = posting.approve(queue.server.forum, queue.server.forum.pending[0])
    found = queue.find()
    assert isinstance(found, Receipt) and not found.pending
    queue.connector.undo(found, OTHER)
    assert post.deleted_at is not None or post.user_deleted


@pytest.mark.parametrize("queue", ["2021 staff", "2026 staff"], indirect=True)
def test_what_the_moderators_turned_down_is_not_posted_again(queue: Queue) -> None:
    posting.reject(queue.server.forum, queue.server.forum.pending[0])
    assert isinstance(queue.find(), Receipt)


def test_a_queue_that_cannot_be_seen_leaves_it_to_a_person() -> None:
    with DiscourseServer(dialect="2021") as server:
        found = Queue(server, staff=False).find()
    assert isinstance(found, Unknown)
    assert "moderators" in found.reason


def test_ours_is_found_below_many_that_came_later() -> None:
    with DiscourseServer(dialect="2026") as server:
        queue = Queue(server, staff=True)
        for number in range(15):
            connect(server).perform(queue.action, Marker(f"rule-{number}-do"))
        assert isinstance(queue.find(), Receipt)
