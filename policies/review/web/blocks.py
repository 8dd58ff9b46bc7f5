"""From the pieces of lines to paragraphs and nested lists, always well formed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign of a list at the beginning of a line: `*`, `#`, `:` or `;`."""

    sign: str


@dataclass(frozen=True, slots=True)
class Block:
    """HTML that stands for itself; `source` is shown in its place where only a line fits."""

    html: str
    source: str = ""


Piece = str | Mark | Block
"""Text is HTML of one line, without an end; "\\n" alone ends the line."""

_DEEPEST = 12
"""Lists within lists; more of them are the doing of somebody who tries what a browser bears."""
# `:` and `;` are used to indent, not to define: a list of definitions would be announced as one.
_LISTS = {
    "*": ("ul", "li", ""),
    "#": ("ol", "li", ""),
    ":": ("div", "div", ' class="indented"'),
    ";": ("div", "div", ' class="term"'),
}


def assemble(pieces: Iterable[Piece]) -> str:
    """The HTML of all lines."""
    page, signs, line = _Page(), "", ""
    for piece in pieces:
        match piece:
            case Mark(sign) if line:  # `; term : what it means` on one line
                page.line(signs, line)
                signs, line = f"{signs[:-1]}{sign}", ""
            case Mark(sign):
                signs = f"{signs}{sign}"[:_DEEPEST]
            case Block(html):
                if signs or line:
                    page.line(signs, line)
                page.block(html)
                signs, line = "", ""
            case "\n":
                page.line(signs, line)
                signs, line = "", ""
            case _:
                line += piece
    page.line(signs, line)
    page.end()
    return "".join(page.out)


@dataclass(slots=True)
class _Page:
    """`signs`: of the lists that are open, the outermost first."""

    out: list[str] = field(default_factory=list)
    paragraph: list[str] = field(default_factory=list)
    literal: list[str] = field(default_factory=list)
    signs: str = ""

    def line(self, signs: str, html: str) -> None:
        if signs:
            self._end_text()
            self._item(signs, html)
            return
        self._close(0)
        if not html.strip():
            self._end_text()
        elif html.startswith(" "):
            self._end_paragraph()
            self.literal.append(html[1:])
        else:
            self._end_literal()
            self.paragraph.append(html)

    def block(self, html: str) -> None:
        self.end()
        self.out.append(html)

    def end(self) -> None:
        self._close(0)
        self._end_text()

    def _item(self, signs: str, html: str) -> None:
        same = 0
        while same < min(len(signs), len(self.signs)) and _alike(signs[same], self.signs[same]):
            same += 1
        self._close(same)
        if same == len(signs):
            self.out.append(f"</{_LISTS[self.signs[-1]][1]}>{_item_start(signs[-1])}")
        for sign in signs[same:]:
            self.out.append(f"<{_LISTS[sign][0]}>{_item_start(sign)}")
        self.signs = signs
        self.out.append(html.strip())

    def _close(self, depth: int) -> None:
        for sign in reversed(self.signs[depth:]):
            self.out.append(f"</{_LISTS[sign][1]}></{_LISTS[sign][0]}>")
        self.signs = self.signs[:depth]

    def _end_text(self) -> None:
        self._end_paragraph()
        self._end_literal()

    def _end_paragraph(self) -> None:
        if self.paragraph:
            self.out.append(f"<p>{chr(10).join(self.paragraph)}</p>")
            self.paragraph.clear()

    def _end_literal(self) -> None:
        if self.literal:
            self.out.append(f"<pre>{chr(10).join(self.literal)}</pre>")
            self.literal.clear()


def _alike(sign: str, other: str) -> bool:
    """Whether two signs go on with the same list."""
    return _LISTS[sign][0] == _LISTS[other][0]


def _item_start(sign: str) -> str:
    return f"<{_LISTS[sign][1]}{_LISTS[sign][2]}>"
