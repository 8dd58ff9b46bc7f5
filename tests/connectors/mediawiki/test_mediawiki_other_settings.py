"""Settings that say otherwise than before what is read of a real MediaWiki: the next sync reads exactly what
they add, what they leave out goes, and the store is as if they had always been so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ordito.config.errors import Unreachable
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.sync.mirror import SiteReport, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from ordito.sync.store.tables import checkpoints
from tests.connectors.mediawiki.site import page_id, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki
from tests.sync.reading_forum import Patience
from tests.sync.reading_wiki import source
from tests.sync.truth import held

SIGNING_IN = 2
PRIVATE: dict[str, Any] = {
    "namespaces": [0, 1, 3],
    "exclude": {"labels": ["Gear"], "members": ["alice"], "spaces": ["talk"]},
    "text": False,
}


class Mirror:
    """A store beside the wiki."""

    def __init__(self, wiki: Wiki, file: Path) -> None:
        self._wiki = wiki
        self.store = Store.open(f"sqlite:///{file}", now=datetime.now(UTC))

    def sync(self, **settings: Any) -> SiteReport:
        """One sync with these settings."""
        report = self.sync_some(10**6, **settings)
        assert report.complete, report.error
        return report

    def sync_some(self, requests: int, **settings: Any) -> SiteReport:
        """The same, stopped after so many requests."""
        world = Patience(datetime.now(UTC)).world()
        wiki = source(self._wiki, world, **settings)

        def connect() -> MediaWikiConnector:
            connector = wiki.connect()
            assert isinstance(connector, MediaWikiConnector)
            end_after(connector, requests)
            return connector

        (report,) = sync_sites(self.store, {"wiki": replace(wiki, connect=connect)}, world, Silence())
        return report


def end_after(connector: MediaWikiConnector, requests: int) -> None:
    """The way to the wiki ends after so many requests."""
    session, left = connector.client.connection, iter(range(requests))
    send = session.request

    def request(method: str, url: str, **more: Any) -> Any:
        if next(left, None) is None:
            raise Unreachable("The road ends here.")
        return send(method, url, **more)

    session.request = request


@pytest.fixture
def mirror(content: Wiki, tmp_path: Path) -> Iterator[Callable[[], Mirror]]:
    made: list[Mirror] = []

    def make() -> Mirror:
        made.append(Mirror(content, tmp_path / f"{len(made)}.db"))
        return made[-1]

    yield make
    for each in made:
        each.store.close()


def assert_as_if_always(one: Mirror, make: Callable[[], Mirror], **settings: Any) -> None:
    fresh = make()
    fresh.sync(**settings)
    ours, theirs = held(one.store), held(fresh.store)
    for part in ("members", "threads", "contributions"):
        assert getattr(ours, part) == getattr(theirs, part), part


def test_a_namespace_that_is_added_is_read_by_the_next_sync_and_nothing_else(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    people["Alice"].edit("Help:Knots", "How to tie them")
    people["Bob"].edit("Help:Knots", "How to tie them well")
    one = mirror()
    one.sync(namespaces=[0, 1])
    report = one.sync(namespaces=[0, 1, 12, 2])
    # Who we are, the revisions of both, a page list for each, and what changed.
    assert report.requests - SIGNING_IN == 1 + 1 + 2 + 1
    assert (report.counts.members, report.counts.threads) == (0, 2)
    (estimate,) = report.estimates
    assert estimate.reading == "what the settings add is read: the namespaces User, Help"
    assert estimate.at_most and report.requests <= estimate.requests
    assert_as_if_always(one, mirror, namespaces=[0, 1, 2, 12])
    again = one.sync(namespaces=[0, 1, 2, 12])
    assert (again.requests - SIGNING_IN, again.estimates) == (1, [])


def test_what_the_settings_leave_out_now_goes_and_comes_back_when_they_do_not(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    people["Alice"].edit("Talk:Tents", "More")
    people["Bob"].edit("Ropes", "About ropes [[Category:Gear]]")
    people["Bob"].edit("Ropes", "All about ropes [[Category:Gear]]")
    content.run_jobs()
    one = mirror()
    one.sync()
    report = one.sync(**PRIVATE)
    assert report.requests - SIGNING_IN <= 2 and report.estimates == []
    kept = held(one.store)
    assert kept.threads.keys().isdisjoint({page_id(content, "Ropes"), page_id(content, "Tents", 1)})
    assert user_id(content, "Alice") not in kept.members
    assert_as_if_always(one, mirror, **PRIVATE)
    (estimate,) = one.sync().estimates
    assert estimate.reading == (
        "what the settings add is read: texts, pages in categories that are no longer excluded, "
        "the namespaces Talk, User, Project, Project talk, 1 user no longer excluded"
    )
    assert_as_if_always(one, mirror)


@pytest.mark.parametrize("excluded", [{"labels": ["Gear"]}, {"members": ["Alice"]}, {"spaces": ["Talk"]}])
def test_an_exclusion_that_is_lifted_brings_what_it_had_left_out(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror], excluded: dict[str, Any]
) -> None:
    people["Alice"].edit("Tents", "By Alice again [[Category:Gear]]")
    people["Alice"].edit("Canoes", "Only Alice wrote here")
    people["Bob"].edit("User talk:Bob", "A note to myself")
    content.run_jobs()
    one = mirror()
    one.sync(exclude=excluded)
    people["Bob"].edit("Maps", "News that come in the same sync")
    report = one.sync()
    assert len(report.estimates) == 1
    assert_as_if_always(one, mirror)


def test_stopped_after_any_request_what_is_added_is_there_in_the_end(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    people["Bob"].edit("Ropes", "About ropes [[Category:Gear]]")
    people["Alice"].edit("Ropes", "More about ropes [[Category:Gear]]")
    content.run_jobs()
    one = mirror()
    one.sync(**PRIVATE)
    told = 0
    for allowed in range(SIGNING_IN + 2, 30, 3):
        report = one.sync_some(allowed)
        told += len(report.estimates)
        if report.complete:
            break
    assert report.complete and told == 1
    assert_as_if_always(one, mirror)


def test_a_first_sync_that_was_stopped_and_goes_on_with_more_to_read_misses_nothing(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    one = mirror()
    assert not one.sync_some(SIGNING_IN + 6, **PRIVATE).complete
    one.sync()
    assert_as_if_always(one, mirror)


def test_settings_that_change_back_while_something_is_added_leave_nothing_of_it(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    one = mirror()
    one.sync(**PRIVATE)
    assert not one.sync_some(SIGNING_IN + 9).complete
    one.sync(**PRIVATE)
    assert_as_if_always(one, mirror, **PRIVATE)


def test_settings_that_change_back_before_the_wiki_could_be_reached_lose_nothing(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    one = mirror()
    one.sync()
    assert not one.sync_some(0, **PRIVATE).stored
    one.sync()
    assert_as_if_always(one, mirror)


def test_settings_that_change_back_during_a_first_sync_lose_nothing(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    one = mirror()
    assert not one.sync_some(SIGNING_IN + 5).complete
    assert not one.sync_some(SIGNING_IN + 2, **PRIVATE).complete
    one.sync()
    assert_as_if_always(one, mirror)


def test_the_cursor_tells_nobody_what_was_excluded(
    content: Wiki, people: dict[str, Client], mirror: Callable[[], Mirror]
) -> None:
    one = mirror()
    one.sync(exclude={"labels": ["Gear"], "members": ["Alice"]})
    with one.store.read() as connection:
        cursor = str(connection.scalar(select(checkpoints.c.cursor)))
    assert "Gear" not in cursor and "Alice" not in cursor and '"labels"' in cursor
