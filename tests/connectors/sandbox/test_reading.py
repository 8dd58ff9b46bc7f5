"""What is read of the sandbox beyond the contract of all connectors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from ordito.connectors.actions import CloseThread, SendMessage
from ordito.connectors.base import Marker
from ordito.connectors.records import Change, Contribution, Group, Kind, Ref, Space, Thread, ThreadKind
from ordito.connectors.sandbox.settings import SandboxSettings
from tests.connectors.adapter import MemoryMirror
from tests.connectors.sandbox.site import SandboxSite

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MARKER = Marker("stale-0001", "archive-stale")


@pytest.fixture
def forum(tmp_path: Path) -> Iterator[SandboxSite]:
    site = SandboxSite(tmp_path, "forum", NOW)
    yield site
    site.sandbox.close()


def test_private_messages_of_others_are_read_only_on_request(forum: SandboxSite) -> None:
    first, second = forum.join("first"), forum.join("second")
    theirs = forum.sandbox.as_member(first).write([second], "Between us", "Do not tell anybody.")
    ours = SendMessage(site="club", to=(first,), subject="From us", text="Hello there.")
    with_messages = forum.connect()
    with_messages.perform(ours, MARKER)
    forum.sandbox.as_member(first).reply(str(int(theirs) + 1), "Thank you!")
    everything = MemoryMirror(with_messages)
    everything.sync()
    discreet = MemoryMirror(forum.connect(messages=False))
    discreet.sync()
    assert theirs in everything.of(Thread)
    assert theirs not in discreet.of(Thread)
    kept = [t for t in discreet.of(Thread).values() if isinstance(t, Thread) and t.kind == ThreadKind.MESSAGE]
    assert [t.title for t in kept] == ["From us"]
    said = [c.text for c in discreet.of(Contribution).values() if isinstance(c, Contribution)]
    assert "Thank you!" in said
    assert "Do not tell anybody." not in said
    counts = discreet.connector.probe().counts
    assert counts["threads"] == len(discreet.of(Thread))
    assert counts["contributions"] == len(discreet.of(Contribution))
    with_messages.close()
    discreet.connector.close()


def test_nothing_from_before_since_is_read(forum: SandboxSite) -> None:
    since = NOW - timedelta(days=60)
    connector = forum.connect(since=since.date())
    mirror = MemoryMirror(connector)
    mirror.sync()
    connector.close()
    midnight = since.replace(hour=0)
    truth = forum.truth()
    held, words = mirror.of(Thread), mirror.of(Contribution)
    active = {i for i, t in truth.threads.items() if t.last_activity_at and t.last_activity_at >= midnight}
    recent = {i for i, c in truth.contributions.items() if c.created_at >= midnight}
    assert set(held) == active != set(truth.threads)
    assert set(words) == recent != set(truth.contributions)


def test_a_closing_is_a_change_with_its_time_and_a_small_post(forum: SandboxSite) -> None:
    thread = forum.open(forum.join("asker"), "A question about frames", "Which size?")
    connector = forum.connect()
    mirror = MemoryMirror(connector)
    mirror.sync()
    receipt = connector.perform(CloseThread(site="club", thread=thread), MARKER)
    mirror.sync()
    changes = [c for c in mirror.changes if isinstance(c, Change) and c.id == thread]
    assert [(c.field, c.value) for c in changes] == [("closed", True)]
    assert abs(changes[0].at - receipt.at) < timedelta(seconds=5)
    small = [
        c for c in mirror.of(Contribution).values() if isinstance(c, Contribution) and c.thread == thread
    ]
    assert {c.kind.value for c in small} == {"regular", "small"}
    connector.close()


def test_a_new_trust_level_is_a_change_with_its_time(forum: SandboxSite) -> None:
    member = forum.join("newcomer")
    connector = forum.connect()
    mirror = MemoryMirror(connector)
    mirror.sync()
    forum.sandbox.as_member(forum.moderator()).set_trust_level(member, 2)
    mirror.sync()
    connector.close()
    changes = [c for c in mirror.changes if (c.kind, c.id) == (Kind.MEMBER, member)]
    assert [(c.field, c.value, c.on) for c in changes] == [("trust_level", 2, True)]


def test_a_group_comes_with_its_members_and_an_automatic_one_without(forum: SandboxSite) -> None:
    connector = forum.connect()
    mirror = MemoryMirror(connector)
    mirror.sync()
    groups = {g.name: g for g in mirror.of(Group).values() if isinstance(g, Group)}
    spaces = {s.name: s for s in mirror.of(Space).values() if isinstance(s, Space)}
    assert groups["greeters"].members
    assert groups["trust_level_1"].members is None
    assert spaces["Staff"].restricted and not spaces["General"].restricted
    for item in (groups["greeters"], spaces["Staff"]):
        batch = connector.fetch(item.ref)
        assert batch is not None and batch.records == (item,)
    assert connector.fetch(Ref("club", Kind.GROUP, "999")) is None
    assert connector.fetch(Ref("club", "title", "A forum has no titles")) is None
    connector.close()


def test_a_fetched_member_comes_with_what_others_answered(forum: SandboxSite) -> None:
    asker, helper = forum.join("asker"), forum.join("helper")
    thread = forum.open(asker, "A question about frames", "Which size?")
    answer = forum.contribute(helper, thread, "The smaller one.")
    elsewhere = forum.contribute(asker, forum.open(helper, "Frames for all", "Look."), "Thank you.")
    connector = forum.connect()
    batch = connector.fetch(Ref("club", Kind.MEMBER, asker))
    connector.close()
    assert batch is not None
    assert {answer, elsewhere} <= {c.id for c in batch.records if isinstance(c, Contribution)}
    groups = {g.name for g in batch.records if isinstance(g, Group)}
    assert "greeters" in groups


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="time zone"):
        SandboxSettings(connector="sandbox", file="c.db", side="forum", now=datetime(2026, 3, 1, 9))
