"""The contract of all connectors, on the stand-in in its oldest and newest dialects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ordito.connectors.records import Kind, Member, Ref
from tests.connectors.adapter import Site, seen
from tests.connectors.contract import ConnectorContract
from tests.connectors.discourse.site import DiscourseSite
from tests.connectors.reading import connected
from tests.servers.discourse import DiscourseServer


class _OnDiscourse(ConnectorContract):
    dialect = ""

    @pytest.fixture
    def site(self) -> Iterator[Site]:
        with DiscourseServer(dialect=self.dialect) as server:
            yield DiscourseSite(server)

    def test_a_fetched_member_comes_fresh(self, site: Site) -> None:
        """On a forum a single member comes with the groups, a list of members without."""
        member = site.join("Newcomer")
        site.put_into_group(site.moderator(), member, site.group)
        with connected(site) as connector:
            batch = connector.fetch(Ref(site.name, Kind.MEMBER, member))
        assert batch is not None
        held = {record.id: record for record in batch.records if isinstance(record, Member)}
        truth = replace(site.truth().members[member], groups=frozenset({site.group}))
        assert seen(held[member]) == seen(truth)


class TestDiscourse2021(_OnDiscourse):
    dialect = "2021"


class TestDiscourse2026(_OnDiscourse):
    dialect = "2026"
