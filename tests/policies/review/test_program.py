"""The real program on a real terminal."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordito.connectors.actions import SendMessage
from ordito.policies.review.terminal import END_PROMPT, MORE_PROMPT, PROMPT
from ordito.sync.context import App
from tests.policies.review.community import CLOSE, TAG, WELCOME, draft, look, offer
from tests.program import run
from tests.terminal import terminal


@pytest.fixture
def fresh(app: App) -> App:
    """The proposals must not be older than the program thinks: its clock is the real one."""
    app.world = replace(app.world, now=lambda: datetime.now(UTC))
    return app


def test_a_whole_review_by_single_keys(fresh: App, folder: Path) -> None:
    welcome, close, tag = offer(fresh, draft(WELCOME), draft(CLOSE), draft(TAG))
    with terminal(folder, "review", "--as", "zoe", TERM="dumb", EDITOR="sed -i s/anna/Anna/") as desk:
        assert "Send anna a private message (with luca)" in desk.until(PROMPT)
        desk.press("e")
        assert "│ Hello Anna!" in desk.until(PROMPT)
        desk.press("a")
        assert "Close the topic" in desk.until(PROMPT)
        desk.press("r")
        desk.until("Why not?")
        desk.type("it is not stale\n")
        assert "Add the tag" in desk.until(PROMPT)
        desk.press("a")
        desk.until(END_PROMPT)
        desk.press("u")
        assert "Add the tag" in desk.until(PROMPT)
        desk.press("\x03")
        assert desk.end() == 0
    assert "\x1b" not in desk.out, "a plain terminal gets plain text"
    assert "1 approved, 1 rejected; 1 still waiting." in desk.out
    assert [look(fresh, id_).state.value for id_ in (welcome, close, tag)] == [
        "approved", "rejected", "proposed",
    ]  # fmt: skip
    action = look(fresh, welcome).action
    assert isinstance(action, SendMessage)
    assert action.text == "Hello Anna!\n\nGood to have you here.\n"
    assert look(fresh, welcome).approved_by == "zoe"


def test_in_a_low_window_a_proposal_comes_a_screen_at_a_time(fresh: App, folder: Path) -> None:
    offer(fresh, draft(replace(WELCOME, text="line\n\n" * 12)))
    with terminal(folder, "review", height=24) as desk:
        assert "Send anna" in desk.until(MORE_PROMPT)
        desk.press(" ")
        desk.until(PROMPT)
        desk.press("q")
        assert desk.end() == 0


def test_colour_changes_nothing_of_the_words(fresh: App, folder: Path) -> None:
    offer(fresh, draft(WELCOME))
    with terminal(folder, "review", TERM="xterm-256color") as desk:
        shown = desk.until("help >")
        desk.press("q")
        assert desk.end() == 0
    assert "\x1b[1m" in shown
    assert "Send anna a private message (with luca)" in shown


def test_without_a_terminal_it_names_the_other_commands(fresh: App, folder: Path) -> None:
    offer(fresh, draft(WELCOME))
    ended = run("review", cwd=folder)
    assert (ended.code, ended.out) == (2, "")
    assert "ordito review list" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_scripts_review_by_id_and_exit_codes(fresh: App, folder: Path) -> None:
    welcome, tag = offer(fresh, draft(WELCOME), draft(TAG))
    listed = run("--json", "review", "list", cwd=folder)
    assert [each["id"] for each in listed.document["proposals"]] == [welcome, tag]
    assert run("review", "approve", str(welcome), cwd=folder).code == 0
    part = run("--json", "review", "approve", str(welcome), str(tag), cwd=folder)
    assert (part.code, len(part.document["errors"])) == (3, 1)
    assert run("review", "reject", "99", "--reason", "no", cwd=folder).code == 2
