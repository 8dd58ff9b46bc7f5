"""What the program says: one JSON document, or text for people; progress and notes go to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

FORMAT = 1
"""Version of the JSON documents; it changes when a reader of the old form would break."""


@dataclass(slots=True)
class Output:
    """`verbosity`: -1 quiet, 0, 1 verbose. `width` in columns, None = as the terminal says."""

    json: bool = False
    verbosity: int = 0
    width: int | None = None
    colour: bool = True

    @property
    def terminal(self) -> bool:
        """Whether a person watches: progress is shown then, and nothing moves otherwise."""
        return sys.stderr.isatty() and self.verbosity >= 0 and not self.json

    def document(self, document: Mapping[str, Any]) -> None:
        """Print the command's one JSON document (only with --json)."""
        if self.json:
            utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
            text = json.dumps({"format": FORMAT, **document}, ensure_ascii=not utf8, default=str)
            print(text, flush=True)

    def say(self, text: str = "") -> None:
        """Text for people on stdout; nothing with --json."""
        if not self.json:
            _print(text, sys.stdout)

    def note(self, text: str) -> None:
        """What happens meanwhile, on stderr; silent with --quiet."""
        if self.verbosity >= 0:
            _print(text, sys.stderr)

    def detail(self, text: str) -> None:
        """A note for --verbose only."""
        if self.verbosity > 0:
            _print(text, sys.stderr)

    def warn(self, text: str) -> None:
        """A line on stderr that --quiet does not hide."""
        _print(text, sys.stderr)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """A table for people on stdout; nothing with --json. Cells are plain text, never markup."""
        if self.json:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
        for column in columns:
            table.add_column(Text(clean(column)), overflow="fold")
        for row in rows:
            table.add_row(*(Text(clean(cell)) for cell in row))
        self.console().print(table)

    def console(self, *, stderr: bool = False) -> Console:
        """A rich console that obeys width, NO_COLOR and whether it is a terminal."""
        from rich.console import Console

        file = sys.stderr if stderr else sys.stdout
        width = self.width or (None if file.isatty() else 100)
        return Console(file=file, width=width, highlight=False, no_color=not self.colour, soft_wrap=False)


def clean(text: str) -> str:
    """Without the control characters by which foreign text could move a terminal's cursor or colours."""
    return "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and not 127 <= ord(c) < 160))


def _print(text: str, file: TextIO) -> None:
    print(clean(text), file=file, flush=True)
