"""Who could answer a topic, without those who may not be named: what `ordito experts --for` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from ...connectors.records import Kind, Ref
from ...sync.store.states import chunks
from ...sync.store.tables import contributions, members, threads
from ..community import Community
from ..conditions import NOTHING_ASKED, Condition
from ..constitution import Law
from ..people import accounts
from .history import days, past_of, topic_of
from .reasons import evidence, why

if TYPE_CHECKING:
    from ...config.settings import Constitution


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Somebody who could answer. `score`: the share of all answers that is expected of them."""

    member: Ref
    username: str
    score: float
    evidence: tuple[Ref, ...]
    why: str


def who_could_answer(
    community: Community, item: Ref, constitution: Constitution, unless: Condition, limit: int
) -> list[Suggestion] | None:
    """The likeliest first; None where the mirror has no such topic.

    Nobody is named whom the constitution leaves alone (never-lists, opt-outs), whom `unless` excepts or of
    whom it is not known whether it does, nor the author, on whatever account, nor ourselves. The topic's own
    contributions say nothing of who answers, so somebody who has written there already may be named.
    """
    topic = topic_of(community, item)
    if topic is None:
        return None
    site, now = item.site, days(community.now)
    past, law = past_of(community, site, topic), Law(community.conn, constitution)
    known = past.likely(topic, now)
    meant = {who.id for who in fit(community, site, [each.who for each in known], unless)}
    barred = {each.who for each in known if each.who not in meant} | {community.sites[site].account}
    if topic.author is not None:
        own = accounts(community.conn, Ref(site, Kind.MEMBER, topic.author))
        barred |= {account.id for account in own if account.site == site}
    named = 0
    for each in known:  # the constitution asks a lot about each, so only about those who would be named
        if each.who not in barred and law.left_alone(Ref(site, Kind.MEMBER, each.who)):
            barred.add(each.who)
        named += each.who not in barred
        if named == limit:
            break
    final = past.likely(topic, now, barred)[:limit]
    names = _usernames(community, site, [each.who for each in final])
    return [
        Suggestion(
            Ref(site, Kind.MEMBER, each.who), names[each.who], each.chance,
            tuple(Ref(site, Kind.CONTRIBUTION, cited) for cited in evidence(past, topic, each.who)),
            why(past, topic, each, now),
        )
        for each in final
    ]  # fmt: skip


def fit(community: Community, site: str, who: Sequence[str], unless: Condition) -> set[Ref]:
    """Those of these members whom `unless` surely does not mean."""
    return {
        match.ref
        for chunk in chunks(sorted(who))
        for match in community.select("member", site, NOTHING_ASKED, unless, among=chunk)
    }


def _usernames(community: Community, site: str, who: Sequence[str]) -> dict[str, str]:
    m = members
    rows = community.conn.execute(select(m.c.id, m.c.username).where(m.c.site == site, m.c.id.in_(who)))
    return {row.id: row.username for row in rows}


def title_of(community: Community, contribution: Ref) -> str:
    """The title of the thread that something was written in."""
    c, t = contributions, threads
    return str(
        community.conn.execute(
            select(t.c.title)
            .join_from(c, t, and_(t.c.site == c.c.site, t.c.id == c.c.thread))
            .where(c.c.site == contribution.site, c.c.id == contribution.id)
        ).scalar_one()
    )
