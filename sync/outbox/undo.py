"""Bringing back what was before an action, journaled like the action itself."""

from __future__ import annotations

from collections.abc import Sequence

from ...config.errors import (
    Conflict,
    ConnectorError,
    Misconfigured,
    Refused,
    TransitionError,
    TryLater,
)
from . import attempts
from .attempts import Attempt, Doing
from .bench import Bench, Failure, Report, words
from .proposals import get
from .settling import reverse, settle_open
from .states import State


def undo(bench: Bench, ids: Sequence[int], by: str) -> Report:
    """Undo applied proposals, in the order given; later steps that still wait are superseded with them.

    Undoing needs no gate: it is a person who asks. Raises UsageError for an unknown id and
    TransitionError for one that is not applied, before anything is done; then everything is in the report.
    """
    with bench.store.read() as conn:
        for proposal in ids:
            state = get(conn, proposal).state
            if state not in (State.APPLIED, State.APPLYING):
                raise TransitionError(
                    f"Proposal {proposal} is {state}; only what was applied can be undone.",
                    hint=f"ordito review reopen {proposal}" if state == State.APPROVED else "",
                )
    report = Report()
    settle_open(bench, report)
    settled = {proposal.id for proposal, _ in report.undone}
    for proposal in ids:
        if proposal not in settled:
            _undo(bench, proposal, by, report)
    settle_open(bench, report)
    return report


def _undo(bench: Bench, proposal: int, by: str, report: Report) -> None:
    try:
        attempt = _begin(bench, proposal, by)
    except TransitionError as error:
        report.failed.append(Failure(proposal, words(error), retriable=False))
        return
    try:
        receipt = reverse(bench, attempt)
    except (Refused, Conflict, TryLater, Misconfigured) as error:
        _not_undone(bench, attempt, error, report)
    except BaseException as error:
        why = words(error) if isinstance(error, Exception) else "interrupted"
        with bench.store.write() as conn:
            attempts.give_up(conn, attempt, why, bench.now())
        if not isinstance(error, Exception):
            raise
    else:
        with bench.store.write() as conn:
            attempts.done(conn, attempt, receipt, bench.now())
        report.undone.append((attempt.proposal, receipt))


def _begin(bench: Bench, proposal_id: int, by: str) -> Attempt:
    """Write the attempt. Raises TransitionError where there is nothing that could be undone."""
    with bench.store.write() as conn:
        bench.lock.ensure(conn)
        proposal = get(conn, proposal_id)
        if proposal.state != State.APPLIED:
            raise TransitionError(f"Proposal {proposal_id} is {proposal.state}; there is nothing to undo.")
        if attempts.is_undecided(conn, proposal_id):
            raise TransitionError(
                f"Proposal {proposal_id} was being undone, and what came of that is not known yet."
            )
        if attempts.receipt_of(conn, proposal_id).attribution == "unknown":
            raise TransitionError(
                f"Somebody else may have brought about what proposal {proposal_id} wanted.",
                hint="Undo it by hand on the site if it should be undone.",
            )
        return attempts.begin(
            conn,
            proposal,
            Doing.UNDO,
            by=by,
            installation=bench.store.installation,
            contacted=(),
            now=bench.now(),
        )


def _not_undone(bench: Bench, attempt: Attempt, error: ConnectorError, report: Report) -> None:
    with bench.store.write() as conn:
        attempts.not_done(conn, attempt, words(error), bench.now())
    retriable = isinstance(error, TryLater)
    report.failed.append(Failure(attempt.proposal.id, words(error), retriable))
    if isinstance(error, (TryLater, Misconfigured)):
        report.stop(attempt.proposal.site, error)
