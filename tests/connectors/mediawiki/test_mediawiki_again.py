"""What no log of a wiki tells and is found because everything is read again after a month; long pauses and
long histories."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ordito.config.secret import Secret
from ordito.connectors.records import Contribution, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal, update
from tests.connectors.mediawiki.site import Clock, connect, member, mirror, page_id, thread, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki

LATER = timedelta(days=30, hours=1)


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


@pytest.mark.parametrize("stop", [2, 5])
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


def test_a_first_reading_that_an_older_version_began_is_finished(content: Wiki) -> None:
    mirrored = MemoryMirror(connect(content))
    mirrored.sync(batches=3)
    assert mirrored.cursor is not None and mirrored.cursor["phase"] != "recent"
    mirrored.cursor = {key: value for key, value in mirrored.cursor.items() if key != "scan"}
    update(mirrored, connect(content))
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


COPIED = "rev_page, rev_comment_id, rev_actor, rev_timestamp, rev_minor_edit, rev_deleted, rev_len, rev_sha1"


def long_history(wiki: Wiki, title: str, count: int) -> str:
    """A page with so many revisions more, written into the wiki's tables; its number."""
    page = page_id(wiki, title)
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        parent = db.execute("select page_latest from page where page_id = ?", (page,)).fetchone()[0]
        for _ in range(count):
            db.execute(
                f"insert into revision ({COPIED}, rev_parent_id)"  # noqa: S608 (our own names)
                f" select {COPIED}, ? from revision where rev_id = ?",
                (parent, parent),
            )
            following = db.execute("select last_insert_rowid()").fetchone()[0]
            db.execute(
                "insert into slots (slot_revision_id, slot_role_id, slot_content_id, slot_origin)"
                " select ?, slot_role_id, slot_content_id, slot_origin from slots where slot_revision_id = ?",
                (following, parent),
            )
            db.execute(
                "insert into revision_comment_temp (revcomment_rev, revcomment_comment_id)"
                " select ?, revcomment_comment_id from revision_comment_temp where revcomment_rev = ?",
                (following, parent),
            )
            parent = following
        db.execute("update page set page_latest = ? where page_id = ?", (parent, page))
    return page


@pytest.mark.parametrize("who", ["a bot", "a member"])
def test_a_page_with_more_revisions_than_an_answer_holds_is_whole(
    content: Wiki, people: dict[str, Client], who: str
) -> None:
    page = long_history(content, "Tents", 600)
    signed_in: dict[str, Any] = {"username": "Alice", "password": Secret.of("Alice-password-1")}
    account = signed_in if who == "a member" else {}
    mirrored = mirror(connect(content, **account))
    assert_equal(mirrored, content)
    assert len([c for c in mirrored.of(Contribution).values() if c.thread == page]) == 602  # type: ignore[union-attr]

    content.admin().post(action="delete", title="Tents")
    update(mirrored, connect(content, **account))
    assert thread(page) not in mirrored.items
    content.admin().post(action="undelete", title="Tents")
    update(mirrored, connect(content, **account))
    assert_equal(mirrored, content)
    assert len([c for c in mirrored.of(Contribution).values() if c.thread == page]) == 602  # type: ignore[union-attr]


def test_after_a_pause_of_31_days_nothing_is_missing_though_recent_changes_are_kept_for_30(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    people["Bob"].edit("While away", "A page of a month ago")
    people["Alice"].edit("Tents", "A month ago")
    content.admin().post(action="move", **{"from": "Project:Rules"}, to="Help:Rules", noredirect=True)
    _age(content, mirrored, timedelta(days=31), timedelta(days=30))
    people["Bob"].edit("Tents", "Today")
    connector = connect(content)
    update(mirrored, connector)
    assert_equal(mirrored, content, (0, 1, 2, 3, 4, 5))


def _age(wiki: Wiki, mirrored: MemoryMirror, by: timedelta, kept: timedelta) -> None:
    """As if all that was so long ago, and of the recent changes only those of `kept` were there."""
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        for table, column in (
            ("revision", "rev_timestamp"), ("logging", "log_timestamp"), ("recentchanges", "rc_timestamp"),
        ):  # fmt: skip
            rows = db.execute(f"select rowid, {column} from {table}").fetchall()  # noqa: S608
            moved = [(_stamp(at, by), row) for row, at in rows]
            db.executemany(f"update {table} set {column} = ? where rowid = ?", moved)  # noqa: S608
        oldest = (datetime.now(UTC) - kept).strftime("%Y%m%d%H%M%S")
        db.execute("delete from recentchanges where rc_timestamp < ?", (oldest,))
    assert mirrored.cursor is not None
    back = datetime.fromisoformat(mirrored.cursor["time"]) - by
    fresh = {"time": back.strftime("%Y-%m-%dT%H:%M:%SZ"), "seen": {}}
    mirrored.cursor = {**mirrored.cursor, **fresh}
    for ref, item in list(mirrored.items.items()):
        if isinstance(item, Contribution):
            mirrored.items[ref] = replace(item, created_at=item.created_at - by)
        elif isinstance(item, Thread):
            latest, author, at = item.stamp.split("|")
            stamp = f"{latest}|{author}|{(datetime.fromisoformat(at) - by).isoformat() if at else ''}"
            times = {"created_at": item.created_at, "last_activity_at": item.last_activity_at}
            aged = {name: at - by for name, at in times.items() if at is not None}
            mirrored.items[ref] = replace(item, stamp=stamp, **aged)  # type: ignore[arg-type]


def _stamp(text: str | bytes, by: timedelta) -> str:
    plain = text.decode() if isinstance(text, bytes) else text
    at = datetime.strptime(plain, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return (at - by).strftime("%Y%m%d%H%M%S")
