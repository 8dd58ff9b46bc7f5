"""`ordito run`: sync, plan and apply in one go, for cron; silent when all is well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..sync.context import App
    from ..sync.outbox.bench import Failure, Report
    from ..sync.syncing import Synced
    from .engine import Plan


@click.command()
@click.option("--max-seconds", type=click.IntRange(min=1), help="Begin nothing new after so long.")
@click.pass_obj
def run(app: App, max_seconds: int | None) -> int:
    """Sync, plan and apply what may be applied; for cron.

    Says nothing when all is well (--verbose says what was done), else one line for each site. Exits with 3
    where something could not be done, and with 4, silently, where another run is at work.
    """
    from ..config.errors import LockHeld

    try:
        return _run(app, max_seconds)
    except LockHeld as held:
        if app.json:
            raise
        app.out.detail(str(held))
        return held.exit_code


def _run(app: App, max_seconds: int | None) -> int:
    from ..sync.locks import Holder, run_lock
    from ..sync.outbox import apply
    from ..sync.store.runs import recorded
    from ..sync.syncing import run_sync
    from ..sync.workbench import make_bench
    from .wiring import make_engine, make_gate

    deadline = app.now() + timedelta(seconds=max_seconds) if max_seconds else None
    with (
        run_lock(app.store, Holder.here("run", app.user), app.now) as lock,
        recorded(app.store, "run", app.now) as record,
    ):
        synced = run_sync(app)
        planned = make_engine(app).plan(app.store, app.now())
        applied = apply(make_bench(app, lock, deadline), make_gate(app))
        record.exit_code = _exit_code(synced, planned, applied)
        record.summary = _summary(synced, planned, applied)
    if app.json:
        app.out.document(_document(app, synced, planned, applied))
    _tell(app, synced, planned, applied)
    return record.exit_code


def _exit_code(synced: Synced, planned: Plan, applied: Report) -> int:
    """1 where nothing at all could be done, 3 where something could not, else 0."""
    if synced.exit_code == 1 and not applied.applied:
        return 1
    return 3 if synced.exit_code or planned.errors or applied.exit_code else 0


def _summary(synced: Synced, planned: Plan, applied: Report) -> dict[str, Any]:
    return {
        "sync": synced.document(),
        "plan": {"proposals": len(planned.proposals), "held": len(planned.held)},
        "apply": {
            "applied": len(applied.applied),
            "held": len(applied.held),
            "failed": len(applied.failed),
            "unsettled": len(applied.unsettled),
        },
    }


def _document(app: App, synced: Synced, planned: Plan, applied: Report) -> dict[str, Any]:
    from ..sync.outbox.documents import apply_document
    from .documents import plan_document

    return {
        "sync": synced.document(),
        "plan": plan_document(planned, app.platforms()),
        "apply": apply_document(applied),
    }


def _tell(app: App, synced: Synced, planned: Plan, applied: Report) -> None:
    """What is wrong, in one line for each site; what went well only with --verbose."""
    from ..sync.outbox import get
    from ..sync.syncing import summary_line

    with app.store.read() as conn:
        unsettled = [(get(conn, proposal).site, proposal, why) for proposal, why in applied.unsettled]
    wrong = troubles(synced, planned, applied, unsettled)
    for report in synced.reports:
        if report.error is None:
            app.out.detail(summary_line(report, app.platform(report.site)))
    for site, said in wrong.items():
        app.out.warn(f"{site}: {' '.join(said)}")
    app.out.detail(f"Proposed {len(planned.proposals)}, applied {len(applied.applied)}.")


def troubles(
    synced: Synced, planned: Plan, applied: Report, unsettled: Sequence[tuple[str, int, str]]
) -> dict[str, list[str]]:
    """By site, what is wrong with it, each in a sentence or two that end with what to do about it.

    `unsettled`: site, proposal and reason of what perhaps was done.
    """
    from ..sync.outbox.bench import SiteError

    found: dict[str, list[str]] = {}
    unread = [SiteError.of(each.site, each.error) for each in synced.reports if each.error is not None]
    for error in (*unread, *planned.errors, *applied.errors):
        if error.site not in found:  # what keeps a site from being read keeps it from all else
            found[error.site] = [" ".join(f"{error.message} {error.hint}".split())]
    for site in dict.fromkeys(failure.site for failure in applied.failed):
        failed = [failure for failure in applied.failed if failure.site == site]
        found.setdefault(site, []).append(_failed(failed))
    for site in dict.fromkeys(site for site, _, _ in unsettled):
        perhaps = [(proposal, why) for where, proposal, why in unsettled if where == site]
        found.setdefault(site, []).append(_perhaps_done(perhaps))
    return found


def _failed(failed: Sequence[Failure]) -> str:
    first = failed[0]
    if len(failed) == 1:
        return f"Proposal {first.id} failed: {first.error} Look at it: ordito review show {first.id}"
    ids = " ".join(str(each.id) for each in failed)
    return f"{len(failed)} actions failed, the first: {first.error} Look at them: ordito review show {ids}"


def _perhaps_done(perhaps: Sequence[tuple[int, str]]) -> str:
    first, why = perhaps[0]
    what = f"Proposal {first} was perhaps done"
    if len(perhaps) > 1:
        what = f"Proposals {', '.join(str(proposal) for proposal, _ in perhaps)} were perhaps done, the first"
    return f"{what}: {why} Look on the site, then say it: ordito review settle {first} --done (or --not-done)"
