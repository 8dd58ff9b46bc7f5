"""Finding out what came of attempts without an outcome, before anything else is done.

The platform is asked with the marker that the attempt left. "Done" and "cannot be known" are final at
once. "Not done" is believed only when the request can no longer be in flight. An undoing is asked for once
more: that brings the state before back whether or not the first one did.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from ...config.errors import Conflict, Misconfigured, Refused, TransitionError, TryLater, UsageError
from ...connectors.base import NotDone, Receipt, Unknown
from ..store.tables import reviews
from ..store.times import micros
from . import attempts
from .attempts import Attempt, Doing
from .bench import SKEW, Bench, Held, Report, words
from .proposals import Proposal, get
from .states import State

_NOT_FOUND = "It was not carried out: nothing of it is found on the site."


def settle_open(bench: Bench, report: Report) -> list[Proposal]:
    """Settle every open attempt; one whose site cannot be asked stays open for the next run.

    The proposals are returned that were certainly not carried out, and are approved again.
    """
    with bench.store.read() as conn:
        pending = attempts.without_outcome(conn)
    in_flight = [attempt for attempt in pending if not _settle(bench, attempt, report)]
    if in_flight:
        _settle_later(bench, in_flight, report)
    with bench.store.read() as conn:
        now = [get(conn, attempt.proposal.id) for attempt in pending]
    return [proposal for proposal in now if proposal.state == State.APPROVED]


def _settle_later(bench: Bench, in_flight: list[Attempt], report: Report) -> None:
    wait = max(bench.may_still_arrive(attempt) for attempt in in_flight).total_seconds()
    bench.say(f"waiting {wait:.0f} s for what a site may still be carrying out")
    bench.world.sleep(wait)
    for attempt in in_flight:
        if not _settle(bench, attempt, report):
            until = bench.now() + bench.may_still_arrive(attempt)
            reason = "begun; the site may still be carrying it out"
            report.left_open.add(attempt.id)
            report.held.append(Held(attempt.proposal.id, until, reason))


def resolve(
    conn: Connection, proposal: int, *, done: bool, by: str, now: datetime, reason: str = ""
) -> Proposal:
    """A person says whether an unsettled action was carried out; the proposal after it is returned.

    Not done: the approval stands and it is tried again (an undoing is not). Raises UsageError and
    TransitionError.
    """
    unsettled = attempts.unsettled_of(conn, get(conn, proposal).id)
    if unsettled is None:
        raise TransitionError(f"Nothing about proposal {proposal} is unsettled.")
    attempt = attempts.load(conn, unsettled)
    if done:
        attempts.done(conn, attempt, _as_told(attempt), now)
    else:
        attempts.not_done(conn, attempt, f"{by} found that it was not carried out", now)
    conn.execute(
        reviews.insert().values(
            proposal=proposal,
            at=micros(now),
            by=by,
            decision="settled",
            reason=f"{'done' if done else 'not done'}{': ' if reason else ''}{reason}",
            bulk=False,
        )
    )
    return get(conn, proposal)


def _as_told(attempt: Attempt) -> Receipt:
    """Somebody says that it was done; by whom and over what is not recorded, so it cannot be undone."""
    action = attempt.proposal.action
    return Receipt(site=action.site, verb=action.verb, at=attempt.started_at, attribution="unknown")


def _settle(bench: Bench, attempt: Attempt, report: Report) -> bool:
    """False: it was not carried out so far, and may still be in flight."""
    site, proposal = attempt.proposal.site, attempt.proposal.id
    if attempt.id in report.left_open:
        return True
    if site in report.stopped:
        report.left_open.add(attempt.id)
        report.hold_for(proposal, report.stopped[site], "begun, and its outcome cannot be read: ")
        return True
    ask = _find if attempt.doing == Doing.PERFORM else _undo_again
    try:
        return ask(bench, attempt, report)
    except (TryLater, Misconfigured) as error:
        report.stop(site, error)
        report.hold_for(proposal, error, "begun, and its outcome cannot be read: ")
    except UsageError as error:  # its site has left the settings, and may come back
        report.held.append(Held(proposal, None, f"begun, and its outcome cannot be read: {error.message}"))
    except Exception as error:  # whatever it is, the other attempts are settled
        why = f"What came of it could not be found out: {words(error)}"
        with bench.store.write() as conn:
            attempts.give_up(conn, attempt, why, bench.now())
        report.unsettled.append((proposal, why))
    report.left_open.add(attempt.id)
    return True


def _find(bench: Bench, attempt: Attempt, report: Report) -> bool:
    proposal = attempt.proposal
    in_flight = bench.may_still_arrive(attempt) > timedelta(0)  # asked before, so that the answer is newer
    marker = attempt.marker(bench.note(proposal))
    found = bench.connector(proposal.site).find(proposal.action, marker, attempt.first_at - SKEW)
    if isinstance(found, NotDone) and in_flight:
        return False
    with bench.store.write() as conn:
        match found:
            case Receipt():
                attempts.done(conn, attempt, found, bench.now())
            case Unknown(reason):
                attempts.unsettled(conn, attempt, reason, bench.now())
            case NotDone(reason):
                why = f"It will be finished or taken back: {reason}" if reason else _NOT_FOUND
                attempts.not_done(conn, attempt, why, bench.now())
    if isinstance(found, Receipt):
        report.applied.append((proposal, found))
    elif isinstance(found, Unknown):
        report.unsettled.append((proposal.id, found.reason))
    return True


def _undo_again(bench: Bench, attempt: Attempt, report: Report) -> bool:
    if bench.may_still_arrive(attempt) > timedelta(0):
        return False
    proposal = attempt.proposal
    try:
        receipt = reverse(bench, attempt)
    except (Conflict, Refused) as error:
        # The first undoing may be the very change that stands against the second.
        if not _is_gone(bench, proposal):
            with bench.store.write() as conn:
                attempts.unsettled(conn, attempt, words(error), bench.now())
            report.unsettled.append((proposal.id, words(error)))
            return True
        verb = f"undo_{proposal.verb}"
        receipt = Receipt(site=proposal.site, verb=verb, at=attempt.started_at, attribution="unknown")
    with bench.store.write() as conn:
        attempts.done(conn, attempt, receipt, bench.now())
    report.undone.append((proposal, receipt))
    return True


def _is_gone(bench: Bench, proposal: Proposal) -> bool:
    """Whether nothing is left of what was performed."""
    with bench.store.read() as conn:
        performed = attempts.performed(conn, proposal.id)
    since = performed.first_at - SKEW
    found = bench.connector(proposal.site).find(proposal.action, performed.marker(""), since)
    return isinstance(found, NotDone)


def reverse(bench: Bench, attempt: Attempt) -> Receipt:
    """Ask the platform to undo what the proposal's receipt says. Raises what `Connector.undo` raises."""
    proposal = attempt.proposal
    with bench.store.read() as conn:
        receipt = attempts.receipt_of(conn, proposal.id)
    return bench.connector(proposal.site).undo(receipt, attempt.marker(bench.note(proposal)))
