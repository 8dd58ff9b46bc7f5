"""How far a policy may go by itself: its mode, under the constitution's, with what it has earned."""

from __future__ import annotations

from collections import deque

from sqlalchemy import Connection, exists, select, union_all
from sqlalchemy.sql.expression import literal

from ..config.mode import Earn, Mode
from ..sync.store.tables import attempts, proposals, reviews


def acts_alone(conn: Connection, policy: str, mode: Mode) -> bool:
    """Whether what the policy proposes counts as approved at once."""
    return mode.level == "auto" or (mode.level == "earn" and earned(conn, policy, mode.earn))


def earned(conn: Connection, policy: str, terms: Earn) -> bool:
    """Whether the policy has earned it, and has not lost it since.

    It is earned when of the last `terms.reviews` single reviews the share `terms.accepted` approved. A
    rejection or an undo afterwards takes it away, and the counting begins anew. What was decided in bulk
    earns nothing, but a rejection in bulk is one.
    """
    window: deque[bool] = deque(maxlen=terms.reviews)
    has_it = False
    for accepted, bulk in _verdicts(conn, policy):
        if has_it:
            if accepted:
                continue
            has_it = False
            window.clear()
        if bulk:
            continue
        window.append(accepted)
        has_it = len(window) == terms.reviews and sum(window) / terms.reviews >= terms.accepted
    return has_it


def _verdicts(conn: Connection, policy: str) -> list[tuple[bool, bool]]:
    """What people said of a policy's proposals, in order, and whether in bulk; an undo is a no. What
    somebody took back they have not said."""
    later = reviews.alias("later")
    taken_back = exists().where(
        later.c.proposal == reviews.c.proposal, later.c.id > reviews.c.id, later.c.decision == "reopened"
    )
    judged = (
        select(
            reviews.c.at.label("at"), (reviews.c.decision == "approved").label("accepted"), reviews.c.bulk
        )
        .join_from(reviews, proposals, proposals.c.id == reviews.c.proposal)
        .where(proposals.c.policy == policy, reviews.c.decision.in_(("approved", "rejected")))
        .where(~taken_back)
    )
    undone = (
        select(attempts.c.started_at.label("at"), literal(False).label("accepted"), literal(False))
        .join_from(attempts, proposals, proposals.c.id == attempts.c.proposal)
        .where(proposals.c.policy == policy, attempts.c.doing == "undo", attempts.c.outcome == "done")
    )
    both = union_all(judged, undone).subquery()
    rows = conn.execute(select(both).order_by(both.c.at))
    return [(bool(row.accepted), bool(row.bulk)) for row in rows]
