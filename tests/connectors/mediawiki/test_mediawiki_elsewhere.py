"""Wikis that are larger, or set up in other ways, than the test wiki is."""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ordito.config.errors import Misconfigured, NotThisPlatform, RateLimited, ReadOnly, Unreachable
from ordito.config.secret import Secret
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from tests.connectors.adapter import MemoryMirror
from tests.connectors.mediawiki.mirrored import assert_equal, update
from tests.connectors.mediawiki.prepared import People
from tests.connectors.mediawiki.site import Clock, connect, mirror, page_id
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


def test_pages_with_edits_in_several_answers_are_not_read_from_their_beginning(
    content: Wiki, people: People
) -> None:
    for number in range(5):
        people["Alice"].edit("Tents", f"Before {number}")
    mirrored = mirror(connect(content))
    for number in range(4):
        for title in ("Tents", "Maps"):
            people["Bob"].edit(title, f"{title} {number}")
    connector, histories = in_small_answers(connect(content), 3), []
    query = connector.client.query

    def noting(**params: Any) -> Any:
        histories.extend([params] if "rvlimit" in params else [])
        return query(**params)

    connector.client.query = noting  # type: ignore[method-assign]
    update(mirrored, connector)

    assert_equal(mirrored, content)
    assert histories == []


def test_revisions_that_are_not_among_the_recent_changes_are_found_beside_many_others(
    content: Wiki, people: People
) -> None:
    mirrored = mirror(connect(content))
    for number in range(3):
        people["Bob"].edit("Tents", f"Tents {number}")
        content.admin().post(
            action="protect", title="Tents", protections="move=sysop", expiry=f"{number + 1} days"
        )
        people["Alice"].edit("Talk:Tents", f"Well {number}")
    with sqlite3.connect(content.folder / "wiki.sqlite") as db:  # as an extension may suppress it
        db.execute("delete from recentchanges where rc_title = 'Tents' and rc_namespace = 1 and rc_id % 2")
    for number in range(2):
        people["Alice"].edit("Talk:Tents", f"Well, then {number}")
    update(mirrored, in_small_answers(connect(content), 3))

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


