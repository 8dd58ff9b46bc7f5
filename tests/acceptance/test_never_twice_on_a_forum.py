"""Whatever happens to requests and answers on the way, and whenever the program is killed: each approved
action reaches the forum exactly once. What counts is what the forum then holds."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.cron import House
from tests.acceptance.striking import STRIKES, Strike, StruckHouse
from tests.servers.discourse import DiscourseServer, Forum, Person
from tests.servers.discourse.records import Topic
from tests.servers.proxy import Fault, Proxy

SETTINGS = """\
store: sqlite:///ordito.db
sites:
  forum:
    connector: discourse
    url: {url}
    username: system
    api_key: {{env: FORUM_KEY}}
    requests_per_minute: 60000
constitution:
  limits: {{per_run: 500, per_policy: 100, share: 100%}}
  contact: {{messages: 50, per: 7 days}}
  never: {{groups: []}}
  undo_window: 0 minutes
policies:
  welcome:
    use: welcome
    on: [forum]
    after: 1 minutes
    when: {{posts: ">= 1", admin: false}}
  answer:
    use: rule
    for: thread
    on: [forum]
    when: {{title: {{contains: reply}}}}
    do: [{{reply: {{message: rule-note}}}}]
  label:
    use: rule
    for: thread
    on: [forum]
    when: {{title: {{contains: label}}}}
    do: [{{set_labels: {{add: [installation]}}}}]
  shut:
    use: rule
    for: thread
    on: [forum]
    when: {{title: {{contains: close}}}}
    do: [{{close_thread: {{}}}}]
  join:
    use: rule
    for: member
    on: [forum]
    when: {{posts: ">= 1", admin: false}}
    do: [{{add_to_group: {{group: helpers}}}}]
