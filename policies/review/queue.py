"""What a reviewer sees of a proposal, as plain data: for the terminal, the review page and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, select

from ...connectors import actions as a
from ...connectors.actions import Action
from ...connectors.base import Platform
from ...connectors.records import Kind, Ref
from ...sync.outbox import Because, Decided, Proposal, State, decisions
from ...sync.outbox.proposals import from_row
from ...sync.store.tables import attempts, proposals
from ...sync.store.times import moment
from .excerpt import Excerpt, excerpt
from .names import Names
from .verbs import UNDO_WORDS, Undo, concerned, sentence, undo_of


@dataclass(frozen=True, slots=True)
class Item:
    """What the proposal is about, in the platform's own words; `details` are short phrases."""

    ref: Ref
    word: str
    title: str
    url: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """What would be posted. `before`: the text it replaces, where it replaces one."""

    subject: str
    body: str
    before: str | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt to carry it out, or to undo it. `outcome` None: nobody knows yet."""

    doing: Literal["perform", "undo"]
    by: str
    at: datetime
    outcome: Literal["done", "not_done", "unsettled"] | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A proposal as a reviewer sees it at the moment `as_of`. Id 0: it was not stored (a dry run).

    `recipients`: whom it notifies, by name. `claimed_by`: who else is looking at it now. `later`: steps
    that are approved with it. `also`: other waiting proposals about the same item.
    """

    proposal: Proposal
    as_of: datetime
    sentence: str
    item: Item
    text: Text | None
    recipients: tuple[str, ...]
    answers: Excerpt | None
    undo: Undo
    claimed_by: str | None
    claimed_until: datetime | None
    later: tuple[str, ...]
    also: tuple[tuple[int, str], ...]
    decided: tuple[Decided, ...]
    tried: tuple[Tried, ...]

    @property
    def id(self) -> int:
        return self.proposal.id

    @property
    def undo_words(self) -> str:
        return UNDO_WORDS[self.undo]

    @property
    def reasons(self) -> tuple[Because, ...]:
        """Why; what was asked of the same fact stands together."""
        asked: dict[tuple[str, str], list[str]] = {}
        for each in self.proposal.because:
            asked.setdefault((each.fact, each.value), []).append(each.condition)
        return tuple(Because(fact, "; ".join(of), value) for (fact, value), of in asked.items())

    @property
    def open(self) -> bool:
        """Whether it waits for a decision."""
        return self.proposal.state == State.PROPOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A proposal as it stands in a list."""

    proposal: Proposal
    sentence: str
    item: Item
    claimed_by: str | None


def lines(
    conn: Connection, chosen: Sequence[Proposal], platforms: Mapping[str, Platform], now: datetime
) -> list[Line]:
    """The proposals for a list; the mirror is asked once for all of them."""
    names = _names(conn, chosen)
    return [
        Line(
            proposal=each,
            sentence=sentence(each.action, names, platforms.get(each.site)),
            item=_item(each.item, names, platforms.get(each.item.site)),
            claimed_by=_claim(each, now)[0],
        )
        for each in chosen
    ]


def card(conn: Connection, proposal: Proposal, platforms: Mapping[str, Platform], now: datetime) -> Card:
    """All there is to see of one proposal."""
    later = _related(conn, proposals.c.after == proposal.id)
    others = [proposal.id, *(each.id for each in later)]
    beside = _related(conn, proposals.c.item == str(proposal.item), proposals.c.id.not_in(others))
    names = _names(conn, [proposal, *later, *beside])
    platform = platforms.get(proposal.site)
    claimed_by, claimed_until = _claim(proposal, now)
    return Card(
        proposal=proposal,
        as_of=now,
        sentence=sentence(proposal.action, names, platform),
        item=_item(proposal.item, names, platforms.get(proposal.item.site)),
        text=text_of(proposal.action),
        recipients=_recipients(proposal.action, names),
        answers=excerpt(conn, proposal, names, platforms),
        undo=undo_of(proposal.action, platform),
        claimed_by=claimed_by,
        claimed_until=claimed_until,
        later=tuple(sentence(each.action, names, platforms.get(each.site)) for each in later),
        also=tuple((each.id, sentence(each.action, names, platforms.get(each.site))) for each in beside),
        decided=tuple(decisions(conn, proposal.id)),
        tried=_tried(conn, proposal.id),
    )


def cards(
    conn: Connection, chosen: Iterable[Proposal], platforms: Mapping[str, Platform], now: datetime
) -> Iterator[Card]:
    """Each of the proposals in full, one after the other."""
    for each in chosen:
        yield card(conn, each, platforms, now)


def text_of(action: Action) -> Text | None:
    """What an action would post; None where it posts nothing."""
    match action:
        case a.SendMessage(subject=subject, text=text) | a.NotifyModerators(subject=subject, text=text):
            return Text(subject, text)
        case a.Reply(subject=subject, text=text):
            return Text(subject, text)
        case a.OpenThread(title=title, text=text):
            return Text(title, text)
        case a.EditText(text=text, expected=before, summary=summary):
            return Text("", text, before, summary)
        case a.ArchiveThread(to=to, sections=sections) if to:
            return Text(to, "\n\n".join(sections))
        case a.ArchiveThread(template=template) if template:
            return Text("", template)
    return None


# --- names and items -------------------------------------------------------------------------------------


def _names(conn: Connection, chosen: Iterable[Proposal]) -> Names:
    names = Names()
    refs = {ref for each in chosen for ref in (each.item, *concerned(each.action))}
    names.add(conn, refs)
    names.add(conn, [around for ref in refs for around in _surroundings(ref, names)])
    return names


def _surroundings(ref: Ref, names: Names) -> Iterable[Ref]:
    """What the details of an item are named by: its author, its space, the thread of a post."""
    row = names.get(ref)
    if row is None:
        return
    if ref.kind in (Kind.THREAD, Kind.CONTRIBUTION) and row.author:
        yield Ref(ref.site, Kind.MEMBER, row.author)
    if ref.kind == Kind.THREAD and row.space:
        yield Ref(ref.site, Kind.SPACE, row.space)
    if ref.kind == Kind.CONTRIBUTION:
        yield Ref(ref.site, Kind.THREAD, row.thread)


def _item(ref: Ref, names: Names, platform: Platform | None) -> Item:
    if ref.kind == "title":
        return Item(ref, "page", ref.id, platform.url(ref) if platform else "")
    kind = Kind(ref.kind)
    word = platform.words(kind) if platform else kind.value
    url = platform.url(ref) if platform else ""
    row = names.get(ref)
    title = names.of(ref.site, kind, ref.id)
    if row is None:
        return Item(ref, word, title, url, ("not in the mirror",))
    details: list[str] = []
    if kind == Kind.MEMBER:
        url = platform.profile(ref, row.username) if platform else ""
        details += [str(row.name)] if row.name and row.name != row.username else []
        details += [f"joined {moment(row.joined_at):%Y-%m-%d}"] if row.joined_at else []
    elif kind == Kind.THREAD:
        details += [f"in {names.of(ref.site, Kind.SPACE, row.space)}"] if row.space else []
        details += [f"by {names.member(ref.site, row.author)}"] if row.author else []
        details += [f"last activity {moment(row.last_activity_at):%Y-%m-%d}"] if row.last_activity_at else []
    elif kind == Kind.CONTRIBUTION:
        details += [f"by {names.member(ref.site, row.author)}", f"{moment(row.created_at):%Y-%m-%d}"]
    if row.deleted_at:
        details.append("deleted since")
    return Item(ref, word, title, url, tuple(details))


def _recipients(action: Action, names: Names) -> tuple[str, ...]:
    """Whom the action notifies, as far as it can be known before it is done."""
    match action:
        case a.SendMessage(site=site, to=to):
            return tuple(names.member(site, member) for member in to)
        case a.NotifyModerators(group=group, page=page):
            return (page or group,)
        case a.Reply(site=site, thread=thread):
            row = names.get(Ref(site, Kind.THREAD, thread))
            return (names.member(site, row.author),) if row is not None and row.author else ()
        case (
            a.AddToGroup(site=site, member=member)
            | a.RemoveFromGroup(site=site, member=member)
            | a.GrantBadge(site=site, member=member)
            | a.RevokeBadge(site=site, member=member)
        ):
            return (names.member(site, member),)
    return ()


def _claim(proposal: Proposal, now: datetime) -> tuple[str | None, datetime | None]:
    if proposal.claimed_until is None or proposal.claimed_until <= now:
        return None, None
    return proposal.claimed_by, proposal.claimed_until


def _related(conn: Connection, *conditions: ColumnElement[bool]) -> list[Proposal]:
    query = select(proposals).where(*conditions, proposals.c.state == State.PROPOSED)
    return [from_row(row) for row in conn.execute(query.order_by(proposals.c.id).limit(5))]


def _tried(conn: Connection, proposal: int) -> tuple[Tried, ...]:
    rows = conn.execute(select(attempts).where(attempts.c.proposal == proposal).order_by(attempts.c.id))
    return tuple(
        Tried(row.doing, row.by, moment(row.started_at), row.outcome, row.error or "") for row in rows
    )
