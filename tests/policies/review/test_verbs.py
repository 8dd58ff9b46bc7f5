"""Every verb in words, on both families, and how far each can be undone."""

from typing import get_args

import pytest

from ordito.connectors import actions as a
from ordito.connectors.actions import Action
from ordito.policies.review.queue import lines
from ordito.policies.review.verbs import UNDO_WORDS, listed, undo_of
from ordito.sync.context import App
from tests.policies.review.community import draft, look, offer

F, W = "forum", "wiki"

SENTENCES: list[tuple[Action, str, str]] = [
    (a.SendMessage(site=F, to=("1",), subject="s", text="t"), "Send anna a private message", "withdraw"),
    (a.SendMessage(site=F, to=("1", "2"), subject="s", text="t"),
     "Send anna a private message (with luca)", "withdraw"),
    (a.SendMessage(site=W, to=("3",), subject="s", text="t"), "Write on Zoe's talk page", "withdraw"),
    (a.Reply(site=F, thread="11", text="t"), "Reply in the topic “Which yarn?”", "withdraw"),
    (a.Reply(site=W, thread="20", text="t"), "Write on the talk page of the page “Looms”", "withdraw"),
    (a.OpenThread(site=F, title="Digest", text="t", space="5"), "Open the topic “Digest” in “Weaving”",
     "withdraw"),
    (a.OpenThread(site=F, title="Digest", text="t"), "Open the topic “Digest”", "withdraw"),
    (a.OpenThread(site=W, title="Digest", text="t"), "Make the page “Digest”", "no"),
    (a.EditText(site=F, contribution="101", text="t", expected="x"), "Edit post 1 in “Which yarn?”", "yes"),
    (a.EditText(site=W, thread="20", text="t", expected="x"), "Edit the page “Looms”", "yes"),
    (a.EditText(site=W, title="Experts", text="t"), "Make the page “Experts”", "yes"),
    (a.EditText(site=W, title="Experts", text="t", expected="x"), "Edit the page “Experts”", "yes"),
    (a.SetLabels(site=F, thread="11", add=("yarn",)), "Add the tag “yarn” to the topic “Which yarn?”", "yes"),
    (a.SetLabels(site=F, thread="11", add=("a", "b", "c")),
     "Add the tags “a”, “b” and “c” to the topic “Which yarn?”", "yes"),
    (a.SetLabels(site=W, thread="20", remove=("a", "b")),
     "Take the categories “a” and “b” off the page “Looms”", "yes"),
    (a.SetLabels(site=F, thread="11", add=("a",), remove=("b",)),
     "Change the tags of the topic “Which yarn?”: +a, -b", "yes"),
    (a.CloseThread(site=F, thread="11"), "Close the topic “Which yarn?”", "yes"),
    (a.ReopenThread(site=F, thread="11"), "Open the topic “Which yarn?” again", "yes"),
    (a.ArchiveThread(site=F, thread="11"), "Archive the topic “Which yarn?”", "yes"),
    (a.ArchiveThread(site=W, thread="20", template="{{Old}}", labels=("Old pages",)),
     "Put {{Old}} on the page “Looms” and into “Old pages”", "yes"),
    (a.ArchiveThread(site=W, thread="20", to="Talk:Looms/Archive 2024", sections=("== A ==", "== B ==")),
     "Move 2 sections of the page “Looms” to “Talk:Looms/Archive 2024”", "yes"),
    (a.UnarchiveThread(site=F, thread="11"), "Take the topic “Which yarn?” out of the archive", "yes"),
    (a.UnlistThread(site=F, thread="11"), "Take the topic “Which yarn?” out of the lists", "yes"),
    (a.ListThread(site=F, thread="11"), "Put the topic “Which yarn?” back into the lists", "yes"),
    (a.MoveThread(site=F, thread="11", space="5"), "Move the topic “Which yarn?” to “Weaving”", "yes"),
    (a.MoveThread(site=W, thread="20", title="Old looms"), "Move the page “Looms” to “Old looms”", "yes"),
    (a.AddToGroup(site=F, member="1", group="experts"), "Add anna to the group “experts”", "yes"),
    (a.RemoveFromGroup(site=F, member="1", group="experts"), "Take anna out of the group “experts”", "yes"),
    (a.GrantBadge(site=F, member="1", badge="Expert"), "Give anna the badge “Expert”", "yes"),
    (a.RevokeBadge(site=F, member="1", badge="Expert"), "Take the badge “Expert” from anna", "yes"),
    (a.SetTitle(site=F, member="1", title="Weaver"), "Give anna the title “Weaver”", "yes"),
    (a.SetTitle(site=F, member="1", title=""), "Take the title from anna", "yes"),
    (a.NotifyModerators(site=F, subject="s", text="t"), "Send a message to moderators", "withdraw"),
    (a.NotifyModerators(site=W, subject="s", text="t", page="Project:Help"),
     "Write to the moderators on the page “Project:Help”", "withdraw"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "words", "undo"), SENTENCES, ids=lambda value: str(value)[:40])
def test_every_verb_reads_well(app: App, action: Action, words: str, undo: str) -> None:
    [id_] = offer(app, draft(action))
    with app.store.read() as conn:
        [line] = lines(conn, [look(app, id_)], app.platforms(), app.now())
    assert line.sentence == words
    assert undo_of(action, app.platform(action.site)) == undo


def test_no_verb_is_missing_above() -> None:
    assert {type(action) for action, *_ in SENTENCES} == set(get_args(Action))


def test_every_degree_of_undo_has_words() -> None:
    assert set(UNDO_WORDS) == {"yes", "withdraw", "no"}


def test_a_site_that_is_gone_from_the_settings_still_has_words() -> None:
    assert undo_of(a.OpenThread(site="old", title="x", text="t"), None) == "withdraw"


def test_lists_of_names_read_well() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
