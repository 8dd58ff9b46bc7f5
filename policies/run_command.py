"""`ordito run`: sync, plan and apply in one go, for cron; silent when all is well."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..sync.context import App
    from ..sync.outbox.bench import Report
    from ..sync.syncing import Synced
    from .engine import Plan


@click.command()
@click.option("--max-seconds", type=click.IntRange(min=1), help="Begin nothing new after so long.")
@click.pass_obj
def run(app: App, max_seconds: int | None) -> int:
    """Sync, plan and apply what may be applied; for cron.

    Says nothing when all is well (--verbose says what was done). Exits with 3 where something could not be
    done, and with 4, silently, where another run is at work.
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
        "plan": {"id": planned.id, "proposals": len(planned.proposals), "held": len(planned.held)},
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
    """One line per site or proposal with which something is wrong; what went well only with --verbose."""
    from ..sync.syncing import error_line, summary_line

    for report in synced.reports:
        if report.error is not None:
            app.out.warn(error_line(report))
        else:
            app.out.detail(summary_line(report, app.platform(report.site)))
    failing = {report.site for report in synced.reports if report.error is not None}
    for error in (*planned.errors, *applied.errors):
        if error.site not in failing:
            failing.add(error.site)
            app.out.warn(f"{error.site}: {error.message} {error.hint}".strip())
    for failure in applied.failed:
        app.out.warn(f"Proposal {failure.id} failed: {failure.error}")
    for proposal, why in applied.unsettled:
        app.out.warn(f"Proposal {proposal} is unsettled: {why} Look at it: ordito review show {proposal}")
    app.out.detail(f"Proposed {len(planned.proposals)}, applied {len(applied.applied)}.")
