"""Wikis that are set up in other ways than the test wiki is."""

from __future__ import annotations

import pytest

from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal, update
from tests.connectors.mediawiki.site import connect, held, mirror
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki


def test_cut_answers(content: Wiki, people: dict[str, Client]) -> None:
    whole = mirror(connect(content))
    content.switch(wgAPIMaxResultSize=8000)
    small = MemoryMirror(c := connect(content))
    count = len(small.sync())
    print(count, c.statistics())
    assert held(small) == held(whole)
    for stop in range(1, count):
        mirrored = MemoryMirror(connect(content))
        mirrored.sync(stop)
        print(stop, mirrored.cursor)
        update(mirrored, connect(content))
        assert held(mirrored) == held(whole), f"stopped after batch {stop}"
    for number in range(30):
        people["Alice"].edit(f"Page {number}", "first")
    before = dict(whole.items), whole.cursor
    update(whole, c := connect(content))
    print(c.statistics())
    assert_equal(whole, content)


def test_miser(content: Wiki, people: dict[str, Client]) -> None:
    content.switch(wgMiserMode=True)
    m = mirror(connect(content))
    assert_equal(m, content)
