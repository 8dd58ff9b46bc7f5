"""How the stand-in is read: pages and their ends, dialects, views."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.servers.discourse import DIALECTS, load_forum
from tests.servers.discourse.client import Serve, Site, serving
from tests.shared import shared


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start


def many_topics(site: Site, count: int) -> None:
    alice = site.server.as_user("alice")
    for number in range(count):
        alice.topic(f"Topic number {number} of many", f"The words of topic number {number}.")


# --- /posts.json


def all_ids(site: Site, dialect: str) -> list[int]:
    """Every post, read as that dialect is read."""
    found: list[int] = []
    newest = max(site.forum.post_ids)
    before = newest + 1 if dialect == "2026" else newest
    while before > 0:
        ids = [row["id"] for row in site.json("/posts.json", before=before)["latest_posts"]]
        found += ids
        if DIALECTS[dialect].posts_window == "ids":
            before -= 50
        elif not ids or min(ids) == 1:
            break
        else:
            before = min(ids) if dialect == "2026" else min(ids) - 1
    return found


@pytest.mark.parametrize("dialect", ["2021", "2022", "2023", "2026"])
def test_every_post_is_read_exactly_once_in_every_dialect(serve: Serve, dialect: str) -> None:
    site = serve(dialect)
    many_topics(site, 120)
    assert sorted(all_ids(site, dialect)) == sorted(site.forum.posts)


def test_an_old_page_covers_fifty_ids_and_may_be_empty(serve: Serve) -> None:
    site = serve("2021")
    many_topics(site, 10)
    site.forum.ids.seen("post", 200)
    many_topics_later = site.server.as_user("bob").topic("A topic after a gap", "The words after the gap.")
    newest = many_topics_later.posts[0]
    assert [r["id"] for r in site.json("/posts.json")["latest_posts"]] == [newest]
    assert site.json("/posts.json", before=newest - 50)["latest_posts"] == []
    assert len(site.json("/posts.json", before=50)["latest_posts"]) == 10


def test_a_new_page_is_full_across_a_gap(serve: Serve) -> None:
    site = serve("2026")
    many_topics(site, 10)
    site.forum.ids.seen("post", 200)
    site.server.as_user("bob").topic("A topic after a gap", "The words after the gap.")
    assert len(site.json("/posts.json")["latest_posts"]) == 11


@pytest.mark.parametrize(("dialect", "first"), [("2021", 7), ("2023", 7), ("2026", 6)])
def test_before_includes_its_post_until_it_does_not(serve: Serve, dialect: str, first: int) -> None:
    site = serve(dialect)
    many_topics(site, 10)
    assert site.json("/posts.json", before=7)["latest_posts"][0]["id"] == first


@pytest.mark.parametrize(("dialect", "shown"), [("2021", True), ("2026", False)])
def test_small_actions_and_unlisted_topics_are_in_old_pages_only(
    serve: Serve, dialect: str, shown: bool
) -> None:
    site = serve(dialect)
    many_topics(site, 2)
    system = site.server.as_user("system")
    system.set_state(site.forum.topics[1], "visible", False)
    ids = {row["id"] for row in site.json("/posts.json")["latest_posts"]}
    assert (1 in ids, 3 in ids) == (shown, shown)


def test_private_posts_are_apart_and_deleted_ones_in_neither(serve: Serve) -> None:
    site = serve()
    many_topics(site, 1)
    message = site.server.as_user("alice").message("bob", "Hello Bob", "Just between us two.")
    post = site.server.as_user("bob").reply(1, "A reply that will go away.")
    site.server.as_user("system").delete(post)
    assert [r["id"] for r in site.json("/posts.json")["latest_posts"]] == [1]
    assert [r["id"] for r in site.json("/private-posts.json")["private_posts"]] == message.posts


# --- lists


def pages(site: Site, path: str, **query: Any) -> list[list[int]]:
    """Ids page by page, until there is no more_topics_url."""
    found: list[list[int]] = []
    while True:
        listed = site.json(path, page=len(found), **query)["topic_list"]
        found.append([topic["id"] for topic in listed["topics"]])
        if "more_topics_url" not in listed:
            return found
        assert ".json" not in listed["more_topics_url"]


def test_a_list_ends_where_the_url_of_more_is_missing(serve: Serve) -> None:
    site = serve()
    many_topics(site, 65)
    assert [len(page) for page in pages(site, "/latest.json")] == [30, 30, 5]


def test_a_list_that_is_exactly_full_is_followed_by_an_empty_page(serve: Serve) -> None:
    site = serve()
    many_topics(site, 60)
    assert [len(page) for page in pages(site, "/latest.json")] == [30, 30, 0]


def test_a_pin_comes_first_and_takes_no_other_topic_away(serve: Serve) -> None:
    site = serve()
    many_topics(site, 40)
    site.server.as_user("system").set_state(site.forum.topics[1], "pinned_globally")
    first, second = pages(site, "/latest.json")
    assert first[0] == 1
    assert sorted(first + second) == list(range(1, 41))


def test_oldest_first_is_steady_while_topics_are_added(serve: Serve) -> None:
    site = serve()
    many_topics(site, 35)
    start = site.json("/latest.json", order="created", ascending="true")["topic_list"]["topics"]
    many_topics_before = [t["id"] for t in start]
    site.server.as_user("bob").topic("A topic in between pages", "Words of the topic in between.")
    rest = site.json("/latest.json", order="created", ascending="true", page=1)["topic_list"]["topics"]
    assert many_topics_before + [t["id"] for t in rest] == list(range(1, 37))


def test_per_page_is_for_the_newest_dialect(serve: Serve) -> None:
    old, new = serve("2021"), serve("2026")
    for site, expected in ((old, 30), (new, 100)):
        many_topics(site, 101)
        listed = site.json("/latest.json", per_page=100)["topic_list"]
        assert (len(listed["topics"]), listed["per_page"]) == (expected, expected)
    assert new.get("/latest.json", per_page=101).status_code == 400


def test_tags_are_names_and_later_objects(serve: Serve) -> None:
    for dialect, expected in (("2021", "red"), ("2026", {"id": 1, "name": "red", "slug": "red"})):
        site = serve(dialect)
        site.server.as_user("system").topic("A topic with a tag", "Words under a tag.", tags=["red"])
        assert site.json("/latest.json")["topic_list"]["topics"][0]["tags"] == [expected]
        assert site.json("/t/1.json")["tags"] == [expected]
        assert site.json("/tags.json")["tags"][0]["id"] == (expected if dialect == "2021" else 1)


def test_deleted_topics_are_listed_for_staff_who_ask(serve: Serve) -> None:
    site = serve()
    many_topics(site, 2)
    site.server.as_user("system").delete(site.forum.topics[1])
    assert pages(site, "/latest.json") == [[2]]
    assert pages(site, "/latest.json", status="deleted") == [[1]]
    assert site.json("/latest.json", "bob", status="deleted")["topic_list"]["topics"][0]["id"] == 2


def test_a_restricted_category_is_for_those_who_may_see_it(serve: Serve) -> None:
    site = serve()
    site.server.as_user("system").topic("Something among the staff", "Words for the staff only.", category=3)
    assert len(site.json("/latest.json")["topic_list"]["topics"]) == 1
    assert site.json("/latest.json", "alice")["topic_list"]["topics"] == []
    assert site.json("/posts.json", "alice")["latest_posts"] == []
    assert site.get("/t/1.json", "alice").status_code == 404


def test_the_user_list_starts_at_one_and_any_asc_ascends(serve: Serve) -> None:
    site = serve()
    for number in range(150):
        site.forum.new_user(f"member{number}", created_at=site.forum.clock.tick())
    path = "/admin/users/list/new.json"
    assert site.json(path, page=0) == site.json(path, page=1)
    assert len(site.json(path, page=1)) == 100
    assert site.json(path, page=3) == []
    up = site.json(path, order="created", asc="true")
    assert up == site.json(path, order="created", asc="false")
    assert up[0]["id"] < up[-1]["id"]


def test_owners_are_repeated_on_every_page_of_members(serve: Serve) -> None:
    site = serve()
    group = site.forum.new_group(
        "crew", members={u.id: site.forum.clock() for u in site.forum.users.values()}
    )
    group.owners = {1}
    for offset in (0, 2, 99):
        body = site.json("/groups/crew/members.json", limit=2, offset=offset)
        assert [u["id"] for u in body["owners"]] == [1]


def test_the_directory_ends_after_ten_pages_in_the_newest_dialect(serve: Serve) -> None:
    assert serve("2021").get("/directory_items.json", period="all", page=11).status_code == 200
    assert serve("2026").get("/directory_items.json", period="all", page=11).status_code == 400


def test_the_directory_has_the_own_row_on_top_of_fifty(serve: Serve) -> None:
    site = serve()
    for number in range(60):
        site.forum.new_user(f"member{number}")
    rows = site.json("/directory_items.json", "member59", period="all")["directory_items"]
    assert (len(rows), rows[0]["user"]["username"]) == (51, "member59")
    assert len(site.json("/directory_items.json", period="all")["directory_items"]) == 50


# --- one topic


@pytest.mark.parametrize(("dialect", "status"), [("2022", 404), ("2023", 301)])
def test_a_page_past_the_end(serve: Serve, dialect: str, status: int) -> None:
    site = serve(dialect)
    many_topics(site, 1)
    response = site.get("/t/1.json", page=9, print="true", include_raw="1")
    assert response.status_code == status
    if status == 301:
        assert response.headers["Location"].endswith("/t/topic-number-0-of-many/1.json?page=1")


def test_the_slug_redirect_keeps_more_parameters_in_later_dialects(serve: Serve) -> None:
    for dialect, query in (("2021", "?page=1"), ("2022", "?page=1&print=true")):
        site = serve(dialect)
        many_topics(site, 1)
        response = site.get("/t/-/1.json", page=1, print="true", include_raw="1")
        assert response.status_code == 301
        assert response.headers["Location"].endswith(".json" + query)
        assert response.text.startswith("<html>")


def test_an_external_id_leads_to_a_topic_by_a_redirect_without_body(serve: Serve) -> None:
    site = serve("2022")
    site.server.as_user("alice").topic("A topic known elsewhere", "Words of it, enough.", external_id="abc-1")
    response = site.get("/t/external_id/ABC-1.json")
    assert (response.status_code, response.content) == (301, b"")
    assert site.get("/t/external_id/other.json").status_code == 404
    assert serve("2021").get("/t/external_id/abc-1.json").status_code == 404


def test_reading_by_json_counts_one_view_a_day_in_old_dialects(serve: Serve) -> None:
    for dialect, views in (("2022", 2), ("2026", 0)):
        site = serve(dialect)
        many_topics(site, 1)
        site.json("/t/1.json")
        site.json("/t/1.json")
        site.server.clock.advance(timedelta(days=1))
        site.json("/t/1.json")
        assert site.forum.topics[1].views == views


def test_twenty_posts_a_page_and_a_thousand_printed(serve: Serve) -> None:
    site = serve()
    many_topics(site, 1)
    for number in range(29):
        site.server.as_user("bob").reply(1, f"Reply number {number} to the topic.")
    body = site.json("/t/1.json")["post_stream"]
    assert (len(body["posts"]), len(body["stream"])) == (20, 30)
    assert len(site.json("/t/1.json", print="true")["post_stream"]["posts"]) == 30
    assert "raw" not in body["posts"][0]
    assert site.json("/t/1.json", include_raw="1")["post_stream"]["posts"][0]["raw"]
    some = site.json("/t/1/posts.json?post_ids[]=3&post_ids[]=999&post_ids[]=25")["post_stream"]
    assert [p["id"] for p in some["posts"]] == [3, 25]
    assert "stream" not in some


def test_members_may_print_five_times_an_hour(serve: Serve) -> None:
    site = serve()
    many_topics(site, 1)
    statuses = [site.get("/t/1.json", "alice", print="true").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [422]


# --- loading


def test_the_real_forum_is_loaded_whole_with_its_newest_event_at_the_given_time() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    forum = load_forum(shared("data", "forum"), shift_to=moment)
    assert (len(forum.users), len(forum.topics), len(forum.posts)) == (999, 5046, 36990)
    newest = max(max(p.created_at, p.updated_at) for p in forum.posts.values())
    assert newest == forum.clock() == moment
    assert (
        sum(1 for t in forum.topics.values() if t.solved_by is not None) == 670
    )  # of 672; two answers are not among the posts
