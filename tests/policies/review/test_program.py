"""The real program on a real terminal (a pseudo-terminal of 80 columns)."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordito.connectors.actions import SendMessage
from ordito.policies.review.terminal import END_PROMPT, MORE_PROMPT, PROMPT
from ordito.sync.context import App
from tests.policies.review.community import CLOSE, TAG, WELCOME, draft, look, offer
from tests.program import command, environment, run

PATIENCE = 60.0
"""Seconds for an answer, on a machine that does other things too."""


@dataclass
class Terminal:
    """The other side of the program's terminal."""

    descriptor: int
    process: subprocess.Popen[bytes]
    out: str = ""

    def until(self, words: str) -> str:
        """What appears up to these words, which must come."""
        start = len(self.out)
        while words not in self.out[start:]:
            chunk = self._read()
            assert chunk, f"no {words!r} in: {self.out[start:]}"
            self.out += chunk
        return self.out[start:]

    def press(self, key: str) -> None:
        """A single key, once the program waits for one: what is typed before is dropped."""
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.descriptor)[3] & termios.ICANON:
            assert time.monotonic() < deadline, "the program waits for no key"
            select.select([], [], [], 0.01)
        self.type(key)

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def end(self) -> int:
        """The exit code, after the rest of the output."""
        while chunk := self._read():
            self.out += chunk
        return self.process.wait(PATIENCE)

    def _read(self) -> str:
        """'' at the end of the output. Fails where nothing comes."""
        ready, _, _ = select.select([self.descriptor], [], [], PATIENCE)
        assert ready, f"nothing more after: {self.out[-500:]}"
        try:
            return os.read(self.descriptor, 65536).decode().replace("\r\n", "\n")
        except OSError:  # Linux says EIO when the other side is closed
            return ""


@contextmanager
def terminal(folder: Path, *arguments: str, height: int = 50, **variables: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, 80, 0, 0))
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder, **variables),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
        process.wait()


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
