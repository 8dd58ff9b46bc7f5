"""Carrying out what is approved: once, rechecked, journaled.

For every approval: its item, and what people may have answered us, is read fresh and stored (`fresh`); the
gate decides; its attempt and its contact budget are written in the transaction of that decision; the platform
is asked; the receipt is stored. The process may be killed between any two of these, or inside one: `settling`
then finds out what came of it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from ...config.errors import (
    Conflict,
    ConnectorError,
    Misconfigured,
    OrditoError,
    OutcomeUnknown,
    Refused,
    TryLater,
    Unreachable,
    UsageError,
)
from ...connectors.base import Batch, Connector, Halving, Marker
from ..store.tables import proposals
from . import attempts
from .attempts import Attempt, Doing
from .bench import Bench, Failure, Held, Report, words
from .fresh import to_read
from .gate import Gate, Go, Review, Supersede, Wait
from .proposals import Proposal, get
from .proposing import supersede, was_reviewed
from .reviewing import reopen
from .settling import settle_open
from .states import TRANSITIONS, State

BY_ID = " (naming its id does it now)"
"""Ends the reason of an approval that waits; it means something to whoever types commands."""
_log = logging.getLogger(__name__)


def apply(bench: Bench, gate: Gate, ids: Sequence[int] = ()) -> Report:
    """Carry out the approved proposals, or those of them that are named; the oldest approval comes first.

    Naming a proposal is asking for it now: the undo window is not waited for. Raises UsageError for an
    id that is not approved, StoreError, and LockHeld if the lock was lost; what a platform says is in
    the report.
    """
    _require_approved(bench, ids)
    report = Report()
    settle_open(bench, report)
    run = _Run(bench, gate, report, named=frozenset(ids))
    for proposal in _approved(bench, ids):
        run.carry_out(proposal)
    for given_back in settle_open(bench, report):
        error = Unreachable("The site gave no answer, and it was not carried out.", where=given_back.site)
        report.failed.append(Failure.of(given_back, error, retriable=True))
    return report


def _require_approved(bench: Bench, ids: Sequence[int]) -> None:
    with bench.store.read() as conn:
        for proposal in ids:
            state = get(conn, proposal).state
            if state not in (State.APPROVED, State.APPLYING):
                raise UsageError(
                    f"Proposal {proposal} is {state}; only what is approved can be carried out.",
                    hint=f"ordito review approve {proposal}" if State.APPROVED in TRANSITIONS[state] else "",
                )


def _approved(bench: Bench, ids: Sequence[int]) -> list[int]:
    with bench.store.read() as conn:
        rows = conn.execute(
            select(proposals.c.id)
            .where(proposals.c.state == State.APPROVED)
            .order_by(proposals.c.approved_at, proposals.c.id)
        )
        return [proposal for proposal in rows.scalars() if not ids or proposal in ids]


class _Run:
    """One pass over the approvals."""

    def __init__(self, bench: Bench, gate: Gate, report: Report, named: frozenset[int]) -> None:
        self._bench = bench
        self._gate = gate
        self._report = report
        self._named = named
        self._begun = False
        self._halted: ConnectorError | None = None

    def carry_out(self, proposal_id: int) -> None:
        """Everything about one proposal; what it meets on the way ends in the report."""
        try:
            proposal = self._unless_held(proposal_id)
            if proposal is not None:
                self._carry_out(proposal)
        except OrditoError:
            raise
        except Exception as error:  # a fault in one policy or adapter must not keep the others from acting
            _log.debug("proposal %d", proposal_id, exc_info=True)
            with self._bench.store.read() as conn:
                proposal = get(conn, proposal_id)
            self._report.failed.append(Failure.of(proposal, error, retriable=True))

    def _carry_out(self, proposal: Proposal) -> None:
        try:
            connector = self._bench.connector(proposal.site)
            self._refresh(proposal)
            self._gate.prepare(proposal, self._bench.now())
            attempt = self._decide(proposal.id, halves=isinstance(connector, Halving))
            if isinstance(attempt, Marker):
                assert isinstance(connector, Halving)  # noqa: S101 (or there is no marker)
                self._take_back(connector, proposal, attempt)
                attempt = self._decide(proposal.id)
        except ConnectorError as error:
            self._unbegun(proposal, error)
        except UsageError as error:  # its site has left the settings, and may come back
            self._report.held.append(Held(proposal.id, None, error.message))
        else:
            if isinstance(attempt, Attempt):
                self._perform(connector, attempt)

    def _take_back(self, connector: Halving, proposal: Proposal, marker: Marker) -> None:
        """What no later try could take back either is told to people, once: the proposal is dropped."""
        try:
            connector.take_back(proposal.action, marker)
        except (Refused, Conflict) as error:
            self._report.failed.append(Failure.of(proposal, error, retriable=False))

    def _unless_held(self, proposal_id: int) -> Proposal | None:
        """The proposal, if nothing holds it that can be known without asking for its item."""
        now = self._bench.now()
        with self._bench.store.read() as conn:
            proposal = get(conn, proposal_id)
            if proposal.state != State.APPROVED:  # decided otherwise since we began
                return None
            wait = self._held_by_us(conn, proposal, now)
        if wait is None and self._begin():
            with self._bench.store.read() as conn:
                wait = self._gate.hold(conn, proposal, now)
        if wait is not None:
            self._report.held.append(Held(proposal.id, wait.until, wait.reason))
            return None
        stopped = (self._report.stopped.get(site) for site in (proposal.site, proposal.item.site))
        for error in (self._halted, *stopped):
            if error is not None:
                self._report.hold_for(proposal.id, error)
                return None
        return proposal

    def _begin(self) -> bool:
        """Begin with the gate, once; False: every action is halted, as the stop page cannot be read."""
        if not self._begun:
            self._begun = True
            try:
                self._gate.begin(self._bench.now())
            except ConnectorError as error:
                self._halted = error
                self._report.stop(error.where, error)
        return self._halted is None

    def _held_by_us(self, conn: Connection, proposal: Proposal, now: datetime) -> Wait | None:
        if self._bench.deadline and now >= self._bench.deadline:
            return Wait(None, "the time given to this run is over")
        before = get(conn, proposal.after) if proposal.after is not None else None
        if before and before.state != State.APPLIED:
            return Wait(None, f"waits for the step before ({before.step}, proposal {before.id})")
        if proposal.not_before and now < proposal.not_before:
            return Wait(proposal.not_before, "its time has not come")
        window = self._bench.undo_window
        if window and proposal.approved_at and proposal.id not in self._named:
            over = window.after(proposal.approved_at)
            if now < over and was_reviewed(conn, proposal.id):
                return Wait(over, f"the approval can still be taken back{BY_ID}")
        return None

    def _refresh(self, proposal: Proposal) -> None:
        """Read what the decision depends on, and store what was read or that it is gone."""
        with self._bench.store.read() as conn:
            refs = to_read(conn, proposal)
        for ref in refs:
            try:
                connector = self._bench.connector(ref.site)
            except UsageError:  # somebody's other account, on a site that has left the settings
                if ref.site == proposal.item.site:
                    raise
                continue
            batch = connector.fetch(ref)
            with self._bench.store.write(durable=False) as conn:
                self._bench.ingest(conn, ref.site, batch or Batch(gone=((ref, None),)), self._bench.now())

    def _decide(self, proposal_id: int, *, halves: bool = False) -> Attempt | Marker | None:
        """Ask the gate and write what it says, in one transaction; the attempt, if it says go.

        `halves`: the site may have half of it from an interrupted try. Where it is not wanted any more, the
        marker of that comes back and nothing is written: half of it has to go first.
        """
        bench, now = self._bench, self._bench.now()
        with bench.store.write() as conn:
            bench.lock.ensure(conn)
            proposal = get(conn, proposal_id)
            if proposal.state != State.APPROVED:
                return None
            verdict = self._gate.check(conn, proposal, now)
            if halves and isinstance(verdict, Supersede | Review) and attempts.was_tried(conn, proposal.id):
                return attempts.marker(bench.store.installation, proposal.id, bench.note(proposal))
            match verdict:
                case Go(contacts):
                    return attempts.begin(
                        conn,
                        proposal,
                        Doing.PERFORM,
                        by=proposal.approved_by or proposal.policy,
                        installation=bench.store.installation,
                        contacted=contacts,
                        now=now,
                    )
                case Wait(until, reason):
                    self._report.held.append(Held(proposal.id, until, reason))
                case Supersede(reason):
                    supersede(conn, proposal, reason, now)
                    self._report.superseded.append((proposal.id, reason))
                case Review(action):
                    reason = "it would now be another text than was approved; back to review"
                    reopen(conn, proposal, action, reason, now)
                    self._report.held.append(Held(proposal.id, None, reason))
        return None

    def _perform(self, connector: Connector, attempt: Attempt) -> None:
        proposal = attempt.proposal
        try:
            receipt = connector.perform(proposal.action, attempt.marker(self._bench.note(proposal)))
        except (Refused, Conflict, TryLater, Misconfigured) as error:
            self._not_performed(attempt, error)
        except BaseException as error:
            self._unanswered(attempt, error)
            if not isinstance(error, Exception):
                raise
        else:
            with self._bench.store.write() as conn:
                attempts.done(conn, attempt, receipt, self._bench.now())
            self._report.applied.append((proposal, receipt))

    def _not_performed(self, attempt: Attempt, error: ConnectorError) -> None:
        proposal, why, now = attempt.proposal, words(error), self._bench.now()
        with self._bench.store.write() as conn:
            if isinstance(error, Refused):
                attempts.refused(conn, attempt, why, now)
            else:
                approved = attempts.not_done(conn, attempt, why, now)
                if isinstance(error, Conflict):
                    supersede(conn, approved, f"changed meanwhile: {why}", now)
        if isinstance(error, Conflict):
            self._report.superseded.append((proposal.id, f"changed meanwhile: {why}"))
        elif isinstance(error, Refused):
            self._report.failed.append(Failure.of(proposal, error, retriable=False))
        else:
            self._report.stop(proposal.site, error)
            self._report.hold_for(proposal.id, error)

    def _unanswered(self, attempt: Attempt, error: BaseException) -> None:
        """Perhaps performed: leave the attempt open for the settling at the end of this run, or the next."""
        if not isinstance(error, OutcomeUnknown):
            _log.debug("proposal %d", attempt.proposal.id, exc_info=True)
        why = words(error) if isinstance(error, Exception) else "interrupted"
        with self._bench.store.write() as conn:
            attempts.give_up(conn, attempt, why, self._bench.now())

    def _unbegun(self, proposal: Proposal, error: ConnectorError) -> None:
        """The item could not be read, or not asked about; nothing was begun."""
        if isinstance(error, Refused):
            with self._bench.store.write() as conn:
                supersede(conn, proposal, words(error), self._bench.now())
            self._report.superseded.append((proposal.id, words(error)))
            return
        self._report.stop(error.where or proposal.site, error)
        self._report.hold_for(proposal.id, error)
