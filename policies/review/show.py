"""A proposal as text for a terminal: any width from 40 columns on, readable with and without colour."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO

from rich.console import Console
from rich.text import Text as Styled

from ...sync.outbox import State
from ..wording import remaining, span
from .queue import Card, Line, Text

_WIDEST = 100
_SENTENCE = 120
"""Characters of what a proposal does, in a list."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_COMMANDS = frozenset({"Cc", "Zl", "Zp"})
_COMING = frozenset({State.PROPOSED, State.APPROVED})
_DECIDED = {
    "approved": "approved it",
    "rejected": "rejected it",
    "handled": "had done it by hand",
    "edited": "rewrote the text",
    "reopened": "took the decision back",
    "settled": "settled it",
}
_TRIED = {
    "done": "done",
    "not_done": "not carried out",
    "unsettled": "nobody knows whether it was carried out",
    None: "its outcome is not known yet",
}


def render(card: Card, width: int = 80, *, heading: str = "") -> str:
    """The whole card without colour, every line at most `width` columns wide."""
    return "\n".join(line.plain.rstrip() for line in layout(card, width, heading=heading))


def layout(card: Card, width: int = 80, *, heading: str = "") -> list[Styled]:
    """The whole card as styled lines. `heading` stands at the left of the first one."""
    page = _Page(min(width, _WIDEST))
    _top(page, card, heading)
    _state(page, card)
    _item(page, card)
    _answers(page, card)
    _reasons(page, card)
    if card.text is not None:
        _text(page, card, card.text)
    _history(page, card)
    return page.lines


def visible(text: str) -> str:
    """Foreign text with its invisible commands made visible: control characters, and those that change
    the direction of writing, could otherwise show a reviewer something else than what is posted."""
    return "".join(
        f"⟨U+{ord(c):04X}⟩" if c in _BIDI or (unicodedata.category(c) in _COMMANDS and c not in "\n\t") else c
        for c in text.replace("\r\n", "\n")
    )


@dataclass(slots=True)
class _Page:
    """Lines that are wrapped at words, by the columns that characters take."""

    width: int
    lines: list[Styled] = field(default_factory=list)
    _console: Console = field(default_factory=lambda: Console(file=StringIO(), color_system=None))

    def gap(self) -> None:
        self.lines.append(Styled())

    def add(self, text: str | Styled, style: str = "", *, first: str = "", rest: str = "") -> None:
        """One paragraph; `first` stands before its first line, `rest` before the others."""
        whole = text if isinstance(text, Styled) else Styled(visible(text), style)
        whole.expand_tabs(4)
        room = max(self.width - len(first), 10)
        for number, line in enumerate(whole.wrap(self._console, room, overflow="fold")):
            line.rstrip()
            before = rest if number else first
            self.lines.append(Styled.assemble((before if line else before.rstrip(), "dim"), line))

    def section(self, title: str, note: str = "") -> None:
        self.gap()
        self.add(Styled.assemble((title, "bold"), (f"  {visible(note)}" if note else "", "dim")))

    def quote(self, text: str, style: str = "") -> None:
        for line in text.rstrip("\n").split("\n"):
            self.add(line, style, first="  │ ", rest="  │ ")


def _top(page: _Page, card: Card, heading: str) -> None:
    name = f"{card.proposal.policy} · {card.id}" if card.id else card.proposal.policy
    left = f"── {heading} " if heading else "──"
    line = f"{left}{'─' * max(page.width - len(left) - len(visible(name)) - 4, 2)} {visible(name)} ──"
    page.lines.append(Styled(line[: page.width] if len(line) > page.width else line, "dim"))
    page.add(card.sentence, "bold")


def _state(page: _Page, card: Card) -> None:
    proposal, now = card.proposal, card.as_of
    parts = [f"on {proposal.site}"]
    if card.open:
        parts.append(f"proposed {ago(proposal.created_at, now)}")
        parts += [f"lapses in {remaining(proposal.lapses_at - now)}"] if proposal.lapses_at else []
    else:
        parts.append(f"{proposal.state} {ago(proposal.changed_at, now)}")
    if proposal.state in _COMING and proposal.not_before and proposal.not_before > now:
        parts.append(f"not before {proposal.not_before:%Y-%m-%d %H:%M} UTC")
    parts.append(card.undo_words)
    page.add("; ".join(parts), "dim")
    if proposal.error:
        page.add(proposal.error, "yellow", first="! ", rest="  ")
    if card.claimed_by and card.claimed_until:
        claim = f"claimed by {card.claimed_by} until {card.claimed_until:%H:%M} UTC"
        page.add(claim, "yellow", first="! ", rest="  ")
    for sentence in card.later:
        page.add(f"Approved with it: {sentence}", first="+ ", rest="  ")
    for id_, sentence in card.also:
        page.add(f"Also waiting: {sentence} ({id_})", "dim", first="+ ", rest="  ")


