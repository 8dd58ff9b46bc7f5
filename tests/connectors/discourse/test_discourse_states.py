"""When something became so: the forum's own record of it, wherever it keeps one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ordito.config.durations import Duration
from ordito.config.model import Exclude
from ordito.connectors.records import Badge as BadgeRecord
from ordito.connectors.records import Group, Member, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import anna, asked, topics
from tests.connectors.discourse.site import DiscourseSite, connect, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.records import Badge
from tests.servers.discourse.records import Group as ServerGroup

DAY = timedelta(days=1, minutes=1)
Told = list[tuple[str, object, bool, datetime]]


@pytest.fixture(params=["2021", "2023", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        yield server


def told(mirror: MemoryMirror, *fields: str) -> Told:
    """What the platform recorded of these fields, each once, with the second in which it was."""
    found = {(c.field, c.value, c.on, c.at.replace(microsecond=0)): None for c in mirror.changes}
    return sorted((key for key in found if key[0] in fields), key=lambda key: key[3])


def experts(server: DiscourseServer) -> ServerGroup:
    group = server.forum.group("experts")
    assert group is not None
    return group


# Groups


def test_the_log_of_a_group_tells_since_when_its_members_are_in_it(server: DiscourseServer) -> None:
    boss, group, member = server.as_user("boss"), experts(server), anna(server).user
    times = []
    for act in (boss.add_to, boss.remove_from, boss.add_to):
        times.append(server.clock.advance(3600).replace(microsecond=0))
        act(group, member)
    mirror = mirrored(connect(server))
    assert told(mirror, "group") == []  # a first sync spends no request on it
    server.clock.advance(DAY)
    mirror.sync()
    expected = [("group", "experts", on, at) for on, at in zip((True, False, True), times, strict=True)]
    assert told(mirror, "group") == expected
    server.clock.advance(DAY)
    assert not any("logs.json" in request and "groups" in request for request in asked(server, mirror))
    at = server.clock.advance(3600).replace(microsecond=0)
    boss.remove_from(group, member)
    server.clock.advance(DAY)
    requests = asked(server, mirror)
    assert sum("/groups/experts/logs.json" in request for request in requests) == 1
    assert told(mirror, "group")[-1] == ("group", "experts", False, at)


def test_a_long_log_of_a_group_is_read_to_its_end(new: DiscourseServer) -> None:
    boss, group = new.as_user("boss"), experts(new)
    for n in range(60):
        boss.add_to(group, new.forum.new_user(f"one{n}"))
    mirror = mirrored(connect(new))
    new.clock.advance(DAY)
    assert sum("/groups/experts/logs.json" in request for request in asked(new, mirror)) == 3
    assert len(mirror.changes) == 60


def test_a_moderator_who_may_not_read_the_log_knows_the_members_all_the_same(new: DiscourseServer) -> None:
    new.as_user("boss").add_to(experts(new), anna(new).user)
    us = new.forum.user("ordito")
    assert us is not None
    us.admin, us.moderator = False, True
    mirror = mirrored(connect(new))
    new.clock.advance(DAY)
    mirror.sync()
    assert told(mirror, "group") == []
    held = {g.name: g.members for g in mirror.of(Group).values()}  # type: ignore[union-attr]
    assert held["experts"] == {str(anna(new).user.id)}


def test_nobody_who_is_excluded_is_in_what_a_log_tells(new: DiscourseServer) -> None:
    new.as_user("boss").add_to(experts(new), anna(new).user)
    mirror = mirrored(connect(new, exclude=Exclude(members=["anna"])))
    new.clock.advance(DAY)
    mirror.sync()
    assert mirror.changes == []


# Levels and titles


def test_the_log_of_staff_actions_tells_when_levels_and_titles_were_changed(server: DiscourseServer) -> None:
    forum, member = server.forum, anna(server).user
    mirror = mirrored(connect(server))
    at = server.clock.advance(3600).replace(microsecond=0)
    server.as_user("boss").set_trust_level(member, 4)
    titled = server.clock.advance(3600).replace(microsecond=0)
    boss = forum.user("boss")
    assert boss is not None
    forum.log_staff("change_title", boss, target_user_id=member.id, previous=None, new="Carpenter")
    server.clock.advance(60)
    forum.log_staff("revoke_title", boss, target_user_id=member.id, previous="Carpenter")
    server.clock.advance(DAY)
    mirror.sync()
    assert told(mirror, "trust_level", "title") == [
        ("trust_level", 4, True, at),
        ("title", "Carpenter", True, titled),
        ("title", "", True, titled + timedelta(minutes=1)),
    ]
    assert mirror.of(Member)[str(member.id)].trust_level == 4  # type: ignore[union-attr]


def test_a_deleted_account_is_gone_at_the_next_sweep(server: DiscourseServer) -> None:
    late = server.forum.new_user("late")
    mirror = mirrored(connect(server))
    server.as_user("boss").destroy(late)
    server.clock.advance(DAY)
    mirror.sync()
    assert str(late.id) not in mirror.of(Member)


# Badges


@pytest.fixture
def badge(server: DiscourseServer) -> Badge:
    number = server.forum.ids["badge"]
    server.forum.badges[number] = Badge(number, "Carpenter", multiple_grant=True)
    return server.forum.badges[number]


def holders(mirror: MemoryMirror, name: str = "Carpenter") -> dict[str, datetime]:
    found = [item for item in mirror.items.values() if isinstance(item, BadgeRecord) and item.name == name]
    return {} if not found else {m: at.replace(microsecond=0) for m, at in found[0].holders.items()}


def test_badges_come_with_all_who_hold_them_and_since_when(server: DiscourseServer, badge: Badge) -> None:
    boss, member, number = server.as_user("boss"), anna(server).user, server.forum.ids["badge"]
    server.forum.badges[number] = Badge(number, "Basic", system=True)
    boss_user = server.forum.user("boss")
    assert boss_user is not None
    first = server.clock.advance(3600).replace(microsecond=0)
    boss.grant(badge, member)
    server.clock.advance(3600)
    boss.grant(badge, member)
    mirror = mirrored(connect(server))
    assert holders(mirror) == {str(member.id): first}
    assert not any(isinstance(i, BadgeRecord) and i.name == "Basic" for i in mirror.items.values())
    server.clock.advance(DAY)
    assert not any("/user_badges.json" in request for request in asked(server, mirror))
    boss.grant(badge, boss_user)
    server.clock.advance(DAY)
    assert sum("/user_badges.json" in request for request in asked(server, mirror)) == 1
    assert set(holders(mirror)) == {str(member.id), str(boss_user.id)}
    badge.name = "Joiner"
    server.clock.advance(DAY)
    mirror.sync()
    assert set(holders(mirror, "Joiner")) == {str(member.id), str(boss_user.id)}


def test_a_badge_held_by_hundreds_takes_a_request_for_each_hundred(new: DiscourseServer) -> None:
    number = new.forum.ids["badge"]
    new.forum.badges[number] = made = Badge(number, "Carpenter")
    for n in range(200):
        new.as_user("boss").grant(made, new.forum.new_user(f"one{n}"))
    before = len(new.requests)
    mirror = mirrored(connect(new))
    assert len(holders(mirror)) == 200
    assert sum(e.path == "/user_badges.json" for e in new.requests[before:]) == 3


def test_a_badge_that_is_taken_away_is_told_unless_another_grant_remains(
    server: DiscourseServer, badge: Badge
) -> None:
    boss, member, number = server.as_user("boss"), anna(server).user, server.forum.ids["badge"]
    server.forum.badges[number] = single = Badge(number, "Baker")
    for kind in (badge, badge, single):
        boss.grant(kind, member)
    mirror = mirrored(connect(server))
    at = server.clock.advance(3600).replace(microsecond=0)
    boss.revoke(single, member)
    server.clock.advance(DAY)
    mirror.sync()
    assert ("badge", "Baker", False, at) in told(mirror, "badge")
    assert all(value != "Carpenter" for _, value, on, _ in told(mirror, "badge") if not on)
    assert holders(mirror, "Baker") == {}


# Topics


@pytest.fixture(params=["a sweep", "a webhook"])
def source(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.mark.parametrize("state", ["closed", "archived", "visible"])
def test_the_time_of_a_change_of_state_is_the_forums_in_every_dialect(
    server: DiscourseServer, source: str, state: str
) -> None:
    topic = topics(server, 2, replies=3)[0]
    if source == "a webhook":
        server.forum.hooks.add(wildcard=True)
    mirror = mirrored(connect(server, webhook=1 if source == "a webhook" else None))
    expected: Told = []
    for on in (state != "visible", state == "visible"):
        at = server.clock.advance(7200).replace(microsecond=0)
        server.as_user("boss").set_state(topic, state, on)
        expected.append((state, on, True, at))
    server.clock.advance(60)
    server.as_user("boss").set_state(topic, state, state != "visible")
    expected.append((state, state != "visible", True, server.clock().replace(microsecond=0)))
    server.clock.advance(DAY)
    mirror.sync()
    assert told(mirror, state) == expected


def test_a_reopened_topic_is_told_between_sweeps(server: DiscourseServer) -> None:
    topic = topics(server, 2, replies=30)[0]
    server.as_user("boss").close(topic)
    mirror = mirrored(connect(server, sweep=Duration(300, "day")))
    at = server.clock.advance(7200).replace(microsecond=0)
    server.as_user("boss").reopen(topic)
    server.clock.advance(60)
    mirror.sync()
    assert ("closed", False, True, at) in told(mirror, "closed")


def test_a_mirror_from_before_the_flags_were_noted_reads_no_topic_for_them(new: DiscourseServer) -> None:
    topics(new, 30)
    mirror = mirrored(connect(new))
    for ref, item in list(mirror.items.items()):
        if isinstance(item, Thread):
            mirror.items[ref] = replace(item, stamp=re.sub(r"^(1\|\w+)\.\w*", r"\1", item.stamp))
    new.clock.advance(DAY)
    assert not any(request.startswith("/t/") for request in asked(new, mirror))
