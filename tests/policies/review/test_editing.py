"""Rewriting a text, and settling what nobody else could find out."""

from pathlib import Path
from typing import Any

import pytest

from ordito.config.errors import UsageError
from ordito.connectors.actions import SendMessage
from ordito.sync.context import App
from ordito.sync.outbox import State
from ordito.sync.store.tables import attempts, proposals
from tests.policies.review.community import CLOSE, TAG, WELCOME, Clock, draft, look, make_app, offer


def test_a_text_can_be_rewritten_from_a_file(app: App, say: Any, tmp_path: Path) -> None:
    [id_] = offer(app, draft(WELCOME))
    file = tmp_path / "text.md"
    file.write_text("Subject: Hello\n\nDear anna,\n\nwelcome!\n", encoding="utf-8")
    assert say("edit", str(id_), "--file", str(file)).code == 0
    after = look(app, id_)
    assert after.action == SendMessage(
        site="forum", to=("1", "2"), subject="Hello", text="Dear anna,\n\nwelcome!\n"
    )
    assert (after.state, after.edited) == (State.PROPOSED, True)


def test_a_file_without_a_subject_keeps_it(app: App, say: Any, tmp_path: Path) -> None:
    [id_] = offer(app, draft(WELCOME))
    file = tmp_path / "text.md"
    file.write_text("Only the text.", encoding="utf-8")
    say("edit", str(id_), "--file", str(file), "--approve")
    after = look(app, id_)
    assert isinstance(after.action, SendMessage)
    assert (after.action.subject, after.action.text) == ("Welcome, anna", "Only the text.\n")
    assert after.state == State.APPROVED


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "The text is empty."), (b"Subject: x\n\n \n", "The text is empty."),
     (b"Subject:\n\ntext\n", "'Subject:' is empty"), (b"\xff\xfe", "not text in UTF-8")],
)  # fmt: skip
def test_a_file_that_is_no_message_changes_nothing(
    app: App, say: Any, tmp_path: Path, content: bytes, message: str
) -> None:
    [id_] = offer(app, draft(WELCOME))
    file = tmp_path / "text.md"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        say("edit", str(id_), "--file", str(file))
    assert look(app, id_).action == WELCOME


def test_what_posts_nothing_cannot_be_edited(app: App, say: Any) -> None:
    [id_] = offer(app, draft(CLOSE))
    with pytest.raises(UsageError, match="posts no text"):
        say("edit", str(id_))


def test_without_terminal_and_file_there_is_no_editing(app: App, say: Any) -> None:
    [id_] = offer(app, draft(WELCOME))
    with pytest.raises(UsageError, match="needs a terminal, or a file"):
        say("edit", str(id_))


def test_the_editor_of_the_environment_rewrites_the_text(
    app: App, say: Any, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = offer(app, draft(WELCOME))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sed -i s/anna/Anna/")
    on = make_app(tmp_path, clock, terminal=True)
    assert say("edit", str(id_), on=on).code == 0
    on.close()
    after = look(app, id_).action
    assert isinstance(after, SendMessage)
    assert (after.subject, after.text) == ("Welcome, Anna", "Hello Anna!\n\nGood to have you here.\n")


def test_an_editor_that_cannot_be_started_is_a_line_with_a_hint(
    app: App, say: Any, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id_] = offer(app, draft(WELCOME))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "false")
    on = make_app(tmp_path, clock, terminal=True)
    with pytest.raises(UsageError, match="failed") as caught:
        say("edit", str(id_), on=on)
    on.close()
    assert "$EDITOR" in caught.value.hint


@pytest.mark.parametrize(("flag", "state"), [("--done", State.APPLIED), ("--not-done", State.APPROVED)])
def test_a_person_settles_what_nobody_else_could_find_out(
    app: App, say: Any, flag: str, state: State
) -> None:
    [id_] = offer(app, draft(TAG))
    with app.store.write() as conn:
        conn.execute(
            attempts.insert().values(
                proposal=id_, doing="perform", by="anna", token="t", started_at=0, outcome="unsettled"
            )
        )
        conn.execute(proposals.update().values(state=State.UNSETTLED))
    with pytest.raises(UsageError, match="Was it carried out"):
        say("settle", str(id_))
    assert say("settle", str(id_), flag, "--reason", "looked").code == 0
    assert look(app, id_).state == state


def test_settling_what_is_settled_is_refused(app: App, say: Any) -> None:
    [id_] = offer(app, draft(TAG))
    told = say("settle", str(id_), "--done")
    assert (told.code, told.err) == (1, f"ordito: Nothing about proposal {id_} is unsettled.\n")
