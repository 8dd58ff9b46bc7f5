"""The mirror of a real MediaWiki against the wiki's own tables."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from ordito.config.errors import RateLimited
from ordito.connectors.records import Thread
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal, revisions, update
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
from tests.servers.mediawiki.wiki import Wiki


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
        now = names.replace("rc_timestamp", "strftime('%Y%m%d%H%M%S', 'now')")
        db.execute(
            f"insert into recentchanges ({names}) select {now} from recentchanges"
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


@pytest.mark.parametrize("namespaces", [[0], [0, 1, 2, 3, 4, 5, 10, 14]])
def test_the_estimate_for_a_small_wiki_is_right(content: Wiki, namespaces: list[int]) -> None:
    connector = connect(content, namespaces=namespaces)
    estimate = connector.probe().requests
    mirror(connector)
    assert abs(estimate - connector.statistics()["requests"]) <= 2
