"""Every verb on a real MediaWiki beyond what texts have in common."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ordito.config.errors import (
    Conflict,
    Filtered,
    Forbidden,
    OutcomeUnknown,
    Refused,
)
from ordito.config.secret import Secret
from ordito.connectors.actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    CloseThread,
    EditText,
    MoveThread,
    OpenThread,
    RemoveFromGroup,
    SetLabels,
    UnarchiveThread,
)
from ordito.connectors.base import Marker, NotDone, Receipt
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from tests.connectors.mediawiki.doings import (
    UNDO,
    Lost,
    long_ago,
    texts,
)
from tests.connectors.mediawiki.site import MARKER, SITE, connect, page_id, user_id
from tests.servers.mediawiki.client import Client
from tests.servers.mediawiki.wiki import Wiki


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
        connector.undo(receipt, Marker("u8"))
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
        bureaucrat.undo(receipt, Marker("u3"))


def write_of(verb: str) -> str:
    return {"move_thread": "move", "open_thread": "delete"}.get(verb, "userrights")


def undoable(wiki: Wiki) -> dict[str, Action]:
    alice = user_id(wiki, "Alice")
    return {
        "move_thread": MoveThread(site=SITE, thread=page_id(wiki, "Tents"), title="Shelters"),
        "open_thread": OpenThread(site=SITE, title="Maps", space="4", text="All maps."),
        "add_to_group": AddToGroup(site=SITE, member=alice, group="bot"),
        "remove_from_group": RemoveFromGroup(site=SITE, member=alice, group="bot"),
    }


@pytest.fixture
def administrator(content: Wiki) -> MediaWikiConnector:
    return connect(content, username="Admin", password=Secret.of("admin-password-1"))


@pytest.mark.parametrize("verb", ["move_thread", "open_thread", "add_to_group", "remove_from_group"])
def test_undoing_once_more_after_a_lost_answer_knows_its_own_change_and_does_nothing(
    content: Wiki, administrator: MediaWikiConnector, bureaucrat: MediaWikiConnector, verb: str
) -> None:
    connector = bureaucrat if "group" in verb else administrator
    actions = undoable(content)
    if verb == "remove_from_group":
        connector.perform(actions["add_to_group"], Marker("p0"))
    receipt = connector.perform(actions[verb], MARKER)
    lost = Lost(connector, write_of(verb))
    with pytest.raises(OutcomeUnknown):
        connector.undo(receipt, UNDO)
    undone = connector.undo(receipt, UNDO)
    assert lost.sent == 1
    assert (undone.after or {}).get("undone") and undone.made == ()
    with pytest.raises(Conflict):
        connector.undo(receipt, replace(UNDO, token=f"{UNDO.token}x"))


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
