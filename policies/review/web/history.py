"""What was done, and undoing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ....config.errors import OrditoError, TransitionError, UsageError
from ....sync import outbox
from ....sync.outbox import Entry, Filters, Report, State
from ....sync.store.runs import recorded
from ....sync.workbench import workbench
from ..queue import lines
from .carrying_out import carry_out, told
from .page import page, person
from .past import LOOKED_FOR, Past, people, policies

if TYPE_CHECKING:
    from ....sync.context import App

views = Blueprint("history", __name__)

PER_PAGE = 30
_PATIENCE = 60.0  # seconds that somebody waits for an undo before being told that it is under way


@views.get("/history")
def index() -> str:
    return _show()


@views.post("/history/<int(max=9223372036854775807):id_>/undo")
def undo(id_: int) -> Response | tuple[str, int]:
    """Bring back what was before, as far as that goes."""
    here, by = page(), person().name
    here.rights.confirm(person(), here.now())
    try:
        here.on_platforms(lambda: _undo(here.app, id_, by), _PATIENCE)
    except TimeoutError:
        return _show("The site takes its time. Look here again in a minute."), 202
    except OrditoError as error:
        return _show(str(error)), 409
    return redirect(url_for("history.index"), 303)


@views.post("/history/apply")
def apply() -> str | tuple[str, int]:
    """Carry out what is approved, without waiting for the next run."""
    here = page()
    here.rights.confirm(person(), here.now())
    try:
        report = here.on_platforms(lambda: carry_out(here.app), _PATIENCE)
    except TimeoutError:
        return _show("The sites take their time. Look here again in a minute."), 202
    except OrditoError as error:
        return _show(str(error)), 409
    return _show(news=list(told(report)))


def _undo(app: App, id_: int, by: str) -> None:
    """Raises TransitionError, LockHeld, and what stands against it."""
    with workbench(app, "serve") as bench, recorded(app.store, "undo", app.now) as run:
        report = outbox.undo(bench, [id_], by)
        run.exit_code, run.summary = report.exit_code, report.summary
    if against := _against(report):
        raise TransitionError(f"Proposal {id_} was not undone.", hint=against)


def _against(report: Report) -> str:
    reasons = [
        *(failure.error for failure in report.failed),
        *(reason for _, reason in report.unsettled),
        *(f"{error.message} {error.hint}" for error in report.errors),
    ]
    return " ".join(dict.fromkeys(reasons))


def _show(problem: str = "", news: Sequence[tuple[str, bool]] = ()) -> str:
    """`news`: sentences on what has just been carried out, and whether they are bad."""
    here, search = page(), Past.read(request.args)
    with here.app.store.read() as conn:
        try:
            filters = search.filters(conn, here.app.platforms())
        except UsageError as error:
            problem = problem or str(error)
            total, entries = 0, []
        else:
            total = outbox.count(conn, filters)
            entries = outbox.journal(conn, filters, limit=PER_PAGE, offset=(search.page - 1) * PER_PAGE)
        shown = lines(conn, [entry.proposal for entry in entries], here.app.platforms(), here.now())
        approved = outbox.count(conn, Filters(states=(State.APPROVED,)))
        choices = {"policy": policies(conn), "by": people(conn), "state": LOOKED_FOR}
    return render_template(
        "history.html",
        rows=[(entry, line, _can_undo(entry)) for entry, line in zip(entries, shown, strict=True)],
        search=search,
        choices=choices,
        total=total,
        pages=max(1, -(-total // PER_PAGE)),
        problem=problem,
        news=news,
        approved=approved,
        window=here.app.settings.constitution.undo_window,
    )


def _can_undo(entry: Entry) -> bool:
    """As far as that is known without asking the site."""
    receipt = entry.receipt
    return (
        entry.proposal.state == State.APPLIED and receipt is not None and receipt.attribution == "ours"
    )