DOT = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one dot."""


def test_files_are_read_as_they_are_uploaded(content: Wiki) -> None:
    """Recent changes have no row of the page that comes with a file: only the log tells of it."""
    content.switch(wgEnableUploads=True)
    mirrored = mirror(connect(content, namespaces=[0, 6]))
    for name in ("Tent.png", "Stove.png"):
        content.admin().upload(name, DOT)
        update(mirrored, connect(content, namespaces=[0, 6]))
        assert_equal(mirrored, content, (0, 6))
    assert page_id(content, "Stove.png", 6)


def test_what_logs_tell_of_nothing_that_is_mirrored_costs_no_requests(content: Wiki) -> None:
    mirrored = mirror(connect(content))
    admin = content.admin()
    admin.post(action="protect", title="Never to be made", protections="create=sysop")
    for address in ("10.1.2.3", "10.2.0.0/16", "2001:db8::1"):
        admin.post(action="block", user=address, expiry="1 day")
    row = content.rows("select max(log_id) from logging")[0][0]
    admin.post(action="revisiondelete", type="logging", ids=row, hide="content")
    quiet = connect(content)
    update(mirrored, quiet)

    assert_equal(mirrored, content)
    assert quiet.statistics()["requests"] == 3


def test_redirects_cost_no_requests(content: Wiki, people: People) -> None:
    member: dict[str, Any] = {"username": "Alice", "password": Secret.of("Alice-password-1")}
    few = connect(content, **member)
    mirror(few)
    for number in range(60):  # more than one request may ask for with their texts
        people["Alice"].edit(f"Tents {number}", "#REDIRECT [[Tents]]")
    with sqlite3.connect(content.folder / "wiki.sqlite") as db:
        db.execute("update recentchanges set rc_timestamp = '20200101000000'")
    many = connect(content, **member)
    assert_equal(mirror(many), content)
    assert many.statistics()["requests"] == few.statistics()["requests"]


@pytest.mark.parametrize("miser", [False, True])
def test_many_redirects_and_few_pages_are_told_apart_wherever_reading_is_stopped(
    content: Wiki, people: People, miser: bool
) -> None:
    content.switch(wgMiserMode=miser)
    for number in range(8):
        people["Alice"].edit(f"Tents {number}", "#REDIRECT [[Tents]]")
    mirrored = MemoryMirror(connect(content))
    while mirrored.cursor is None or mirrored.cursor["phase"] != "pages":
        mirrored.sync(1)
    while mirrored.cursor is None or mirrored.cursor["phase"] != "recent":
        mirrored.connector = in_small_answers(connect(content))
        mirrored.sync(1)
    assert_equal(mirrored, content)


@pytest.mark.parametrize("key", ["arvcontinue", "rccontinue"])
def test_where_the_wiki_does_not_know_its_own_continue_any_more_a_part_is_read_again(
    content: Wiki, people: People, key: str
) -> None:
    mirrored = mirror(connect(content)) if key == "rccontinue" else MemoryMirror(connect(content))
    people["Bob"].edit("Tents", "Changed.")
    mirrored.connector = in_small_answers(connect(content))
    while mirrored.cursor is None or key not in mirrored.cursor.get("continue", {}):
        mirrored.sync(1)
    mirrored.cursor = {**mirrored.cursor, "continue": {**mirrored.cursor["continue"], key: "of 1.35"}}
    update(mirrored, connect(content))

    assert_equal(mirrored, content)


def test_a_list_that_the_wiki_has_turned_off_is_not_taken_for_an_empty_one(content: Wiki) -> None:
    content.switch(wgAPIListModules={"allusers": "ApiQueryDisabled"})
    with pytest.raises(Misconfigured, match="list=allusers"):
        mirror(connect(content))


def test_a_page_for_which_answers_have_no_room_is_not_asked_for_again_and_again(
    content: Wiki, people: People
) -> None:
    people["Bob"].edit("Tents", "Words. " * 1000)
    connector = connect(content)
    connector.probe()
    content.switch(wgAPIMaxResultSize=4000)
    with pytest.raises(Misconfigured, match="no room"):
        mirror(connector)


@pytest.mark.parametrize("switched", [{"lag": 4000}, {"wgJobQueueIncludeInMaxLagFactor": 0.001}])
def test_a_long_lag_is_not_slept_through(content: Wiki, people: People, switched: dict[str, Any]) -> None:
    people["Bob"].edit("Tents", "A job waits.")
    content.switch(**switched)
    clock = Clock()
    with pytest.raises(RateLimited, match="lagging") as caught:
        mirror(connect(content, clock))
    assert caught.value.until is not None
    assert sum(clock.waits) < 60


def spied(connector: MediaWikiConnector, see: Callable[[requests.Response], None]) -> MediaWikiConnector:
    """Every answer is looked at, or changed, before the connector gets it."""
    adapter = connector.client.connection.get_adapter("http://")
    send = adapter.send

    def sent(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response: requests.Response = send(request, **kwargs)
        see(response)
        return response

    adapter.send = sent
    return connector


def test_names_in_any_script_fit_into_what_servers_take(content: Wiki) -> None:
    lengths: list[int] = []
    connector = spied(connect(content), lambda answer: lengths.append(len(answer.url)))
    connector.client.query(list="users", ususers=[f"Участница сообщества {number}" for number in range(100)])
    assert max(lengths) < 8000


@pytest.mark.parametrize("text", [b"MediaWiki API is not enabled for this site.", b'{"error": "no call"}'])
def test_what_is_not_mediawikis_api_is_told_from_it(content: Wiki, text: bytes) -> None:
    def garble(answer: requests.Response) -> None:
        answer._content = text

    with pytest.raises(NotThisPlatform):
        spied(connect(content), garble).probe()


def test_an_api_that_is_away_for_a_while_is_no_wrong_address(content: Wiki) -> None:
    connector = connect(content)
    connector.probe()

    def away(answer: requests.Response) -> None:
        answer.status_code = 404

    with pytest.raises(Unreachable, match="404"):
        spied(connector, away).halted(None)


def test_a_private_wiki_that_takes_no_edits_is_read_later(content: Wiki, people: People) -> None:
    content.switch(private=True)
    mirrored = mirror(connect(content))
    assert_equal(mirrored, content)

    content.read_only("Backup")
    with pytest.raises(ReadOnly, match="Backup"):
        update(mirrored, connect(content))
