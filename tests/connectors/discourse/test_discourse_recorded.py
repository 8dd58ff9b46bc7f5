"""Answers recorded from a real Discourse (2.8.0.beta2), read by the connector's own code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from ordito.config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Refused,
    SignInFailed,
)
from ordito.connectors.discourse import answers, mapping, notes
from ordito.connectors.discourse.profile import profile, refusal
from ordito.connectors.discourse.read_people import about_topics
from ordito.connectors.discourse.stamps import Stamp
from ordito.connectors.records import ContributionKind, ThreadKind
from tests.shared import shared

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)


def recorded(number: int) -> dict[str, Any]:
    (path,) = shared("contract", "discourse").glob(f"{number:03}_*.json")
    exchange: dict[str, Any] = json.loads(path.read_text())
    return exchange


def body(number: int) -> Any:
    return recorded(number)["response_json"]


def answer(number: int) -> tuple[requests.Response, bool]:
    """The recorded answer, and whether it is that to a write."""
    exchange = recorded(number)
    response = requests.Response()
    response.status_code, response.reason = exchange["status"], exchange["reason"]
    response.headers.update(dict(exchange["response_headers"]))
    text = exchange.get("response_text")
    response._content = (json.dumps(exchange["response_json"]) if text is None else text).encode()
    return response, exchange["method"] not in ("GET", "HEAD")


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (44, None),  # a topic
        (146, None),  # a closing
        (185, None),  # a deletion: empty text
        (16, Refused),  # a parameter is missing
        (41, Filtered),  # a text too short
        (45, Filtered),  # a title that exists
        (54, Forbidden),  # a whisper where there are none
        (76, NotFound),  # no such topic
        (13, Filtered),  # 200, and success: false
        (142, Forbidden),
        (160, Filtered),  # a reply to a closed topic
        (187, NotFound),  # a deleted topic
        (190, Filtered),
        (196, Conflict),  # raw_old is not the text any more
        (231, Filtered),  # no such recipient
        (263, Filtered),  # a member already
        (264, Refused),  # no such user
        (338, Forbidden),  # {"failed": "FAILED"}
        (384, NotFound),  # an admin's list for somebody else
        (444, Conflict),
        (459, OutcomeUnknown),  # 500 with JSON, to a write
        (534, Forbidden),  # a wrong key
        (541, SignInFailed),  # ["BAD CSRF"]: no key at all
    ],
)
def test_an_answer_is_understood(number: int, error: type[ConnectorError] | None) -> None:
    fault = answers.fault(*_args(number))
    assert type(fault) is (error or type(None))
    if fault is not None and number != 541:
        assert fault.where == "forum"
        assert "\n" not in fault.message


def _args(number: int) -> tuple[requests.Response, str, bool]:
    response, write = answer(number)
    return response, "forum", write


def test_members_are_read_from_the_admin_list() -> None:
    members = [mapping.member("forum", row) for row in body(380)]
    assert {m.id for m in members if m.bot} == {"-1", "-2"}
    assert all(m.username and m.joined_at for m in members)
    assert {m.username for m in members if m.staged} == {"staged1"}


def test_a_suspended_member_is_read_with_the_end_of_it() -> None:
    (member,) = (mapping.member("forum", row) for row in body(443))
    assert member.suspended_until == datetime(2030, 1, 1, tzinfo=UTC)
    assert member.title == "Engineer"


def test_topics_are_read_from_the_list_with_their_stamps() -> None:
    rows = body(97)["topic_list"]["topics"]
    threads = [mapping.thread("forum", row, author=mapping.author(row)) for row in rows]
    assert all(t.kind == ThreadKind.TOPIC and t.author and t.created_at for t in threads)
    assert [t.pinned for t in threads[:2]] == [True, False]
    assert all(t.solved_by is None for t in threads)
    for row in rows:
        stamp = Stamp.of(row)
        assert Stamp.parse(str(stamp)) == stamp


def test_messages_are_read_as_messages() -> None:
    rows = body(242)["topic_list"]["topics"]
    assert {mapping.thread("forum", row, author=None).kind for row in rows} == {ThreadKind.MESSAGE}


def test_posts_are_read_from_the_list_with_their_text() -> None:
    posts = [mapping.contribution("forum", post, text=True) for post in body(81)["latest_posts"]]
    assert all(p.text and p.size and p.author and p.position for p in posts)
    assert {p.kind for p in posts} == {ContributionKind.REGULAR}


def test_a_post_that_its_author_deleted_counts_as_deleted() -> None:
    assert mapping.contribution("forum", body(221), text=True).deleted_at is not None
    assert mapping.contribution("forum", body(214), text=True).deleted_at is not None
    assert mapping.contribution("forum", body(88), text=True).deleted_at is None


def test_small_actions_tell_the_changes_of_state() -> None:
    posts = body(161)["post_stream"]["posts"]
    changes = [c for c in (mapping.change("forum", post) for post in posts) if c is not None]
    assert [(c.field, c.value) for c in changes][:5] == [
        ("closed", True), ("closed", False), ("archived", True), ("archived", False), ("visible", False)
    ]  # fmt: skip
    assert {mapping.contribution("forum", p, text=True).kind for p in posts[1:]} == {ContributionKind.SMALL}


def test_likes_are_counted() -> None:
    assert mapping.likes(body(324)) == 1
    assert mapping.likes(body(88)) == 0
    assert mapping.likes({"id": 1}) is None


def test_spaces_are_read_with_their_limits() -> None:
    spaces = [mapping.space("forum", row) for row in body(1)["categories"]]
    assert {s.name for s in spaces if s.restricted} == {"Staff", "Lounge"}


def test_profiles_tell_whether_a_member_takes_messages() -> None:
    assert profile(body(395)["user"], NOW).accepts
    assert "e-mail" in refusal(body(401)["user"], NOW)
    assert "suspended" in refusal(body(441)["user"], NOW)


def test_the_log_of_a_group_tells_who_came_and_went() -> None:
    rows = [row for row in body(287)["logs"] if row["action"] in (notes.JOINED, notes.LEFT)]
    assert {row["action"] for row in rows} == {notes.JOINED, notes.LEFT}
    assert all(row["target_user"]["id"] and mapping.moment(row["created_at"]) for row in rows)


def test_the_log_of_staff_actions_tells_of_levels_and_badges() -> None:
    found = [
        change
        for row in body(528)["staff_action_logs"]
        if (at := mapping.moment(row["created_at"])) is not None
        and (change := notes.of_staff("forum", row, at)) is not None
    ]
    told = {(change.id, change.field, change.value, change.on) for change in found}
    assert ("16", "trust_level", 2, True) in told
    assert ("2", "badge", "Tester Two", False) in told
    gone = [r for r in body(528)["staff_action_logs"] if r["action_name"] == "delete_user"]
    assert str(notes.deleted("forum", gone[0]["details"])) == "forum:member:18"


def test_badges_are_told_from_those_of_the_forum_itself() -> None:
    rows = body(325)["badges"]
    made = [row["name"] for row in rows if not row["system"]]
    assert made == [] or set(made).isdisjoint({"Basic", "Member", "Reader"})
    grants = body(339)["user_badge_info"]["user_badges"]
    assert all(mapping.moment(row["granted_at"]) and row["user_id"] for row in grants)


def test_categories_name_the_topics_that_describe_them() -> None:
    assert about_topics(body(1)["categories"]) == [1, 2, 3]
