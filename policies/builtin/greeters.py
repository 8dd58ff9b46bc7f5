"""Who of the greeters joins which welcome: willing, active, in turn, and within their own budget."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, or_, select

from ...connectors.records import Kind as RecordKind
from ...connectors.records import Ref
from ...sync.outbox import State
from ...sync.store.tables import contributions, members, proposals, states
from ...sync.store.times import micros
from ..community import Community
from ..constitution import Law
from ..people import accounts, contacted_since
from ..sources import Scope, visible
from .common import steady_order

if TYPE_CHECKING:
    from .welcome import Welcome

_ACTIVE = timedelta(days=30)
_PENDING = (State.PROPOSED, State.APPROVED, State.APPLYING)


@dataclass
class Greeters:
    """`names`: id → username of who can be asked. `left`: how often each may still be notified. `joins`:
    they are brought into a conversation, which a welcome reserves; on a wiki they are only named.

    A welcome that waits for its review or for its time keeps its greeter, so that the text which was
    approved is the one that is sent. For the same reason an approved one without a greeter (`alone`) gets
    none, and who is named on a wiki does not depend on the other welcomes of a plan.
    """

    names: dict[str, str]
    left: Counter[str]
    joins: bool = True
    assigned: dict[Ref, tuple[str, ...]] = field(default_factory=dict)
    alone: frozenset[Ref] = frozenset()

    @classmethod
    def of(cls, community: Community, site: str, kind: Welcome) -> Greeters:
        names = _willing(community, site, kind.parameters.send.with_)
        joins = community.sites[site].family == "forum"
        assigned, approved = _assigned(community.conn, kind.policy, site) if names and joins else ({}, set())
        law = Law(community.conn, kind.tools.settings.constitution)
        in_peace = {id for id in names if law.left_alone(Ref(site, RecordKind.MEMBER, id))}
        names = {id: name for id, name in names.items() if id not in in_peace}
        budget = law.text.contact
        since = budget.per.before(community.now)
        left: Counter[str] = Counter()
        for member in names:
            who = accounts(community.conn, Ref(site, RecordKind.MEMBER, member))
            left[member] = budget.messages - len(contacted_since(community.conn, who, since))
        for taken in assigned.values():
            left.subtract(member for member in taken if member in names)
        alone = frozenset(who for who in approved if not assigned[who])
        return cls(names, left, joins, assigned, alone)

    def choose(self, newcomer: Ref, avoid: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Who joins the welcome of this newcomer: one greeter, or none if all have been busy.

        `avoid`: who was found to take no messages. Somebody whose budget was spent since by something else
        is let go: the newcomer shall not have to wait for that.
        """
        if newcomer in self.alone:
            return ()
        for member in self.assigned.pop(newcomer, ()):
            if member in self.names and member not in avoid and self.left[member] >= 0:
                self.assigned[newcomer] = (member,)
                return (member,)
            self.left[member] += 1
        for member in steady_order(newcomer.id, list(self.names)):
            if member != newcomer.id and member not in avoid and self.left[member] > 0:
                self.left[member] -= self.joins
                self.assigned[newcomer] = (member,)
                return (member,)
        return ()


def _willing(community: Community, site: str, groups: list[str]) -> dict[str, str]:
    """Members of the groups who wrote something in the last 30 days."""
    if not groups:
        return {}
    now = micros(community.now)
    scope = Scope(site, community.sites[site].family, now, community.live)
    s, c, m = states, contributions, members
    recent = select(c.c.author).where(visible(scope), c.c.created_at > micros(community.now - _ACTIVE))
    rows = community.conn.execute(
        select(m.c.id, m.c.username)
        .join_from(m, s, (s.c.site == m.c.site) & (s.c.kind == "member") & (s.c.item == m.c.id))
        .where(m.c.site == site, s.c.field == "group", s.c.value.in_(groups), s.c.valid_from <= now)
        .where(or_(s.c.valid_to.is_(None), s.c.valid_to > now), m.c.id.in_(recent))
        .where(m.c.deleted_at.is_(None), func.coalesce(m.c.suspended_until <= now, True))
        .distinct()
        .order_by(m.c.id)
    )
    return {row.id: row.username for row in rows}


def _assigned(conn: Connection, policy: str, site: str) -> tuple[dict[Ref, tuple[str, ...]], set[Ref]]:
    """Who was asked to join which welcome that has not been sent yet, and which of them are approved."""
    rows = conn.execute(
        select(proposals.c.item, proposals.c.action, proposals.c.state).where(
            proposals.c.policy == policy, proposals.c.site == site, proposals.c.state.in_(_PENDING)
        )
    ).all()
    assigned = {Ref.parse(row.item): tuple(json.loads(row.action)["to"][1:]) for row in rows}
    return assigned, {Ref.parse(row.item) for row in rows if row.state != State.PROPOSED}
