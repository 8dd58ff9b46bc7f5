"""The mirror of a real MediaWiki against the wiki's own tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from ordito.config.errors import RateLimited
from ordito.config.secret import Secret
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.records import Contribution, Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.site import (
    Clock,
    connect,
    held,
    member,
    mirror,
    page_id,
    thread,
    truth,
    user_id,
)
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.history import Edit, History, Person
from tests.servers.mediawiki.wiki import Wiki
from tests.shared import shared


def assert_equal(
    mirrored: MemoryMirror, wiki: Wiki, namespaces: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
) -> None:
    have, want = held(mirrored), truth(wiki, namespaces)
    for part in ("members", "threads", "contributions"):
        there, wanted = getattr(have, part), getattr(want, part)
        assert sorted(there) == sorted(wanted)
        for key, item in wanted.items():
            if isinstance(item, Contribution) and item.text is None:
                there[key] = replace(there[key], text=None)  # of older revisions the mirror drops the text
            assert there[key] == item


def revisions(mirrored: MemoryMirror) -> list[Contribution]:
    return [c for c in mirrored.of(Contribution).values() if isinstance(c, Contribution)]


def update(mirrored: MemoryMirror, connector: MediaWikiConnector) -> None:
    mirrored.connector = connector
    mirrored.sync()


def test_a_first_sync_holds_what_the_wiki_holds(content: Wiki) -> None:
    mirrored = mirror(connect(content))

    assert_equal(mirrored, content)
    tents = mirrored.of(Thread)[page_id(content, "Tents")]
    assert isinstance(tents, Thread)
    assert tents.labels == frozenset({"Camping", "Gear", "Stubs"})


def test_addresses_of_people_without_account_are_nowhere_in_the_mirror(content: Wiki) -> None:
    mirrored = mirror(connect(content))

    assert "127.0.0.1" not in repr(mirrored.items) + repr(mirrored.changes) + repr(mirrored.cursor)
    notes = page_id(content, "Tents/Notes")
    assert {c.author for c in revisions(mirrored) if c.thread == notes} == {None}


def test_a_redirect_is_an_address_and_not_a_page(content: Wiki) -> None:
    mirrored = mirror(connect(content))

    assert page_id(content, "Old name") not in mirrored.of(Thread)
    assert connect(content).fetch(thread(page_id(content, "Old name"))) is None


def test_a_sync_stopped_after_any_batch_goes_on_to_the_same_mirror(content: Wiki) -> None:
    whole = MemoryMirror(connect(content))
    count = len(whole.sync())
    for stop in range(1, count):
        mirrored = MemoryMirror(connect(content))
        mirrored.sync(stop)
        update(mirrored, connect(content))
        assert held(mirrored) == held(whole), f"stopped after batch {stop}"


def test_pages_edited_while_the_first_sync_reads_are_neither_lost_nor_old(
    content: Wiki, people: dict[str, Client]
) -> None:
    steps = [
        lambda: people["Alice"].edit("Tents", "Changed once"),
        lambda: people["Bob"].edit("Tents", "Changed twice"),
        lambda: people["Bob"].edit("Brand new", "one"),
        lambda: people["Alice"].edit("Brand new", "two"),
        lambda: content.admin().post(action="delete", title="Project:Rules"),
        lambda: content.admin().post(action="move", **{"from": "Tents/Notes"}, to="Notes"),
        lambda: people["Bob"].edit("Brand new", "three"),
        lambda: people["Bob"].edit("User:Bob", "four"),
    ]
    mirrored = MemoryMirror(connect(content))
    while steps:
        mirrored.sync(1)
        steps.pop(0)()
    mirrored.sync()

    assert_equal(mirrored, content)


def test_nothing_new_costs_one_request_beyond_signing_in(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    again = connect(content)
    update(mirrored, again)

    assert again.statistics()["requests"] == 3


def test_an_edit_brings_its_text_and_what_lies_between(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    people["Alice"].edit("Tents", "Third. [[Category:Gear]]")
    people["Bob"].edit("Tents", "Fourth. [[Category:Night]]")
    content.run_jobs()
    update(mirrored, connect(content))

    assert_equal(mirrored, content)


def test_fifty_changed_pages_cost_two_requests_beyond_signing_in(
    content: Wiki, people: dict[str, Client]
) -> None:
    for number in range(50):
        people["Alice"].edit(f"Page {number}", "first")
    mirrored = mirror(connect(content))
    for number in range(50):
        people["Bob"].edit(f"Page {number}", "second")
    again = connect(content)
    update(mirrored, again)

    assert_equal(mirrored, content)
    assert again.statistics()["requests"] - 2 == 2


def test_a_category_that_a_template_brings_is_read_at_the_next_edit(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    content.admin().edit("Template:Stub", "stub[[Category:Short pages]]")
    people["Bob"].edit("Tents", "Still short. {{Stub}}")
    content.run_jobs()
    update(mirrored, connect(content))

    assert_equal(mirrored, content)
    tents = mirrored.of(Thread)[page_id(content, "Tents")]
    assert isinstance(tents, Thread) and tents.labels == frozenset({"Short pages"})


def test_categories_that_the_wiki_works_out_after_the_edit_are_followed(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    tents = page_id(content, "Tents")
    with sqlite3.connect(content.folder / "wiki.sqlite") as db:
        db.execute("update categorylinks set cl_to = 'Late' where cl_from = ? and cl_to = 'Gear'", (tents,))
        columns = [row[1] for row in db.execute("pragma table_info(recentchanges)") if row[1] != "rc_id"]
        names = ", ".join(columns)
        db.execute(
            f"insert into recentchanges ({names}) select {names} from recentchanges"
            " where rc_type = 6 and rc_cur_id = ? limit 1",
            (tents,),
        )
    update(mirrored, connect(content))

    page = mirrored.of(Thread)[tents]
    assert isinstance(page, Thread) and page.labels == frozenset({"Late", "Camping", "Stubs"})


def test_a_wiki_that_takes_no_edits_is_read_all_the_same(content: Wiki, people: dict[str, Client]) -> None:
    mirrored = mirror(connect(content))
    people["Bob"].edit("Tents", "Just before.")
    content.read_only("Backup")
    update(mirrored, connect(content))
    assert_equal(mirrored, content)
    health = connect(content).probe()
    assert health.read_only
    assert (health.account, health.account_id) == ("Ordito", user_id(content, "Ordito"))


def test_a_sync_of_a_lagging_wiki_waits_and_then_leaves_it(content: Wiki) -> None:
    clock = Clock()
    content.switch(lag=9)
    with pytest.raises(RateLimited):
        mirror(connect(content, clock))
    assert min(clock.waits) >= 9


def test_moves_deletions_and_restorations_are_followed(content: Wiki, people: dict[str, Client]) -> None:
    admin = content.admin()
    people["Bob"].edit("Maps", "one")
    people["Alice"].edit("Maps", "two [[Category:Gear]]")
    mirrored = mirror(connect(content))

    admin.post(action="move", **{"from": "Tents"}, to="User:Bob/Tents", movetalk=True)
    admin.post(action="delete", title="Maps")
    update(mirrored, connect(content))
    assert_equal(mirrored, content)
    moved = [c for c in mirrored.changes if c.field == "space"]
    assert {(c.id, c.value) for c in moved} == {
        (page_id(content, "Bob/Tents", 2), "2"),
        (page_id(content, "Bob/Tents", 3), "3"),
    }

    admin.post(action="undelete", title="Maps")
    admin.post(action="move", **{"from": "Project:Rules"}, to="Help:Rules", noredirect=True)
    update(mirrored, connect(content))
    assert_equal(mirrored, content)

    admin.post(action="move", **{"from": "Help:Rules"}, to="Project:Rules", noredirect=True)
    update(mirrored, connect(content))
    assert_equal(mirrored, content)


def test_a_page_that_becomes_a_redirect_goes_and_comes_back_whole(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    people["Bob"].edit("Tents", "#REDIRECT [[Main Page]]")
    update(mirrored, connect(content))
    assert_equal(mirrored, content)

    people["Bob"].edit("Tents", "Back again.")
    update(mirrored, connect(content))
    assert_equal(mirrored, content)


def test_hidden_revisions_lose_their_author(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    first = content.rows("select min(rev_id) from revision where rev_page = ?", page_id(content, "Tents"))
    content.admin().post(action="revisiondelete", type="revision", ids=first[0][0], hide="content|user")
    update(mirrored, connect(content))

    assert_equal(mirrored, content)


def test_imported_revisions_are_read(content: Wiki, tmp_path: Path) -> None:
    mirrored = mirror(connect(content))
    dump = (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">'
        "<page><title>Tents</title><ns>0</ns><id>5</id>"
        "<revision><id>9</id><timestamp>2009-01-02T03:04:05Z</timestamp>"
        "<contributor><username>Alice</username><id>7</id></contributor><comment>old</comment>"
        '<model>wikitext</model><format>text/x-wiki</format><text xml:space="preserve">Long ago</text>'
        "</revision></page></mediawiki>"
    )
    (tmp_path / "dump.xml").write_text(dump)
    with (tmp_path / "dump.xml").open("rb") as file:
        _import(content, file)
    update(mirrored, connect(content))

    read = revisions(mirrored)
    assert datetime(2009, 1, 2, 3, 4, 5, tzinfo=UTC) in {c.created_at for c in read}
    assert {c.id for c in read} == set(truth(content).contributions)


def _import(wiki: Wiki, file: IO[bytes]) -> None:
    with requests.Session() as session:
        send = session.post

        def ask(**data: str) -> Any:
            return send(wiki.api_url, data={"format": "json", **data}, timeout=60).json()

        token = ask(action="query", meta="tokens", type="login")["query"]["tokens"]["logintoken"]
        ask(action="login", lgname="Admin", lgpassword="admin-password-1", lgtoken=token)
        token = ask(action="query", meta="tokens")["query"]["tokens"]["csrftoken"]
        data = {"action": "import", "interwikiprefix": "x", "assignknownusers": "1", "token": token}
        answer = send(wiki.api_url, data={"format": "json", **data}, files={"xml": file}, timeout=60).json()
        assert "error" not in answer, answer


def test_a_renamed_account_keeps_its_number_and_its_contributions(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    alice = user_id(content, "Alice")
    content.switch(extensions=["Renameuser"])
    _rename(content, "Alice", "Alicia")
    update(mirrored, connect(content))

    assert_equal(mirrored, content)
    assert getattr(mirrored.items[member(alice)], "username", "") == "Alicia"


def _rename(wiki: Wiki, old: str, new: str) -> None:
    """What the extension Renameuser writes; it has no API in this version."""
    parameters = f'a:3:{{s:10:"4::olduser";s:{len(old)}:"{old}";s:10:"5::newuser";s:{len(new)}:"{new}";' + (
        's:8:"6::edits";i:2;}'
    )
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        db.execute("update user set user_name = ? where user_name = ?", (new, old))
        db.execute("update actor set actor_name = ? where actor_name = ?", (new, old))
        db.execute(
            "insert into logging (log_type, log_action, log_timestamp, log_actor, log_namespace, log_title,"
            " log_page, log_comment_id, log_params) values ('renameuser', 'renameuser', ?, 1, 2, ?, 0, 1, ?)",
            (now, old, parameters),
        )


def test_accounts_follow_blocks_rights_and_creation(
    content: Wiki, people: dict[str, Client]
) -> None:
    mirrored = mirror(connect(content))
    admin = content.admin()
    admin.post(action="block", user="Bob", expiry="never", autoblock=False)
    token = admin.get(action="query", meta="tokens", type="userrights")["query"]["tokens"]["userrightstoken"]
    admin.send(action="userrights", user="Alice", add="sysop", token=token)
    content.create_account("Carol", "Carol-password-1")
    update(mirrored, connect(content))

    assert held(mirrored).members == truth(content).members
    change = [c for c in mirrored.changes if c.field == "group"][-1]
    assert (change.id, change.value, change.on) == (user_id(content, "Alice"), "sysop", True)

    admin.post(action="unblock", user="Bob")
    admin.send(action="userrights", user="Alice", remove="sysop", token=token)
    update(mirrored, connect(content))
    assert held(mirrored).members == truth(content).members
    assert [c.on for c in mirrored.changes if c.field == "group"][-1] is False


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
