"""Bringing back what was before an action, journaled like the action itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ...config.errors import (
    Conflict,
    Misconfigured,
    OrditoError,
    Refused,
    TransitionError,
    TryLater,
    UsageError,
)
from . import attempts
from .attempts import Attempt, Doing
from .bench import Bench, Failure, Report, words
from .proposals import Proposal, get
from .settling import reverse, settle_open
from .states import State

_INSTEAD = {State.APPROVED: "reopen", State.UNSETTLED: "settle"}
"""What to type instead of `undo`, by the state in which a proposal is."""


def undo(bench: Bench, ids: Sequence[int], by: str) -> Report:
    """Undo applied proposals, in the order given; later steps that still wait are superseded with them.

    Undoing needs no gate: it is a person who asks. Raises UsageError for an id that is unknown or not
    applied, before anything is done; then everything is in the report.
    """
    with bench.store.read() as conn:
        for proposal in ids:
            state = get(conn, proposal).state
            if state not in (State.APPLIED, State.APPLYING):
                raise UsageError(
                    f"Proposal {proposal} is {state}; only what was applied can be undone.",
                    hint=f"ordito review {_INSTEAD[state]} {proposal}" if state in _INSTEAD else "",
                )
    report = Report()
    settle_open(bench, report)
    settled = {proposal.id for proposal, _ in report.undone}
    for proposal in ids:
        if proposal not in settled:
            _undo(bench, proposal, by, report)
    settle_open(bench, report)
    return report


def _undo(bench: Bench, proposal_id: int, by: str, report: Report) -> None:
    with bench.store.write() as conn:
        bench.lock.ensure(conn)
        proposal = get(conn, proposal_id)
        why = _against(conn, proposal, report)
        attempt = None if why else _begin(conn, bench, proposal, by)
    if attempt is None:
        _failed(report, proposal, TransitionError(why))
        return
    try:
        receipt = reverse(bench, attempt)
    except (Refused, Conflict, TryLater, Misconfigured, UsageError) as error:
        with bench.store.write() as conn:
            attempts.not_done(conn, attempt, words(error), bench.now())
        if isinstance(error, (TryLater, Misconfigured)):
            report.stop(proposal.site, error)
        _failed(report, proposal, error)
    except BaseException as error:
        why = words(error) if isinstance(error, Exception) else "interrupted"
        with bench.store.write() as conn:
            attempts.give_up(conn, attempt, why, bench.now())
        if not isinstance(error, Exception):
            raise
    else:
        with bench.store.write() as conn:
            attempts.done(conn, attempt, receipt, bench.now())
        report.undone.append((proposal, receipt))


def _begin(conn: Connection, bench: Bench, proposal: Proposal, by: str) -> Attempt:
    return attempts.begin(
        conn,
        proposal,
        Doing.UNDO,
        by=by,
        installation=bench.store.installation,
        contacted=(),
        now=bench.now(),
    )


def _against(conn: Connection, proposal: Proposal, report: Report) -> str:
    """Why it cannot be undone, as far as that is known without asking its site; '' = it may be."""
    if proposal.state != State.APPLIED:
        return f"It is {proposal.state}; there is nothing to undo."
    if error := report.stopped.get(proposal.site):
        return error.message
    if attempts.unsettled_of(conn, proposal.id) is not None:
        return (
            "It was being undone already, and what came of that could not be found out. Please look, then say"
            f" it: ordito review settle {proposal.id} --done (or --not-done)"
        )
    if attempts.is_undecided(conn, proposal.id):
        return "It was being undone already, and what came of that is not known yet."
    if attempts.receipt_of(conn, proposal.id).attribution == "unknown":
        return "Somebody else may have brought it about; undo it by hand if it should be undone."
    return ""


def _failed(report: Report, proposal: Proposal, error: OrditoError) -> None:
    report.failed.append(Failure.of(proposal, error, retriable=isinstance(error, TryLater)))
