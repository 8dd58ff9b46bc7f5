"""Carrying out what is approved, from the page: the same as `ordito apply`, for as long as somebody waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from ....config.errors import TransitionError
from ....sync import outbox
from ....sync.outbox import Report
from ....sync.outbox.apply import BY_ID
from ....sync.outbox.bench import Held
from ....sync.store.runs import recorded
from ....sync.workbench import workbench

if TYPE_CHECKING:
    from ....sync.context import App

LASTS = timedelta(seconds=20)
"""Nothing is begun after it: meanwhile the sites are asked for nobody else. The next run does the rest."""

_NAMED = 5
"""Of those that are held for the same reason, so many are named."""


def carry_out(app: App) -> Report:
    """Raises LockHeld while a run is at work, TransitionError where the page has other settings than are
    in force: a policy may be off since, or somebody left alone."""
    if app.load_settings() != app.settings:
        raise TransitionError(
            "The settings have changed since this page was started, and nothing was carried out.",
            hint="The next run goes by the new ones; the page does once 'ordito serve' is restarted.",
        )
    with (
        workbench(app, "serve", app.now() + LASTS) as bench,
        recorded(app.store, "apply", app.now) as run,
    ):
        report = outbox.apply(bench, app.gate())
        run.exit_code, run.summary = report.exit_code, report.summary
    return report


def told(report: Report) -> Iterator[tuple[str, bool]]:
    """What came of it in sentences, and whether somebody should look at it."""
    if report.applied:
        yield f"{len(report.applied)} carried out.", False
    together: dict[str, list[Held]] = {}
    for held in report.held:
        together.setdefault(held.reason.removesuffix(BY_ID), []).append(held)
    for reason, each in together.items():
        until = max((held.until for held in each if held.until), default=None)
        over = f", until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        which = ", ".join(str(held.id) for held in each[:_NAMED]) + (", …" if len(each) > _NAMED else "")
        yield f"{len(each)} held ({which}): {reason}{over}.", False
    for id_, reason in report.superseded:
        yield f"Proposal {id_} no longer fits: {reason}.", False
    for failure in report.failed:
        again = " It will be tried again." if failure.retriable else ""
        yield f"Proposal {failure.id} failed: {failure.error}{again}", True
    for id_, reason in report.unsettled:
        yield f"Proposal {id_} may be done or not, please look: {reason}", True
    for error in report.errors:
        yield " ".join(part for part in (f"{error.site}:", error.message, error.hint) if part), True
    if report.empty:
        yield "Nothing was there to carry out.", False
