"""Whom we may write to, who may stop us, and what the account may do, on a real MediaWiki."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from ordito.config.errors import Misconfigured, NotFound, NotThisPlatform, SignInFailed, Unreachable
from ordito.config.secret import Secret
from ordito.connectors.actions import AddToGroup, EditText, SendMessage
from ordito.connectors.base import Health
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.records import Ref
from tests.connectors.mediawiki.site import SITE, Clock, connect, page_id, settings, thread, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki

STOP = Ref(SITE, "title", "Project:Ordito/Stop")


def test_a_member_without_objection_takes_messages_in_the_wikis_language(content: Wiki) -> None:
    profile = connect(content).profile(user_id(content, "Alice"))
    assert (profile.accepts, profile.reason, profile.language) == (True, "", "en")


@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        ("{{nobots}}", False),
        ("{{ NoBots }}", False),
        ("{{bots|deny=all}}", False),
        ("{{bots|deny= other , ordito }}", False),
        ("{{bots|allow=none}}", False),
        ("{{bots|allow=Ordito}}", True),
        ("{{bots|optout=all}}", False),
        ("{{bots|optout=welcome}}", True),
        ("{{bots}} {{nobots}}", False),
        ("{{bots|surprise}}", False),
        ("== Hello ==\n{{robots}}", True),
    ],
)
def test_objections_on_the_talk_page(
    content: Wiki, people: dict[str, Client], text: str, accepts: bool
) -> None:
    people["Alice"].edit("User talk:Alice", text)
    profile = connect(content).profile(user_id(content, "Alice"))
    assert profile.accepts is accepts
    assert bool(profile.reason) is not accepts


@pytest.mark.parametrize("there", [True, False])
def test_a_talk_page_that_is_not_made_of_wikitext_takes_no_messages(content: Wiki, there: bool) -> None:
    content.switch(wgNamespaceContentModels={3: "json"})
    if there:
        content.admin().edit("User talk:Alice", "{}", contentmodel="json")
    assert "wikitext" in connect(content).profile(user_id(content, "Alice")).reason


@pytest.mark.parametrize("title", ["Special:Log", "Project:<Stop>", "meta:Stop"])
def test_a_stop_page_that_cannot_be_there_halts_everything(content: Wiki, title: str) -> None:
    with sqlite3.connect(content.folder / "wiki.sqlite") as db:
        db.execute(
            "insert or ignore into interwiki (iw_prefix, iw_url, iw_api, iw_wikiid, iw_local, iw_trans)"
            " values ('meta', 'https://meta.example.org/$1', '', '', 0, 0)"
        )
    with pytest.raises(Misconfigured, match="Stop|Log"):
        connect(content).halted(Ref(SITE, "title", title))


def test_blocked_members_and_deleted_talk_pages_are_left_alone(content: Wiki) -> None:
    admin = content.admin()
    admin.post(action="block", user="Bob", expiry="1 day")
    admin.edit("User talk:Alice", "x")
    admin.post(action="delete", title="User talk:Alice")
    connector = connect(content)

    assert "blocked" in connector.profile(user_id(content, "Bob")).reason
    assert "deleted" in connector.profile(user_id(content, "Alice")).reason
    with pytest.raises(NotFound):
        connector.profile("99999")


def test_text_on_the_stop_page_halts_everything(content: Wiki, people: dict[str, Client]) -> None:
    connector = connect(content)
    assert connector.halted(STOP) == ""
    people["Bob"].edit("Project:Ordito/Stop", "Please stop.")
    assert "Project:Ordito/Stop" in connector.halted(STOP)
    assert "Blank" in connector.halted(thread(page_id(content, "Ordito/Stop", 4)))
    people["Bob"].edit("Project:Ordito/Stop", "")
    assert connector.halted(STOP) == ""


def test_a_word_on_our_own_talk_page_halts_until_it_is_answered(
    content: Wiki, people: dict[str, Client]
) -> None:
    connector = connect(content)
    people["Bob"].edit("User talk:Ordito", "== What is this? ==\nPlease explain.")
    assert "Bob" in connector.halted(None)
    content.bot().edit("User talk:Ordito", "== What is this? ==\nPlease explain.\n:See the policy.")
    assert connector.halted(None) == ""


def probe(wiki: Wiki, **more: Any) -> Health:
    return connect(wiki, **more).probe()


def test_the_account_and_its_rights_are_told(content: Wiki) -> None:
    health = probe(content)

    assert (health.account, health.account_id) == ("Ordito", user_id(content, "Ordito"))
    assert health.version.startswith("MediaWiki 1.")
    assert {SendMessage, EditText} <= health.can
    assert AddToGroup not in health.can
    assert health.groups is not None and "sysop" in health.groups
    assert health.counts["members"] >= 4
    assert not [f for f in health.findings if f.level != "ok"]


def test_a_main_password_and_too_many_rights_are_found(content: Wiki) -> None:
    health = probe(content, username="Admin", password=Secret.of("admin-password-1"))
    found = " ".join(f.message for f in health.findings)
    assert "main password" in found and "block people" in found and "no bot flag" in found


def test_missing_grants_and_wrong_namespaces_are_found(content: Wiki) -> None:
    secret = "abcdefghijklmnopqrstuv0123456789"
    content.create_bot_password("Ordito", "reader", secret, ("basic",))
    health = probe(
        content, username="Ordito@reader", password=Secret.of(secret), namespaces=[0, 77],
        exclude={"spaces": ["Nowhere"]},
    )  # fmt: skip
    found = " ".join(f.message for f in health.findings)
    assert "may not createtalk, edit" in found
    assert "namespace 77" in found and "'Nowhere'" in found
    assert SendMessage not in health.can


def test_an_excluded_category_or_user_that_is_not_there_is_warned_of(content: Wiki) -> None:
    exclude = {
        "labels": ["gear", "category:Gear", "Category:Gear_", "Geer", "<no title>"],
        "members": ["alice", "Bob_", "Bobb"],
    }
    assert [f.message for f in probe(content, exclude=exclude).findings if f.level != "ok"] == [
        "There is no category 'Geer' to exclude.",
        "There is no category '<no title>' to exclude.",
        "There is no user 'Bobb' to exclude.",
    ]


def test_a_wrong_password_is_told_in_one_line(content: Wiki) -> None:
    with pytest.raises(SignInFailed) as caught:
        probe(content, password=Secret.of("x" * 32))
    assert "\n" not in str(caught.value) and "BotPasswords" in caught.value.hint
    assert "xxxx" not in str(caught.value)


def test_an_address_that_is_no_api_is_told(content: Wiki) -> None:
    with pytest.raises(NotThisPlatform):
        probe(content, url=f"{content.url}/load.php/api.php")
    with pytest.raises((Unreachable, Misconfigured)):
        MediaWikiConnector(
            SITE, settings(content, url="http://127.0.0.1:9/api.php"), Clock().world()
        ).probe()
