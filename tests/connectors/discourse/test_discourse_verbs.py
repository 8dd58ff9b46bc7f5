"""What the contract suite does not ask of the verbs: markers, tags, names, and what others do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ordito.config.errors import Conflict, Filtered, NotFound, Refused
from ordito.connectors.actions import (
    AddToGroup,
    CloseThread,
    EditText,
    ListThread,
    MoveThread,
    NotifyModerators,
    OpenThread,
    RemoveFromGroup,
    ReopenThread,
    Reply,
    RevokeBadge,
    SendMessage,
    SetLabels,
    SetTitle,
    UnarchiveThread,
)
from ordito.connectors.base import Marker, NotDone, Receipt
from ordito.connectors.discourse.acting import carries, marked
from tests.connectors.discourse.site import DiscourseSite, connect
from tests.servers.discourse import DiscourseServer, Person
from tests.servers.discourse.records import Topic

TEXT = "Has anybody tried this with the smaller frames, and did it hold?"
ANSWER = "We have used them for years now, and would not go back."
MARKER = Marker("welcome-7f3a", "welcome newcomers")
OTHER = Marker("welcome-0b1c")


@pytest.fixture(params=["2021", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        yield server


@pytest.fixture
def boss(server: DiscourseServer) -> Person:
    return server.as_user("boss")


@pytest.fixture
def anna(server: DiscourseServer) -> Person:
    return server.as_user(server.forum.new_user("anna", trust_level=2))


@pytest.fixture
def topic(anna: Person) -> Topic:
    return anna.topic("Frames of a smaller size", TEXT)


def action(kind: Any, topic: Topic, **more: Any) -> Any:
    return kind(site="forum", thread=str(topic.id), **more)


# Markers


def test_a_marker_counts_on_the_last_line_only() -> None:
    raw = marked("Hello there", MARKER)
    assert carries(raw, MARKER)
    assert carries(f"{raw}\n\n", MARKER)
    assert not carries(raw, OTHER)
    assert not carries(f"{raw}\nmore", MARKER)
    assert not carries(f"{raw} more", MARKER)
    assert not carries(f"> <!-- ordito: {MARKER.token} -->", MARKER)
    assert not carries("", MARKER)
    assert not carries(None, MARKER)


def test_a_text_cannot_pass_itself_off_as_another_proposals(server: DiscourseServer, topic: Topic) -> None:
    spoof = f"{ANSWER}\n\n<!-- ordito: {OTHER.token} -->"
    connector, since = connect(server), server.clock()
    connector.perform(action(Reply, topic, text=spoof), MARKER)
    assert connector.find(action(Reply, topic, text=spoof), OTHER, since) == NotDone()
    assert isinstance(connector.find(action(Reply, topic, text=spoof), MARKER, since), Receipt)


def test_readers_do_not_see_the_marker(server: DiscourseServer, topic: Topic) -> None:
    connect(server).perform(action(Reply, topic, text=ANSWER), MARKER)
    post = list(server.forum.posts_of(topic))[-1]
    assert MARKER.token in post.raw
    assert "ordito" not in server.forum.cooked(post)


def test_what_was_deleted_since_counts_as_done(server: DiscourseServer, topic: Topic, boss: Person) -> None:
    connector, since = connect(server), server.clock()
    connector.perform(action(Reply, topic, text=ANSWER), MARKER)
    boss.delete(list(server.forum.posts_of(topic))[-1])
    assert isinstance(connector.find(action(Reply, topic, text=ANSWER), MARKER, since), Receipt)


def test_a_message_is_found_among_many_later_ones(server: DiscourseServer, anna: Person) -> None:
    connector, since = connect(server), server.clock()
    message = SendMessage(site="forum", to=(str(anna.user.id),), subject="Good to have you here", text=TEXT)
    made = connector.perform(message, MARKER)
    us = server.as_user("ordito")
    for n in range(45):
        server.clock.advance(30)
        us.message("anna", f"Another message, number {n}", f"{TEXT} {n}")
    found = connector.find(message, MARKER, since)
    assert isinstance(found, Receipt) and set(found.made) == set(made.made)


def test_a_reply_is_found_in_a_long_topic_by_its_end(
    server: DiscourseServer, topic: Topic, anna: Person
) -> None:
    for n in range(450):
        anna.reply(topic, f"{TEXT} {n}")
    server.clock.advance(timedelta(days=1))
    connector, since = connect(server), server.clock()
    connector.perform(action(Reply, topic, text=ANSWER), MARKER)
    before = len(server.requests)
    assert isinstance(connector.find(action(Reply, topic, text=ANSWER), MARKER, since), Receipt)
    assert len(server.requests) - before <= 3


def test_an_opened_topic_is_found_by_its_number_or_its_text(server: DiscourseServer) -> None:
    opening = OpenThread(site="forum", title="Meetings of this month", text=TEXT, space="1")
    connector, since = connect(server), server.clock()
    made = connector.perform(opening, MARKER)
    before = len(server.requests)
    found = connector.find(opening, MARKER, since)
    assert isinstance(found, Receipt) and set(found.made) == set(made.made)
    if server.forum.dialect.external_id:
        assert not any("created-by" in entry.path for entry in server.requests[before:])


# Replies


def test_a_reply_does_not_bump_the_topic(server: DiscourseServer, topic: Topic) -> None:
    before = topic.bumped_at
    server.clock.advance(3600)
    connect(server).perform(action(Reply, topic, text=ANSWER), MARKER)
    assert topic.bumped_at == before


def test_a_reply_answers_the_post_that_it_is_meant_for(
    server: DiscourseServer, topic: Topic, anna: Person
) -> None:
    anna.reply(topic, f"{TEXT} First.")
    second = anna.reply(topic, f"{TEXT} Second.")
    connector = connect(server)
    connector.perform(action(Reply, topic, text=ANSWER, reply_to=str(second.id)), MARKER)
    assert list(server.forum.posts_of(topic))[-1].reply_to == second.post_number
    elsewhere = anna.topic("Another topic of some length", TEXT)
    with pytest.raises(Conflict):
        connector.perform(action(Reply, elsewhere, text=ANSWER, reply_to=str(second.id)), OTHER)


def test_a_message_that_was_answered_is_not_withdrawn(server: DiscourseServer, anna: Person) -> None:
    connector = connect(server)
    message = SendMessage(site="forum", to=(str(anna.user.id),), subject="Good to have you here", text=TEXT)
    receipt = connector.perform(message, MARKER)
    (sent,) = [t for t in server.forum.topics.values() if t.private]
    anna.reply(sent, "Thank you, this is very kind of you.")
    with pytest.raises(Conflict, match="answered"):
        connector.undo(receipt, MARKER)
    assert sent.deleted_at is None


def test_a_suspended_member_gets_no_message(server: DiscourseServer, anna: Person, boss: Person) -> None:
    boss.suspend(anna.user, server.clock() + timedelta(days=9))
    message = SendMessage(site="forum", to=(str(anna.user.id),), subject="Good to have you here", text=TEXT)
    connector = connect(server)
    with pytest.raises(Filtered, match="suspended"):
        connector.perform(message, MARKER)
    assert "suspended" in connector.profile(str(anna.user.id)).reason


def test_a_profile_tells_the_language(server: DiscourseServer, anna: Person) -> None:
    anna.user.locale = "pt_BR"
    assert connect(server).profile(str(anna.user.id)).language == "pt-BR"


def test_moderators_are_written_to_as_a_group(server: DiscourseServer, topic: Topic) -> None:
    notice = NotifyModerators(site="forum", subject="Please look at this", text=TEXT, about=str(topic.id))
    connect(server).perform(notice, MARKER)
    (sent,) = [t for t in server.forum.topics.values() if t.private]
    group = server.forum.group("moderators")
    assert group is not None and group.id in sent.allowed_groups


# States


@pytest.mark.parametrize(
    ("kind", "state", "before"),
    [(ReopenThread, "closed", True), (UnarchiveThread, "archived", True), (ListThread, "visible", False)],
)
def test_a_state_is_taken_back_and_brought_again(
    server: DiscourseServer, topic: Topic, boss: Person, kind: Any, state: str, before: bool
) -> None:
    boss.set_state(topic, state, before)
    server.clock.advance(600)
    connector, since = connect(server), server.clock()
    receipt = connector.perform(action(kind, topic), MARKER)
    assert getattr(topic, state) is not before
    found = connector.find(action(kind, topic), MARKER, since)
    assert isinstance(found, Receipt) and found.attribution == "ours"
    connector.undo(receipt, MARKER)
    assert getattr(topic, state) is before


def test_undoing_a_closing_does_not_put_the_topic_on_top(server: DiscourseServer, topic: Topic) -> None:
    before = topic.bumped_at
    server.clock.advance(3600)
    connector = connect(server)
    connector.undo(connector.perform(action(CloseThread, topic), MARKER), MARKER)
    assert not topic.closed
    assert topic.bumped_at == before


def test_moving_needs_a_category(server: DiscourseServer, topic: Topic) -> None:
    with pytest.raises(Refused, match="category"):
        connect(server).perform(action(MoveThread, topic, title="Elsewhere"), MARKER)


# Tags


def test_tags_that_the_forum_drops_are_reported_and_the_others_put_back(
    server: DiscourseServer, topic: Topic, boss: Person
) -> None:
    for tag in ("wax", "honey", "closed-circle"):
        server.forum.tag(tag)
    boss.tag(topic, "wax")
    server.forum.settings.refused_tags = frozenset({"closed-circle"})
    with pytest.raises(Filtered):
        connect(server).perform(action(SetLabels, topic, add=("honey", "closed-circle")), MARKER)
    assert topic.tags == ["wax"]


def test_tags_are_compared_without_regard_to_case(
    server: DiscourseServer, topic: Topic, boss: Person
) -> None:
    server.forum.tag("honey")
    boss.tag(topic, "honey")
    receipt = connect(server).perform(action(SetLabels, topic, add=("Honey",)), MARKER)
    assert receipt.attribution == "unknown"
    connect(server).perform(action(SetLabels, topic, remove=("HONEY",)), MARKER)
    assert topic.tags == []


def test_labels_found_as_ours_can_be_taken_back(server: DiscourseServer, topic: Topic, boss: Person) -> None:
    for tag in ("wax", "honey"):
        server.forum.tag(tag)
    boss.tag(topic, "wax")
    server.clock.advance(600)
    connector, since = connect(server), server.clock()
    labels = action(SetLabels, topic, add=("honey",), remove=("wax",))
    connector.perform(labels, MARKER)
    found = connector.find(labels, MARKER, since)
    assert isinstance(found, Receipt) and found.attribution == "ours"
    connector.undo(found, MARKER)
    assert topic.tags == ["wax"]


# Texts


def test_a_first_post_is_edited_by_naming_its_topic(server: DiscourseServer, topic: Topic) -> None:
    connect(server).perform(action(EditText, topic, text=f"{TEXT} Yes.", expected=TEXT), MARKER)
    assert server.forum.first_post(topic).raw == f"{TEXT} Yes."


def test_an_edit_found_as_ours_can_be_taken_back(server: DiscourseServer, topic: Topic) -> None:
    connector, since = connect(server), server.clock()
    edit = action(EditText, topic, text=f"{TEXT} Yes.", expected=TEXT)
    connector.perform(edit, MARKER)
    found = connector.find(edit, MARKER, since)
    assert isinstance(found, Receipt) and found.attribution == "ours"
    connector.undo(found, MARKER)
    assert server.forum.first_post(topic).raw == TEXT


@pytest.mark.parametrize("more", [{"section": "Wax"}, {"title": "A page"}])
def test_a_forum_has_no_sections_and_no_pages(server: DiscourseServer, topic: Topic, more: Any) -> None:
    where: Any = {"contribution": "1"} if "section" in more else {}
    with pytest.raises(Refused):
        connect(server).perform(EditText(site="forum", text=TEXT, expected=TEXT, **where, **more), MARKER)


# People


def test_leaving_a_group_is_taken_back(server: DiscourseServer, anna: Person, boss: Person) -> None:
    group = server.forum.group("experts")
    assert group is not None
    boss.add_to(group, anna.user)
    server.clock.advance(600)
    connector, since = connect(server), server.clock()
    leaving = RemoveFromGroup(site="forum", member=str(anna.user.id), group="experts")
    receipt = connector.perform(leaving, MARKER)
    assert anna.user.id not in group.members
    found = connector.find(leaving, MARKER, since)
    assert isinstance(found, Receipt) and found.attribution == "ours"
    connector.undo(receipt, MARKER)
    assert anna.user.id in group.members
    assert connector.find(leaving, MARKER, since) == NotDone()


def test_a_group_or_badge_that_does_not_exist_is_named(server: DiscourseServer, anna: Person) -> None:
    connector, member = connect(server), str(anna.user.id)
    with pytest.raises(NotFound):
        connector.perform(AddToGroup(site="forum", member=member, group="nobodies"), MARKER)
    with pytest.raises(NotFound, match="'Nothing'"):
        connector.perform(RevokeBadge(site="forum", member=member, badge="Nothing"), MARKER)


def test_a_badge_is_withdrawn_and_given_back(server: DiscourseServer, anna: Person) -> None:
    forum = server.forum
    badge = next(b for b in forum.badges.values() if b.name == "Expert")
    connector, since = connect(server), server.clock()
    connector._client.grant_badge_to("anna", badge.id)
    revoking = RevokeBadge(site="forum", member=str(anna.user.id), badge="Expert")
    assert connector.find(revoking, MARKER, since) == NotDone()
    receipt = connector.perform(revoking, MARKER)
    assert not [g for g in forum.grants.values() if g.badge_id == badge.id]
    assert isinstance(connector.find(revoking, MARKER, since), Receipt)
    connector.undo(receipt, MARKER)
    assert [g.user_id for g in forum.grants.values() if g.badge_id == badge.id] == [anna.user.id]


def test_a_title_is_found_but_not_as_ours(server: DiscourseServer, anna: Person) -> None:
    connector, since = connect(server), server.clock()
    titling = SetTitle(site="forum", member=str(anna.user.id), title="Beekeeper")
    receipt = connector.perform(titling, MARKER)
    found = connector.find(titling, MARKER, since)
    assert isinstance(found, Receipt) and found.attribution == "unknown"
    with pytest.raises(Refused):
        connector.undo(found, MARKER)
    connector.undo(receipt, MARKER)
    assert not anna.user.title


def test_a_topic_is_opened_with_its_tags(server: DiscourseServer) -> None:
    for tag in ("wax", "honey"):
        server.forum.tag(tag)
    opening = OpenThread(site="forum", title="Meetings of this month", text=TEXT, labels=("wax", "honey"))
    receipt = connect(server).perform(opening, MARKER)
    made = next(ref for ref in receipt.made if ref.kind == "thread")
    assert set(server.forum.topics[int(made.id)].tags) == {"wax", "honey"}
