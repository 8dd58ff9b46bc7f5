"""Telling those who last edited pages of a wiki that these have been marked: one message for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from ...connectors.actions import Action, SendMessage
from ...connectors.base import Platform, Profile
from ...connectors.records import Kind as RecordKind
from ...connectors.records import Ref
from ...sync.outbox import Because, State
from ...sync.store.states import chunks
from ...sync.store.tables import contributions, proposals
from ...sync.store.times import micros, moment
from .. import phrases
from ..community import Community
from ..conditions import NOTHING_ASKED
from ..kind import Candidate, Held
from ..matches import Match
from ..people import username
from ..sources import Scope, visible
from .common import nobody_to_talk_to, unless

if TYPE_CHECKING:
    from .stale import Stale

STEP = "tell"
MARKS = ("archive", "label")
_MOST = 10
"""Pages named in one message."""


@dataclass(frozen=True, slots=True)
class _Marked:
    page: Ref
    title: str
    at: int


class Authors:
    """For one policy on one wiki, at the community's moment."""

    def __init__(self, kind: Stale, community: Community, platform: Platform) -> None:
        self._kind, self._community, self._platform = kind, community, platform
        self._conn, self._site = community.conn, platform.site

    def propose(self, stale: Mapping[str, tuple[str, Match]]) -> Iterator[Candidate | Held]:
        """`stale`: the pages that are stale now, by reference, with their occasion; one that was edited
        after it was marked is nobody's to be told about."""
        of: dict[str, list[_Marked]] = defaultdict(list)
        for marked in self._marked(stale):
            for author in self._last_authors(marked.page):
                of[author].append(marked)
        told = self._told()
        for author in self._fit(list(of)):
            yield from self._one(author, of[author], told.get(str(author_ref(self._site, author))))

    def _one(self, author: str, pages: list[_Marked], told: int | None) -> Iterator[Candidate | Held]:
        who, tell = author_ref(self._site, author), self._kind.parameters.tell
        assert tell is not None  # noqa: S101 (asked only where there is one)
        new = sorted((page for page in pages if told is None or page.at > told), key=lambda each: each.at)
        if not new:
            return
        if told is not None and micros(self._community.now) < micros(tell.again.after(moment(told))):
            reason = f"told on {moment(told):%Y-%m-%d}; not again within {tell.again}"
            yield self._kind.held(who, "grace", reason)
            return
        yield Candidate(
            item=who,
            occasion=f"marked after {moment(told):%Y-%m-%d}" if told is not None else "the first",
            step=STEP,
            because=(Because("marked pages they edited last", ">= 1", str(len(new))),),
            since=new[0].at,
            compose=partial(self._message, who, username(self._conn, who), tuple(new[:_MOST])),
            site=self._site,
            addressee=who,
            contacts=(who,),
        )

    def _message(self, who: Ref, name: str, pages: tuple[_Marked, ...], profile: Profile) -> Action:
        tell, tools, platform = self._kind.parameters.tell, self._kind.tools, self._platform
        assert tell is not None  # noqa: S101 (asked only where there is one)
        language = profile.language or tools.language(platform.site)
        values: dict[str, Any] = {
            "member": {"name": platform.escape(name), "mention": platform.mention(name)},
            "pages": [platform.link(page.title, platform.url(page.page)) for page in pages],
            "quiet_for": self._kind.quiet_words(language),
            "why": phrases.why("stale", language),
            "stop": phrases.stop(platform.family, language, phrase=tools.phrase),
        }
        message = tools.messages.render(tell.message, language, platform.markup, values)
        return SendMessage(
            site=who.site, to=(who.id,), subject=message.subject, text=message.text, type="stale"
        )

    def _marked(self, stale: Mapping[str, tuple[str, Match]]) -> Iterator[_Marked]:
        """Pages that this policy has marked in their present quiet period."""
        p = proposals
        rows = self._conn.execute(
            select(p.c.item, p.c.occasion, func.min(p.c.changed_at).label("at"))
            .where(p.c.policy == self._kind.policy, p.c.site == self._site, p.c.step.in_(MARKS))
            .where(p.c.state == State.APPLIED)
            .group_by(p.c.item, p.c.occasion)
        )
        for row in rows:
            occasion, match = stale.get(row.item, ("", None))
            if match is not None and occasion == row.occasion:
                yield _Marked(match.ref, str(match.values["title"]), row.at)

    def _last_authors(self, page: Ref) -> list[str]:
        """Ids of those whose edits are the newest there, each once."""
        tell, c = self._kind.parameters.tell, contributions
        assert tell is not None  # noqa: S101 (asked only where there is one)
        scope = Scope(self._site, "wiki", micros(self._community.now), self._community.live)
        rows = self._conn.execute(
            select(c.c.author)
            .where(visible(scope), c.c.thread == page.id, c.c.author.is_not(None))
            .group_by(c.c.author)
            .order_by(func.max(c.c.created_at).desc(), c.c.author)
            .limit(tell.authors)
        )
        return list(rows.scalars())

    def _fit(self, authors: list[str]) -> list[str]:
        """Those who can be written to, in a steady order."""
        barred = unless(None, *nobody_to_talk_to("wiki"))
        return sorted(
            match.ref.id
            for chunk in chunks(sorted(authors))
            for match in self._community.select("member", self._site, NOTHING_ASKED, barred, among=chunk)
        )

    def _told(self) -> dict[str, int]:
        """When each was last told by this policy (micros)."""
        p = proposals
        rows = self._conn.execute(
            select(p.c.item, func.max(p.c.changed_at))
            .where(and_(p.c.policy == self._kind.policy, p.c.step == STEP, p.c.state == State.APPLIED))
            .group_by(p.c.item)
        )
        return {item: at for item, at in rows}


def author_ref(site: str, member: str) -> Ref:
    return Ref(site, RecordKind.MEMBER, member)
