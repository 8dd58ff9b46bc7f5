"""Verbs on a real MediaWiki: done, found again, undone, refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from ordito.config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    Forbidden,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    ReadOnly,
    Refused,
    Unreachable,
)
from ordito.config.secret import Secret
from ordito.connectors.actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    CloseThread,
    EditText,
    MoveThread,
    NotifyModerators,
    OpenThread,
    RemoveFromGroup,
    Reply,
    SendMessage,
    SetLabels,
    UnarchiveThread,
)
from ordito.connectors.base import Marker, NotDone, Receipt, Unknown
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from tests.connectors.mediawiki.site import MARKER, SITE, Clock, connect, page_id, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki

UNDO = Marker("u1-abc", "Undone")
Write = Callable[[MediaWikiConnector], Receipt]


def long_ago() -> datetime:
    """So long that no request of that time is at work any more."""
    return datetime.now(UTC) - timedelta(minutes=5)


def message(wiki: Wiki, text: str = "Hello Alice, welcome!", **more: Any) -> SendMessage:
    return SendMessage(site=SITE, to=(user_id(wiki, "Alice"),), subject="Welcome", text=text, **more)


def texts(wiki: Wiki) -> dict[str, Action]:
    """One action of every verb that changes text, on Tents or on Alice's talk page."""
    tents = page_id(wiki, "Tents")
    return {
        "message": message(wiki),
        "reply": Reply(site=SITE, thread=tents, subject="Notice", text="Is this still right?"),
        "notice": NotifyModerators(
            site=SITE, subject="Look", text="Please look.", page="Project:Notices", about=tents
        ),
        "edit": EditText(
            site=SITE, thread=tents, text="New.", summary="rewritten",
            expected="More about tents. [[Category:Camping]] [[Category:Gear]] {{Stub}}",
        ),
        "labels": SetLabels(site=SITE, thread=tents, add=("Night",), remove=("Camping",)),
        "archive": ArchiveThread(site=SITE, thread=tents, template="{{Archived}}\n[[Category:Archive]]"),
    }  # fmt: skip


VERBS = ("message", "reply", "notice", "edit", "labels", "archive")
PAGES = {"message": "User talk:Alice", "reply": "Talk:Tents", "notice": "Project:Notices"}


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


class Meanwhile:
    """Does something once, just before a request of ours is sent."""

    def __init__(self, connector: MediaWikiConnector, before: str, doing: Callable[[], Any]) -> None:
        self.done = False
        session = connector.client.connection
        send = session.request

        def request(method: str, url: str, **kwargs: Any) -> requests.Response:
            sent = kwargs.get("data") or kwargs.get("params") or {}
            if sent.get("action") == before and not self.done:
                self.done = True
                doing()
            response: requests.Response = send(method, url, **kwargs)
            return response

        session.request = request


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


