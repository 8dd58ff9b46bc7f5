"""What a policy gave to people and took back, as its own proposals tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from ...connectors.actions import (
    Action,
    AddToGroup,
    GrantBadge,
    RemoveFromGroup,
    RevokeBadge,
    from_json,
)
from ...connectors.records import Kind, Ref
from ...sync.outbox import State
from ...sync.store.tables import proposals, states
from ..community import Community
from ..people import groups

GROUP, BADGE = "group", "badge"
"""Steps that give something."""

TAKEN = {GROUP: "leave", BADGE: "revoke"}
"""The steps that take it back."""


@dataclass(frozen=True, slots=True)
class Gift:
    """A place in a group, or a badge. `id`: of the proposal; `at`: when it was carried out (micros)."""

    id: int
    member: Ref
    step: str
    name: str
    at: int

    def taken_back(self) -> Action:
        site, member = self.member.site, self.member.id
        if self.step == GROUP:
            return RemoveFromGroup(site=site, member=member, group=self.name)
        return RevokeBadge(site=site, member=member, badge=self.name)

    def is_over(self, conn: Connection) -> bool:
        """Whether somebody has ended it since: a group was left, or a person took the member out of it. Who
        is in the group again all the same is there by a person's will. Of badges the mirror knows nothing."""
        if self.step != GROUP:
            return False
        s = states
        ended = (
            select(s.c.value)
            .where(s.c.site == self.member.site, s.c.kind == Kind.MEMBER, s.c.item == self.member.id)
            .where(s.c.field == "group", s.c.value == self.name, s.c.valid_to > self.at)
            .limit(1)
        )
        return self.name not in groups(conn, self.member) or conn.execute(ended).first() is not None


def gifts(community: Community, policy: str, site: str) -> Iterator[Gift]:
    """What the policy gave on a site, oldest first, whether or not it was taken back since."""
    for id_, at, action in _applied(community, policy, site, ("add_to_group", "grant_badge")):
        if isinstance(action, AddToGroup):
            yield Gift(id_, Ref(site, Kind.MEMBER, action.member), GROUP, action.group, at)
        elif isinstance(action, GrantBadge):
            yield Gift(id_, Ref(site, Kind.MEMBER, action.member), BADGE, action.badge, at)


def withdrawals(community: Community, policy: str, site: str) -> dict[tuple[Ref, str, str], int]:
    """The proposal by which the policy last took something back, by member, giving step and name. One that
    a moderator undid does not count."""
    key = ("withdrawals", policy, site)
    if key not in community.memo:
        found: dict[tuple[Ref, str, str], int] = {}
        for id_, _, action in _applied(community, policy, site, ("remove_from_group", "revoke_badge")):
            if isinstance(action, RemoveFromGroup):
                found[Ref(site, Kind.MEMBER, action.member), GROUP, action.group] = id_
            elif isinstance(action, RevokeBadge):
                found[Ref(site, Kind.MEMBER, action.member), BADGE, action.badge] = id_
        community.memo[key] = found
    known: dict[tuple[Ref, str, str], int] = community.memo[key]
    return known


def _applied(
    community: Community, policy: str, site: str, verbs: tuple[str, ...]
) -> Iterator[tuple[int, int, Action]]:
    p = proposals
    rows = community.conn.execute(
        select(p.c.id, p.c.changed_at, p.c.action)
        .where(p.c.policy == policy, p.c.state == State.APPLIED, p.c.site == site, p.c.verb.in_(verbs))
        .order_by(p.c.id)
    ).all()
    for row in rows:
        yield row.id, row.changed_at, from_json(json.loads(row.action))