def _item(page: _Page, card: Card) -> None:
    item = card.item
    page.gap()
    label = f"{item.word[:1].upper()}{item.word[1:]}"
    details = f"  ({', '.join(item.details)})" if item.details else ""
    page.add(Styled.assemble((label, "bold"), f"  {visible(item.title)}", (visible(details), "dim")))
    if item.url:
        page.add(item.url, "blue", first="  ")


def _answers(page: _Page, card: Card) -> None:
    found = card.answers
    if found is None:
        return
    where = f"in “{found.thread}”, " if found.thread != card.item.title else ""
    page.section(found.heading, f"{found.author}, {where}{ago(found.at, card.as_of)}")
    if found.text is None:
        page.add("its text is not in the mirror", "dim italic", first="  ")
    else:
        page.quote(f"{found.text.rstrip()} …" if found.cut else found.text)
    if found.url and found.url != card.item.url:
        page.add(found.url, "blue", first="  ")


def _reasons(page: _Page, card: Card) -> None:
    reasons = card.reasons
    if not reasons:
        return
    page.section("Why")
    column = min(max(len(visible(each.fact)) for each in reasons), 24)
    for each in reasons:
        fact = visible(each.fact.replace("_", " ")).ljust(column)
        line = Styled.assemble(visible(each.value), (f"  (asked for: {visible(each.condition)})", "dim"))
        page.add(line, first=f"  {fact}  ", rest=" " * (column + 4))


def _text(page: _Page, card: Card, text: Text) -> None:
    changes = text.before is not None
    title = "What changes in the text" if changes else "The text, exactly as it would be posted"
    page.section(title if card.proposal.state in _COMING else "The text", _edited(card))
    if card.recipients:
        page.add(", ".join(card.recipients), first="  To:      ", rest="           ")
    if text.subject:
        page.add(text.subject, "bold", first="  Subject: ", rest="           ")
    if text.summary:
        page.add(text.summary, first="  Summary: ", rest="           ")
    if text.before is None:
        page.quote(text.body)
    else:
        _changes(page, text.before, text.body)


def _edited(card: Card) -> str:
    names = [each.by for each in card.decided if each.before is not None]
    return f"rewritten by {names[-1]}" if card.proposal.edited and names else ""


def _changes(page: _Page, before: str, after: str) -> None:
    """Only what changes, with two lines around it."""
    old, new = before.rstrip("\n").split("\n"), after.rstrip("\n").split("\n")
    changes = list(difflib.unified_diff(old, new, n=2, lineterm=""))[2:]
    if not changes:
        page.add("nothing changes", "dim italic", first="  ")
    for line in changes:
        if line.startswith("@@"):
            page.add("⋯", "dim", first="  ")
        else:
            style = {"+": "green", "-": "red"}.get(line[0], "")
            page.add(line[1:], style, first=f"  {line[0]} ", rest=f"  {line[0]} ")


def _history(page: _Page, card: Card) -> None:
    told = list(_events(card))
    if not told:
        return
    page.section("So far")
    for at, words in sorted(told, key=lambda event: event[0]):
        page.add(words, first=f"  {at:%Y-%m-%d %H:%M}  ", rest=" " * 20)


def _events(card: Card) -> Iterable[tuple[datetime, str]]:
    for each in card.decided:
        reason = f": {each.reason}" if each.reason else ""
        together = " (with others)" if each.bulk else ""
        yield each.at, f"{each.by} {_DECIDED.get(each.decision, each.decision)}{together}{reason}"
    for tried in card.tried:
        what = "carrying it out" if tried.doing == "perform" else f"undoing it for {tried.by}"
        error = f" ({tried.error})" if tried.error else ""
        yield tried.at, f"{what}: {_TRIED[tried.outcome]}{error}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, as a phrase."""
    return "just now" if now - at < timedelta(minutes=1) else f"{span(now - at)} ago"


def table(shown: Iterable[Line], now: datetime, *, with_state: bool) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a list of proposals."""
    columns = ["Id", "What", "Policy", "State" if with_state else "Lapses in"]
    return columns, [_row(line, now, with_state=with_state) for line in shown]


def _row(line: Line, now: datetime, *, with_state: bool) -> list[str]:
    proposal = line.proposal
    what = line.sentence if len(line.sentence) <= _SENTENCE else f"{line.sentence[: _SENTENCE - 1]}…"
    claimed = f" (claimed by {line.claimed_by})" if line.claimed_by else ""
    lapses = remaining(proposal.lapses_at - now) if proposal.lapses_at else ""
    last = proposal.state.value if with_state else lapses
    return [str(proposal.id), visible(f"{what}{claimed}"), visible(proposal.policy), last]
