"""Wrong addresses, wrong keys, faults on the way: each is one clear line, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ordito.config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    Forbidden,
    Misconfigured,
    NotThisPlatform,
    OutcomeUnknown,
    RateLimited,
    ReadOnly,
    SignInFailed,
    Unreachable,
)
from ordito.config.secret import Secret
from ordito.connectors.actions import CloseThread, EditText, OpenThread, Reply, SendMessage
from ordito.connectors.base import Marker, NotDone, Receipt
from ordito.connectors.discourse.connector import DiscourseConnector
from ordito.connectors.records import Contribution
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.site import DiscourseSite, connect, mirrored, settings, world
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Topic

TEXT = "Has anybody tried this with the smaller frames, and did it hold?"
MARKER = Marker("welcome-7f3a", "welcome newcomers")
JSON = {"Content-Type": "application/json; charset=utf-8"}


@pytest.fixture
def server() -> Iterator[DiscourseServer]:
    with DiscourseServer() as server:
        DiscourseSite(server)
        yield server


@pytest.fixture
def topic(server: DiscourseServer) -> Topic:
    return server.as_user("boss").topic("Frames of a smaller size", TEXT)


def open_with(server: DiscourseServer, **more: object) -> DiscourseConnector:
    return DiscourseConnector("forum", settings(server, **more), world(server))


def replies(server: DiscourseServer, topic: Topic) -> list[str]:
    return [p.raw for p in server.forum.posts_of(topic) if p.post_number > 1 and p.deleted_at is None]


# Wrong settings


@pytest.mark.parametrize("call", ["probe", "changes", "perform"])
def test_a_wrong_key_is_said_to_be_wrong(server: DiscourseServer, topic: Topic, call: str) -> None:
    connector = open_with(server, api_key=Secret.of("0" * 64))
    with pytest.raises(SignInFailed) as caught:
        if call == "probe":
            connector.probe()
        elif call == "changes":
            MemoryMirror(connector).sync()
        else:
            connector.perform(CloseThread(site="forum", thread=str(topic.id)), MARKER)
    assert "api_key" in caught.value.hint
    assert "0000" not in str(caught.value)


def test_a_key_of_another_account_is_said_to_be_wrong(server: DiscourseServer) -> None:
    with pytest.raises(SignInFailed, match="'ordito'"):
        open_with(server, api_key=Secret.of(server.key_for("boss"))).probe()


def test_a_key_revoked_during_a_sync_is_not_taken_for_deleted_items(
    server: DiscourseServer, topic: Topic
) -> None:
    mirror = mirrored(connect(server))
    server.forum.keys.clear()
    mirror.connector = connect(server, api_key=Secret.of("0" * 64))
    with pytest.raises(SignInFailed):
        mirror.sync()
    assert mirror.of(Contribution)


@pytest.mark.parametrize("body", ["<html>Please sign in</html>", "<!doctype html><title>Welcome</title>"])
def test_a_page_where_json_should_be_is_not_a_forum(server: DiscourseServer, body: str) -> None:
    server.faults.answer("", body=body, status=200, headers={"Content-Type": "text/html"}, times=9)
    with pytest.raises(NotThisPlatform, match="text/html") as caught:
        connect(server).probe()
    assert "url" in caught.value.hint


def test_another_program_at_the_address_is_not_a_forum(server: DiscourseServer) -> None:
    server.faults.answer("", body="<h1>Not Found</h1>", status=404, times=9)
    with pytest.raises(NotThisPlatform):
        connect(server).probe()
    server.faults.clear()
    server.faults.answer("", body='{"name": "some other api"}', status=200, headers=JSON, times=9)
    with pytest.raises(NotThisPlatform):
        connect(server).probe()


def test_an_address_that_moved_is_told(server: DiscourseServer) -> None:
    there = {"Location": "https://forum.example.org/session/current.json"}
    server.faults.answer("", body="", status=301, headers=there)
    with pytest.raises(NotThisPlatform, match=r"https://forum\.example\.org"):
        connect(server).probe()


def test_a_server_that_is_not_there_is_unreachable(server: DiscourseServer) -> None:
    connector = connect(server)
    server.stop()
    with pytest.raises(Unreachable, match="refused"):
        connector.probe()


def test_a_webhook_that_is_not_there_is_a_fault_of_the_settings(
    server: DiscourseServer, topic: Topic
) -> None:
    with pytest.raises(Misconfigured, match="webhook 7"):
        mirrored(connect(server, webhook=7))


# Faults while reading


def test_reading_goes_on_through_restarts_and_broken_connections(
    server: DiscourseServer, topic: Topic
) -> None:
    server.faults.bad_gateway("/posts")
    server.faults.bad_gateway("/latest", status=503)
    server.faults.drop("/site")
    server.faults.truncate("/admin/users")
    connector = connect(server)
    assert len(mirrored(connector).of(Contribution)) == 1
    assert connector.statistics()["retries"] >= 3


def test_half_an_answer_is_asked_for_again(server: DiscourseServer, topic: Topic) -> None:
    server.faults.answer("/posts", body='{"latest_posts": [{"id": 1, "na', status=200, headers=JSON)
    assert len(mirrored(connect(server)).of(Contribution)) == 1


def test_the_limit_of_the_forum_is_waited_for(server: DiscourseServer) -> None:
    server.forum.settings.max_admin_api_reqs_per_minute = 5
    server.as_user("boss").topic("Frames of a smaller size", TEXT)
    connector = connect(server)
    assert len(mirrored(connector).of(Contribution)) == 1
    assert connector.statistics()["waited"] > 30


def test_a_limit_for_the_day_ends_the_run_and_says_until_when(server: DiscourseServer, topic: Topic) -> None:
    server.faults.answer("/posts", body="", status=429, headers={"Retry-After": "30000"})
    mirror = MemoryMirror(connect(server))
    with pytest.raises(RateLimited) as caught:
        mirror.sync()
    assert caught.value.until == server.clock() + timedelta(seconds=30000)


def test_what_a_fault_has_stopped_the_next_run_completes(server: DiscourseServer, topic: Topic) -> None:
    mirror = MemoryMirror(connect(server))
    server.faults.bad_gateway("/latest", times=5)
    with pytest.raises(Unreachable):
        mirror.sync()
    assert mirror.cursor is not None and mirror.cursor["phase"] == "groups"
    mirror.connector = connect(server)
    before = len(server.requests)
    mirror.sync()
    assert len(mirror.of(Contribution)) == 1
    assert not any("asc=true" in entry.query for entry in server.requests[before:])  # members, again


# Faults while writing


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_to_a_new_post_is_settled_by_looking_and_never_by_a_second_one(
    server: DiscourseServer, topic: Topic, after: bool
) -> None:
    server.faults.drop("/posts", method="POST", after=after)
    action = Reply(site="forum", thread=str(topic.id), text="We have used them for years now.")
    since = server.clock() - timedelta(minutes=1)
    with pytest.raises(OutcomeUnknown):
        connect(server).perform(action, MARKER)
    found = connect(server).find(action, MARKER, since)
    assert isinstance(found, Receipt) if after else found == NotDone()
    assert len(replies(server, topic)) == int(after)
    assert server.count("POST") == 1


def test_a_page_of_a_proxy_after_a_write_leaves_its_outcome_open(
    server: DiscourseServer, topic: Topic
) -> None:
    server.faults.bad_gateway("/status", method="PUT", status=504)
    action = CloseThread(site="forum", thread=str(topic.id))
    with pytest.raises(OutcomeUnknown):
        connect(server).perform(action, MARKER)
    assert server.count("PUT") == 1
    assert connect(server).find(action, MARKER, server.clock()) == NotDone()


def test_a_lost_closing_is_found_as_ours(server: DiscourseServer, topic: Topic) -> None:
    server.faults.drop("/status", method="PUT", after=True)
    action = CloseThread(site="forum", thread=str(topic.id))
    with pytest.raises(OutcomeUnknown):
        connect(server).perform(action, MARKER)
    found = connect(server).find(action, MARKER, server.clock())
    assert isinstance(found, Receipt) and found.attribution == "ours"


def test_an_undone_closing_is_undone_though_the_topic_keeps_its_place_in_the_lists(
    server: DiscourseServer, topic: Topic
) -> None:
    connector = connect(server)
    receipt = connector.perform(CloseThread(site="forum", thread=str(topic.id)), MARKER)
    server.faults.bad_gateway("/reset-bump-date", method="PUT")
    assert connector.undo(receipt, MARKER).after == {"topic": str(topic.id), "flag": "closed", "on": False}
    assert not topic.closed
    assert not server.faults.waiting


def test_a_closing_by_somebody_else_is_not_found_as_ours(server: DiscourseServer, topic: Topic) -> None:
    server.as_user("boss").close(topic)
    found = connect(server).find(CloseThread(site="forum", thread=str(topic.id)), MARKER, server.clock())
    assert isinstance(found, Receipt) and found.attribution == "unknown"


def test_read_only_mode_is_for_later(server: DiscourseServer, topic: Topic) -> None:
    connector = connect(server)
    server.forum.settings.read_only = True
    action = OpenThread(site="forum", title="A topic for the meeting", text=TEXT)
    with pytest.raises(ReadOnly):
        connector.perform(action, MARKER)
    assert connector.probe().read_only


def test_a_text_too_much_like_another_is_refused(server: DiscourseServer, topic: Topic) -> None:
    us = server.forum.user("ordito")
    assert us is not None
    us.admin = False
    connector = connect(server)
    action = Reply(site="forum", thread=str(topic.id), text="We have used them for years now.")
    connector.perform(action, MARKER)
    server.clock.advance(130)
    with pytest.raises(Filtered):
        connector.perform(action, MARKER)
    assert len(replies(server, topic)) == 1


def test_a_text_that_is_too_short_is_refused_in_the_forums_words(
    server: DiscourseServer, topic: Topic
) -> None:
    post = server.forum.first_post(topic)
    action = EditText(site="forum", contribution=str(post.id), text="No", expected=TEXT)
    with pytest.raises(Filtered, match="short"):
        connect(server).perform(action, MARKER)


def test_an_edit_made_between_reading_and_writing_is_a_conflict(
    server: DiscourseServer, topic: Topic
) -> None:
    post = server.forum.first_post(topic)
    action = EditText(site="forum", contribution=str(post.id), text=f"{TEXT} Yes.", expected=TEXT)
    connector = connect(server)
    server.faults.answer(
        f"/posts/{post.id}", method="PUT", status=409, headers=JSON,
        body='{"errors":["That post was edited by another user and your changes can no longer be saved."]}',
    )  # fmt: skip
    with pytest.raises(Conflict, match="edited by another user"):
        connector.perform(action, MARKER)


def test_a_post_that_waits_for_approval_is_reported_as_such(server: DiscourseServer, topic: Topic) -> None:
    server.forum.settings.approve_all_posts = server.forum.settings.enqueue_staff_too = True
    connector = connect(server)
    action = Reply(site="forum", thread=str(topic.id), text="We have used them for years now.")
    receipt = connector.perform(action, MARKER)
    assert receipt.pending and not receipt.made
    with pytest.raises(ConnectorError, match="not approved"):
        connector.undo(receipt, MARKER)


def test_a_firewall_before_the_forum_is_named(server: DiscourseServer, topic: Topic) -> None:
    server.faults.answer("/posts", method="POST", body="<h1>Blocked</h1>", status=403)
    server.forum.new_user("anna")
    with pytest.raises(Forbidden) as caught:
        connect(server).perform(Reply(site="forum", thread=str(topic.id), text=TEXT), MARKER)
    assert "firewall" in caught.value.hint


def test_a_message_to_several_reaches_each_of_them_once(server: DiscourseServer) -> None:
    forum = server.forum
    anna, greeter = forum.new_user("anna"), forum.new_user("greeter")
    action = SendMessage(
        site="forum", to=(str(anna.id), str(greeter.id)), subject="Good to have you here", text=TEXT
    )
    receipt = connect(server).perform(action, MARKER)
    (sent,) = [t for t in forum.topics.values() if t.private]
    assert {anna.id, greeter.id} <= set(sent.allowed_users)
    assert str(sent.id) in {ref.id for ref in receipt.made}
