"""What the stand-in keeps of people and events: titles, badges, groups, logs, deliveries, queries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.servers.discourse.client import Site, serving
from tests.servers.discourse.explorer import StoredQuery
from tests.servers.discourse.records import Badge, Topic

RAW = "Words that are enough for a topic."


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as serve:
        yield serve()


def topic(site: Site, replies: int = 0) -> Topic:
    made = site.server.as_user("alice").topic("A title of enough length", RAW)
    for number in range(replies):
        site.server.as_user("bob").reply(made, f"This is reply number {number}.")
    site.server.clock.advance(3600)
    return made


# --- people


def test_a_title_comes_from_a_badge_or_group_or_from_staff(site: Site) -> None:
    site.put("/u/bob.json", "bob", title="Helper")
    bob = site.forum.user("bob")
    assert bob is not None and bob.title is None
    site.forum.badges[101] = Badge(101, "Helper", allow_title=True)
    site.post("/user_badges.json", username="bob", badge_id=101)
    answer = site.put("/u/bob.json", "bob", title="Helper").json()
    assert answer["user"]["title"] == "Helper"
    held = next(iter(site.forum.grants))
    site.delete(f"/user_badges/{held}.json")
    assert bob.title is None
    site.put("/u/bob.json", title="Chosen by staff")
    assert bob.title == "Chosen by staff"


def test_a_badge_that_is_given_once_is_not_given_twice(site: Site) -> None:
    site.forum.badges[101] = Badge(101, "Helper")
    ids = [
        site.post("/user_badges.json", username="bob", badge_id=101).json()["user_badge"]["id"] for _ in "ab"
    ]
    assert ids[0] == ids[1]


def test_groups_log_who_was_added_by_whom(site: Site) -> None:
    group = site.forum.new_group("crew")
    site.put(f"/groups/{group.id}/members.json", usernames="alice,bob")
    site.delete(f"/groups/{group.id}/members.json", username="bob")
    logs = site.json("/groups/crew/logs.json")["logs"]
    assert [(e["action"], e["target_user"]["username"]) for e in logs] == [
        ("remove_user_from_group", "bob"),
        ("add_user_to_group", "bob"),
        ("add_user_to_group", "alice"),
    ]
    assert site.json(f"/groups/{group.id}/logs.json")["logs"] == logs


def test_staff_edits_of_others_are_logged_and_own_ones_are_not(site: Site) -> None:
    made = topic(site, 1)
    site.put(f"/posts/{made.posts[0]}.json", **{"post[raw]": RAW + " By staff."})
    site.put(f"/posts/{made.posts[1]}.json", "bob", **{"post[raw]": "New words by the author."})
    site.delete(f"/posts/{made.posts[1]}.json")
    rows = site.json("/admin/logs/staff_action_logs.json")["staff_action_logs"]
    assert [row["action_name"] for row in rows] == ["delete_post", "post_edit"]


# --- the delivery log


def test_every_change_is_in_the_delivery_log_newest_first(site: Site) -> None:
    hook = site.forum.hooks.add(wildcard=True, secret="a-secret-of-some-length")
    made = topic(site, 60)
    system, alice = site.server.as_user("system"), site.server.as_user("alice")
    alice.like(site.forum.posts[made.posts[1]])
    alice.unlike(site.forum.posts[made.posts[1]])
    system.edit(site.forum.first_post(made), RAW + " Changed.")
    system.tag(made, "red")
    system.delete(site.forum.posts[made.posts[2]])
    path = f"/admin/api/web_hooks/{hook.id}/events.json"
    body = site.json(path)
    assert (len(body["web_hook_events"]), body["total_rows_web_hook_events"]) == (50, 66)
    assert len(site.json(path, offset=50)["web_hook_events"]) == 16
    assert (
        body["web_hook_events"] == site.json(f"/admin/api/web_hook_events/{hook.id}.json")["web_hook_events"]
    )
    names = [json.loads(row["headers"])["X-Discourse-Event"] for row in body["web_hook_events"]]
    assert names[:5] == ["post_destroyed", "topic_edited", "post_edited", "like_created", "post_created"]
    edited = json.loads(body["web_hook_events"][2]["payload"])["post"]
    assert (edited["raw"], edited["id"]) == (RAW + " Changed.", made.posts[0])
    assert json.loads(body["web_hook_events"][1]["payload"])["topic"]["tags"] == ["red"]
    signature = json.loads(body["web_hook_events"][0]["headers"])["X-Discourse-Event-Signature"]
    assert signature.startswith("sha256=")
    site.server.clock.advance(timedelta(days=31))
    assert site.json(path)["web_hook_events"] == []


def test_a_hook_hears_only_what_it_asked_for(site: Site) -> None:
    site.forum.hooks.add(types=frozenset({"topic"}))
    topic(site, 2)
    assert [e.name for e in site.forum.hooks.events] == ["topic_created"]


def test_data_explorer_runs_a_stored_query(site: Site) -> None:
    sql = "-- [params]\n-- int :after = 0\nSELECT id, deleted_at FROM posts WHERE id > :after ORDER BY id"
    site.forum.queries[1] = StoredQuery(1, sql, groups={"experts"})
    topic(site, 3)
    path = "/admin/plugins/explorer/queries/1/run.json"
    assert site.post(path, params='{"after":"2"}').status_code == 404
    site.forum.settings.data_explorer_enabled = True
    body = site.post(path, params='{"after":"2"}').json()
    assert (body["columns"], body["rows"]) == (["id", "deleted_at"], [["3", None], ["4", None]])
    assert site.post(path, limit="1").json()["result_count"] == 1
    assert site.json("/admin/plugins/explorer/queries/1.json")["query"]["sql"] == sql
    assert site.post(path, "bob").status_code == 404  # a moderator


def test_data_explorer_answers_for_the_groups_that_a_query_is_for(site: Site) -> None:
    site.forum.settings.data_explorer_enabled = True
    site.forum.queries[1] = StoredQuery(1, "SELECT 1 AS one", groups={"experts"})
    group = site.forum.new_group("experts")
    assert site.post("/g/experts/reports/1/run.json", "alice").status_code == 404
    alice = site.forum.user("alice")
    assert alice is not None
    group.members[alice.id] = site.forum.clock()
    assert site.post("/g/experts/reports/1/run.json", "alice").json()["rows"] == [["1"]]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT wings FROM posts", "no such column"),
        ("SELECT 1; DROP TABLE posts", "semicolons"),
        ("-- [params]\n-- int :n\nSELECT :n", "Missing parameter n"),
    ],
)
def test_data_explorer_says_what_is_wrong_with_a_query(site: Site, sql: str, said: str) -> None:
    site.forum.settings.data_explorer_enabled = True
    site.forum.queries[1] = StoredQuery(1, sql)
    answer = site.post("/admin/plugins/explorer/queries/1/run.json")
    assert answer.status_code == 422
    assert said in answer.json()["errors"][0]


def test_an_answer_is_accepted_and_unaccepted(site: Site) -> None:
    made = topic(site, 1)
    assert site.post("/solution/accept.json", id=made.posts[1]).status_code == 404
    site.forum.settings.solved_enabled = True
    assert site.post("/solution/accept.json", "alice", id=made.posts[1]).status_code == 200
    assert site.json(f"/t/{made.id}.json")["accepted_answer"]["post_number"] == 2
    assert site.json("/latest.json")["topic_list"]["topics"][0]["has_accepted_answer"] is True
    assert site.post("/solution/unaccept.json", "bob", id=made.posts[1]).status_code == 403
