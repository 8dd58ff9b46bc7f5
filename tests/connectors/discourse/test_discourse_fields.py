"""Each field of each record, with a value of its own: what the forum holds is what the mirror gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ordito.config.durations import Duration
from ordito.connectors.discourse.query import QUERY
from ordito.connectors.records import (
    Badge,
    Contribution,
    ContributionKind,
    Group,
    Kind,
    Member,
    Ref,
    Space,
    Thread,
    ThreadKind,
)
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.scenes import TEXT, anna, topics
from tests.connectors.discourse.site import DiscourseSite, connect, member, mirrored
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.explorer import StoredQuery
from tests.servers.discourse.records import Badge as ServerBadge
from tests.servers.discourse.records import User

OFTEN = Duration(1, "minute")
SELDOM = Duration(300, "day")


WAYS: dict[str, dict[str, Any]] = {
    "sweep": {"sweep": OFTEN},
    "webhook": {"webhook": 1, "sweep": SELDOM},
    "query": {"data_explorer": 7, "sweep": SELDOM},
}


@pytest.fixture(params=WAYS)
def ways(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The three ways in which a later change is found."""
    found: dict[str, Any] = WAYS[str(request.param)]
    return found


@pytest.fixture(params=["2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        server.forum.hooks.add(wildcard=True)
        server.forum.settings.data_explorer_enabled = True
        server.forum.queries[7] = StoredQuery(7, QUERY)
        yield server


def changed(server: DiscourseServer, user: User, **values: Any) -> None:
    """What is done to an account, with the traces that it leaves."""
    for name, value in values.items():
        setattr(user, name, value)
    server.forum.assign_automatic_groups(user)
    server.forum.hooks.user("user_updated", user)


MEMBERS: dict[str, Any] = {
    "name": {"name": "Anna of the Bees"},
    "trust_level": {"trust_level": 4},
    "admin": {"admin": True},
    "moderator": {"moderator": True},
    "staged": {"staged": True},
    "title": {"title": "Beekeeper"},
    "suspended_until": {"suspended_till": timedelta(days=9)},
    "silenced_until": {"silenced_till": timedelta(days=8)},
}


@pytest.mark.parametrize("field", MEMBERS)
def test_a_member_is_read_with(server: DiscourseServer, ways: dict[str, Any], field: str) -> None:
    user, now = anna(server).user, server.clock()
    values = {k: now + v if isinstance(v, timedelta) else v for k, v in MEMBERS[field].items()}
    mirror = mirrored(connect(server, **ways))
    before = mirror.of(Member)[str(user.id)]
    server.clock.advance(600)
    changed(server, user, **values)
    mirror.sync()
    held = mirror.of(Member)[str(user.id)]
    assert isinstance(held, Member) and isinstance(before, Member)
    assert getattr(held, field) == next(iter(values.values())) != getattr(before, field)
    fresh = mirrored(connect(server)).of(Member)[str(user.id)]
    assert isinstance(fresh, Member)
    for each in (held, fresh):
        assert replace(each, last_seen_at=None) == replace(member(user), last_seen_at=None)


def test_the_forums_own_accounts_are_bots(server: DiscourseServer) -> None:
    held = mirrored(connect(server)).of(Member).values()
    assert {m.username for m in held if isinstance(m, Member) and m.bot} == {"system", "discobot"}


def test_a_renamed_member_keeps_the_number_and_the_posts(
    server: DiscourseServer, ways: dict[str, Any]
) -> None:
    (topic,) = topics(server, 1)
    user = anna(server).user
    mirror = mirrored(connect(server, **ways))
    server.clock.advance(600)
    server.as_user("boss").rename(user, "annabella")
    mirror.sync()
    assert mirror.of(Member)[str(user.id)].username == "annabella"  # type: ignore[union-attr]
    assert mirror.of(Thread)[str(topic.id)].author == str(user.id)  # type: ignore[union-attr]


def test_categories_come_with_their_parents_and_limits(server: DiscourseServer) -> None:
    above = server.forum.new_category("Hives")
    below = server.forum.new_category(
        "Board", parent_id=above.id, readers=frozenset({"admins", "staff", "moderators"})
    )
    held = mirrored(connect(server)).of(Space)
    assert held[str(below.id)] == Space(
        site="forum", id=str(below.id), name="Board", parent=str(above.id), restricted=True
    )
    assert held[str(above.id)] == Space(site="forum", id=str(above.id), name="Hives")


def test_a_topic_and_its_posts_come_with_every_field(server: DiscourseServer) -> None:
    forum, boss = server.forum, server.as_user("boss")
    forum.settings.solved_enabled = True
    forum.settings.enable_whispers = True
    category = forum.new_category("Hives")
    topic = anna(server).topic("A question with everything in it", TEXT, category=category)
    server.clock.advance(60)
    answer = boss.reply(topic, f"{TEXT} This is the answer.", to=1)
    anna(server).like(answer)
    for tag in ("wax", "honey"):
        forum.tag(tag)
    boss.tag(topic, "wax", "honey")
    boss.accept(answer)
    boss.set_state(topic, "pinned")
    boss.close(topic)
    boss.set_state(topic, "archived")
    mirror = mirrored(connect(server, sweep=OFTEN))
    server.clock.advance(600)
    mirror.sync()
    held = mirror.of(Thread)[str(topic.id)]
    assert isinstance(held, Thread)
    assert (held.kind, held.space, held.title) == (ThreadKind.TOPIC, str(category.id), topic.title)
    assert (held.author, held.created_at) == (str(anna(server).user.id), topic.created_at)
    assert held.last_activity_at == topic.last_posted_at
    assert (held.closed, held.archived, held.visible, held.pinned) == (True, True, True, True)
    assert (held.labels, held.likes, held.solved_by) == (
        frozenset({"wax", "honey"}), 1, str(answer.id)
    )  # fmt: skip
    first, second = (mirror.of(Contribution)[str(n)] for n in (topic.posts[0], answer.id))
    assert isinstance(first, Contribution) and isinstance(second, Contribution)
    boss_user = forum.user("boss")
    assert boss_user is not None
    assert (second.thread, second.author, second.created_at) == (
        str(topic.id), str(boss_user.id), answer.created_at
    )  # fmt: skip
    assert (second.position, second.parent, second.likes) == (2, first.id, 1)
    assert (second.text, second.size) == (answer.raw, len(answer.raw.encode()))
    assert (second.kind, second.deleted_at) == (ContributionKind.REGULAR, None)


KINDS = {2: ContributionKind.MODERATOR, 4: ContributionKind.WHISPER}


@pytest.mark.parametrize("kind", KINDS)
def test_posts_are_read_with_their_kind(server: DiscourseServer, ways: dict[str, Any], kind: int) -> None:
    (topic,) = topics(server, 1)
    mirror = mirrored(connect(server, **ways))
    server.clock.advance(600)
    server.forum.settings.enable_whispers = True
    post = server.as_user("boss").reply(topic, f"{TEXT} For some eyes only.", whisper=kind == 4)
    post.post_type = kind
    server.forum.recount(topic)
    server.forum.hooks.post("post_edited", post)
    mirror.sync()
    if str(post.id) not in mirror.of(Contribution):  # newer lists of posts have regular ones only
        mirror = _read_whole(mirror, server, str(topic.id))
    held = mirror.of(Contribution)[str(post.id)]
    assert isinstance(held, Contribution) and held.kind == KINDS[kind]


def _read_whole(mirror: MemoryMirror, server: DiscourseServer, topic: str) -> MemoryMirror:
    batch = connect(server).fetch(Ref("forum", Kind.THREAD, topic))
    assert batch is not None
    mirror.apply(batch)
    return mirror


def test_what_is_deleted_and_restored_goes_and_comes_back(
    server: DiscourseServer, ways: dict[str, Any]
) -> None:
    made, boss = topics(server, 2, replies=3), server.as_user("boss")
    mirror = mirrored(connect(server, **ways))
    post = list(server.forum.posts_of(made[0]))[2]

    def there() -> tuple[bool, bool]:
        server.clock.advance(600)
        mirror.sync()
        return str(post.id) in mirror.of(Contribution), str(made[1].id) in mirror.of(Thread)

    assert there() == (True, True)
    boss.delete(post)
    boss.delete(made[1])
    assert there() == (False, False)
    boss.recover(post)
    boss.recover(made[1])
    assert there() == (True, True)
    assert len(mirror.of(Contribution)) == 8


def test_posts_that_are_moved_are_where_they_went(server: DiscourseServer, ways: dict[str, Any]) -> None:
    here, there = topics(server, 2, replies=3)
    mirror = mirrored(connect(server, **ways))
    posts = list(server.forum.posts_of(here))[2:]
    server.clock.advance(600)
    server.as_user("boss").merge(here, posts, there)
    mirror.sync()
    if "webhook" in ways:  # no event tells of it: the sweep does
        mirror.connector = connect(server, sweep=OFTEN)
        server.clock.advance(600)
        mirror.sync()
    held = [c for c in mirror.of(Contribution).values() if isinstance(c, Contribution)]
    moved = {c.text: c.thread for c in held if c.text in {p.raw for p in posts}}
    assert moved == {p.raw: str(there.id) for p in posts}


def test_groups_and_badges_come_with_those_who_are_in_them(server: DiscourseServer) -> None:
    forum, boss, user = server.forum, server.as_user("boss"), anna(server).user
    group, number = forum.group("experts"), forum.ids["badge"]
    forum.badges[number] = ServerBadge(number, "Carpenter")
    assert group is not None
    boss.add_to(group, user)
    boss.grant(forum.badges[number], user)
    mirror = mirrored(connect(server))
    assert mirror.of(Group)[str(group.id)] == Group(
        site="forum", id=str(group.id), name="experts", members=frozenset({str(user.id)})
    )
    (held,) = (item for item in mirror.items.values() if isinstance(item, Badge))
    assert (held.id, held.name, set(held.holders)) == (str(number), "Carpenter", {str(user.id)})


def test_messages_come_with_their_posts_only_if_they_are_asked_for(server: DiscourseServer) -> None:
    anna(server)
    talk = server.as_user("boss").message("anna", "Something between us", TEXT)
    for asked in (False, True):
        mirror = mirrored(connect(server, messages=asked))
        assert (str(talk.id) in mirror.of(Thread)) is asked
        assert (str(talk.posts[0]) in mirror.of(Contribution)) is asked
