"""The budget of a site as a row in PostgreSQL, which all hosts that use the store share."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, extract, func, select, update
from sqlalchemy.dialects.postgresql import insert

from ...connectors.pacing import Budget, Pace
from .store import Store
from .tables import paces

_NUMBERS = (paces.c.at, paces.c.backlog, paces.c.careful, paces.c.paused)


class RowAllowance:
    """An `Allowance`. Every use is one short transaction; its time is the database's, for hosts differ."""

    def __init__(self, store: Store, budget: Budget) -> None:
        self._store = store
        self._budget = budget

    def take(self, patience: float) -> float:
        waits: list[float] = []

        def change(pace: Pace) -> Pace:
            waits.append(pace.wait(self._budget))
            return pace if waits[0] > patience else pace.take(self._budget)

        self._change(change)
        return waits[0]

    def paused(self) -> float:
        return self._change(lambda pace: pace).paused

    def slow_down(self) -> None:
        self._change(lambda pace: pace.slow_down(self._budget))

    def hold(self, seconds: float) -> None:
        self._change(lambda pace: pace.hold(self._budget, seconds))

    def _change(self, change: Callable[[Pace], Pace]) -> Pace:
        with self._store.apart() as connection:
            pace = change(self._locked(connection))
            row = {"at": pace.at, "backlog": pace.backlog, "careful": pace.careful, "paused": pace.paused}
            mine = paces.c.budget == self._budget.digest
            connection.execute(update(paces).where(mine).values(row))
        return pace

    def _locked(self, connection: Connection) -> Pace:
        """The pace as of now; until the end of the transaction nobody else changes it."""
        query = select(*_NUMBERS).where(paces.c.budget == self._budget.digest).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            fresh = {"at": 0.0, "backlog": 0.0, "careful": 0.0, "paused": 0.0}
            new = insert(paces).values(budget=self._budget.digest, **fresh).on_conflict_do_nothing()
            connection.execute(new)
            row = connection.execute(query).one()
        # Read only now: somebody may have kept us waiting for the row.
        now = connection.scalar(select(extract("epoch", func.clock_timestamp())))
        return Pace.restored(tuple(row), self._budget, float(now or 0))
