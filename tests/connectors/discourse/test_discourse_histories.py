"""Random histories of a forum, read while they go on and cut anywhere: the mirror ends where the forum is.

ORDITO_EXAMPLES in the environment sets how many of each test are tried in each dialect, ORDITO_DIALECTS
(`2021,2026`) in which.
"""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ordito.config.errors import RateLimited
from ordito.connectors.discourse.reading import ROUND
from tests.connectors.adapter import MemoryMirror
from tests.connectors.discourse.life import Deed, Lively, Meanwhile, deeds, make_pages_small, plain_deeds
from tests.servers.discourse import DIALECTS as SPOKEN
from tests.servers.discourse import DiscourseServer

EXAMPLES = settings(
    max_examples=int(os.environ.get("ORDITO_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
DIALECTS = os.environ.get("ORDITO_DIALECTS", "2021,2023,2026").split(",")


def settle(lively: Lively, mirror: MemoryMirror) -> None:
    """Read on: what changed behind a sync's back comes with the next one, and what no list shows within a
    round of the rolling re-read and the time between two sweeps, which is as long here."""
    mirror.sync()
    for _ in range(2):
        lively.server.clock.advance(ROUND)
        mirror.sync()


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    make_pages_small(monkeypatch)
    found: str = request.param
    return found


NO_POST_IN_SIGHT: list[tuple[int, Deed]] = [
    *[(0, ("join", 0))] * 5, (2, ("delete_topic", 0)), (2, ("join", 0)), (0, ("unlist", 0)),
    (5, ("recover_topic", 0)),
]  # fmt: skip
"""One of two topics is deleted, the other unlisted, when the list of posts is read for the first time."""


@example(before=[], during=NO_POST_IN_SIGHT, after=[])
@EXAMPLES
@given(
    before=st.lists(deeds, max_size=30),
    during=st.lists(st.tuples(st.integers(0, 6), deeds), max_size=14),
    after=st.lists(deeds, max_size=8),
)
@example(  # the only post that shows is written between the two requests that tell how the forum lists
    before=[], during=[(0, ("delete_topic", 0)), (1, ("unlist", 0)), (6, ("open", 0))], after=[]
)
def test_whatever_happens_while_it_reads_the_mirror_ends_true(
    dialect: str, before: list[Deed], during: list[tuple[int, Deed]], after: list[Deed]
) -> None:
    with DiscourseServer(dialect=dialect) as server:
        lively = Lively(server)
        lively.live(before)
        mirror = MemoryMirror(lively.connect())
        with Meanwhile(lively, during):
            mirror.sync()
        settle(lively, mirror)
        lively.compare(mirror)
        lively.live([*(deed for _, deed in during), *after])
        settle(lively, mirror)
        lively.compare(mirror)
        mirror.connector.close()


NEWEST_POST_COLOURED = [(30, [("split", 24), ("reply", 0)], [("unlist", 0), ("colour", 64)])]
"""The newest post, read with its unlisted topic, gets the colour of staff; that is listed again."""


@example(before=[("delete_topic", 0), ("unlist", 0)], cuts=NEWEST_POST_COLOURED)
@EXAMPLES
@given(
    before=st.lists(deeds, max_size=25),
    cuts=st.lists(
        st.tuples(st.integers(0, 30), st.lists(deeds, max_size=3), st.lists(deeds, max_size=2)), max_size=5
    ),
)
def test_wherever_it_is_cut_the_mirror_ends_true(
    dialect: str, before: list[Deed], cuts: list[tuple[int, list[Deed], list[Deed]]]
) -> None:
    with DiscourseServer(dialect=dialect) as server:
        lively = Lively(server)
        lively.live(before)
        mirror = MemoryMirror(lively.connect())
        for requests, during, between in cuts:
            server.faults.answer("", status=429, headers={"Retry-After": "30000"}, spare=requests)
            with Meanwhile(lively, [(3, deed) for deed in during]), suppress(RateLimited):
                mirror.sync()
            server.faults.clear()
            mirror.connector.close()
            mirror.connector = lively.connect()
            lively.live(between)
        settle(lively, mirror)
        lively.compare(mirror)
        mirror.connector.close()


UNLISTED_FOR_A_WHILE: list[tuple[list[Deed], list[Deed], int]] = [([], [("unlist", 0), ("unlist", 0)], 8)]
"""A topic is unlisted while the list of posts is read, and listed again before unlisted ones are."""


@example(steps=UNLISTED_FOR_A_WHILE)
@EXAMPLES
@given(
    steps=st.lists(
        st.tuples(st.lists(plain_deeds, max_size=12), st.lists(plain_deeds, max_size=3), st.integers(3, 40)),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_what_lists_show_is_seen_without_waiting_for_a_round(
    dialect: str, steps: list[tuple[list[Deed], list[Deed], int]]
) -> None:
    with DiscourseServer(dialect=dialect) as server:
        lively = Lively(server)
        mirror = MemoryMirror(lively.connect())
        for before, during, requests in steps:
            lively.live(before)
            server.faults.answer("", status=429, headers={"Retry-After": "30000"}, spare=requests)
            with Meanwhile(lively, [(4, deed) for deed in during]), suppress(RateLimited):
                mirror.sync()
            server.faults.clear()
            mirror.connector.close()
            mirror.connector = lively.connect()
            for _ in range(2):  # what changed behind the first one's back
                mirror.sync()
            lively.compare(mirror)
        mirror.connector.close()


OUT_OF_SIGHT: list[list[Deed]] = [[("withdraw", 0), ("unlist", 0)]]
"""A change that the older version's list of posts would have shown, and that of the newer does not."""


@example(before=[], during=[], after=OUT_OF_SIGHT)
@EXAMPLES
@given(
    before=st.lists(deeds, max_size=20),
    during=st.lists(st.tuples(st.integers(0, 6), deeds), max_size=6),
    after=st.lists(st.lists(deeds, max_size=8), max_size=2),
)
@pytest.mark.parametrize("newer", [name for name in DIALECTS if name != "2021"])
def test_a_forum_that_is_upgraded_between_two_syncs_is_read_in_its_new_dialect(
    monkeypatch: pytest.MonkeyPatch,
    newer: str,
    before: list[Deed],
    during: list[tuple[int, Deed]],
    after: list[list[Deed]],
) -> None:
    make_pages_small(monkeypatch)
    with DiscourseServer(dialect="2021") as server:
        lively = Lively(server)
        lively.live(before)
        mirror = MemoryMirror(lively.connect())
        mirror.sync()
        mirror.connector.close()
        server.forum.dialect = SPOKEN[newer]
        mirror.connector = lively.connect()
        with Meanwhile(lively, during):
            mirror.sync()
        for step in ([deed for _, deed in during], *after):
            lively.live(step)
            settle(lively, mirror)
            lively.compare(mirror)
        mirror.connector.close()
