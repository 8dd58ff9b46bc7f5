"""Whatever happens on a wiki, and wherever reading is cut: the mirror ends as the wiki is."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import Any

import pytest
import requests

from ordito.config.errors import Unreachable
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.records import Contribution, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.few import answer_few
from tests.connectors.mediawiki.mirrored import assert_equal
from tests.connectors.mediawiki.prepared import People
from tests.connectors.mediawiki.site import connect
from tests.servers.mediawiki.client import ApiError, Client
from tests.servers.mediawiki.wiki import Wiki

EXAMPLES = int(os.environ.get("ORDITO_EXAMPLES", "2"))
"""Histories that are cut between any two requests; raise it in the environment for a long search."""

TITLES = ("Tents", "Maps", "Talk:Tents", "User:Bob", "Help:Elsewhere", "Project:Rules", "Old name", "Stoves")


class Life:
    """Random doings of Alice, Bob and an administrator."""

    def __init__(self, wiki: Wiki, people: People, dice: random.Random) -> None:
        self.wiki, self.people, self.dice = wiki, people, dice
        self.admin: Client = wiki.admin()
        self.count = 0

    def happen(self) -> None:
        """One thing; what the wiki refuses (a deletion of nothing) just does not happen."""
        doings = [self.edit] * 5 + [self.move, self.delete, self.restore, self.redirect, self.protect,
                                    self.block, self.hide]  # fmt: skip
        try:
            self.dice.choice(doings)()
        except ApiError:
            return
        if self.dice.random() < 0.3:
            self.wiki.run_jobs()

    def title(self) -> str:
        return self.dice.choice(TITLES)

    def edit(self) -> None:
        self.count += 1
        label = self.dice.choice(("Gear", "Camping", "Night"))
        who = self.dice.choice(list(self.people.values()))
        who.edit(self.title(), f"Words {self.count}. [[Category:{label}]]", minor=self.dice.random() < 0.2)

    def redirect(self) -> None:
        self.people["Bob"].edit(self.title(), "#REDIRECT [[Main Page]]")

    def move(self) -> None:
        self.admin.post(
            action="move", **{"from": self.title()}, to=self.title(), noredirect=self.dice.random() < 0.5,
            movetalk=True, ignorewarnings=True,
        )  # fmt: skip

    def delete(self) -> None:
        self.admin.post(action="delete", title=self.title())

    def restore(self) -> None:
        self.admin.post(action="undelete", title=self.title())

    def protect(self) -> None:
        self.admin.post(action="protect", title=self.title(), protections="move=sysop", expiry="1 day")

    def block(self) -> None:
        self.admin.post(action="block", user="Bob", expiry="1 day", reblock=True, partial=True)

    def hide(self) -> None:
        revisions = self.wiki.rows(
            "select rev_id from revision where rev_id not in (select page_latest from page) order by rev_id"
        )
        if revisions:
            number = self.dice.choice(revisions)[0]
            self.admin.post(action="revisiondelete", type="revision", ids=number, hide="content|user")


@pytest.mark.parametrize("few", [False, True], ids=["", "few rows at a time"])
@pytest.mark.parametrize("seed", range(1 + EXAMPLES))
def test_a_mirror_read_in_pieces_ends_as_the_wiki_is(
    content: Wiki, people: People, monkeypatch: pytest.MonkeyPatch, seed: int, few: bool
) -> None:
    dice = random.Random(seed)
    if few:
        answer_few(monkeypatch, lambda: dice.choice((1, 2, 3, 7)))
    life = Life(content, people, dice)
    mirrored = MemoryMirror(connect(content))
    for _ in range(12):
        for _ in range(dice.randrange(4)):
            life.happen()
        if dice.random() < 0.3:
            mirrored.connector = connect(content)
        mirrored.sync(dice.choice((1, 1, 2, 3, None)))
    content.run_jobs()
    mirrored.connector = connect(content)
    mirrored.sync()

    assert_equal(mirrored, content)


class Road:
    """The way to the wiki: things happen there between two requests, and it ends after so many."""

    def __init__(self, connector: MediaWikiConnector, life: Life, often: float) -> None:
        self._life, self._often, self._left = life, often, 0
        session = connector.client.connection
        self._send = session.request
        session.request = self._request

    def ends_after(self, requests: int) -> None:
        self._left = requests

    def _request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        if self._life.dice.random() < self._often:
            self._life.happen()
        if self._left == 0:
            raise Unreachable("The road ends here.")
        self._left -= 1
        response: requests.Response = self._send(method, url, **kwargs)
        return response


def test_a_revision_without_an_edit_that_comes_during_the_first_reading_is_not_passed_over(
    content: Wiki, people: People
) -> None:
    """Protecting a page makes one that no list of changes shows."""
    connector = connect(content)
    mirrored, waiting = MemoryMirror(connector), True
    for batch in connector.changes(None, mirrored):
        mirrored.apply(batch)
        if waiting and any(isinstance(record, Contribution) for record in batch.records):  # all revisions
            waiting = False
            content.admin().post(action="protect", title="Talk:Tents", protections="move=sysop")
            people["Alice"].edit("Talk:Tents", "Words after that")
        if any(isinstance(record, Thread) and record.title == "Talk:Tents" for record in batch.records):
            people["Alice"].edit("Talk:Tents", "More words, once the page was read")
    assert_equal(mirrored, content)


def test_what_came_while_a_reading_was_stopped_is_seen_as_it_goes_on(
    content: Wiki, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the two lists that tell of changes, the log had come to its end."""
    mirrored = MemoryMirror(connect(content))
    mirrored.sync()
    first, *_ = content.rows("select page_latest from page where page_title = 'Tents' and page_namespace = 0")
    for number in range(30):
        people["Alice"].edit("Tents", f"Words {number}")
    answer_few(monkeypatch, lambda: 20)
    mirrored.connector = connect(content)
    for batch in mirrored.connector.changes(mirrored.cursor, mirrored):
        mirrored.apply(batch)
        going_on = (mirrored.cursor or {}).get("continue")
        if going_on and "lecontinue" not in going_on:
            break
    else:
        pytest.fail("nothing was left to read when the log had been")
    content.admin().post(action="revisiondelete", type="revision", ids=first[0], hide="content|user")
    mirrored.sync()
    assert_equal(mirrored, content)


@pytest.mark.parametrize("few", [False, True], ids=["", "few rows at a time"])
@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_what_happens_between_two_requests_is_seen_wherever_reading_is_cut(
    content: Wiki, people: People, monkeypatch: pytest.MonkeyPatch, seed: int, few: bool
) -> None:
    dice = random.Random(f"cut {seed}")
    if few:
        answer_few(monkeypatch, lambda: dice.choice((1, 2, 3, 7)))
    life = Life(content, people, dice)
    mirrored = MemoryMirror(connector := connect(content))
    road = Road(connector, life, often=0.4)
    for _ in range(8):
        if dice.random() < 0.3:
            mirrored.connector = connector = connect(content)
            road = Road(connector, life, often=0.4)
        road.ends_after(dice.choice((2, 3, 4, 5, 6, 8, 11, 1000)))
        with suppress(Unreachable):
            mirrored.sync()
    content.run_jobs()
    mirrored.connector = connect(content)
    mirrored.sync()

    assert_equal(mirrored, content)
