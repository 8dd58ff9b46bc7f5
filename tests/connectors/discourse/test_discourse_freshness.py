"""What the mirror of a forum is said to be true up to, held against what it has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from ordito.connectors.base import Aspect, Freshness
from ordito.connectors.discourse.connector import DiscourseConnector
from ordito.connectors.discourse.freshness import freshness
from ordito.connectors.discourse.state import State
from ordito.connectors.records import Contribution, Member, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, topics
from tests.connectors.discourse.site import connect
from tests.servers.discourse import DiscourseServer

DAY = timedelta(days=1)
NOW = datetime.fromisoformat("2026-03-31T12:00:00+00:00")


def said(connector: DiscourseConnector, mirror: MemoryMirror, synced_at: datetime) -> Mapping[str, Freshness]:
    found = connector.freshness(mirror.cursor or {}, synced_at)
    assert len({fresh.aspect for fresh in found}) == len(found)
    return {fresh.aspect: fresh for fresh in found}


def test_no_change_is_missing_that_the_mirror_is_said_to_have(server: DiscourseServer) -> None:
    """Silent changes of every kind on one day; each sync after that either has them or does not claim to."""
    topics(server, 8, replies=30)
    long_ago = topics(server, 1)[0]
    topics(server, 8, replies=30)
    anna = server.forum.user("anna")
    assert anna is not None
    connector = connect(server)
    mirror = MemoryMirror(connector)
    mirror.sync()
    server.clock.advance(3600)
    post = server.forum.first_post(long_ago)
    post.raw, post.updated_at = f"{TEXT} Edited.", server.clock()
    long_ago.closed, long_ago.title, anna.title = True, "Another title than it had before", "Sage"
    changed = server.clock()
    late: set[str] = set()
    for _ in range(33):
        server.clock.advance(timedelta(days=1, minutes=1))
        began = server.clock()
        mirror.sync()
        thread = mirror.of(Thread)[str(long_ago.id)]
        words, member = mirror.of(Contribution)[str(post.id)], mirror.of(Member)[str(anna.id)]
        assert isinstance(thread, Thread)
        assert isinstance(words, Contribution)
        assert isinstance(member, Member)
        has: dict[Aspect, bool] = {
            "edits": words.text == post.raw, "states": thread.closed is True,
            "titles": thread.title == long_ago.title, "member titles": member.title == "Sage",
        }  # fmt: skip
        for aspect, fresh in said(connector, mirror, began).items():
            assert fresh.until is not None
            assert fresh.within is not None
            assert began - fresh.until <= 2 * fresh.within + DAY
            assert changed > fresh.until or has.get(aspect, True), aspect  # type: ignore[call-overload]
            late |= {aspect} if changed > fresh.until else set()
    assert late == {"edits", "deletions", "likes", "solutions"}
    assert all(has.values())


def test_a_deletion_that_something_else_makes_up_for_is_not_claimed_to_be_known(
    server: DiscourseServer,
) -> None:
    """An answer is deleted as another one of its topic comes back: no count and no row differs."""
    topic, boss = topics(server, 1, replies=3)[0], server.as_user("boss")
    topics(server, 4, replies=20)
    _, one, other, _ = server.forum.posts_of(topic)
    boss.delete(one)
    connector = connect(server)
    mirror = MemoryMirror(connector)
    mirror.sync()
    server.clock.advance(3600)
    boss.recover(one)
    boss.delete(other)
    changed = server.clock()
    seen = []
    for _ in range(33):
        server.clock.advance(timedelta(days=1, minutes=1))
        began = server.clock()
        mirror.sync()
        held = mirror.of(Contribution)
        seen.append(str(other.id) not in held and str(one.id) in held)
        until = said(connector, mirror, began)["deletions"].until
        assert until is not None
        assert seen[-1] or until < changed
    assert seen[-1]


def by_aspect(state: State, *, webhook: bool = False, explorer: bool = False) -> dict[str, Freshness]:
    found = freshness(state, NOW, DAY, webhook=webhook, explorer=explorer)
    return {fresh.aspect: fresh for fresh in found}


def test_a_sweep_that_was_cut_off_counts_for_nothing() -> None:
    days = [(NOW - n * DAY).isoformat() for n in range(4)]
    done = State(swept=days[1], swept_before=days[2], round=days[3], round_before=days[3])
    assert by_aspect(done)["labels"].until == NOW - DAY
    cut = State(job="sweep", swept=days[1], swept_before=days[2], round=days[3], round_before=days[3])
    assert by_aspect(cut)["labels"].until == NOW - 2 * DAY


def test_a_webhook_and_data_explorer_tell_of_more_with_each_sync() -> None:
    old = (NOW - 20 * DAY).isoformat()
    state = State(swept=old, swept_before=old, round=old, round_before=old, asked=NOW.isoformat())
    assert by_aspect(state)["edits"].until == NOW - 20 * DAY
    assert by_aspect(state, webhook=True)["edits"] == Freshness("edits", NOW)
    explored = by_aspect(state, explorer=True)
    assert explored["likes"] == Freshness("likes", NOW)
    assert explored["labels"].until == NOW - 20 * DAY


def test_a_query_that_is_not_answered_tells_up_to_when_it_was() -> None:
    old, asked = (NOW - 20 * DAY).isoformat(), (NOW - 3 * DAY).isoformat()
    state = State(swept=old, swept_before=old, round=old, round_before=old, asked=asked)
    assert by_aspect(state, explorer=True)["edits"] == Freshness("edits", NOW - 3 * DAY, 31 * DAY)
    state.asked = ""
    assert by_aspect(state, explorer=True) == by_aspect(state)


def test_after_a_gap_in_the_webhooks_log_edits_are_true_up_to_the_last_round() -> None:
    old, noticed = (NOW - 20 * DAY).isoformat(), (NOW - DAY).isoformat()
    state = State(swept=NOW.isoformat(), round=noticed, round_before=old, deaf=noticed)
    heard = by_aspect(state, webhook=True)
    assert {heard[aspect].until for aspect in ("edits", "deletions")} == {NOW - 20 * DAY}
    state.round_before = noticed
    assert by_aspect(state, webhook=True)["edits"] == Freshness("edits", NOW)


@pytest.mark.parametrize("aspect", ["members", "renames", "roles", "trust levels", "suspensions"])
@pytest.mark.parametrize("explorer", [False, True])
def test_what_the_account_may_not_read_is_said_to_be_unknown(aspect: str, explorer: bool) -> None:
    found = by_aspect(State(no_members=True, asked=NOW.isoformat()), explorer=explorer)[aspect]
    assert found.until is None
    assert "moderator" in found.hint


def test_groups_are_open_to_every_account_as_far_as_they_show_their_members() -> None:
    assert by_aspect(State(no_members=True, swept=NOW.isoformat()))["groups"].until == NOW
