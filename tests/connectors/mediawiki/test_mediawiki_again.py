"""What leaves no public trace on a wiki, and is found because everything is read again after a month."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest

from ordito.connectors.mediawiki.scan import ROUND
from ordito.connectors.records import Contribution, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal, update
from tests.connectors.mediawiki.site import Clock, connect, member, mirror, page_id, thread, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki

LATER = ROUND + timedelta(hours=1)


def later(mirrored: MemoryMirror, wiki: Wiki, after: timedelta = LATER) -> int:
    """Sync after a time; how many requests it took, but for signing in."""
    connector = connect(wiki, Clock(after.total_seconds()))
    update(mirrored, connector)
    return int(connector.statistics()["requests"]) - 2


def suppress(wiki: Wiki, page: str, number: int, hide: str) -> str:
    """An oversighter hides parts of a revision from everybody else; no log that others may read tells."""
    admin = wiki.admin()
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        user = db.execute("select user_id from user where user_name = 'Admin'").fetchone()[0]
        db.execute("insert or ignore into user_groups (ug_user, ug_group) values (?, 'suppress')", (user,))
    revision = str(
        wiki.rows("select rev_id from revision where rev_page = ? order by rev_id", page)[number][0]
    )
    admin.post(action="revisiondelete", type="revision", ids=revision, hide=hide, suppress="yes")
    return revision


def test_what_is_suppressed_is_gone_from_the_mirror_within_a_month(
    content: Wiki, people: dict[str, Client]
) -> None:
    people["Alice"].edit("Tents", "A third time")
    mirrored = mirror(connect(content))
    later(mirrored, content, timedelta(0))  # the last minutes were looked at twice
    page = page_id(content, "Tents")
    first = suppress(content, page, 0, "content|user")
    second = suppress(content, page, 1, "user")

    later(mirrored, content, timedelta(0))
    held = mirrored.of(Contribution)
    assert held[first].author == user_id(content, "Alice")  # type: ignore[union-attr]

    later(mirrored, content)
    held = mirrored.of(Contribution)
    assert held[first].author is None and held[second].author is None  # type: ignore[union-attr]
    assert mirrored.of(Thread)[page].author == ""  # type: ignore[union-attr]
    assert_equal(mirrored, content)


def test_a_page_that_was_deleted_without_a_trace_goes(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    page = page_id(content, "Tents")
    with sqlite3.connect(content.folder / "wiki.sqlite") as db:
        db.execute("delete from page where page_id = ?", (page,))
        db.execute("delete from revision where rev_page = ?", (page,))
        db.execute("delete from recentchanges where rc_cur_id = ?", (page,))
    later(mirrored, content)
    assert thread(page) not in mirrored.items
    assert_equal(mirrored, content)


def test_a_hidden_account_goes(content: Wiki, people: dict[str, Client]) -> None:
    mirrored = mirror(connect(content))
    bob = user_id(content, "Bob")
    with sqlite3.connect(content.folder / "wiki.sqlite") as db:
        db.execute("update user set user_name = 'Somebody' where user_id = ?", (bob,))
        db.execute("update actor set actor_name = 'Somebody' where actor_user = ?", (bob,))
        db.execute(
            "insert into ipblocks (ipb_address, ipb_user, ipb_by_actor, ipb_reason_id, ipb_timestamp,"
            " ipb_auto, ipb_anon_only, ipb_create_account, ipb_enable_autoblock, ipb_expiry, ipb_range_start,"
            " ipb_range_end, ipb_deleted, ipb_block_email, ipb_allow_usertalk, ipb_sitewide)"
            " values ('Somebody', ?, 1, 1, '20260101000000', 0, 0, 1, 1, 'infinity', '', '', 1, 0, 0, 1)",
            (bob,),
        )
    later(mirrored, content)
    assert member(bob) not in mirrored.items


def test_categories_that_a_changed_template_brings_are_read(
    content: Wiki, people: dict[str, Client]
) -> None:
    content.switch(wgRCWatchCategoryMembership=False)
    mirrored = mirror(connect(content))
    content.admin().edit("Template:Stub", "stub[[Category:Short pages]]")
    content.run_jobs()
    later(mirrored, content)
    assert "Short pages" in str(mirrored.of(Thread)[page_id(content, "Tents")])
    assert_equal(mirrored, content)


def test_reading_again_costs_what_a_first_reading_does_and_then_there_is_peace(
    content: Wiki, people: dict[str, Client]
) -> None:
    first = connect(content)
    mirrored = mirror(first)
    full = int(first.statistics()["requests"]) - 2
    before = dict(mirrored.items)
    assert later(mirrored, content) <= full + 3  # what changed, before and after it
    assert mirrored.items == before
    later(mirrored, content, timedelta(0))
    assert later(mirrored, content, timedelta(0)) == 1


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_stopped_while_it_reads_again_it_goes_on_and_misses_nothing(
    content: Wiki, people: dict[str, Client], stop: int
) -> None:
    mirrored = mirror(connect(content))
    page = page_id(content, "Tents")
    suppress(content, page, 0, "user")
    mirrored.connector = connect(content, Clock(LATER.total_seconds()))
    mirrored.sync(batches=stop)
    people["Alice"].edit("Talk:Tents", "Written in between")
    content.admin().post(action="delete", title="Project:Rules")
    texts: Callable[[], set[str]] = lambda: {  # noqa: E731
        c.id for c in mirrored.of(Contribution).values() if isinstance(c, Contribution) and c.text
    }
    assert texts()  # what is read again is there all the time
    later(mirrored, content)
    assert mirrored.of(Thread)[page].author == ""  # type: ignore[union-attr]
    assert_equal(mirrored, content)


def test_a_page_that_the_mirror_never_heard_of_comes_with_its_history(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    page = page_id(content, "Tents")
    for ref, item in list(mirrored.items.items()):
        if ref == thread(page) or (isinstance(item, Contribution) and item.thread == page):
            del mirrored.items[ref]
    later(mirrored, content)
    assert_equal(mirrored, content)
