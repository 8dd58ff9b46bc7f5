"""What people answer to us on the talk pages of a wiki: below our section, signed, or on their own page.

A talk page is one text, so answers are not contributions of their own: our section is looked for in the page
as it is now, and what others signed below our signature in it are the replies. Somebody answered only if
their account has edited the page since we wrote there; a name that is merely written below words is no proof.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, func, select, tuple_

from ..connectors.mediawiki.wiki import tidy
from ..connectors.records import Kind, Ref
from ..sync.store.tables import (
    attempts,
    checkpoints,
    contributions,
    doings,
    members,
    proposals,
    spaces,
    threads,
)
from .answers import first_line, own_lines
from .builtin.experts import ASK
from .comparisons import fold
from .inbox import Answer
from .pages import newest_text

if TYPE_CHECKING:
    from ..connectors.mediawiki.talk import TalkSection

_USER_TALK = "3"
_INDENT = re.compile(r"^[\s:*#;]+")
_SIGNATURE = re.compile(r"\s*(?:--|—|–)?\s*\[\[[^\]]*\]\].*$", re.S)
"""From the first link on, which in a reply of one word is the one to its writer."""
_LINK = re.compile(r"\[\[[^\]]*\]\]")


@dataclass
class _Page:
    """A talk page on which we wrote and others have edited since. `edited`: member → a revision of
    theirs since then."""

    ref: Ref
    title: str
    space: str
    said: list[tuple[str, Ref, str, str]] = field(default_factory=list)
    """Heading, item, policy and step of what we wrote there."""
    edited: dict[str, str] = field(default_factory=dict)


def talk_answers(conn: Connection, phrase: str, of: Sequence[Ref] | None) -> Iterator[Answer]:
    """Every reply below a section of ours whose page may hold something for us."""
    wanted = fold(first_line(phrase))
    for page in _pages(conn, of):
        text = newest_text(conn, page.ref)
        asks = any(step == ASK for _, _, _, step in page.said)
        if text is None or not (asks or wanted in fold(text)):
            continue
        from ..connectors.mediawiki.talk import sections, understands  # with a parser, rarely needed

        language, account, names = _wiki(conn, page.ref.site)
        if understands(language):
            people = _names(conn, page)
            for section in sections(text, language, names):
                yield from _in_section(page, section, account, people)


def _in_section(
    page: _Page, section: TalkSection, account: str, people: dict[str, str]
) -> Iterator[Answer]:
    ours = [place for place, each in enumerate(section.signed) if each.author == account]
    if not ours:
        return
    item, policy, step = next(
        ((item, policy, step) for heading, item, policy, step in page.said if heading == section.title),
        (page.ref, "", ""),
    )
    addressed = item.id if item.kind == Kind.MEMBER else ""
    replies = [(each.author, each.text) for each in section.signed[ours[0] + 1 :]]
    if section.below.strip() and page.space == _USER_TALK:
        replies.append((tidy(page.title.partition(":")[2]), section.below))
    for author, words in replies:
        member = people.get(author)
        if author != account and member is not None:
            ref = Ref(page.ref.site, Kind.CONTRIBUTION, page.edited[member])
            yield Answer(ref, member, addressed, policy, step, _own(words))


def _own(words: str) -> tuple[str, ...]:
    lines = (_SIGNATURE.sub(_apart, _INDENT.sub("", line)) for line in words.splitlines())
    return tuple(own_lines("\n".join(lines)))


def _apart(signature: re.Match[str]) -> str:
    """On a line of its own, without the links: it may go on after a link to something else."""
    return "\n" + _LINK.sub(" ", signature[0]).strip(" -—–")


def _pages(conn: Connection, of: Sequence[Ref] | None) -> list[_Page]:
    ours, theirs, t = contributions.alias("ours"), contributions.alias("theirs"), threads
    query = (
        select(
            t.c.site, t.c.id, t.c.title, t.c.space, theirs.c.author, func.max(theirs.c.id).label("revision"),
            proposals.c.id.label("proposal"), proposals.c.item, proposals.c.policy, proposals.c.step,
            proposals.c.action,
        )
        .join_from(doings, ours, and_(ours.c.site == doings.c.site, ours.c.id == doings.c.id))
        .join(t, and_(t.c.site == ours.c.site, t.c.id == ours.c.thread))
        .join(theirs, and_(theirs.c.site == t.c.site, theirs.c.thread == t.c.id))
        .join(attempts, attempts.c.id == doings.c.attempt)
        .join(proposals, proposals.c.id == attempts.c.proposal)
        .where(doings.c.kind == Kind.CONTRIBUTION, t.c.kind == "talk", t.c.deleted_at.is_(None))
        .where(theirs.c.author != ours.c.author, theirs.c.created_at >= ours.c.created_at)
        .where(theirs.c.deleted_at.is_(None))
        .group_by(t.c.site, t.c.id, t.c.title, t.c.space, theirs.c.author, proposals.c.id)
    )  # fmt: skip
    if of is not None:
        query = query.where(tuple_(theirs.c.site, theirs.c.author).in_([(who.site, who.id) for who in of]))
    pages: dict[Ref, _Page] = {}
    seen: dict[Ref, set[int]] = defaultdict(set)
    for row in conn.execute(query):
        ref = Ref(row.site, Kind.THREAD, row.id)
        page = pages.setdefault(ref, _Page(ref, row.title, row.space))
        page.edited[row.author] = row.revision
        if row.proposal not in seen[ref]:
            seen[ref].add(row.proposal)
            heading = " ".join(str(json.loads(row.action).get("subject", "")).split())
            page.said.append((heading, Ref.parse(row.item), row.policy, row.step))
    return list(pages.values())


def _wiki(conn: Connection, site: str) -> tuple[str, str, list[str]]:
    """The language of signatures there, the name of our account, and the wiki's words for User and User
    talk."""
    row = conn.execute(
        select(checkpoints.c.language, members.c.username)
        .join_from(
            checkpoints, members,
            and_(members.c.site == checkpoints.c.site, members.c.id == checkpoints.c.account), isouter=True,
        )
        .where(checkpoints.c.site == site)
    ).one_or_none()  # fmt: skip
    names = conn.execute(select(spaces.c.name).where(spaces.c.site == site, spaces.c.id.in_(("2", "3"))))
    return (row.language or "en", tidy(row.username or ""), list(names.scalars())) if row else ("", "", [])


def _names(conn: Connection, page: _Page) -> dict[str, str]:
    """The ids of those who edited the page since, by name."""
    query = select(members.c.username, members.c.id).where(
        members.c.site == page.ref.site, members.c.id.in_(page.edited)
    )
    return {tidy(username): id_ for username, id_ in conn.execute(query)}
