"""What writing does to the stand-in: validation, memo, versions, bumps, deletions, moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.servers.discourse.client import Serve, Site, serving
from tests.servers.discourse.moderation import expire_deletions, run_timers
from tests.servers.discourse.posting import approve
from tests.servers.discourse.records import Post, PostType, Topic

TITLE, RAW = "A title of enough length", "Words that are enough for a topic."


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as serve:
        yield serve()


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start


def topic(site: Site, replies: int = 0, by: str = "alice") -> Topic:
    made = site.server.as_user(by).topic(TITLE + f" {len(site.forum.topics)}", RAW)
    for number in range(replies):
        site.server.as_user("bob").reply(made, f"This is reply number {number}.")
    site.server.clock.advance(3600)
    return made


# --- creating


def test_the_same_post_sent_again_within_two_minutes_is_the_same_post(site: Site) -> None:
    first = site.post("/posts.json", title=TITLE, raw=RAW).json()
    site.server.clock.advance(110)
    assert site.post("/posts.json", title=TITLE, raw=RAW).json() == first
    site.server.clock.advance(20)
    late = site.post("/posts.json", title=TITLE, raw=RAW)
    assert (late.status_code, late.json()["errors"]) == (422, ["Title has already been used"])
    assert len(site.forum.posts) == 1


def test_an_error_is_remembered_after_its_cause_is_gone(site: Site) -> None:
    made = topic(site)
    site.server.as_user("system").close(made)
    form = {"topic_id": made.id, "raw": "May I say something here?"}
    assert site.post("/posts.json", "bob", **form).status_code == 422
    site.server.as_user("system").reopen(made)
    assert site.post("/posts.json", "bob", **form).status_code == 422
    site.server.clock.advance(121)
    assert site.post("/posts.json", "bob", **form).status_code == 200


def test_another_parameter_or_user_is_another_post(site: Site) -> None:
    made = topic(site)
    for extra in ({}, {"reply_to_post_number": 1}):
        site.post("/posts.json", topic_id=made.id, raw=RAW, **extra)
    site.post("/posts.json", "adminuser", topic_id=made.id, raw=RAW)
    assert made.posts_count == 4


def test_members_may_not_repeat_themselves_for_five_minutes_and_staff_may(site: Site) -> None:
    made = topic(site)
    for user, status in (("bob", 422), ("system", 200)):
        site.post("/posts.json", user, topic_id=made.id, raw=RAW + "!")
        site.server.clock.advance(60)
        again = site.post("/posts.json", user, topic_id=made.id, raw=RAW + "! ", auto_track="false")
        assert again.status_code == status
    site.server.clock.advance(300)
    assert site.post("/posts.json", "bob", topic_id=made.id, raw=RAW + "!").status_code == 200


def test_a_held_post_has_no_id(site: Site) -> None:
    site.forum.settings.approve_all_posts = True
    answer = site.post("/posts.json", "bob", title=TITLE, raw=RAW).json()
    assert (answer["action"], answer["success"], "id" in answer) == ("enqueued", True, False)
    assert site.forum.posts == {}
    assert site.post("/posts.json", title=TITLE, raw=RAW).json()["id"] == 1


def test_recipients_without_archetype_make_a_public_topic(site: Site) -> None:
    made = site.post("/posts.json", title=TITLE, raw=RAW, target_recipients="bob").json()
    assert not site.forum.topics[made["topic_id"]].private
    made = site.post(
        "/posts.json", title=TITLE, raw=RAW, target_recipients="bob", archetype="private_message"
    ).json()
    message = site.forum.topics[made["topic_id"]]
    assert (message.private, message.allowed_users) == (True, [-1, 3])
    assert site.get(f"/t/{message.id}.json", "alice").status_code == 404
    assert site.get(f"/t/{message.id}.json", "bob").status_code == 200


def test_a_member_who_takes_no_messages_gets_them_from_staff_only(site: Site) -> None:
    site.put("/u/bob.json", allow_private_messages="false")
    form = {"title": TITLE, "raw": RAW, "target_recipients": "bob", "archetype": "private_message"}
    assert site.post("/posts.json", "alice", **form).status_code == 422
    assert site.post("/posts.json", **form).status_code == 200


def test_a_back_dated_topic_is_not_at_the_top(site: Site) -> None:
    topic(site)
    made = site.post("/posts.json", title=TITLE, raw=RAW, created_at="2020-01-01T00:00:00Z").json()
    assert site.json("/latest.json")["topic_list"]["topics"][-1]["id"] == made["topic_id"]


def test_an_external_id_is_taken_once_whatever_its_case(serve: Serve) -> None:
    site = serve("2022")
    assert site.post("/posts.json", title=TITLE, raw=RAW, external_id="a-1").status_code == 200
    again = site.post("/posts.json", title=TITLE + " 2", raw=RAW + " 2", external_id="A-1")
    assert again.status_code == 422


def test_comments_stay_in_raw_and_vanish_from_cooked(site: Site) -> None:
    made = site.post(
        "/posts.json", title=TITLE, raw="Seen words of a topic. <!-- mark:1 --> @bob @nobody"
    ).json()
    assert "<!-- mark:1 -->" in made["raw"]
    assert "mark" not in made["cooked"]
    assert '<a class="mention" href="/u/bob"' in made["cooked"]
    assert '<span class="mention">@nobody</span>' in made["cooked"]


def test_markup_that_is_not_allowed_does_not_reach_the_page(site: Site) -> None:
    raw = (
        'Words <script>alert(1)</script> <img src="javascript:x" onerror="y"> <b onclick="z">bold</b> enough.'
    )
    cooked = site.post("/posts.json", title=TITLE, raw=raw).json()["cooked"]
    assert not any(bad in cooked for bad in ("script", "alert", "onerror", "onclick"))
    assert "<b>bold</b>" in cooked


def test_titles_are_prettified(site: Site) -> None:
    made = site.post("/posts.json", title="what is this  all about??? tell me.", raw=RAW).json()
    assert site.forum.topics[made["topic_id"]].title == "What is this all about? tell me"


def test_tags_are_taken_as_names_and_as_objects(serve: Serve) -> None:
    site = serve("2026")
    site.forum.tag("red")
    form = {"title": TITLE, "raw": RAW, "tags": [{"id": 1}, {"name": "blue"}]}
    made = site.ask("POST", "/posts.json", json=form).json()
    assert site.forum.topics[made["topic_id"]].tags == ["red", "blue"]


def test_a_held_post_is_let_through_by_a_moderator(site: Site) -> None:
    site.forum.settings.approve_all_posts = True
    site.post("/posts.json", "bob", title=TITLE, raw=RAW)
    post = approve(site.forum, site.forum.pending[0])
    assert (post.raw, site.forum.pending) == (RAW, [])
    assert site.get(f"/t/{post.topic_id}.json", "alice").status_code == 200


# --- editing


def edit(site: Site, number: int, raw: str, user: str | None = None, **more: str) -> Any:
    return site.put(f"/posts/{number}.json", user, **{"post[raw]": raw}, **more)


def test_an_edit_against_another_text_is_a_conflict(site: Site) -> None:
    made = topic(site)
    number = made.posts[0]
    old = {"post[raw_old]": "What it never was"}
    assert edit(site, number, RAW + " New.", **old).status_code == 409
    assert edit(site, number, RAW + " New.", **{"post[raw_old]": RAW}).status_code == 200
    assert site.forum.posts[number].raw == RAW + " New."


def test_the_author_edits_without_a_version_for_five_minutes(site: Site) -> None:
    made = site.server.as_user("alice").topic(TITLE, RAW)
    post = site.forum.first_post(made)
    before = post.updated_at
    edit(site, post.id, RAW + " More.", "alice")
    assert (post.version, post.updated_at > before) == (1, True)
    edit(site, post.id, RAW + " More and more of it." * 30, "alice")
    assert post.version == 2
    site.server.clock.advance(301)
    edit(site, post.id, RAW, "alice")
    assert post.version == 3
    edit(site, post.id, RAW + " By another.")
    assert post.version == 4
    history = site.json(f"/posts/{post.id}/revisions/latest.json")
    assert (history["current_version"], history["username"]) == (4, "system")
    assert site.get(f"/posts/{post.id}/revisions/1.json").status_code == 400


def test_what_moves_a_topic_up(site: Site) -> None:
    """A reply; a new version of the last post; a title of a topic without replies; opening again."""

    def moves(act: Callable[[Topic], object], replies: int = 1) -> bool:
        made = topic(site, replies)
        before = made.bumped_at
        act(made)
        return made.bumped_at > before

    def last(made: Topic) -> Post:
        return site.forum.posts[made.posts[-1]]

    def close_and_reopen(made: Topic) -> None:
        system.close(made)
        site.server.clock.advance(5)
        system.reopen(made)

    system, form = site.server.as_user("system"), {"raw": "Something else is said here."}
    assert moves(lambda t: site.post("/posts.json", topic_id=t.id, **form))
    assert not moves(lambda t: site.post("/posts.json", topic_id=t.id, no_bump="true", **form))
    assert moves(lambda t: system.edit(last(t), "The last post has new words now."))
    assert not moves(lambda t: system.edit(site.forum.first_post(t), "The first post has new words."))
    assert not moves(lambda t: system.retitle(t, "Another title for this topic"))
    assert moves(lambda t: system.retitle(t, "Another title, of a single post"), replies=0)
    assert moves(lambda t: system.tag(t, "red"), replies=0)
    assert not moves(lambda t: system.tag(t, "red"))
    assert not moves(system.close)
    assert moves(close_and_reopen)
    assert not moves(lambda t: system.set_state(t, "archived"))
    assert not moves(lambda t: site.server.as_user("alice").like(last(t)))
    assert not moves(lambda t: system.delete(last(t)))


def test_what_changes_updated_at_of_a_post(site: Site) -> None:
    made = topic(site, 2)
    posts = [site.forum.posts[n] for n in made.posts]
    before = [p.updated_at for p in posts]
    site.server.as_user("alice").like(posts[1])
    site.server.as_user("system").delete(posts[2])
    site.server.as_user("system").recover(posts[2])
    assert [p.updated_at for p in posts] == before
    site.server.as_user("bob").delete(posts[1])
    assert (posts[1].updated_at > before[1], posts[1].user_deleted) == (True, True)
    assert posts[1].raw == "(post deleted by author)"


def test_only_the_word_true_enables_in_old_dialects(serve: Serve) -> None:
    for dialect, closed in (("2021", False), ("2026", True)):
        site = serve(dialect)
        made = topic(site)
        site.put(f"/t/{made.id}/status.json", status="closed", enabled="True")
        assert made.closed is closed
        site.put(f"/t/{made.id}/status.json", status="closed", enabled="true")
        assert made.closed is True


def test_a_state_that_holds_already_leaves_no_trace(site: Site) -> None:
    made = topic(site)
    for _ in range(2):
        site.put(f"/t/{made.id}/status.json", status="closed", enabled="true")
    codes = [p.action_code for p in site.forum.posts_of(made) if p.post_type == PostType.SMALL]
    assert codes == ["closed.enabled"]
    assert (made.posts_count, made.highest_post_number) == (2, 2)  # small actions are counted


def test_tags_that_may_not_be_set_are_dropped_and_later_refused(serve: Serve) -> None:
    for dialect, status in (("2021", 200), ("2026", 422)):
        site = serve(dialect)
        site.forum.settings.refused_tags = frozenset({"secret"})
        made = topic(site)
        answer = site.put(f"/t/-/{made.id}.json", **{"tags[]": ["secret", "Big Red"]})
        assert (answer.status_code, made.tags) == (status, ["big-red"] if status == 200 else [])
    site.put(f"/t/-/{made.id}.json", **{"tags[]": "red"})
    assert site.put(f"/t/-/{made.id}.json", **{"tags[]": ""}).status_code == 200
    assert made.tags == []


def test_a_stale_title_is_a_conflict_in_the_newest_dialect(serve: Serve) -> None:
    for dialect, status in (("2022", 200), ("2026", 409)):
        site = serve(dialect)
        made = topic(site)
        form = {"title": "A title that is new and long", "original_title": "Not what it is"}
        assert site.put(f"/t/-/{made.id}.json", **form).status_code == status


# --- deleting and moving


def test_a_deleted_topic_is_gone_for_members_and_there_for_staff(site: Site) -> None:
    made = topic(site, 1)
    assert site.delete(f"/t/{made.id}.json").content == b""
    assert site.get(f"/t/{made.id}.json", "bob").status_code == 404
    assert site.json(f"/t/{made.id}.json")["deleted_at"] is not None
    assert site.put(f"/t/{made.id}/recover.json").status_code == 200
    assert site.get(f"/t/{made.id}.json", "bob").status_code == 200
    site.forum.settings.detailed_404 = True
    site.delete(f"/t/{made.id}.json")
    assert site.get(f"/t/{made.id}.json", "bob").status_code == 410


def test_a_post_deleted_by_its_author_vanishes_a_day_later(site: Site) -> None:
    made = topic(site, 1)
    post = site.forum.posts[made.posts[1]]
    site.server.as_user("bob").delete(post)
    assert expire_deletions(site.forum) == []
    site.server.clock.advance(timedelta(hours=25))
    assert expire_deletions(site.forum) == [post]
    assert post.deleted_at is not None


def test_moved_posts_keep_their_ids_and_a_first_post_is_copied(site: Site) -> None:
    made = topic(site, 3)
    form = {"post_ids[]": [made.posts[0], made.posts[2]], "title": "A topic for what was moved"}
    first, moved = made.posts[0], made.posts[2]
    answer = site.post(f"/t/{made.id}/move-posts.json", **form).json()
    target = site.forum.topics[int(answer["url"].split("/")[-1])]
    assert site.forum.posts[first].topic_id == made.id
    assert site.forum.posts[moved].topic_id == target.id
    assert [site.forum.posts[n].post_number for n in target.posts] == [1, 2]
    assert target.posts[1] == moved
    assert site.forum.posts[made.posts[-1]].action_code == "split_topic"


def test_timers_are_carried_out_when_they_are_due(site: Site) -> None:
    made = topic(site)
    site.post(f"/t/{made.id}/timer.json", status_type="close", time="48")
    assert run_timers(site.forum) == []
    site.server.clock.advance(timedelta(hours=49))
    assert (run_timers(site.forum), made.closed) == ([made], True)


def test_bulk_changes_leave_out_what_cannot_be_changed(site: Site) -> None:
    made = [topic(site), topic(site)]
    site.server.as_user("system").close(made[0])
    form = {"topic_ids[]": [1, 2, 99], "operation[type]": "close"}
    assert site.put("/topics/bulk.json", **form).json() == {"topic_ids": [2]}