class Lost:
    """Sends a write and loses the answer."""

    def __init__(self, connector: MediaWikiConnector, action: str) -> None:
        adapter = connector.client.connection.get_adapter("http://")
        send = adapter.send
        self.sent = 0

        def sending(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            response: requests.Response = send(request, **kwargs)
            if request.method == "POST" and f"action={action}" in str(request.body):
                self.sent += 1
                response.close()
                raise requests.exceptions.ConnectionError("reset by peer")
            return response

        adapter.send = sending


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


def test_labels_that_are_there_already_are_nobodys_doing(content: Wiki) -> None:
    connector = connect(content)
    action = SetLabels(site=SITE, thread=page_id(content, "Tents"), add=("Gear",), remove=("Absent",))
    receipt = connector.perform(action, MARKER)

    assert (receipt.attribution, receipt.made) == ("unknown", ())
    assert len(content.admin().revisions("Tents")) == 2
    with pytest.raises(Refused, match="not our doing"):
        connector.undo(receipt, UNDO)


def test_a_category_that_a_template_brings_is_not_ours_to_remove(content: Wiki) -> None:
    action = SetLabels(site=SITE, thread=page_id(content, "Tents"), remove=("Stubs",))
    with pytest.raises(Filtered, match="template"):
        connect(content).perform(action, MARKER)


def test_a_new_page_is_opened_once_and_taken_back_with_the_right_to_delete(content: Wiki) -> None:
    connector = connect(content)
    action = OpenThread(site=SITE, title="Maps", space="4", text="All maps.", labels=("Gear",))
    receipt = connector.perform(action, MARKER)
    assert content.admin().text("Project:Maps") == "All maps.\n\n[[Category:Gear]]"
    assert {ref.kind for ref in receipt.made} == {"thread", "contribution"}
    with pytest.raises(Conflict, match="exists already"):
        connector.perform(action, Marker("p3-abc"))

    with pytest.raises(Forbidden, match="may not delete"):
        connector.undo(receipt, UNDO)
    admin = connect(content, username="Admin", password=Secret.of("admin-password-1"))
    admin.undo(receipt, UNDO)
    assert content.admin().text("Project:Maps") is None


def test_a_block_between_markers_is_kept_apart_from_what_people_wrote(
    content: Wiki, people: dict[str, Client]
) -> None:
    connector, markers = connect(content), ("<!-- begin -->", "<!-- end -->")
    people["Bob"].edit("Project:Experts", "Intro by people.")
    number = page_id(content, "Experts", 4)

    def write(text: str, expected: str, token: str) -> Receipt:
        action = EditText(site=SITE, thread=number, text=text, expected=expected, markers=markers)
        return connector.perform(action, Marker(token))

    write("\n* One\n", "", "p1")
    people["Bob"].edit("Project:Experts", (content.admin().text("Project:Experts") or "") + "\n\nOutro.")
    write("\n* One\n* Two\n", "\n* One\n", "p2")
    assert content.admin().text("Project:Experts") == (
        "Intro by people.\n\n<!-- begin -->\n* One\n* Two\n<!-- end -->\n\nOutro."
    )
    assert write("\n* One\n* Two\n", "\n* One\n* Two\n", "p3").attribution == "unknown"
    with pytest.raises(Conflict):
        write("\n* Three\n", "\n* Something else\n", "p4")


def test_one_section_is_replaced(content: Wiki, people: dict[str, Client]) -> None:
    people["Bob"].edit("Guide", "Intro\n\n== A ==\na\n\n=== A1 ===\na1\n\n== B ==\nb")
    action = EditText(
        site=SITE, title="Guide", section="A", text="== A ==\nnew",
        expected="== A ==\na\n\n=== A1 ===\na1\n\n",
    )  # fmt: skip
    connect(content).perform(action, MARKER)
    assert content.admin().text("Guide") == "Intro\n\n== A ==\nnew\n\n== B ==\nb"


def test_a_page_that_must_not_exist_yet(content: Wiki) -> None:
    connector = connect(content)
    connector.perform(EditText(site=SITE, title="Fresh", text="x"), MARKER)
    assert content.admin().text("Fresh") == "x"
    with pytest.raises(Conflict):
        connector.perform(EditText(site=SITE, title="Tents", text="x"), Marker("p9"))


def test_archived_and_taken_out_again(content: Wiki) -> None:
    connector, tents = connect(content), page_id(content, "Tents")
    before = content.admin().text("Tents")
    connector.perform(ArchiveThread(site=SITE, thread=tents, template="{{Archived}}"), MARKER)
    assert content.admin().text("Tents") == f"{{{{Archived}}}}\n{before}"
    again = ArchiveThread(site=SITE, thread=tents, template="{{archived}}")
    assert connector.perform(again, Marker("p5")).attribution == "unknown"
    connector.perform(UnarchiveThread(site=SITE, thread=tents, template="{{Archived}}"), Marker("p6"))
    assert content.admin().text("Tents") == before


def test_a_move_is_found_in_the_log_and_moved_back(content: Wiki) -> None:
    connector, tents = connect(content), page_id(content, "Tents")
    action = MoveThread(site=SITE, thread=tents, title="Shelters")
    assert connector.find(action, MARKER, long_ago()) == NotDone()
    receipt = connector.perform(action, MARKER)
    assert page_id(content, "Shelters") == tents
    found = connector.find(action, MARKER, long_ago())
    assert isinstance(found, Receipt) and found.after == receipt.after
    assert connector.perform(action, Marker("p7")).attribution == "unknown"

    connector.undo(receipt, UNDO)
    assert page_id(content, "Tents") == tents
    assert content.admin().text("Talk:Tents") is not None

    receipt = connector.perform(action, Marker("p8"))
    content.admin().post(action="move", fromid=tents, to="Roofs")
    with pytest.raises(Conflict, match="moved on"):
        connector.undo(receipt, UNDO)
    with pytest.raises(Conflict):
        connector.perform(MoveThread(site=SITE, thread=tents, title="Main Page"), Marker("p10"))


@pytest.fixture
def bureaucrat(content: Wiki) -> MediaWikiConnector:
    """Our account with the main password and the rights of a bureaucrat."""
    content.create_account("Steward", "Steward-password-1", ("bureaucrat",))
    return connect(content, username="Steward", password=Secret.of("Steward-password-1"))


def test_groups_are_given_found_and_taken_back(content: Wiki, bureaucrat: MediaWikiConnector) -> None:
    alice = user_id(content, "Alice")
    action = AddToGroup(site=SITE, member=alice, group="bot")

    def groups() -> set[str]:
        return {g for (g,) in content.rows("select ug_group from user_groups where ug_user = ?", int(alice))}

    receipt = bureaucrat.perform(action, MARKER)
    assert groups() == {"bot"}
    found = bureaucrat.find(action, MARKER, long_ago())
    assert isinstance(found, Receipt) and found.after == receipt.after
    assert bureaucrat.perform(action, Marker("p2")).attribution == "unknown"
    bureaucrat.undo(receipt, UNDO)
    assert groups() == set()

    receipt = bureaucrat.perform(action, Marker("p3"))
    bureaucrat.perform(RemoveFromGroup(site=SITE, member=alice, group="bot"), Marker("p4"))
    with pytest.raises(Conflict):
        bureaucrat.undo(receipt, UNDO)


def test_without_the_right_to_give_groups_it_is_refused(content: Wiki) -> None:
    action = AddToGroup(site=SITE, member=user_id(content, "Alice"), group="sysop")
    with pytest.raises(Forbidden):
        connect(content).perform(action, MARKER)


def test_a_verb_that_wikis_lack_is_refused(content: Wiki) -> None:
    with pytest.raises(Refused, match="close_thread"):
        connect(content).perform(CloseThread(site=SITE, thread="1"), MARKER)


def test_an_undo_is_not_undone(content: Wiki) -> None:
    connector = connect(content)
    undone = connector.undo(connector.perform(texts(content)["labels"], MARKER), UNDO)
    with pytest.raises(Refused, match="not undone"):
        connector.undo(undone, Marker("u2"))


# What stands against it


def _filter(wiki: Wiki, actions: str) -> None:
    """An abuse filter that matches every edit by our account."""
    wiki.switch(extensions=["AbuseFilter"])
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        columns = [row[1] for row in db.execute("pragma table_info(abuse_filter)")]
        row: dict[str, Any] = {
            "af_id": 1, "af_pattern": 'user_name == "Ordito"', "af_timestamp": "20200101000000", "af_user": 1,
            "af_user_text": "Admin", "af_actor": 1, "af_enabled": 1, "af_public_comments": "no robots",
            "af_comments": "", "af_hidden": 0, "af_hit_count": 0, "af_throttled": 0, "af_deleted": 0,
            "af_actions": actions, "af_global": 0, "af_group": "default",
        }  # fmt: skip
        row = {key: value for key, value in row.items() if key in columns}
        marks = ",".join("?" * len(row))
        db.execute(f"insert into abuse_filter ({','.join(row)}) values ({marks})", list(row.values()))
        db.execute("insert into abuse_filter_action values (1, ?, '')", (actions,))


@pytest.mark.parametrize("actions", ["disallow", "warn"])
def test_what_a_filter_refuses_is_not_sent_again(content: Wiki, actions: str) -> None:
    _filter(content, actions)
    with pytest.raises(Filtered, match="abusefilter"):
        connect(content).perform(message(content), MARKER)
    assert content.admin().text("User talk:Alice") is None


def test_a_captcha_is_left_to_people(content: Wiki) -> None:
    secret = "0123456789abcdefghijklmnopqrstuv"
    content.create_account("Plain", "Plain-password-1")
    content.create_bot_password("Plain", "cron", secret)
    content.switch(
        extensions=["ConfirmEdit"],
        wgCaptchaTriggers={"edit": True, "create": True},
    )  # fmt: skip
    connector = connect(content, username="Plain@cron", password=Secret.of(secret))
    with pytest.raises(Filtered, match="captcha"):
        connector.perform(message(content), MARKER)
    assert content.admin().text("User talk:Alice") is None


def test_a_read_only_wiki_says_when_it_is_meant_to_be_tried(content: Wiki) -> None:
    connector = connect(content)
    connector.probe()
    content.read_only("Moving house")
    with pytest.raises(ReadOnly, match="Moving house"):
        connector.perform(message(content), MARKER)
    content.writable()
    connector.perform(message(content), MARKER)


def test_the_wikis_own_limit_is_waited_out_a_little_and_then_left(content: Wiki) -> None:
    clock = Clock()
    content.switch(wgRateLimits={"edit": {"user": [1, 60]}})
    connector = connect(content, clock)
    connector.perform(message(content), MARKER)
    with pytest.raises(RateLimited) as caught:
        connector.perform(texts(content)["labels"], MARKER)
    assert caught.value.until is not None
    assert sum(clock.waits) >= 60


def test_lag_is_waited_out(content: Wiki) -> None:
    clock = Clock()
    content.switch(lag=7)
    with pytest.raises(RateLimited, match="lagging"):
        connect(content, clock).perform(message(content), MARKER)
    assert min(clock.waits) >= 5
    content.switch(lag=None)
    connect(content, clock).perform(message(content), MARKER)


def test_an_answer_that_is_no_json_is_later_when_reading_and_unknown_when_writing(content: Wiki) -> None:
    connector = connect(content)
    connector.probe()
    adapter = connector.client.connection.get_adapter("http://")
    send = adapter.send

    def garbled(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response: requests.Response = send(request, **kwargs)
        if (request.method == "POST") is writing:
            response._content = b"<html>One moment, please</html>"
        return response

    adapter.send = garbled
    writing = False
    with pytest.raises(Unreachable):
        connector.halted(None)
    writing = True
    with pytest.raises(OutcomeUnknown):
        connector.perform(message(content), MARKER)


def test_a_lost_session_signs_in_again_and_never_edits_as_an_address(content: Wiki) -> None:
    connector = connect(content)
    connector.probe()
    connector.perform(message(content), MARKER)
    connector.client.connection.cookies.clear()
    connector.perform(texts(content)["reply"], Marker("p2"))
    assert content.admin().revisions("Talk:Tents")[0]["user"] == "Ordito"


def test_a_block_stops_everything_with_its_reason(content: Wiki) -> None:
    connector = connect(content)
    content.admin().post(action="block", user="Ordito", expiry="never", reason="runs wild")
    with pytest.raises(Forbidden, match="blocked") as caught:
        connector.perform(message(content), MARKER)
    assert "runs wild" in caught.value.hint


def test_a_protected_page_is_refused(content: Wiki) -> None:
    content.admin().post(action="protect", title="Tents", protections="edit=sysop")
    with pytest.raises(Forbidden):
        connect(content).perform(texts(content)["labels"], MARKER)


def test_edits_keep_their_pace(content: Wiki) -> None:
    clock = Clock()
    connector = connect(content, clock, edits_per_minute=6)
    connector.perform(message(content), MARKER)
    connector.perform(texts(content)["labels"], Marker("p2"))
    assert sum(clock.waits) == pytest.approx(10)


def test_a_trial_ends_for_good(content: Wiki) -> None:
    connector = connect(content, trial=2)
    connector.perform(message(content), MARKER)
    connector.perform(texts(content)["labels"], Marker("p2"))
    assert "trial" in connector.halted(None)
    with pytest.raises(Misconfigured, match="trial"):
        connect(content, trial=2).perform(texts(content)["reply"], Marker("p3"))
