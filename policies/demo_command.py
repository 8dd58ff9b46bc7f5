"""`ordito demo`: a sample community, synced and planned, to try things on."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.errors import StoreError

if TYPE_CHECKING:
    from ..sync.context import App
    from ..sync.outbox import Proposal
    from .engine import Plan

SETTINGS = "ordito.yaml"


@click.command()
@click.argument("folder", default="ordito-demo", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def demo(outer: App, folder: Path) -> int:
    """A sample community, synced and planned, to try things on.

    It lives in FOLDER (ordito-demo if none is named), with its own ordito.yaml; calling it again goes on
    there. On a terminal the review of the proposals follows.
    """
    app = outer.at(str(_prepare(folder)))
    try:
        return _run(app, folder)
    finally:
        app.close()


def _run(app: App, folder: Path) -> int:
    from ..sync.locks import Holder, run_lock
    from ..sync.syncing import run_sync, summary_line
    from .wiring import make_engine

    app.out.say(f"A made-up community of people who keep bees, mend bicycles and open data, in {folder}/.")
    app.out.say()
    with run_lock(app.store, Holder.here("demo", app.user), app.now):
        synced = run_sync(app)
        planned = make_engine(app).plan(app.store, app.now())
    for report in synced.reports:
        app.out.say(summary_line(report, app.platform(report.site)))
    app.out.say()
    _show(app, planned)
    _next(app, folder)
    app.out.document(_document(app, folder, planned))
    return synced.exit_code


def _prepare(folder: Path) -> Path:
    """The folder with its settings; those of an earlier demo stay. Raises StoreError."""
    path = folder / SETTINGS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            shipped = resources.files(f"{__package__.rpartition('.')[0]}.config") / "demo" / SETTINGS
            text = shipped.read_text(encoding="utf-8").replace("{path}", str(path))
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written ({error.strerror}).", hint="Name another folder: ordito demo FOLDER"
        ) from error
    return path


def _show(app: App, planned: Plan) -> None:
    """One proposal of every policy in full, and all of them in a list."""
    from .review.queue import cards
    from .review.show import render

    waiting = _waiting(app)
    shown: set[str] = set()
    with app.store.read() as conn:
        for card in cards(conn, waiting, app.platforms(), app.now()):
            if card.proposal.policy not in shown:
                shown.add(card.proposal.policy)
                app.out.say(render(card, app.out.width or 80))
                app.out.say()
    app.out.say(f"{len(waiting)} proposals wait for a decision; nothing is done before you approve it.")
    held = len(planned.held)
    if held:
        app.out.say(f"{held} more were held back by limits and rules ('ordito plan' says each reason).")


def _waiting(app: App) -> list[Proposal]:
    from ..sync.outbox import Filters, State, select

    with app.store.read() as conn:
        return select(conn, Filters(states=(State.PROPOSED,)))


def _next(app: App, folder: Path) -> None:
    """What to try; on a terminal, the review."""
    name = f"ordito --config {folder / SETTINGS}"
    app.out.say()
    app.out.say("Try:")
    app.out.say(f"  {name} review             decide, one proposal at a time")
    app.out.say(f"  {name} serve              the same on a web page, made for a phone too")
    app.out.say(f"  {name} apply              carry out what you approved (after a minute)")
    app.out.say(f"  {name} log                what was done, by whom approved")
    if app.stdin_terminal and not app.json and click.confirm("Review them now?", default=True):
        _review(app)


def _review(app: App) -> None:
    from ..sync.outbox import Filters, State
    from .review.deciding import Reviewer
    from .review.screen import ConsoleScreen
    from .review.terminal import Session

    reviewer = Reviewer(app.store, app.user)
    Session(app, reviewer, ConsoleScreen(app.out.console()), Filters(states=(State.PROPOSED,))).run()


def _document(app: App, folder: Path, planned: Plan) -> dict[str, object]:
    from .documents import plan_document

    return {"settings": str(folder / SETTINGS), "plan": plan_document(planned, app.platforms())}
