"""Writing to a real MediaWiki: done, found again, undone, and what others do meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ordito.config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    NotFound,
    OutcomeUnknown,
)
from ordito.connectors.actions import (
    EditText,
    MoveThread,
    SetLabels,
)
from ordito.connectors.base import Marker, NotDone, Receipt, Unknown
from tests.connectors.mediawiki.doings import (
    PAGES,
    UNDO,
    VERBS,
    Lost,
    Meanwhile,
    long_ago,
    message,
    texts,
)
from tests.connectors.mediawiki.site import MARKER, SITE, Clock, connect, page_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_done_is_found_and_undone_and_the_undoing_is_found(content: Wiki, verb: str) -> None:
    connector, action = connect(content), texts(content)[verb]
    title = PAGES.get(verb, "Tents")
    before = content.admin().text(title)
    assert connector.find(action, MARKER, long_ago()) == NotDone()

    receipt = connector.perform(action, MARKER)
    after = content.admin().text(title)
    assert after != before
    newest = content.admin().revisions(title)[0]
    assert receipt.made[0].id == str(newest["revid"])
    assert newest["user"] == "Ordito"
    assert "Policy welcome" in newest["comment"] and "[[Project:Ordito/Stop]]" in newest["comment"]

    found = connect(content).find(action, MARKER, long_ago())
    assert isinstance(found, Receipt)
    assert (found.made, found.before, found.after) == (receipt.made, receipt.before, receipt.after)

    connector.undo(receipt, UNDO)
    assert (content.admin().text(title) or "") == (before or "")
    assert isinstance(connector.find(action, UNDO, long_ago()), Receipt)


@pytest.mark.parametrize("verb", ("edit", "labels", "archive"))
def test_what_somebody_changed_since_is_not_undone(
    content: Wiki, people: dict[str, Client], verb: str
) -> None:
    connector = connect(content)
    receipt = connector.perform(texts(content)[verb], MARKER)
    people["Bob"].edit("Tents", "Bob's own words")

    with pytest.raises(Conflict, match="edited since"):
        connector.undo(receipt, UNDO)
    assert content.admin().text("Tents") == "Bob's own words"


def test_a_message_is_a_signed_section_that_notifies(content: Wiki) -> None:
    connect(content).perform(message(content), MARKER)

    newest = content.admin().revisions("User talk:Alice")[0]
    text = newest["slots"]["main"]["content"]
    assert text.startswith("== Welcome ==\n\nHello Alice, welcome!\n[[User:Ordito|Ordito]]")
    assert newest["minor"] is False
    flags = "select rc_bot, rc_minor from recentchanges where rc_this_oldid = ?"
    assert content.rows(flags, newest["revid"]) == [(0, 0)]
    assert content.client("Alice", "Alice-password-1").get(action="query", meta="userinfo", uiprop="hasmsg")[
        "query"
    ]["userinfo"]["messages"]


def test_a_message_below_what_others_wrote_leaves_it_alone(content: Wiki, people: dict[str, Client]) -> None:
    people["Bob"].edit("User talk:Alice", "== Hi ==\nFrom Bob.")
    connector = connect(content)
    receipt = connector.perform(message(content), MARKER)
    text = content.admin().text("User talk:Alice") or ""
    assert text.startswith("== Hi ==\nFrom Bob.\n\n== Welcome ==")

    people["Bob"].edit("User talk:Alice", text + "\n\n== Third ==\nAlso Bob.")
    connector.undo(receipt, UNDO)
    assert content.admin().text("User talk:Alice") == "== Hi ==\nFrom Bob.\n\n== Third ==\nAlso Bob."


def test_a_message_that_was_answered_stays(content: Wiki, people: dict[str, Client]) -> None:
    connector = connect(content)
    receipt = connector.perform(message(content), MARKER)
    text = content.admin().text("User talk:Alice") or ""
    people["Alice"].edit("User talk:Alice", text + "\n:Thank you! ~~~~")

    with pytest.raises(Conflict, match="answered"):
        connector.undo(receipt, UNDO)


@pytest.mark.parametrize(
    ("template", "kind", "accepted"),
    [
        ("{{nobots}}", "", False),
        ("{{bots}}", "", True),
        ("{{bots|deny=Ordito}}", "", False),
        ("{{bots|deny=OtherBot}}", "", True),
        ("{{bots|allow=OtherBot}}", "", False),
        ("{{bots|optout=all}}", "welcome", False),
        ("{{bots|optout=welcome}}", "welcome", False),
        ("{{bots|optout=welcome}}", "stale", True),
    ],
)
def test_templates_against_bots_are_obeyed_on_the_talk_page(
    content: Wiki, people: dict[str, Client], template: str, kind: str, accepted: bool
) -> None:
    people["Alice"].edit("User talk:Alice", f"{template}\n== Mine ==\ntext")
    connector = connect(content)
    if accepted:
        connector.perform(message(content, type=kind), MARKER)
        return
    with pytest.raises(Filtered, match="bots"):
        connector.perform(message(content, type=kind), MARKER)
    assert "Welcome" not in (content.admin().text("User talk:Alice") or "")


def test_pages_against_bots_are_not_edited(content: Wiki, people: dict[str, Client]) -> None:
    people["Bob"].edit("Tents", "{{nobots}} Ours.")
    with pytest.raises(Filtered):
        connect(content).perform(texts(content)["labels"], MARKER)


def test_an_edit_of_a_text_that_is_not_as_expected_is_a_conflict(content: Wiki) -> None:
    action = EditText(site=SITE, thread=page_id(content, "Tents"), text="x", expected="Something else")
    with pytest.raises(Conflict):
        connect(content).perform(action, MARKER)


def test_our_own_edit_of_the_same_second_is_not_overwritten(content: Wiki) -> None:
    other, connector = connect(content), connect(content)
    edit = texts(content)["edit"]
    clash = EditText(
        site=SITE, title="Tents", text="Another one", expected=getattr(edit, "expected", None)
    )
    Meanwhile(connector, "edit", lambda: other.perform(clash, Marker("p2-abc")))
    with pytest.raises(Conflict):
        connector.perform(edit, MARKER)
    assert content.admin().text("Tents") == "Another one"


def test_an_edit_elsewhere_on_the_page_is_merged(content: Wiki, people: dict[str, Client]) -> None:
    people["Bob"].edit("Long", "First paragraph.\n\nSecond.\n\nThird.\n\nLast paragraph.")
    connector = connect(content)
    Meanwhile(
        connector,
        "edit",
        lambda: people["Bob"].edit("Long", "FIRST paragraph.\n\nSecond.\n\nThird.\n\nLast paragraph."),
    )
    connector.perform(SetLabels(site=SITE, thread=page_id(content, "Long"), add=("Gear",)), MARKER)
    assert (
        content.admin().text("Long")
        == "FIRST paragraph.\n\nSecond.\n\nThird.\n\nLast paragraph.\n\n[[Category:Gear]]"
    )


def test_a_talk_page_made_meanwhile_is_a_conflict_and_not_overwritten(
    content: Wiki, people: dict[str, Client]
) -> None:
    connector = connect(content)
    Meanwhile(connector, "edit", lambda: people["Bob"].edit("User talk:Alice", "Bob was first"))
    with pytest.raises(Conflict):
        connector.perform(message(content), MARKER)
    assert content.admin().text("User talk:Alice") == "Bob was first"


def test_a_page_deleted_meanwhile_is_not_made_again(content: Wiki) -> None:
    connector = connect(content)
    Meanwhile(connector, "edit", lambda: content.admin().post(action="delete", title="Tents"))
    with pytest.raises(ConnectorError) as caught:
        connector.perform(texts(content)["labels"], MARKER)
    assert isinstance(caught.value, Conflict | NotFound)
    assert content.admin().text("Tents") is None


@pytest.mark.parametrize("verb", VERBS)
def test_a_lost_answer_is_unknown_never_repeated_and_found(content: Wiki, verb: str) -> None:
    connector, action = connect(content), texts(content)[verb]
    lost = Lost(connector, "edit")
    with pytest.raises(OutcomeUnknown):
        connector.perform(action, MARKER)
    assert lost.sent == 1
    assert isinstance(connect(content).find(action, MARKER, datetime.now(UTC)), Receipt)


def test_a_move_whose_answer_was_lost_is_found(content: Wiki) -> None:
    connector = connect(content)
    action = MoveThread(site=SITE, thread=page_id(content, "Tents"), title="Shelters")
    lost = Lost(connector, "move")
    with pytest.raises(OutcomeUnknown):
        connector.perform(action, MARKER)
    assert lost.sent == 1
    assert isinstance(connect(content).find(action, MARKER, datetime.now(UTC)), Receipt)


def test_before_it_says_not_done_it_waits_until_no_request_can_be_at_work(content: Wiki) -> None:
    clock = Clock()
    assert connect(content, clock).find(message(content), MARKER, datetime.now(UTC)) == NotDone()
    assert 100 < sum(clock.waits) <= 130


def test_what_went_with_a_deleted_page_cannot_be_decided(content: Wiki) -> None:
    connector = connect(content)
    connector.perform(message(content), MARKER)
    content.admin().post(action="delete", title="User talk:Alice")
    assert isinstance(connector.find(message(content), MARKER, long_ago()), Unknown)
    gone = SetLabels(site=SITE, thread="99999", add=("X",))
    assert isinstance(connector.find(gone, MARKER, long_ago()), Unknown)
