"""States of a forum over time in the store: every interval begins when the forum says that it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ordito.config.durations import Duration
from ordito.connectors.discourse.query import QUERY
from ordito.sync.store.store import Store
from ordito.sync.store.tables import states
from tests.connectors.discourse.scenes import anna, topics
from tests.connectors.discourse.site import DiscourseSite
from tests.servers.discourse import DiscourseServer
from tests.servers.discourse.explorer import StoredQuery
from tests.servers.discourse.records import Badge
from tests.sync.reading_forum import sync_forum

WAYS: dict[str, dict[str, Any]] = {
    "by sweeps": {"sweep": Duration(1, "day")},
    "by a webhook": {"sweep": Duration(1, "day"), "webhook": 1},
    "by the query": {"sweep": Duration(300, "day"), "data_explorer": 7},
}
Interval = tuple[str, datetime, datetime | None]


@pytest.fixture(params=["2021", "2026"])
def server(request: pytest.FixtureRequest) -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect=request.param) as server:
        DiscourseSite(server)
        server.forum.hooks.add(wildcard=True)
        server.forum.settings.data_explorer_enabled = True
        server.forum.queries[7] = StoredQuery(7, QUERY)
        yield server


def told(store: Store, kind: str, item: str, field: str) -> list[Interval]:
    """The intervals whose beginning the platform recorded, to the second."""
    query = select(states).where(states.c.kind == kind, states.c.item == item, states.c.field == field)
    with store.read() as connection:
        found = connection.execute(query.order_by(states.c.valid_from)).all()
    return [
        (row.value, _second(row.valid_from), None if row.valid_to is None else _second(row.valid_to))
        for row in found
        if row.source == "platform"
    ]


def _second(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1_000_000, UTC)


@pytest.mark.parametrize("way", WAYS)
def test_intervals_begin_and_end_when_the_forum_recorded_it(
    server: DiscourseServer, tmp_path: Path, way: str
) -> None:
    forum, boss, member = server.forum, server.as_user("boss"), anna(server).user
    topic, group, number = topics(server, 3, replies=3)[0], server.forum.group("experts"), forum.ids["badge"]
    assert group is not None
    badge = forum.badges[number] = Badge(number, "Carpenter")
    store = Store.open(f"sqlite:///{tmp_path}/ordito.db", now=server.clock())

    def later(hours: int = 3) -> datetime:
        return server.clock.advance(timedelta(hours=hours)).replace(microsecond=0)

    sync_forum(store, server, **WAYS[way])
    deeds: tuple[Callable[[], object], ...] = (
        lambda: boss.close(topic),
        lambda: boss.set_state(topic, "archived"),
        lambda: boss.add_to(group, member),
        lambda: boss.set_trust_level(member, 4),
        lambda: boss.grant(badge, member),
        lambda: boss.reopen(topic),
        lambda: boss.remove_from(group, member),
        lambda: boss.revoke(badge, member),
        lambda: boss.set_state(topic, "visible", False),
    )
    times = []
    for deed in deeds:
        times.append(later())
        deed()
        if deed is deeds[4]:  # a sync between them must not date anything
            later(22)
            sync_forum(store, server, **WAYS[way])
    for _ in range(2):
        later(25)
        assert sync_forum(store, server, **WAYS[way]).complete

    thread, person = str(topic.id), str(member.id)
    assert told(store, "thread", thread, "closed") == [
        ("true", times[0], times[5]),
        ("false", times[5], None),
    ]
    assert told(store, "thread", thread, "archived") == [("true", times[1], None)]
    assert told(store, "thread", thread, "visible") == [("false", times[8], None)]
    assert told(store, "member", person, "group") == [("experts", times[2], times[6])]
    assert told(store, "member", person, "trust_level") == [("4", times[3], None)]
    assert told(store, "member", person, "badge") == [("Carpenter", times[4], times[7])]
    store.close()
