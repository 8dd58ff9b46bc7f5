"""Whatever happens on a wiki, and wherever reading is cut: the mirror ends as the wiki is."""

from __future__ import annotations

import random

import pytest

from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal
from tests.connectors.mediawiki.prepared import People
from tests.connectors.mediawiki.site import connect
from tests.servers.mediawiki.client import ApiError, Client
from tests.servers.mediawiki.wiki import Wiki

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


@pytest.mark.parametrize("seed", range(3))
def test_a_mirror_read_in_pieces_ends_as_the_wiki_is(content: Wiki, people: People, seed: int) -> None:
    dice = random.Random(seed)
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
