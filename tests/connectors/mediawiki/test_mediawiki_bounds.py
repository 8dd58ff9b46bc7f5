"""What bounds the reading of a real MediaWiki: retention, exclusions, since; and single items."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ordito.config.secret import Secret
from ordito.connectors.records import Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal, revisions, update
from tests.connectors.mediawiki.site import (
    connect,
    member,
    mirror,
    page_id,
    thread,
    user_id,
)
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.history import Edit, History, Person
from tests.servers.mediawiki.wiki import Wiki
from tests.shared import shared


def test_after_a_pause_longer_than_recent_changes_are_kept_nothing_is_missing(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    assert mirrored.cursor is not None
    people["Alice"].edit("Tents", "Long after")
    people["Bob"].edit("Tents", "Even later")
    people["Bob"].edit("While away", "new page")
    content.admin().post(action="delete", title="Project:Rules")
    with sqlite3.connect(content.folder / "wiki.sqlite") as db:
        db.execute("delete from recentchanges")
    earlier = datetime.fromisoformat(mirrored.cursor["time"]) - timedelta(days=3)
    mirrored.cursor = {**mirrored.cursor, "time": earlier.strftime("%Y-%m-%dT%H:%M:%SZ"), "seen": {}}
    update(mirrored, connect(content))

    assert_equal(mirrored, content)


def test_what_is_excluded_is_not_in_any_batch(content: Wiki, people: dict[str, Client]) -> None:
    excluded = {"spaces": ["User", "project talk"], "labels": ["Gear"], "members": ["alice"]}
    options: dict[str, Any] = {"exclude": excluded}
    mirrored = MemoryMirror(connect(content, **options))
    batches = mirrored.sync()
    people["Alice"].edit("Tents", "secret one [[Category:Gear]]")
    people["Alice"].edit("Talk:Tents", "secret two")
    people["Bob"].edit("User:Bob", "secret three")
    update(mirrored, connect(content, **options))

    everything = repr(batches) + repr(mirrored.items)
    for word in ("Alice", "about tents", "I am Bob", "secret"):
        assert word not in everything
    assert page_id(content, "Rules", 4) in mirrored.of(Thread)


def test_a_page_put_into_an_excluded_category_leaves_the_mirror(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content, exclude={"labels": ["Private"]}))
    assert page_id(content, "Tents") in mirrored.of(Thread)
    people["Bob"].edit("Tents", "Hush. [[Category:Private]]")
    update(mirrored, connect(content, exclude={"labels": ["Private"]}))

    assert page_id(content, "Tents") not in mirrored.of(Thread)


def test_without_text_no_text_is_kept(content: Wiki, people: dict[str, Client]) -> None:
    mirrored = mirror(connect(content, text=False))
    people["Bob"].edit("Tents", "words")
    update(mirrored, connect(content, text=False))

    assert {c.text for c in revisions(mirrored)} == {None}


def test_since_bounds_the_history_and_keeps_the_pages(
    mediawiki_with: Callable[[History], Wiki],
) -> None:
    early, late = datetime(2020, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
    wiki = mediawiki_with(
        History(
            [Person("Dora", early)],
            [
                Edit(0, "Old", early, "Dora", "one"),
                Edit(0, "Mixed", early, "Dora", "one"),
                Edit(0, "Mixed", late, "Dora", "two"),
                Edit(0, "Mixed", late + timedelta(days=1), "Dora", "three"),
            ],
        )
    )
    mirrored = mirror(connect(wiki, since=datetime(2023, 1, 1, tzinfo=UTC).date()))

    old, mixed = page_id(wiki, "Old"), page_id(wiki, "Mixed")
    assert {(c.thread, c.text) for c in revisions(mirrored) if c.thread in (old, mixed)} == {
        (old, "one"),
        (mixed, None),
        (mixed, "three"),
    }


def test_fetched_items_equal_the_mirrored_ones(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    before = dict(mirrored.items)
    for ref in list(before):
        fresh = connect(content).fetch(ref)
        assert fresh is not None, ref
        mirrored.apply(fresh)
    assert mirrored.items == before


def test_a_fetched_member_brings_the_talk_page(content: Wiki, people: dict[str, Client]) -> None:
    people["Bob"].edit("User talk:Alice", "== Welcome ==\nHello!")
    batch = connect(content).fetch(member(user_id(content, "Alice")))

    assert batch is not None
    assert page_id(content, "Alice", 3) in {r.id for r in batch.records if isinstance(r, Thread)}


def test_what_is_not_there_is_fetched_as_none(content: Wiki) -> None:
    connector = connect(content)
    assert connector.fetch(thread("99999")) is None
    assert connector.fetch(member("99999")) is None
    assert connector.fetch(type(thread("1"))("wiki", "contribution", "99999")) is None
    assert connector.fetch(type(thread("1"))("wiki", "title", "No such page")) is None
    assert connector.fetch(type(thread("1"))("wiki", "title", "Tents|Main Page")) is None


@pytest.mark.parametrize(("bot", "most"), [(True, 17), (False, 36)])
def test_a_real_wiki_is_read_in_few_requests(
    mediawiki_from_export: Callable[[Path, datetime], Wiki], bot: bool, most: int
) -> None:
    """934 pages, 1,492 revisions; Perceval needs 386 requests and gets 383 of the pages."""
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    newest = yesterday.replace(hour=12, minute=0, second=0)
    wiki = mediawiki_from_export(shared("data", "wiki", "wiki.xml.gz"), newest)
    spaces = tuple(n for (n,) in wiki.rows("select distinct page_namespace from page order by 1"))
    account: dict[str, Any] = {}
    if not bot:
        secret = "0123456789abcdefghijklmnopqrstuv"
        wiki.create_account("Plain", "Plain-password-1")
        wiki.create_bot_password("Plain", "cron", secret)
        account = {"username": "Plain@cron", "password": Secret.of(secret)}
    connector = connect(wiki, namespaces=list(spaces), **account)
    mirrored = mirror(connector)

    assert_equal(mirrored, wiki, spaces)
    assert connector.statistics()["requests"] <= most
    again = connect(wiki, namespaces=list(spaces), **account)
    update(mirrored, again)
    assert again.statistics()["requests"] == 3
