"""Wikitext as HTML that can do nothing, made here: a look at a proposal asks no wiki for anything.

What stands on the wiki in the end may differ: templates, parser functions and extensions are shown by their
source and named, since only the wiki itself can expand them. All tags and attributes are made in this file;
foreign text gets into the result escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape

import mwparserfromhell
from markupsafe import Markup, escape
from mwparserfromhell.nodes import (
    Argument,
    Comment,
    ExternalLink,
    Heading,
    HTMLEntity,
    Node,
    Tag,
    Template,
    Text,
    Wikilink,
)
from mwparserfromhell.parser import ParserError

from ..show import visible
from .blocks import Block, Mark, Piece, assemble

LONGEST = 20_000
"""Characters of a text that is rendered."""
MOST_OPENED = 300
"""Tags, tables and external links in it: unclosed ones cost the parser the square of their number."""
_OPENING = re.compile(r"<[a-zA-Z]|\{\||\[(?=\w+:|//)")

_INLINE = {
    "b": "b", "strong": "strong", "i": "i", "em": "em", "u": "u", "s": "s", "strike": "s", "del": "del",
    "ins": "ins", "mark": "mark", "small": "small", "big": "strong", "sub": "sub", "sup": "sup", "ref": "sup",
    "code": "code", "tt": "code", "kbd": "kbd", "samp": "samp", "var": "var", "cite": "cite", "q": "q",
}  # fmt: skip
"""Tags that stay within a line, and what they become."""
_CONTENTS = frozenset({"span", "font", "abbr", "bdi", "bdo", "noinclude", "includeonly", "onlyinclude"})
"""Tags that are left out while what is in them is shown."""
_BLOCKS = {"div": "div", "center": "div", "p": "div", "blockquote": "blockquote", "poem": "div"}
_LITERAL = frozenset({"pre", "syntaxhighlight", "source"})
_LISTS = frozenset("*#:;")
_SIGNATURE = re.compile("(?<!~)~{3,5}(?!~)")
_SIGNED = {3: "signature", 4: "signature and date", 5: "date"}
_FILE = re.compile(r"\s*(file|image)\s*:", re.IGNORECASE)
_CATEGORY = re.compile(r"\s*category\s*:", re.IGNORECASE)
_PIPE_TRICK = re.compile(r"^:?(?:[^:]*:)?|\s*\([^()]*\)$|,.*$")


@dataclass(frozen=True, slots=True)
class Rendered:
    """`unexpanded`: the templates, parser functions and parameters in it, by name. `source`: it is shown as
    it was written, since it is too much for a page that is to be there at once."""

    html: Markup
    unexpanded: tuple[str, ...] = ()
    source: bool = False


def render(text: str, address: Callable[[str], str]) -> Rendered:
    """`address`: of the page with a title; "" where it has none."""
    as_source = Rendered(Markup("<pre>{}</pre>").format(visible(text)), source=True)
    if len(text) > LONGEST or len(_OPENING.findall(text)) > MOST_OPENED:
        return as_source
    reader = _Reader(address)
    try:
        html = assemble(reader.pieces(mwparserfromhell.parse(text).nodes))
    except (ParserError, RecursionError, ValueError):  # the last for a NUL
        return as_source
    return Rendered(Markup(html), tuple(reader.unexpanded))  # noqa: S704 (made here, from escaped text)


@dataclass(slots=True)
class _Reader:
    """From the nodes of a text to pieces of lines and blocks."""

    address: Callable[[str], str]
    unexpanded: dict[str, None] = field(default_factory=dict)

    def pieces(self, nodes: Iterable[Node], *, links: bool = True) -> Iterator[Piece]:
        """`links`: whether a link may stand here; there is none within another."""
        for node in nodes:
            match node:
                case Text():
                    yield from _lines(str(node))
                case HTMLEntity():
                    yield _shown(unescape(str(node)))
                case Heading():
                    yield Block(self._heading(node))
                case Tag():
                    yield from self._tag(node, links)
                case Wikilink():
                    yield self._wikilink(node, links)
                case ExternalLink():
                    yield self._external(node, links)
                case Template() | Argument():
                    yield self._unexpanded(node)
                case Comment():
                    yield f'<span class="source">{_shown(str(node))}</span>'

    def _inline(self, nodes: Iterable[Node], links: bool) -> str:
        """On one line, whatever is in it."""
        parts = []
        for piece in self.pieces(nodes, links=links):
            match piece:
                case Mark(sign):
                    parts.append(str(escape(sign)))
                case Block(_, source):
                    parts.append(_shown(source))
                case _:
                    parts.append(" " if piece == "\n" else piece)
        return "".join(parts)

    def _heading(self, node: Heading) -> str:
        level = min(node.level + 1, 6)
        return f"<h{level}>{self._inline(node.title.nodes, links=True).strip()}</h{level}>"

    def _tag(self, node: Tag, links: bool) -> Iterator[Piece]:
        name = _name(node)
        inside = node.contents.nodes if node.contents is not None else []
        if node.wiki_markup in _LISTS:
            yield Mark(node.wiki_markup)
        elif name in ("br", "wbr"):
            yield f"<{name}>"
        elif name == "hr":
            yield Block("<hr>", str(node))
        elif name == "nowiki":
            yield from _lines(unescape(str(node.contents or "")), signed=False)
        elif name in _INLINE:
            tag = _INLINE[name]
            yield f"<{tag}>{self._inline(inside, links)}</{tag}>"
        elif name in _CONTENTS:
            yield from self.pieces(inside, links=links)
        elif name in _BLOCKS:
            tag = _BLOCKS[name]
            yield Block(f"<{tag}>{assemble(self.pieces(inside, links=links))}</{tag}>", str(node))
        elif name in _LITERAL:
            yield Block(f"<pre>{_shown(unescape(str(node.contents or '')).strip(chr(10)))}</pre>", str(node))
        elif name == "table":
            yield Block(self._table(inside), str(node))
        else:
            yield from _lines(str(node), signed=False)  # as MediaWiki does with what it does not know

    def _table(self, nodes: Iterable[Node]) -> str:
        rows: list[list[str]] = [[]]
        for node in nodes:
            if isinstance(node, Tag) and _name(node) == "tr":
                rows.append(self._cells(node.contents.nodes))
            else:
                rows[-1] += self._cells([node])
        return f"<table>{''.join(f'<tr>{chr(10).join(row)}</tr>' for row in rows if row)}</table>"

    def _cells(self, nodes: Iterable[Node]) -> list[str]:
        cells = []
        for node in nodes:
            if isinstance(node, Tag) and (name := _name(node)) in ("td", "th"):
                first, *rest = [*self.pieces(node.contents.nodes), "\n"]
                first = first.lstrip(" ") if isinstance(first, str) else first
                cells.append(f"<{name}>{assemble([first, *rest])}</{name}>")
        return cells

    def _wikilink(self, node: Wikilink, links: bool) -> str:
        title, text = str(node.title), node.text
        if _FILE.match(title) or _CATEGORY.match(title):
            return f'<span class="source">{_shown(str(node))}</span>'
        if text is None:
            label = _shown(unescape(title).strip().removeprefix(":"))
        elif not str(text):
            label = _shown(_PIPE_TRICK.sub("", unescape(title).strip()))
        else:
            label = self._inline(text.nodes, links=False)
        page = unescape(title).strip().removeprefix(":").partition("#")[0].strip()
        return _link(self.address(page) if page and links else "", label)

    def _external(self, node: ExternalLink, links: bool) -> str:
        url = unescape(str(node.url)).strip()
        label = self._inline(node.title.nodes, links=False) if node.title else _shown(url)
        return _link(url if links else "", label)

    def _unexpanded(self, node: Template | Argument) -> str:
        name = " ".join(visible(str(node.name)).split())
        self.unexpanded[f"{{{{{name[:60]}}}}}"] = None
        return f'<span class="source">{_shown(str(node))}</span>'


def _name(node: Tag) -> str:
    return str(node.tag).strip().lower()


def _lines(text: str, *, signed: bool = True) -> Iterator[Piece]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield "\n"
        if line:
            yield _signed(line) if signed else _shown(line)


def _signed(line: str) -> str:
    """With the tildes that a wiki replaces by a signature told as such."""
    parts, end = [], 0
    for found in _SIGNATURE.finditer(line):
        parts += [_shown(line[end : found.start()]), f'<span class="source">{_SIGNED[len(found[0])]}</span>']
        end = found.end()
    return "".join([*parts, _shown(line[end:])])


def _link(url: str, label: str) -> str:
    """The label alone where the address is not one of the web."""
    if not url.startswith(("https://", "http://")):
        return f'<span class="link">{label}</span>'
    return f'<a href="{escape(visible(url))}" rel="noopener noreferrer nofollow">{label}</a>'


def _shown(text: str) -> str:
    return str(escape(visible(text)))
