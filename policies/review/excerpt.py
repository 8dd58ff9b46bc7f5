"""What a proposal answers: the words on the platform that a reviewer should have read before deciding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from ...connectors import actions as a
from ...connectors.base import Platform
from ...connectors.records import ContributionKind, Kind, Ref
from ...sync.outbox import Proposal
from ...sync.store.tables import contributions, doings, texts
from ...sync.store.times import moment
from .names import Names

LENGTH = 700
"""Characters shown of it."""

_SPOKEN = (ContributionKind.REGULAR, ContributionKind.MODERATOR, ContributionKind.MINOR)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`thread` is a title. `text` None: the mirror does not hold it. `cut`: there is more than `text`.
    `whole`: it is the text of a wiki's page, of which the mirror does not know what the edit changed."""

    ref: Ref
    author: str
    at: datetime
    thread: str
    url: str
    text: str | None
    cut: bool
    whole: bool

    @property
    def heading(self) -> str:
        return "The page as last edited" if self.whole else "What was said last"


def excerpt(
    conn: Connection, proposal: Proposal, names: Names, platforms: Mapping[str, Platform]
) -> Excerpt | None:
    """The contribution named by the action or the item; else the newest of the thread or member.

    What we wrote ourselves and notes of the platform are passed over. None where nothing is mirrored.
    """
    row = _row(conn, proposal)
    if row is None:
        return None
    ref, thread = Ref(row.site, Kind.CONTRIBUTION, row.id), Ref(row.site, Kind.THREAD, row.thread)
    names.add(conn, [thread, *([Ref(row.site, Kind.MEMBER, row.author)] if row.author else [])])
    platform = platforms.get(row.site)
    return Excerpt(
        ref=ref,
        author=names.member(row.site, row.author),
        at=moment(row.created_at),
        thread=names.of(row.site, Kind.THREAD, row.thread),
        url=platform.url(ref) if platform else "",
        text=None if row.text is None else row.text[:LENGTH],
        cut=row.text is not None and len(row.text) > LENGTH,
        whole=platform is not None and platform.family == "wiki",
    )


def _row(conn: Connection, proposal: Proposal) -> Row[Any] | None:
    action, item = proposal.action, proposal.item
    if isinstance(action, a.Reply) and action.reply_to is not None:
        item = Ref(action.site, Kind.CONTRIBUTION, action.reply_to)
    elif isinstance(action, a.EditText) and action.contribution is not None:
        item = action.item
    c = contributions.c
    query = _query().where(c.site == item.site)
    if item.kind == Kind.CONTRIBUTION:
        return conn.execute(query.where(c.id == item.id)).one_or_none()
    if item.kind not in (Kind.THREAD, Kind.MEMBER):
        return None
    column = c.thread if item.kind == Kind.THREAD else c.author
    ours = select(doings.c.id).where(
        doings.c.site == c.site, doings.c.kind == Kind.CONTRIBUTION, doings.c.id == c.id
    )
    newest = (
        query.where(column == item.id, c.kind.in_(_SPOKEN), c.deleted_at.is_(None), ~ours.exists())
        .order_by(c.created_at.desc(), c.id.desc())
        .limit(1)
    )
    return conn.execute(newest).one_or_none()


def _query() -> Select[Any]:
    c, t = contributions.c, texts.c
    return select(c.site, c.id, c.thread, c.author, c.created_at, t.text).select_from(
        contributions.outerjoin(texts, (t.site == c.site) & (t.contribution == c.id))
    )
