"""Fields of a wiki's records that its tables do not say as plainly as the others do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ordito.connectors.mediawiki.client import Client as OurClient
from ordito.connectors.mediawiki.convert import Converter
from ordito.connectors.records import FOREVER, Contribution, ContributionKind, Group, Member, Space, Thread
from tests.connectors.mediawiki.mirrored import update
from tests.connectors.mediawiki.site import connect, mirror, page_id, settings, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki


def test_a_block_counts_until_it_ends_and_a_partial_one_not_at_all(
    content: Wiki, people: dict[str, Client]
) -> None:
    admin, bob = content.admin(), user_id(content, "Bob")
    mirrored = mirror(connect(content))

    def until() -> datetime | None:
        update(mirrored, connect(content))
        held = mirrored.of(Member)[bob]
        assert isinstance(held, Member)
        return held.suspended_until

    end = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
    admin.post(action="block", user="Bob", expiry=end.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert until() == end
    admin.post(action="unblock", user="Bob")
    admin.post(
        action="block", user="Bob", expiry="never", partial=True, pagerestrictions="Tents", allowusertalk=True
    )
    assert until() is None
    admin.post(action="block", user="Bob", expiry="never", reblock=True)
    assert until() == FOREVER


def test_what_a_wiki_does_not_have_is_unknown(content: Wiki, people: dict[str, Client]) -> None:
    mirrored = mirror(connect(content))
    alice = mirrored.of(Member)[user_id(content, "Alice")]
    tents = mirrored.of(Thread)[page_id(content, "Tents")]
    assert isinstance(alice, Member) and isinstance(tents, Thread)
    assert (alice.trust_level, alice.title, alice.last_seen_at, alice.silenced_until) == (None,) * 4
    states = (tents.closed, tents.archived, tents.visible, tents.pinned)
    assert (*states, tents.views, tents.likes, tents.solved_by) == (None,) * 7
    written = [c for c in mirrored.of(Contribution).values() if isinstance(c, Contribution)]
    assert {c.likes for c in written} == {None} == {c.position for c in written}
    assert {c.kind for c in written} == {ContributionKind.REGULAR, ContributionKind.MINOR}


def test_spaces_and_groups_are_those_that_people_know(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    names = {s.name for s in mirrored.of(Space).values() if isinstance(s, Space)}
    assert {"Main", "Talk", "User", "User talk"} <= names
    groups = {g.name for g in mirrored.of(Group).values() if isinstance(g, Group)}
    assert {"sysop", "bureaucrat", "bot"} <= groups
    assert groups.isdisjoint({"*", "user", "autoconfirmed"})


@pytest.mark.parametrize(
    ("user", "staged", "bot"),
    [
        ({"name": "~2026-12345", "groups": ["*", "temp"]}, True, False),
        ({"name": "~2026-12345", "groups": ["*"], "temp": True}, True, False),
        ({"name": "Ordito", "groups": ["*", "user", "bot"]}, False, True),
        ({"name": "Move page script", "groups": ["*", "user"]}, False, True),
        ({"name": "Anna", "groups": ["*", "user"]}, False, False),
    ],
)
def test_temporary_accounts_and_bots_are_told_from_people(
    content: Wiki, user: dict[str, Any], staged: bool, bot: bool
) -> None:
    """Temporary accounts came with MediaWiki 1.41; their answers are written here after its documentation."""
    wiki = SimpleNamespace(wiki=connect(content).client.wiki)
    converter = Converter("wiki", settings(content), cast(OurClient, wiki))
    held = converter.member({"userid": 7, **user})
    assert held is not None
    assert (held.staged, held.bot, held.groups) == (staged, bot, frozenset(user["groups"]) - {"*", "user"})
