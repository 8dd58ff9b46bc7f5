"""Wikis that are larger, or set up in other ways, than the test wiki is."""

from __future__ import annotations

import sqlite3
from typing import Any

from ordito.connectors.mediawiki.connector import MediaWikiConnector
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal, update
from tests.connectors.mediawiki.prepared import People
from tests.connectors.mediawiki.site import connect, mirror
from tests.servers.mediawiki.wiki import Wiki


def crowd(wiki: Wiki, count: int) -> None:
    """So many accounts more, written into the wiki's tables."""
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        for number in range(count):
            name = f"Member {number}"
            made = db.execute(
                "insert into user (user_name, user_password, user_newpassword, user_email, user_touched,"
                " user_registration) values (?, '', '', '', '20200101000000', '20200101000000')",
                (name,),
            )
            db.execute("insert into actor (actor_user, actor_name) values (?, ?)", (made.lastrowid, name))


def in_small_answers(connector: MediaWikiConnector, rows: int = 2) -> MediaWikiConnector:
    """As if the wiki held so much that its answers show a small part of it: lists end after so many rows."""
    call = connector.client.call

    def small(action: str, **params: Any) -> Any:
        fewer: dict[str, Any] = {key: rows if value == "max" else value for key, value in params.items()}
        return call(action, **fewer)

    connector.client.call = small  # type: ignore[method-assign]
    return connector


def test_a_sync_of_a_large_wiki_goes_on_wherever_it_was_stopped(content: Wiki, people: People) -> None:
    mirrored, stops = MemoryMirror(connect(content)), 0
    while mirrored.cursor is None or mirrored.cursor["phase"] != "recent":
        mirrored.connector, stops = in_small_answers(connect(content)), stops + 1
        mirrored.sync(1)
    assert stops > 10
    assert_equal(mirrored, content)


def test_what_changed_on_a_large_wiki_is_read_wherever_it_was_stopped(content: Wiki, people: People) -> None:
    mirrored = mirror(connect(content))
    people["Bob"].edit("Maps", "one")
    people["Alice"].edit("Maps", "two")
    content.admin().post(action="move", **{"from": "Tents"}, to="Tents and more")
    content.run_jobs()
    for _ in range(12):
        mirrored.connector = in_small_answers(connect(content))
        mirrored.sync(2)
    update(mirrored, connect(content))

    assert_equal(mirrored, content)


def test_answers_that_are_cut_because_they_are_too_large_lose_nothing(content: Wiki, people: People) -> None:
    crowd(content, 100)
    people["Bob"].edit("Long", "Words. " * 300)
    content.switch(wgAPIMaxResultSize=5000)
    mirrored = mirror(connect(content))
    assert_equal(mirrored, content)

    for number in range(20):
        people["Alice"].edit(f"Page {number}", "Words. " * 100)
    update(mirrored, connect(content))
    assert_equal(mirrored, content)
