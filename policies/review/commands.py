"""`ordito review`: one at a time in a terminal, and by id for scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from ...config.errors import UsageError
from ...sync import outbox
from ...sync.outbox import Decision, Filters, Proposal, State
from . import by_id
from .deciding import Reviewer, let_lapse
from .documents import card_document, held_back, list_document
from .editing import as_file, extension, from_file
from .queue import cards, lines
from .show import layout, table

if TYPE_CHECKING:
    from ...sync.context import App

PEOPLE_SEE = 50
"""Proposals on one page of the list, unless --limit says otherwise."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _reviewer_option(command: _Command) -> _Command:
    return click.option("--as", "name", metavar="NAME", help="Who decides; else your login name.")(command)


def _reason_option(command: _Command) -> _Command:
    return click.option("--reason", default="", metavar="TEXT", help="Why; kept with the decision.")(command)


@click.group(invoke_without_command=True)
@_reviewer_option
@click.option("--policy", "policies", multiple=True, metavar="POLICY", help="Only proposals of this policy.")
@click.option("--site", "sites", multiple=True, metavar="SITE", help="Only what would be done on this site.")
@click.pass_context
def review(ctx: click.Context, name: str | None, policies: tuple[str, ...], sites: tuple[str, ...]) -> int:
    """Decide on proposals, one at a time or by id.

    Without a word: shows what waits for a decision, one at a time; press ? for the keys.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    app: App = ctx.obj
    if app.json or not app.stdin_terminal:
        raise UsageError(
            "This review is a conversation and needs a terminal.",
            hint="Without one: ordito review list, then ordito review approve ID… or reject ID…",
        )
    return converse(app, by_id.reviewer_of(ctx, name), by_id.read_filters(app, policies, sites))


def converse(app: App, reviewer: Reviewer | str, filters: Filters | None = None) -> int:
    """The review on a terminal, of everything that waits or of what the filters let through; the exit code.

    `reviewer`: also a name alone. Raises UsageError for a name that cannot be shown.
    """
    from .screen import ConsoleScreen
    from .terminal import Session

    decides = Reviewer(app.store, reviewer) if isinstance(reviewer, str) else reviewer
    waiting = filters or Filters(states=(State.PROPOSED,))
    return Session(app, decides, ConsoleScreen(app.out.console()), waiting).run()


@review.command("list")
@click.option("--policy", "policies", multiple=True, metavar="POLICY", help="Only of this policy.")
@click.option("--site", "sites", multiple=True, metavar="SITE", help="Only what would be done on this site.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([*map(str, State), "all"]),
    default=("proposed",),
    show_default=True,
    help="Only in this state.",
)
@click.option("--item", metavar="ITEM", help="Only about this item: a reference, an address, @name.")
@click.option("--limit", type=click.IntRange(min=1), help=f"At most so many; {PEOPLE_SEE}, with --json all.")
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out so many first.")
@click.pass_obj
def list_(
    app: App,
    policies: tuple[str, ...],
    sites: tuple[str, ...],
    states: tuple[str, ...],
    item: str | None,
    limit: int | None,
    offset: int,
) -> int:
    """What waits for a decision, or is in another state."""

    let_lapse(app.store, app.now())
    filters = by_id.read_filters(app, policies, sites, states, item)
    if limit is None and not app.json:
        limit = PEOPLE_SEE
    with app.store.read() as conn:
        total = outbox.count(conn, filters)
        chosen = outbox.select(conn, filters, limit=limit, offset=offset)
        shown = lines(conn, chosen, app.platforms(), app.now())
        held = held_back(conn, policies)
    app.out.document(list_document(chosen, app.platforms(), held, app.now()))
    if not shown:
        app.out.say("Nothing waits for a decision." if states == ("proposed",) else "There is nothing.")
        return 0
    app.out.table(*table(shown, app.now(), with_state=states != ("proposed",)))
    if len(shown) < total:
        last = offset + len(shown)
        rest = f"; --offset {last} shows more" if last < total else ""
        app.out.say(f"{offset + 1} to {last} of {total}{rest}.")
    return 0


@review.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID…")
@click.pass_obj
def show(app: App, ids: tuple[int, ...]) -> int:
    """All about some proposals.

    Why, the exact text, whom it reaches, what was decided and done so far.
    """

    console = app.out.console()
    with app.store.read() as conn:
        proposals = [outbox.get(conn, each) for each in ids]
        shown = list(cards(conn, proposals, app.platforms(), app.now()))
    app.out.document(
        {"proposals": [card_document(each, app.platforms().get(each.proposal.site)) for each in shown]}
    )
    if not app.json:
        for card in shown:
            for line in layout(card, console.width):
                console.print(line, soft_wrap=True)
            console.print()
    return 0


@review.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID]…")
@click.option("--all", "--policy", "all_of", multiple=True, metavar="POLICY", help="All that wait of it.")
@_reason_option
@_reviewer_option
@click.pass_context
def approve(
    ctx: click.Context, ids: tuple[int, ...], all_of: tuple[str, ...], reason: str, name: str | None
) -> int:
    """Approve, so that `ordito apply` carries it out.

    It waits for the end of the undo window before. A proposal that failed is tried again.
    """

    app: App = ctx.obj
    chosen = [*ids, *by_id.waiting_of(app, all_of)]
    if not ids and not all_of:
        raise UsageError("Which proposals?", hint="Name their ids, or --all POLICY; ordito review list")
    reviewer = by_id.reviewer_of(ctx, name)
    code = by_id.decide(app, reviewer, chosen, Decision.APPROVED, reason, bulk=bool(all_of))
    if chosen and code != 1:
        window = app.settings.constitution.undo_window
        command = app.spelled("apply")
        app.out.say(f"What is approved is carried out by '{command}', after {window} at the earliest.")
    return code


@review.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID…")
@click.option("--reason", required=True, metavar="TEXT", help="Why not; kept with the decision.")
@_reviewer_option
@click.pass_context
def reject(ctx: click.Context, ids: tuple[int, ...], reason: str, name: str | None) -> int:
    """Reject.

    The policy does not propose it again on this occasion.
    """

    if not reason.strip():
        raise UsageError("A rejection needs a reason.", hint="--reason 'why not'")
    return by_id.decide(ctx.obj, by_id.reviewer_of(ctx, name), ids, Decision.REJECTED, reason)


@review.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID…")
@_reason_option
@_reviewer_option
@click.pass_context
def handled(ctx: click.Context, ids: tuple[int, ...], reason: str, name: str | None) -> int:
    """Note that somebody has done it by hand.

    Or something better: nothing is carried out.
    """

    return by_id.decide(ctx.obj, by_id.reviewer_of(ctx, name), ids, Decision.HANDLED, reason)


@review.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID…")
@_reason_option
@_reviewer_option
@click.pass_context
def reopen(ctx: click.Context, ids: tuple[int, ...], reason: str, name: str | None) -> int:
    """Take a decision back, an approval before it is carried out.

    The proposal waits for a review again.
    """

    return by_id.decide(ctx.obj, by_id.reviewer_of(ctx, name), ids, Decision.REOPENED, reason)


@review.command()
@click.argument("id_", type=int, metavar="ID")
@click.option("--file", type=click.File(encoding="utf-8"), help="The new text; - is stdin. Else $EDITOR.")
@click.option("--approve", is_flag=True, help="Approve it with the new text.")
@_reason_option
@_reviewer_option
@click.pass_context
def edit(
    ctx: click.Context, id_: int, file: IO[str] | None, approve: bool, reason: str, name: str | None
) -> int:
    """Rewrite the text that would be posted.

    Where the message has a subject, the first line is `Subject: …`; left out, the subject stays.
    """
    from .screen import ConsoleScreen

    app: App = ctx.obj
    reviewer = by_id.reviewer_of(ctx, name)
    with app.store.read() as conn:
        proposal = outbox.get(conn, id_)
    before = as_file(proposal.action)
    if file is not None:
        after = by_id.content(file)
    elif app.stdin_terminal:
        ending = extension(app.platforms().get(proposal.site))
        after = ConsoleScreen(app.out.console()).edit(before, ending)
    else:
        raise UsageError("Editing needs a terminal, or a file.", hint=f"ordito review edit {id_} --file -")
    action = from_file(proposal.action, after)
    decision = Decision.APPROVED if approve else Decision.EDITED
    return by_id.decide(app, reviewer, [id_], decision, reason, action=action, seen=proposal.action)


@review.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID…")
@_reviewer_option
@click.pass_context
def claim(ctx: click.Context, ids: tuple[int, ...], name: str | None) -> int:
    """Keep proposals for yourself for 15 minutes."""

    app, reviewer = ctx.obj, by_id.reviewer_of(ctx, name)

    def one(id_: int) -> Proposal:
        with app.store.write() as conn:
            return outbox.claim(conn, id_, reviewer.name, app.now())

    return by_id.each(app, ids, "claimed", one)


@review.command()
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID…")
@_reviewer_option
@click.pass_context
def release(ctx: click.Context, ids: tuple[int, ...], name: str | None) -> int:
    """Give your claims back."""

    app, reviewer = ctx.obj, by_id.reviewer_of(ctx, name)

    def one(id_: int) -> Proposal:
        with app.store.write() as conn:
            outbox.release(conn, id_, reviewer.name)
            return outbox.get(conn, id_)

    return by_id.each(app, ids, "released", one)


@review.command()
@click.argument("id_", type=int, metavar="ID")
@click.option("--done/--not-done", default=None, help="Whether it is there, on the site.")
@_reason_option
@_reviewer_option
@click.pass_context
def settle(ctx: click.Context, id_: int, done: bool | None, reason: str, name: str | None) -> int:
    """Say whether an unsettled action was done.

    Look at the site first. What was not done is tried again.
    """

    if done is None:
        raise UsageError("Was it carried out?", hint="Look at the site, then --done or --not-done")
    app, reviewer = ctx.obj, by_id.reviewer_of(ctx, name)

    def one(id_: int) -> Proposal:
        with app.store.write() as conn:
            return outbox.resolve(conn, id_, done=done, by=reviewer.name, now=app.now(), reason=reason)

    return by_id.each(app, [id_], "settled", one)
