"""People go on while approvals wait: what they did since the last sync is seen before anything is done."""

from datetime import timedelta

from tests.acceptance.test_never_twice_on_a_forum import Place, approved, place
from tests.servers.discourse import Person
from tests.servers.discourse.records import Topic

__all__ = ["approved", "place"]


def test_each_item_is_read_again_before_it_is_acted_upon(place: Place) -> None:
    forum = place.forum
    people = {name: forum.user(name) for name in ("alice", "bob", "carol")}
    alice, bob, carol = people.values()
    assert alice and bob and carol
    moderator = Person(forum, "adminuser")
    Person(forum, "carol").reply(_topic(place, "reply by alice"), "Hello alice, and welcome among us!")
    moderator.suspend(bob, forum.clock() + timedelta(days=90))
    moderator.rename(carol, "caroline")
    moderator.close(_topic(place, "close by alice"))
    moderator.delete(_topic(place, "label by bob"))
    moderator.retitle(_topic(place, "reply by carol"), "A topic about something else")
    outcome = place.apply()
    assert outcome.code == 0, outcome.err
    report = outcome.document
    listed = place.document("review", "list", "--state", "all")["proposals"]
    what = {each["id"]: f"{each['policy']} {each['item']}" for each in listed}
    assert not report["failed"] and not report["unsettled"]
    assert {what[each["id"]] for each in report["superseded"]} == {
        f"welcome forum:member:{alice.id}",
        f"welcome forum:member:{bob.id}",
        f"join forum:member:{bob.id}",
        f"shut forum:thread:{_topic(place, 'close by alice').id}",
        f"label forum:thread:{_topic(place, 'label by bob').id}",
        f"answer forum:thread:{_topic(place, 'something else').id}",
    }
    states = {what[number]: state for number, state in place.states().items()}
    assert states[f"welcome forum:member:{carol.id}"] == "proposed", "it names her: back to review"
    assert list(states.values()).count("applied") == len(states) - 7
    assert sum(topic.archetype == "private_message" for topic in forum.topics.values()) == 0


def test_whoever_said_stop_since_the_last_sync_is_left_alone_by_apply_alone(place: Place) -> None:
    forum = place.forum
    alice, bob = forum.user("alice"), forum.user("bob")
    assert alice and bob
    listed = place.document("review", "list", "--state", "all")["proposals"]
    of = {(each["policy"], each["item"]): each["id"] for each in listed}
    welcomes = [of["welcome", f"forum:member:{who.id}"] for who in (alice, bob)]
    assert len(place.document("apply", *welcomes)["applied"]) == 2
    for who, words in ((alice, "STOP\n\nI found the button myself."), (bob, "Thank you, I will stop by.")):
        (message,) = (t for t in forum.topics.values() if t.private and who.id in t.allowed_users)
        Person(forum, who).reply(message, words)
    report = place.apply().document
    why = {each["id"]: each["reason"] for each in report["superseded"]}
    joining, answering = (f"forum:member:{alice.id}", f"forum:thread:{_topic(place, 'reply by alice').id}")
    assert {of["join", joining], of["answer", answering]} == set(why)
    assert set(why.values()) == {"alice opted out (phrase)"}
    helpers = forum.group("helpers")
    assert helpers and bob.id in helpers.members and alice.id not in helpers.members
    again = place.apply().document
    assert not again["applied"] and not again["superseded"]


def _topic(place: Place, end: str) -> Topic:
    (found,) = [topic for topic in place.forum.topics.values() if topic.title.endswith(end)]
    return found
