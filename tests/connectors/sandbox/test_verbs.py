"""What the verbs do on the sandbox beyond the contract of all connectors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordito.config.errors import Conflict, NotFound, Refused
from ordito.connectors.actions import (
    AddToGroup,
    ArchiveThread,
    CloseThread,
    EditText,
    NotifyModerators,
    OpenThread,
    Reply,
    SendMessage,
    SetLabels,
    UnarchiveThread,
)
from ordito.connectors.base import Marker, NotDone, Receipt, Standing
from ordito.connectors.records import Kind, Ref
from ordito.connectors.sandbox.wiki import full_title, page_titled, talk_title, with_categories
from tests.connectors.sandbox.site import SandboxSite

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MARKER = Marker("stale-0001", "archive-stale")


@pytest.fixture
def forum(tmp_path: Path) -> Iterator[SandboxSite]:
    site = SandboxSite(tmp_path, "forum", NOW)
    yield site
    site.sandbox.close()


@pytest.fixture
def wiki(tmp_path: Path) -> Iterator[SandboxSite]:
    site = SandboxSite(tmp_path, "wiki", NOW)
    yield site
    site.sandbox.close()


def test_a_reply_of_ours_does_not_bump_the_topic(forum: SandboxSite) -> None:
    thread = forum.open(forum.join("asker"), "A question about frames", "Which size?")
    before = forum.state(thread).last_activity_at
    connector = forum.connect()
    connector.perform(Reply(site="club", thread=thread, text="This topic sleeps."), MARKER)
    connector.close()
    assert forum.state(thread).last_activity_at == before


def test_a_message_that_was_answered_is_not_withdrawn(forum: SandboxSite) -> None:
    member = forum.join("newcomer")
    connector = forum.connect()
    receipt = connector.perform(SendMessage(site="club", to=(member,), subject="Hi", text="Hello."), MARKER)
    thread = next(ref.id for ref in receipt.made if ref.kind == Kind.THREAD)
    forum.sandbox.as_member(member).reply(thread, "Thank you!")
    with pytest.raises(Conflict):
        connector.undo(receipt, MARKER)
    connector.close()


def test_our_edit_is_found_under_the_edits_of_others(forum: SandboxSite) -> None:
    thread = forum.open(forum.join("asker"), "A question about frames", "Which size?")
    post = str(forum._first(thread)["id"])
    action = EditText(site="club", contribution=post, text="Which size? Solved.", expected="Which size?")
    connector = forum.connect()
    connector.perform(action, MARKER)
    forum.edit(forum.moderator(), post, "Which size, please?")
    assert isinstance(connector.find(action, MARKER, NOW), Receipt)
    assert connector.find(action, MARKER, forum.now()) == NotDone()
    connector.close()


def test_a_post_is_named_by_its_topic_but_not_by_a_section_or_a_title(forum: SandboxSite) -> None:
    thread = forum.open(forum.join("asker"), "A question about frames", "Which size?")
    connector = forum.connect()
    connector.perform(EditText(site="club", thread=thread, text="Which?", expected="Which size?"), MARKER)
    assert forum.first_text(thread) == "Which?"
    for wrong in (
        EditText(site="club", thread=thread, section="Small", text="x", expected="Which?"),
        EditText(site="club", title="A question about frames", text="x", expected="Which?"),
    ):
        with pytest.raises(Refused):
            connector.perform(wrong, MARKER)
    connector.close()


def test_moderators_are_told_in_a_message_to_their_group(forum: SandboxSite) -> None:
    connector = forum.connect()
    receipt = connector.perform(
        NotifyModerators(site="club", subject="Please look", text="At this.", group="moderators"), MARKER
    )
    connector.close()
    thread = next(ref.id for ref in receipt.made if ref.kind == Kind.THREAD)
    told = {
        str(row["member"]) for row in forum.sandbox.rows("SELECT * FROM recipient WHERE thread = ?", thread)
    }
    groups = [forum.groups_of(member) for member in told]
    assert groups and all("moderators" in names for names in groups)


def test_labels_given_in_part_by_others_are_taken_back_in_part(forum: SandboxSite) -> None:
    thread = forum.open(forum.join("asker"), "A question about frames", "Which size?", ["bees"])
    forum.relabel(forum.moderator(), thread, ["bees", "honey"])
    connector = forum.connect()
    action = SetLabels(site="club", thread=thread, add=("honey", "hives"))
    receipt = connector.perform(action, MARKER)
    assert receipt.before == {"label": ["bees", "honey"]}
    connector.undo(receipt, MARKER)
    assert forum.state(thread).labels == frozenset({"bees", "honey"})
    connector.close()


def test_what_is_gone_counts_as_not_done(forum: SandboxSite) -> None:
    thread = forum.open(forum.join("asker"), "A question about frames", "Which size?")
    closing = CloseThread(site="club", thread=thread)
    connector = forum.connect()
    connector.perform(closing, MARKER)
    forum.delete_thread(forum.moderator(), thread)
    assert connector.find(closing, MARKER, NOW) == NotDone()
    assert connector.find(CloseThread(site="club", thread="none"), MARKER, NOW) == NotDone()
    connector.close()


def test_asking_for_nothing_changes_nothing(forum: SandboxSite) -> None:
    thread = forum.open(forum.join("asker"), "A question about frames", "Which size?")
    connector = forum.connect()
    last = forum.sandbox.last_change()
    assert connector.perform(SetLabels(site="club", thread=thread), MARKER).attribution == "unknown"
    assert forum.sandbox.last_change() == last
    connector.close()


def test_an_undo_is_not_undone(forum: SandboxSite) -> None:
    connector = forum.connect()
    receipt = connector.perform(AddToGroup(site="club", member=forum.join("keen"), group="greeters"), MARKER)
    undone = connector.undo(receipt, MARKER)
    with pytest.raises(Refused):
        connector.undo(undone, MARKER)
    with pytest.raises(NotFound):
        connector.perform(AddToGroup(site="club", member="1", group="no such group"), MARKER)
    connector.close()


def test_a_stop_topic_that_is_gone_or_quiet_lets_go(forum: SandboxSite) -> None:
    connector = forum.connect()
    thread = forum.open(forum.moderator(), "Stop Ordito here", "Reply here and Ordito stops.")
    stop = Ref("club", Kind.THREAD, thread)
    assert connector.halted(stop) == ""
    forum.contribute(forum.join("objector"), thread, "Stop, please.")
    assert connector.halted(stop)
    forum.delete_thread(forum.moderator(), thread)
    assert connector.halted(stop) == ""
    connector.close()


# The wiki side


def test_a_section_is_taken_out_even_if_others_wrote_below_it(wiki: SandboxSite) -> None:
    member = wiki.join("Newcomer")
    connector = wiki.connect()
    receipt = connector.perform(
        SendMessage(site="club", to=(member,), subject="Welcome", text="Good to have you here."), MARKER
    )
    user = wiki.sandbox.as_member(wiki.moderator(), "wiki")
    user.add_section("User talk:Newcomer", "Frames", "Have you seen them? ~~~~")
    connector.undo(receipt, MARKER)
    assert [text.splitlines()[0] for text in wiki.received(member)] == ["== Frames =="]
    connector.close()


def test_an_edit_of_our_talk_page_halts_us_until_we_answer(wiki: SandboxSite) -> None:
    connector = wiki.connect()
    user = wiki.sandbox.as_member(wiki.moderator(), "wiki")
    user.add_section("User talk:Ordito", "Question", "What are you doing? ~~~~")
    assert connector.halted(None)
    wiki.sandbox.as_member(str(connector.probe().account_id), "wiki").add_section(
        "User talk:Ordito", "Answer", "Welcoming people. ~~~~"
    )
    assert connector.halted(None) == ""
    connector.close()


def test_a_page_that_we_opened_and_nobody_edited_is_deleted_by_undo(wiki: SandboxSite) -> None:
    connector = wiki.connect()
    receipt = connector.perform(
        OpenThread(site="club", title="project:experts", text="The list.", labels=("lists",)), MARKER
    )
    page = page_titled(wiki.sandbox, "Project:Experts")
    assert page is not None and page["labels"] == "Lists"
    connector.undo(receipt, MARKER)
    assert page_titled(wiki.sandbox, "Project:Experts") is None
    connector.close()


def test_archiving_twice_changes_nothing_and_is_taken_back(wiki: SandboxSite) -> None:
    page = wiki.open(wiki.join("Writer"), "Old frames", "Nobody uses them.")
    action = ArchiveThread(site="club", thread=page, template="{{Historical}}")
    connector = wiki.connect()
    connector.perform(action, MARKER)
    assert wiki.first_text(page).startswith("{{Historical}}\n")
    assert connector.perform(action, MARKER).attribution == "unknown"
    back = UnarchiveThread(site="club", thread=page, template="{{Historical}}")
    connector.perform(back, MARKER)
    assert wiki.first_text(page) == "Nobody uses them."
    assert connector.perform(back, MARKER).attribution == "unknown"
    connector.close()


def test_a_summary_names_the_policy_and_the_proposal(wiki: SandboxSite) -> None:
    page = wiki.open(wiki.join("Writer"), "Old frames", "Nobody uses them.")
    connector = wiki.connect()
    receipt = connector.perform(SetLabels(site="club", thread=page, add=("frames",)), MARKER)
    revision = wiki.sandbox.contribution("wiki", next(r.id for r in receipt.made))
    assert "archive-stale" in revision["summary"] and "stale-0001" in revision["summary"]
    assert isinstance(
        connector.find(SetLabels(site="club", thread=page, add=("frames",)), MARKER, NOW), Receipt
    )
    connector.close()


def test_a_section_is_edited_and_the_others_stay(wiki: SandboxSite) -> None:
    text = "Frames.\n\n== Small ==\n\nFor gardens.\n\n== Large ==\n\nFor fields."
    page = wiki.open(wiki.join("Writer"), "Frames", text)
    small = "== Small ==\n\nFor gardens."
    connector = wiki.connect()
    connector.perform(
        EditText(site="club", thread=page, section="Small", expected=small, text=f"{small} Mostly."), MARKER
    )
    assert wiki.first_text(page) == text.replace("For gardens.", "For gardens. Mostly.")
    large = EditText(site="club", thread=page, section="Large", expected="== Large ==", text="Gone.")
    with pytest.raises(Conflict):
        connector.perform(large, MARKER)
    with pytest.raises(NotFound):
        connector.perform(EditText(site="club", thread=page, section="Huge", text="New."), MARKER)
    connector.close()


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("user_talk: marta", "User talk:Marta"),
        ("frames", "Frames"),
        ("Frames: a list", "Frames: a list"),
        ("  two   words ", "Two words"),
    ],
)
def test_titles_are_written_as_the_wiki_writes_them(written: str, title: str) -> None:
    assert full_title(written) == title


def test_every_page_has_one_talk_page() -> None:
    assert talk_title("Frames") == "Talk:Frames"
    assert talk_title("User:Marta") == talk_title("User talk:Marta") == "User talk:Marta"


def test_categories_are_replaced_and_the_text_stays() -> None:
    text = "The frames.\n\n[[Category:Bees]]\n[[category:old_things|Frames]]"
    changed = with_categories(text, frozenset({"Honey", "Bees"}), frozenset({"Old things"}))
    assert changed == "The frames.\n\n[[Category:Bees]]\n[[Category:Honey]]"


def test_old_sections_move_to_an_archive_and_back(wiki: SandboxSite) -> None:
    who = wiki.join("asker")
    old, new = "== Old ==\nSo. [[User:asker]]", "== New ==\nYes."
    talk = wiki.open(who, "Talk:Hives", f"{old}\n\n{new}")
    connector = wiki.connect()
    action = ArchiveThread(site="club", thread=talk, sections=(old,), to="Talk:Hives/Archive 2020")
    receipt = connector.perform(action, MARKER)
    archive = page_titled(wiki.sandbox, "Talk:Hives/Archive 2020")
    assert archive is not None
    assert (wiki.texts(talk)[0], wiki.texts(str(archive["id"]))[0]) == (new, old)
    found = connector.find(action, MARKER, NOW)
    assert isinstance(found, Receipt) and (found.before, found.after) == (receipt.before, receipt.after)
    with pytest.raises(Conflict, match="changed meanwhile"):
        connector.perform(action, MARKER)
    connector.undo(receipt, MARKER)
    assert wiki.texts(talk)[0] == f"{old}\n\n{new}"
    assert not wiki.texts(str(archive["id"]))
    connector.close()


def test_links_are_counted_from_pages_of_content_only(wiki: SandboxSite) -> None:
    who = wiki.join("asker")
    page = wiki.open(who, "Hives", "All about hives, [[Hives]] that is.")
    wiki.open(who, "Frames", "See [[Hives|the hives]].")
    wiki.open(who, "Honey", "See [[Hives#Kinds]].")
    wiki.open(who, "Talk:Honey", "See [[Hives]].")
    connector = wiki.connect()
    assert connector.standing([page, "99999"], 5) == {page: Standing(2, editable=True)}
    assert connector.standing([page], 1) == {page: Standing(1, editable=True)}
    connector.close()
