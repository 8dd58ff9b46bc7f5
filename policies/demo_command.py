"""`ordito demo`: a sample community, synced and planned, to try things on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config.errors import StoreError

if TYPE_CHECKING:
    from ..sync.context import App
    from ..sync.outbox import Proposal
    from .engine import Plan
    from .review.web.page import Page

SETTINGS = "ordito.yaml"
LOOPBACK = "127.0.0.1"
_DOES = {
    "review": "decide in the terminal",
    "serve": "decide on a web page",
    "apply": "carry out what you approved",
    "log": "what was done",
}


@click.command()
@click.argument("folder", default="ordito-demo", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def demo(outer: App, folder: Path) -> int:
    """A sample community, synced and planned, to try things on.

    It lives in FOLDER (ordito-demo if none is named), with its own ordito.yaml; calling it again goes on
    there. On a terminal the review page opens, until Ctrl-C closes it.
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
    watched = app.stdin_terminal and not app.json and app.out.console().is_terminal
    _show(app, planned, in_full=not watched)
    if watched:
        _open_page(app)
    else:
        _try(app, "Try:")
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


def _show(app: App, planned: Plan, *, in_full: bool) -> None:
    """One proposal of every policy, in full or as one line, and how many there are."""
    from .review.queue import cards, lines
    from .review.show import render

    waiting = _waiting(app)
    first = list({each.policy: each for each in reversed(waiting)}.values())[::-1]
    counted = Counter(each.policy for each in waiting)
    with app.store.read() as conn:
        if in_full:
            for card in cards(conn, first, app.platforms(), app.now()):
                app.out.say(render(card, app.out.width or 80))
                app.out.say()
        else:
            for line in lines(conn, first, app.platforms(), app.now()):
                policy = line.proposal.policy
                app.out.say(f"{counted[policy]} of {policy}, for instance:")
                app.out.say(f"  {line.sentence}")
            app.out.say()
    app.out.say(f"{len(waiting)} proposals wait for a decision; nothing is done before you approve it.")
    if planned.held:
        app.out.say(f"{len(planned.held)} more were held back by limits and rules, each for a reason that")
        app.out.say(f"'{app.spelled('plan')}' tells.")


def _waiting(app: App) -> list[Proposal]:
    from ..sync.outbox import Filters, State, select

    with app.store.read() as conn:
        return select(conn, Filters(states=(State.PROPOSED,)))


def _try(app: App, title: str, commands: Sequence[str] = tuple(_DOES)) -> None:
    app.out.say()
    app.out.say(title)
    for command in commands:
        app.out.say(f"  {app.spelled(command):<{len(app.spelled('review'))}}  {_DOES[command]}")


def _open_page(app: App) -> None:
    """The review page, in a browser if there is one, until Ctrl-C."""
    from .review.serve_command import host_page, link_of

    app.close_connectors()  # those of this thread: the page asks the sites in one of its own

    def ready(page: Page) -> None:
        link = link_of(app, page)
        app.out.say()
        app.out.say("The review page is open for you, on this machine alone. If no browser shows it, visit:")
        app.out.say(f"  {link}")
        _try(
            app,
            "What you approve there waits for a minute, so that it can be taken back. Then carry it out\n"
            "there, under History; or in another terminal, or here once Ctrl-C has closed the page:",
            ("apply", "log", "review"),
        )
        app.browse(link)

    host_page(app, LOOPBACK, 0, ready)


def _document(app: App, folder: Path, planned: Plan) -> dict[str, object]:
    from .documents import plan_document

    return {"settings": str(folder / SETTINGS), "plan": plan_document(planned, app.platforms())}
