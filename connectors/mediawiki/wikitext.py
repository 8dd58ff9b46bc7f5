"""Reading and changing wikitext without touching what is not meant: all else stays byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import mwparserfromhell
from mwparserfromhell.nodes import Heading, Wikilink

from .wiki import fold, tidy

Code = mwparserfromhell.wikicode.Wikicode


# Opt-outs (https://en.wikipedia.org/wiki/Template:Bots)


def objection(text: str, account: str, kind: str = "") -> str:
    """The template on a page that keeps us from it, or '' if there is none.

    `kind`: the type of a message, for `optout=`; '' where no message is meant. Two such templates, or one
    that is not understood, count as an objection. They count inside comments too, as with other bots.
    """
    found = [m for m in _BOTS.finditer(text)]
    if not found:
        return ""
    if len(found) > 1 and len({m[0].casefold() for m in found}) > 1:
        return " and ".join(m[0] for m in found[:2])
    whole, name, rest = found[0][0], found[0][1].casefold(), found[0][2]
    objects = name == "nobots" or _objects(rest, account, kind)
    return whole if objects else ""


_BOTS = re.compile(r"\{\{\s*(nobots|bots)\s*(?:\|([^{}]*))?\}\}", re.IGNORECASE)


def _objects(parameters: str | None, account: str, kind: str) -> bool:
    """Whether `{{bots|…}}` objects: allow, deny and optout, each a list of names."""
    me = {account.strip().casefold(), "all"}
    for part in filter(None, (parameters or "").split("|")):
        key, equals, value = part.partition("=")
        names = {name.strip().casefold() for name in value.split(",")} - {""}
        match key.strip().casefold():
            case "allow":
                if "none" in names or names.isdisjoint(me):
                    return True
            case "deny":
                if "none" not in names and not names.isdisjoint(me):
                    return True
            case "optout":
                if not names.isdisjoint({"all"} | ({kind.casefold()} if kind else set())):
                    return True
            case _:
                return True
        if not equals:
            return True
    return False


# Categories


@dataclass(frozen=True, slots=True)
class CategoryLinks:
    """How a wiki writes links to categories: `word`, the namespace's name, and all its `names`, folded;
    `capital`: the first letter of a title does not matter."""

    word: str
    names: frozenset[str]
    capital: bool = True

    def tidy(self, names: Iterable[str]) -> list[str]:
        """Names as the wiki stores them, each once."""
        return list(dict.fromkeys(tidy(name, capital=self.capital) for name in names))

    def of(self, text: str) -> frozenset[str]:
        """The categories that the page's own text puts it into, at any depth."""
        links = mwparserfromhell.parse(text).ifilter_wikilinks(recursive=True)
        return frozenset(name for link in links if (name := self._name(link)))

    def change(self, text: str, add: Iterable[str], remove: Iterable[str]) -> str:
        """The text with categories added and taken away; those there already stay as they are.

        New ones go after the last category, else to the end.
        """
        code = mwparserfromhell.parse(text)
        gone = frozenset(self.tidy(remove))
        for link in self._top(code):
            if self._name(link) in gone:
                _take_out(code, link)
        rest = self._top(code)
        held = {self._name(link) for link in rest}
        new = [name for name in self.tidy(add) if name not in held]
        if not new:
            return str(code)
        lines = "\n".join(f"[[{self.word}:{name}]]" for name in new)
        if rest:
            code.insert_after(rest[-1], f"\n{lines}")
            return str(code)
        body = str(code).rstrip("\n")
        return f"{body}\n\n{lines}" if body else lines

    def _top(self, code: Code) -> list[Wikilink]:
        """Links at the top level: what stands in templates and tables is not ours to move."""
        return [link for link in code.ifilter_wikilinks(recursive=False) if self._name(link)]

    def _name(self, link: Wikilink) -> str:
        space, colon, name = str(link.title).partition(":")
        if not colon or fold(space) not in self.names:
            return ""
        return tidy(name, capital=self.capital)


def _take_out(code: Code, link: Wikilink) -> None:
    """The link, and the line it stood on if nothing else stands there."""
    nodes = code.nodes
    place = next(i for i, node in enumerate(nodes) if node is link)
    before = str(nodes[place - 1]) if place else "\n"
    after = str(nodes[place + 1]) if place + 1 < len(nodes) else ""
    code.remove(link)
    if before.endswith("\n") and after.startswith("\n"):
        code.replace(nodes[place], after[1:])
    elif not after and place and before.endswith("\n"):
        code.replace(nodes[place - 1], before[:-1])


# Parts of a page


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part of a page stands: `text[start:end]`."""

    start: int
    end: int


def section(text: str, name: str) -> Part | None:
    """A section with all below it: by number (0: what stands before the first heading) or by heading."""
    headings = _headings(text)
    if name.strip() == "0":
        return Part(0, headings[0][0] if headings else len(text))
    for index, (start, level, title) in enumerate(headings, 1):
        if name.strip() in (str(index), title):
            end = next((s for s, deep, _ in headings[index:] if deep <= level), len(text))
            return Part(start, end)
    return None


def _headings(text: str) -> list[tuple[int, int, str]]:
    """Place, level and title of each heading, those in comments and nowiki left out."""
    found, place = [], 0
    for node in mwparserfromhell.parse(text).nodes:
        if isinstance(node, Heading):
            found.append((place, node.level, str(node.title).strip()))
        place += len(str(node))
    return found


def between(text: str, markers: tuple[str, str]) -> Part | None:
    """What stands between two markers, without them; None where they are not there, once and in order."""
    opening, closing = markers
    if text.count(opening) != 1 or text.count(closing) != 1:
        return None
    start, end = text.index(opening) + len(opening), text.index(closing)
    return Part(start, end) if start <= end else None


def has_template(text: str, template: str) -> bool:
    """Whether a page begins with this wikitext, or transcludes the same template anywhere."""
    wanted = [t for t in mwparserfromhell.parse(template).ifilter_templates(recursive=False)]
    names = {tidy(str(t.name)) for t in wanted}
    if not names:
        return text.startswith(template)
    return any(tidy(str(t.name)) in names for t in mwparserfromhell.parse(text).ifilter_templates())
