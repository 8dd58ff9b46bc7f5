"""Decisions of a reviewer, each in a transaction of its own, and taking the last one back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, select

from ...config.errors import TransitionError, UsageError
from ...connectors.actions import Action
from ...sync.outbox import Decision, Proposal, State, get, lapse, review
from ...sync.store.store import Store
from ...sync.store.tables import proposals, reviews
from ...sync.store.times import micros

_LONGEST_NAME = 80
_LED_TO = {
    Decision.APPROVED: State.APPROVED,
    Decision.REJECTED: State.REJECTED,
    Decision.HANDLED: State.HANDLED,
}


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who decides; `name` goes into the record."""

    store: Store
    name: str

    def __post_init__(self) -> None:
        """Raises UsageError for a name that could not be shown to others as it is."""
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > _LONGEST_NAME:
            raise UsageError(
                "A reviewer needs a name of one line.", hint=f"At most {_LONGEST_NAME} characters: --as NAME"
            )

    def decide(
        self,
        proposal: int,
        decision: Decision,
        now: datetime,
        *,
        reason: str = "",
        bulk: bool = False,
        action: Action | None = None,
        seen: Action | None = None,
    ) -> Proposal:
        """Record a decision; the proposal after it is returned.

        `seen`: the action as the reviewer saw it; if it has been rewritten since, nothing is decided.
        Raises UsageError and TransitionError.
        """
        with self.store.write() as conn:
            if seen is not None and get(conn, proposal).action != seen:
                raise TransitionError(
                    f"The text of proposal {proposal} has been rewritten since you saw it.",
                    hint="Look at it again.",
                )
            return review(
                conn,
                proposal,
                decision,
                by=self.name,
                now=now,
                reason=" ".join(reason.split()),
                bulk=bulk,
                action=action,
            )

    def take_back(self, now: datetime, since: datetime) -> list[Proposal]:
        """Take this reviewer's last decision back, if it was made since `since`; what was decided together
        is taken back together. The proposals that wait again are returned.

        Raises TransitionError where there is no such decision, or where it has been carried out meanwhile.
        """
        with self.store.write() as conn:
            last = _last(conn, self.name, since)
            if last is None:
                raise TransitionError(
                    "There is no decision of yours within the undo window.",
                    hint="Older ones, if they are not carried out yet: ordito review reopen ID",
                )
            decision, ids = last
            standing = [each for each in ids if get(conn, each).state == _LED_TO[decision]]
            if not standing:
                raise _too_late(decision, ids[-1])
            return [review(conn, each, Decision.REOPENED, by=self.name, now=now) for each in standing]


def _too_late(decision: Decision, proposal: int) -> TransitionError:
    if decision == Decision.APPROVED:
        return TransitionError(
            f"Your last approval, of proposal {proposal}, is being carried out already.",
            hint=f"ordito undo {proposal}",
        )
    return TransitionError(
        f"Proposal {proposal} has become something else since you decided on it.",
        hint=f"ordito review show {proposal}",
    )


def let_lapse(store: Store, now: datetime) -> None:
    """Let go what nobody reviewed in time, so that nobody decides on it any more."""
    due = proposals.c.lapses_at <= micros(now)
    with store.read() as conn:
        query = select(proposals.c.id).where(proposals.c.state == State.PROPOSED, due)
        if conn.execute(query.limit(1)).first() is None:
            return
    with store.write() as conn:
        lapse(conn, now)


def _last(conn: Connection, by: str, since: datetime) -> tuple[Decision, list[int]] | None:
    """The newest decision of a reviewer that was not taken back, with all that was decided by it."""
    later = reviews.alias("later")
    taken_back = exists().where(
        later.c.proposal == reviews.c.proposal,
        later.c.id > reviews.c.id,
        later.c.decision.in_((Decision.REOPENED, Decision.RETURNED)),
    )
    mine = select(reviews).where(reviews.c.by == by, reviews.c.decision.in_(sorted(_LED_TO)), ~taken_back)
    newest = conn.execute(
        mine.where(reviews.c.at >= micros(since)).order_by(reviews.c.id.desc()).limit(1)
    ).one_or_none()
    if newest is None:
        return None
    together = conn.execute(
        mine.where(reviews.c.at == newest.at, reviews.c.decision == newest.decision).order_by(reviews.c.id)
    )
    return Decision(newest.decision), [row.proposal for row in together]