"""
WRITES = {
    "send_message": r"^POST /posts[\s\S]*private_message",
    "reply": r"^POST /posts[\s\S]*topic_id=",
    "set_labels": r"^PUT /t/-/",
    "close_thread": r"^PUT /t/\d+/status",
    "add_to_group": r"^PUT /groups/\d+/members",
}
"""The request of each verb, as the proxy sees it."""
PEOPLE = ("alice", "bob", "carol")
EVERYTHING = 5 * len(PEOPLE)
TOO_FAST = json.dumps({
    "errors": ["You’ve performed this action too many times, please try again later."],
    "error_type": "rate_limit",
    "extras": {"wait_seconds": 1, "time_left": "1 second"},
})  # fmt: skip


@dataclass(kw_only=True)
class Place(StruckHouse):
    """The program, a forum, and what lies between them."""

    forum: Forum
    writes = WRITES
    any_write = r"^(?:POST|PUT|DELETE) "
    undoings = (
        r"^DELETE /t/",
        r"^DELETE /posts/",
        WRITES["set_labels"],
        WRITES["close_thread"],
        r"^DELETE /groups/",
    )

    def assert_all_done_once(self) -> None:
        assert Counter(self.states().values()) == {"applied": EVERYTHING}
        forum = self.forum
        assert _welcomed(forum) == dict.fromkeys(PEOPLE, 1)
        posts = [post for post in forum.posts.values() if post.user_id == forum.system.id]
        replies = Counter(post.topic_id for post in posts if not post.action_code and post.post_number > 1)
        small = Counter(post.topic_id for post in posts if post.action_code)
        for topic in _topics(forum):
            what = topic.title.split()[3]
            assert replies[topic.id] == (what == "reply"), topic.title
            assert topic.tags == (["installation"] if what == "label" else []), topic.title
            assert topic.closed == (what == "close"), topic.title
            assert small[topic.id] == topic.closed, "closed once, and never opened"
        helpers = forum.group("helpers")
        assert helpers is not None
        people = {user.id for user in forum.users.values() if user.username in PEOPLE}
        assert set(helpers.members) == people
        assert Counter(event.target_user_id for event in forum.group_log) == dict.fromkeys(people, 1)
        again = self.apply()
        assert (again.code, again.document["applied"]) == (0, [])


    def assert_all_undone_once(self) -> None:
        assert Counter(self.states().values()) == {"undone": EVERYTHING}
        forum = self.forum
        assert not any(topic.archetype == "private_message" and topic.deleted_at is None
                       for topic in forum.topics.values())  # fmt: skip
        posts = [post for post in forum.posts.values() if post.user_id == forum.system.id]
        assert not any(post for post in posts if post.deleted_at is None and not post.action_code
                       and post.post_number > 1)  # fmt: skip
        for topic in _topics(forum):
            assert (topic.tags, topic.closed) == ([], False), topic.title
            codes = Counter(post.action_code for post in posts if post.topic_id == topic.id)
            opened = codes["closed.disabled"]
            assert opened == codes["closed.enabled"] == (topic.title.split()[3] == "close"), codes
        helpers = forum.group("helpers")
        assert helpers is not None and not helpers.members
        assert set(Counter((event.action, event.target_user_id) for event in forum.group_log).values()) == {1}


def _welcomed(forum: Forum) -> dict[str, int]:
    """How many private messages each member got."""
    return Counter(
        forum.users[user].username
        for topic in forum.topics.values()
        if topic.archetype == "private_message"
        for user in topic.allowed_users
        if user != forum.system.id
    )


def _topics(forum: Forum) -> list[Topic]:
    return [topic for topic in forum.topics.values() if topic.title.startswith("A topic to ")]


def community(now: datetime) -> Forum:
    """Three people, each with three topics, a quarter of an hour old; the same at each call."""
    forum = Forum()
    forum.settings.max_admin_api_reqs_per_minute = None
    forum.clock.set(now - timedelta(minutes=15))
    forum.new_group("helpers")
    for name in PEOPLE:
        forum.new_user(name)
    for name in PEOPLE:
        for what in ("reply", "label", "close"):
            Person(forum, name).topic(f"A topic to {what} by {name}", f"What {name} has to say of it.")
    forum.clock.set(now)
    return forum


@dataclass(frozen=True)
class Approved:
    """A store in which everything is approved, and when it was made."""

    folder: Path
    now: datetime
    planned: list[dict[str, Any]]


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Approved:
    """Synced, planned and approved once for all tests."""
    folder, now = tmp_path_factory.mktemp("approved"), datetime.now(UTC)
    with DiscourseServer(community(now)) as server:
        (folder / "ordito.yaml").write_text(SETTINGS.format(url=server.url), encoding="utf-8")
        planned = House(folder=folder, variables={"FORUM_KEY": server.api_key}).approve_all()
    assert Counter(each["action"]["verb"] for each in planned) == dict.fromkeys(WRITES, len(PEOPLE))
    return Approved(folder, now, planned)


@pytest.fixture
def place(tmp_path: Path, approved: Approved) -> Iterator[Place]:
    """The forum as it was then, the store with its approvals, and a proxy between them."""
    forum = community(approved.now)
    with DiscourseServer(forum) as server, Proxy(server.url) as proxy:
        shutil.copy(approved.folder / "ordito.db", tmp_path)
        (tmp_path / "ordito.yaml").write_text(SETTINGS.format(url=proxy.url), encoding="utf-8")
        yield Place(folder=tmp_path, variables={"FORUM_KEY": server.api_key}, forum=forum, proxy=proxy)


# --- what happens to requests and answers


def too_fast(pattern: str) -> Fault:
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    return Fault("answer", pattern, status=429, body=TOO_FAST, headers=json_type)


@pytest.mark.parametrize("strike", [*STRIKES, too_fast], ids=lambda strike: strike.__name__)
def test_the_first_write_of_every_verb_is_struck_and_all_is_done_once(place: Place, strike: Strike) -> None:
    place.strike_the_first_of_every_verb(strike)


@pytest.mark.parametrize("verb", WRITES)
def test_a_request_that_lands_after_the_program_was_killed_counts(place: Place, verb: str) -> None:
    assert "waiting" in place.let_one_land_after_the_kill(verb).err


def test_killed_between_writes_and_their_answers(place: Place) -> None:
    place.kill_between_writes_and_their_answers()


def test_tags_that_were_set_are_journaled_though_the_forum_then_fell_silent(place: Place) -> None:
    """They are read again after being set, since a forum may drop some without a word."""
    silent = Fault("answer", r"^GET /t/\d+\.json", status=429, headers={"Retry-After": "3600"}, body="")
    place.proxy.add(Fault("pass", WRITES["set_labels"], then=silent))
    outcomes = place.apply_until_done()
    assert silent.struck == 1
    assert not any(outcome.document["superseded"] for outcome in outcomes if outcome.code >= 0)
    place.assert_all_done_once()


def test_a_forum_that_takes_no_writes_loses_nothing(place: Place) -> None:
    place.forum.settings.read_only = True
    outcome = place.apply()
    assert outcome.code == 3
    assert not outcome.document["applied"] and not outcome.document["failed"]
    assert len(outcome.document["held"]) == EVERYTHING
    assert "read-only" in outcome.document["errors"][0]["message"]
    place.forum.settings.read_only = False
    assert [o.code for o in place.apply_until_done()] == [0]
    place.assert_all_done_once()


def test_killed_at_random_moments(place: Place) -> None:
    place.kill_at_random_moments(seed=11, longest=1.6)


def test_undoing_that_is_killed_brings_everything_back_once(place: Place) -> None:
    place.kill_undoing(seed=13, longest=1.4)
