"""Old sections of a talk page in an archive, on a real MediaWiki: both pages or none, and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ordito.config.errors import Conflict, Filtered, NotFound, OutcomeUnknown
from ordito.config.secret import Secret
from ordito.connectors.actions import ArchiveThread
from ordito.connectors.base import NotDone, Receipt, Unknown, receipt_from_json, receipt_to_json
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.mediawiki.writing.editing import Editor, Page, Saved, Text
from tests.connectors.mediawiki.contract_site import GRANTS, SECRET
from tests.connectors.mediawiki.doings import UNDO, long_ago
from tests.connectors.mediawiki.site import MARKER, SITE, connect, page_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki

OLD = "== Poles ==\nAre they long? [[User:Alice|Alice]] 10:00, 1 March 2020 (UTC)"
OTHER = "== Pegs ==\nOf steel. [[User:Bob|Bob]] 10:00, 2 March 2020 (UTC)"
NEW = "== Ropes ==\nOf hemp. [[User:Bob|Bob]] 10:00, 3 March 2026 (UTC)"
WHOLE = f"Lead.\n\n{OLD}\n\n{NEW}\n\n{OTHER}"
ARCHIVE = "Talk:Tents/Archive 2020"


@pytest.fixture
def talk(content: Wiki, people: dict[str, Client]) -> Iterator[Wiki]:
    people["Alice"].edit("Talk:Tents", WHOLE)
    yield content


def archiving(wiki: Wiki) -> ArchiveThread:
    number = page_id(wiki, "Tents", 1)
    return ArchiveThread(
        site=SITE, thread=number, sections=(OLD, OTHER), to=ARCHIVE, template="{{Talk archive}}"
    )


def edits(wiki: Wiki) -> tuple[int, int]:
    admin = wiki.admin()
    return len(admin.revisions("Talk:Tents")), len(admin.revisions(ARCHIVE))


def stop_before_the_second_save(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """The process ends, or the site fails, once the archive is saved."""
    save = Editor.save

    def first_only(self: Editor, page: Page, what: Text, summary: str) -> Saved:
        if page.title == "Talk:Tents":
            raise error
        return save(self, page, what, summary)

    monkeypatch.setattr(Editor, "save", first_only)


def interrupted(wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> MediaWikiConnector:
    with monkeypatch.context() as patched:
        stop_before_the_second_save(patched, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            connect(wiki).perform(archiving(wiki), MARKER)
    return connect(wiki)


def test_sections_move_to_the_archive_and_all_else_stays(talk: Wiki) -> None:
    connector, action = connect(talk), archiving(talk)
    receipt = connector.perform(action, MARKER)
    assert talk.admin().text("Talk:Tents") == f"Lead.\n\n{NEW}"
    assert talk.admin().text(ARCHIVE) == f"{{{{Talk archive}}}}\n\n{OLD}\n\n{OTHER}"
    assert sorted(ref.kind for ref in receipt.made) == ["contribution", "contribution", "thread"]
    found = connector.find(action, MARKER, long_ago())
    assert isinstance(found, Receipt)
    assert (found.before, found.after, found.made) == (receipt.before, receipt.after, receipt.made)


def test_a_second_archiving_goes_below_the_first(talk: Wiki, people: dict[str, Client]) -> None:
    people["Bob"].edit(ARCHIVE, "== Before ==\nx")
    connect(talk).perform(archiving(talk), MARKER)
    assert talk.admin().text(ARCHIVE) == f"== Before ==\nx\n\n{OLD}\n\n{OTHER}"


def test_killed_between_the_two_saves_it_goes_on_and_nothing_is_there_twice(
    talk: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, action = interrupted(talk, monkeypatch), archiving(talk)
    assert edits(talk) == (2, 1)
    assert isinstance(connector.find(action, MARKER, long_ago()), NotDone)
    receipt = connector.perform(action, MARKER)
    assert edits(talk) == (3, 1)
    assert talk.admin().text(ARCHIVE) == f"{{{{Talk archive}}}}\n\n{OLD}\n\n{OTHER}"
    assert talk.admin().text("Talk:Tents") == f"Lead.\n\n{NEW}"
    connector.undo(receipt, UNDO)
    assert talk.admin().text("Talk:Tents") == WHOLE


def test_an_answer_between_the_two_saves_is_left_to_a_person(
    talk: Wiki, people: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = interrupted(talk, monkeypatch)
    people["Bob"].edit("Talk:Tents", WHOLE.replace(OLD, f"{OLD}\n:They are."))
    found = connector.find(archiving(talk), MARKER, long_ago())
    assert isinstance(found, Unknown)
    assert ARCHIVE in found.reason


def test_a_refusal_of_the_second_save_takes_the_first_one_back(
    talk: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_before_the_second_save(monkeypatch, Conflict("somebody was faster."))
    with pytest.raises(Conflict, match="faster"):
        connect(talk).perform(archiving(talk), MARKER)
    assert talk.admin().text(ARCHIVE) == ""
    assert talk.admin().text("Talk:Tents") == WHOLE
    monkeypatch.undo()
    assert isinstance(connect(talk).find(archiving(talk), MARKER, long_ago()), NotDone)
    connect(talk).perform(archiving(talk), MARKER)
    assert talk.admin().text(ARCHIVE) == f"{{{{Talk archive}}}}\n\n{OLD}\n\n{OTHER}"


def test_what_cannot_be_taken_back_is_said(talk: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_before_the_second_save(monkeypatch, Conflict("somebody was faster."))
    monkeypatch.setattr("ordito.connectors.mediawiki.writing.archive.without_section", lambda *_: None)
    with pytest.raises(OutcomeUnknown, match=ARCHIVE):
        connect(talk).perform(archiving(talk), MARKER)


@pytest.mark.parametrize("how", ["protected", "nobots", "changed"])
def test_what_was_interrupted_and_is_refused_for_good_afterwards_leaves_no_copy(
    talk: Wiki, people: dict[str, Client], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    people["Bob"].edit(ARCHIVE, "== Before ==\nx")
    connector, action = interrupted(talk, monkeypatch), archiving(talk)
    if how == "protected":
        talk.admin().post(action="protect", title="Talk:Tents", protections="edit=sysop", expiry="never")
    elif how == "nobots":
        people["Bob"].edit("Talk:Tents", f"{WHOLE}\n{{{{nobots}}}}")
    else:
        people["Bob"].edit("Talk:Tents", WHOLE.replace("Of steel.", "Of iron."))
    with pytest.raises((Filtered, Conflict)):
        connector.perform(action, MARKER)
    assert talk.admin().text(ARCHIVE) == "== Before ==\nx"
    assert OLD in str(talk.admin().text("Talk:Tents"))


def test_an_interrupted_archiving_that_is_not_wanted_any_more_is_taken_back(
    talk: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, action = interrupted(talk, monkeypatch), archiving(talk)
    found = connector.find(action, MARKER, long_ago())
    assert isinstance(found, NotDone) and ARCHIVE in found.reason
    connector.take_back(action, MARKER)
    assert (talk.admin().text(ARCHIVE), talk.admin().text("Talk:Tents")) == ("", WHOLE)
    before = edits(talk)
    connector.take_back(action, MARKER)
    assert edits(talk) == before, "there is nothing left to take back"


@pytest.mark.parametrize("how", ["taken out", "deleted"])
@pytest.mark.parametrize("wanted", [True, False])
def test_what_somebody_took_from_the_talk_page_meanwhile_stays_in_the_archive(
    talk: Wiki, people: dict[str, Client], monkeypatch: pytest.MonkeyPatch, how: str, wanted: bool
) -> None:
    connector, action = interrupted(talk, monkeypatch), archiving(talk)
    if how == "deleted":
        talk.admin().post(action="delete", title="Talk:Tents")
    else:
        people["Bob"].edit("Talk:Tents", f"Lead.\n\n{NEW}\n\n== Poles ==\nSee the archive.")
    archive = talk.admin().text(ARCHIVE)
    if wanted:
        with pytest.raises((Conflict, NotFound)):
            connector.perform(action, MARKER)
    else:
        connector.take_back(action, MARKER)
    assert talk.admin().text(ARCHIVE) == archive, "it is nowhere else"


@pytest.mark.parametrize("page", ["Talk:Tents", ARCHIVE])
def test_what_only_a_person_can_take_back_is_said(
    talk: Wiki, people: dict[str, Client], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    connector, action = interrupted(talk, monkeypatch), archiving(talk)
    text = str(talk.admin().text(page))
    people["Bob"].edit(page, f"{text}\n:Or of wood." if page == ARCHIVE else text.replace(OTHER, ""))
    before = edits(talk)
    with pytest.raises(Conflict, match=f"the sections are in {ARCHIVE}, and could not be") as caught:
        connector.take_back(action, MARKER)
    assert "by hand" in caught.value.hint
    assert edits(talk) == before


def test_what_can_neither_be_finished_nor_taken_back_is_left_to_a_person(
    talk: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, action = interrupted(talk, monkeypatch), archiving(talk)
    for page in (ARCHIVE, "Talk:Tents"):
        talk.admin().post(action="protect", title=page, protections="edit=sysop", expiry="never")
    with pytest.raises(OutcomeUnknown, match=ARCHIVE):
        connector.perform(action, MARKER)
    found = connect(talk).find(action, MARKER, long_ago())
    assert isinstance(found, Unknown) and "protected" in found.reason
    talk.admin().post(action="protect", title="Talk:Tents", protections="edit=all")
    assert isinstance(connect(talk).find(action, MARKER, long_ago()), NotDone)
    connect(talk).perform(action, MARKER)  # the archive may stay protected: it has the sections
    assert talk.admin().text("Talk:Tents") == f"Lead.\n\n{NEW}"


def test_an_account_that_may_delete_leaves_no_empty_archive(
    talk: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk.maintenance("createAndPromote.php", "--force", "--sysop", "Ordito")
    talk.create_bot_password("Ordito", "deleting", SECRET, GRANTS)
    deleting = connect(talk, username="Ordito@deleting", password=Secret.of(SECRET))
    receipt = deleting.perform(archiving(talk), MARKER)
    undone = deleting.undo(receipt, UNDO)
    assert (talk.admin().text(ARCHIVE), undone.note) == (None, "")
    assert talk.admin().text("Talk:Tents") == WHOLE
    deleting.undo(receipt, UNDO)  # once more, as after a kill
    assert (talk.admin().text(ARCHIVE), talk.admin().text("Talk:Tents")) == (None, WHOLE)


def test_a_section_that_changed_is_a_conflict_and_nothing_is_saved(
    talk: Wiki, people: dict[str, Client]
) -> None:
    people["Bob"].edit("Talk:Tents", WHOLE.replace("Of steel.", "Of iron."))
    with pytest.raises(Conflict, match="changed"):
        connect(talk).perform(archiving(talk), MARKER)
    assert talk.admin().text(ARCHIVE) is None


@pytest.mark.parametrize("page", ["Talk:Tents", ARCHIVE])
def test_where_either_page_is_protected_or_says_no_nothing_is_saved(
    talk: Wiki, people: dict[str, Client], page: str
) -> None:
    if page == ARCHIVE:
        people["Bob"].edit(ARCHIVE, "Old.")
    before = edits(talk)
    talk.admin().post(action="protect", title=page, protections="edit=sysop", expiry="never")
    with pytest.raises(Filtered, match="protected"):
        connect(talk).perform(archiving(talk), MARKER)
    talk.admin().post(action="protect", title=page, protections="edit=all")
    now = edits(talk)
    talk.admin().edit(page, f"{talk.admin().text(page)}\n{{{{nobots}}}}")
    with pytest.raises(Filtered, match="nobots"):
        connect(talk).perform(archiving(talk), MARKER)
    assert sum(edits(talk)) == sum(now) + 1
    assert sum(now) == sum(before) + 2  # the two protections


def test_undo_brings_both_pages_back(talk: Wiki) -> None:
    connector = connect(talk)
    receipt = connector.perform(archiving(talk), MARKER)
    undone = connector.undo(receipt, UNDO)
    assert talk.admin().text("Talk:Tents") == WHOLE
    assert talk.admin().text(ARCHIVE) == ""
    assert undone.note == f"{ARCHIVE} is empty now; our account may not delete it."
    assert receipt_from_json(receipt_to_json(undone)) == undone


def test_undo_keeps_what_others_wrote_elsewhere_on_both_pages(
    talk: Wiki, people: dict[str, Client]
) -> None:
    connector = connect(talk)
    receipt = connector.perform(archiving(talk), MARKER)
    people["Bob"].edit("Talk:Tents", f"A better lead.\n\n{NEW}")
    people["Bob"].edit(ARCHIVE, f"{talk.admin().text(ARCHIVE)}\n\n== Later ==\ny")
    connector.undo(receipt, UNDO)
    assert talk.admin().text("Talk:Tents") == WHOLE.replace("Lead.", "A better lead.")
    assert talk.admin().text(ARCHIVE) == "== Later ==\ny"


def test_undo_refuses_where_somebody_wrote_in_an_archived_section(
    talk: Wiki, people: dict[str, Client]
) -> None:
    connector = connect(talk)
    receipt = connector.perform(archiving(talk), MARKER)
    people["Bob"].edit(ARCHIVE, str(talk.admin().text(ARCHIVE)).replace("Are they long?", "Yes."))
    with pytest.raises(Conflict, match="changed since"):
        connector.undo(receipt, UNDO)
    assert talk.admin().text("Talk:Tents") == f"Lead.\n\n{NEW}"


def test_an_interrupted_undo_goes_on_where_it_stopped(
    talk: Wiki, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = connect(talk).perform(archiving(talk), MARKER)
    save = Editor.save

    def talk_only(self: Editor, page: Page, what: Text, summary: str) -> Saved:
        if page.title == ARCHIVE:
            raise KeyboardInterrupt
        return save(self, page, what, summary)

    with monkeypatch.context() as patched:
        patched.setattr(Editor, "save", talk_only)
        with pytest.raises(KeyboardInterrupt):
            connect(talk).undo(receipt, UNDO)
    connect(talk).undo(receipt, UNDO)
    assert talk.admin().text("Talk:Tents") == WHOLE
    assert talk.admin().text(ARCHIVE) == ""
    assert edits(talk) == (4, 2)


def test_a_template_and_a_category_come_with_one_edit(content: Wiki) -> None:
    connector = connect(content)
    action = ArchiveThread(
        site=SITE, thread=page_id(content, "Tents"), template="{{Old}}", labels=("Old pages",)
    )
    receipt = connector.perform(action, MARKER)
    text = str(content.admin().text("Tents"))
    assert text.startswith("{{Old}}\n") and "[[Category:Old pages]]" in text
    assert len(content.admin().revisions("Tents")) == 3
    connector.undo(receipt, UNDO)
    assert "Old" not in str(content.admin().text("Tents"))
