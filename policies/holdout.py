"""Who is held out of a policy, to learn whether it helps: the assignment, and what became of both arms.

Everybody whom the policy means is assigned once, by a keyed hash that nobody can foresee or choose, and the
assignment is kept. Both arms are then compared *by assignment*: who was to be welcomed and was not (an
opt-out, a limit, a moderator's no) still counts as such, or the comparison would no longer be fair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean

from sqlalchemy import Connection, func, or_, select

from ..connectors.records import Ref
from ..sync.inserts import insert_missing
from ..sync.store.tables import assignments, contributions
from ..sync.store.times import micros
from .intervals import Difference, of_means, of_shares
from .people import accounts

TREATED, HELD_OUT = "treated", "held out"
BACK = timedelta(days=30)
POSTS = timedelta(days=90)
FEW = 30
"""With fewer people than that in one arm, nothing is concluded: chance alone moves a share by 20 points."""


def assigned(conn: Connection, policy: str) -> dict[Ref, str]:
    """The arm of everybody who has one."""
    query = select(assignments.c.person, assignments.c.arm).where(assignments.c.policy == policy)
    return {Ref.parse(person): arm for person, arm in conn.execute(query)}


def assign(conn: Connection, policy: str, arms: Mapping[Ref, str], now: datetime) -> None:
    """Keep the arm of those who have none yet, on whichever of their accounts."""
    known = assigned(conn, policy)
    rows = [
        {"policy": policy, "person": str(who), "arm": arm, "at": micros(now)}
        for who, arm in arms.items()
        if known.keys().isdisjoint(accounts(conn, who))
    ]
    insert_missing(conn, assignments, rows)


@dataclass
class Arm:
    """`followed`, `back`: of those assigned at least 30 days ago, how many wrote within 30 days after it;
    `posts`: of each of those assigned at least 90 days ago, how much they wrote within 90 days."""

    assigned: int = 0
    followed: int = 0
    back: int = 0
    posts: list[float] = field(default_factory=list)

    def to_dict(self) -> dict[str, float | int | None]:
        return {
            "assigned": self.assigned,
            "followed_30_days": self.followed,
            "came_back": self.back,
            "followed_90_days": len(self.posts),
            "posts_in_90_days": round(fmean(self.posts), 2) if self.posts else None,
        }


@dataclass(frozen=True, slots=True)
class Arms:
    """Both arms, and the differences treated − held out."""

    treated: Arm
    held_out: Arm
    back: Difference | None
    posts: Difference | None

    @property
    def enough_back(self) -> bool:
        return min(self.treated.followed, self.held_out.followed) >= FEW

    @property
    def enough_posts(self) -> bool:
        return min(len(self.treated.posts), len(self.held_out.posts)) >= FEW


def compare(conn: Connection, policy: str, start: datetime, end: datetime, now: datetime) -> Arms | None:
    """Those assigned from `start` to `end`; None if nobody was held out."""
    rows = conn.execute(
        select(assignments.c.person, assignments.c.arm, assignments.c.at)
        .where(assignments.c.policy == policy)
        .where(assignments.c.at.between(micros(start), micros(end)))
        .order_by(assignments.c.at, assignments.c.person)
    ).all()
    arms = {TREATED: Arm(), HELD_OUT: Arm()}
    for row in rows:
        who, arm = accounts(conn, Ref.parse(row.person)), arms[row.arm]
        arm.assigned += 1
        if row.at + _length(BACK) <= micros(now):
            arm.followed += 1
            arm.back += _written(conn, who, row.at, BACK) > 0
        if row.at + _length(POSTS) <= micros(now):
            arm.posts.append(_written(conn, who, row.at, POSTS))
    treated, held_out = arms[TREATED], arms[HELD_OUT]
    if not held_out.assigned:
        return None
    return Arms(
        treated,
        held_out,
        of_shares(treated.back, treated.followed, held_out.back, held_out.followed),
        of_means(treated.posts, held_out.posts),
    )


def _written(conn: Connection, who: Iterable[Ref], at: int, within: timedelta) -> int:
    """How much somebody wrote, on all accounts, from then on."""
    c = contributions
    mine = or_(*((c.c.site == account.site) & (c.c.author == account.id) for account in who))
    query = select(func.count()).where(
        mine,
        c.c.created_at > at,
        c.c.created_at <= at + _length(within),
        c.c.deleted_at.is_(None),
        c.c.kind.in_(("regular", "moderator", "minor")),
    )
    return conn.execute(query).scalar_one()


def _length(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
