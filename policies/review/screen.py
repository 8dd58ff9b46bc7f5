"""The terminal as the review needs it: shown lines, one key, one line, an editor. No cursor is ever moved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import click

from ...config.errors import UsageError
from .show import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text as Styled

END = ""
"""What `key` gives when there is nothing more to read, or on Ctrl-C."""

_ARROWS = {"\x1b[C": "n", "\x1b[B": "n", "\x1b[D": "p", "\x1b[A": "p", "\x1bOC": "n", "\x1bOD": "p"}


class Screen(Protocol):
    """Where a reviewer sits."""

    @property
    def width(self) -> int:
        """In columns, now: a window may change."""

    @property
    def height(self) -> int:
        """In lines, now; 0 where it has no end."""

    def show(self, lines: Sequence[Styled]) -> None:
        """Styled lines that fit already."""

    def say(self, text: str = "") -> None:
        """One remark."""

    def key(self, prompt: str) -> str:
        """One key, "\\n" for Enter, END at the end of the input."""

    def line(self, prompt: str) -> str | None:
        """One line without its end; None if the reviewer changed their mind (Ctrl-C, Ctrl-D)."""

    def edit(self, text: str, extension: str) -> str:
        """The text as the reviewer's editor left it. Raises UsageError where no editor could be started."""


@dataclass(slots=True)
class ConsoleScreen:
    """The real one. Without a terminal that gives single keys, a key is a line of its own.

    Keys typed ahead are dropped, as the terminal's own raw mode does: nobody decides on what they have not
    been shown yet.
    """

    console: Console
    getchar: Callable[[], str] = click.getchar

    @property
    def width(self) -> int:
        return self.console.width

    @property
    def height(self) -> int:
        """Asked of the terminal itself: rich takes a dumb one for 25 lines high."""
        try:
            return os.get_terminal_size(self.console.file.fileno()).lines
        except (OSError, ValueError):
            return 0

    def show(self, lines: Sequence[Styled]) -> None:
        for line in lines:
            self.console.print(line, soft_wrap=True)

    def say(self, text: str = "") -> None:
        self.console.print(visible(text), markup=False, emoji=False)

    def key(self, prompt: str) -> str:
        self._ask(prompt)
        try:
            typed = self.getchar()
        except (EOFError, KeyboardInterrupt):
            self.say()
            return END
        except (ImportError, OSError):
            return self._key_by_line()
        key = _ARROWS.get(typed, "?") if typed.startswith("\x1b") else typed[:1].replace("\r", "\n")
        self.say(key if key.isprintable() else "")
        return key

    def line(self, prompt: str) -> str | None:
        self._ask(prompt)
        try:
            return input()
        except (EOFError, KeyboardInterrupt):
            self.say()
            return None

    def edit(self, text: str, extension: str) -> str:
        try:
            return click.edit(text, extension=extension, require_save=False) or text
        except click.ClickException as error:
            raise UsageError(f"{error.format_message()}.", hint="Set $EDITOR to an editor.") from error

    def _ask(self, prompt: str) -> None:
        self.console.print(visible(prompt), end=" ", markup=False, emoji=False, style="bold")

    def _key_by_line(self) -> str:
        try:
            return input().strip()[:1] or "\n"
        except (EOFError, KeyboardInterrupt):
            return END
