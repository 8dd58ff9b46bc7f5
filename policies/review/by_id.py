"""What the commands by id have in common: whom, which ones, doing it to each, and telling what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import select as sql_select

from ...config.errors import OrditoError, TransitionError, UsageError
from ...config.words import suggestion
from ...connectors.actions import Action
from ...sync.items import resolve
from ...sync.outbox import Decision, Filters, Proposal, State, get, select
from ...sync.store.tables import proposals
from .deciding import Reviewer, let_lapse
from .queue import lines

if TYPE_CHECKING:
    import click

    from ...sync.context import App


def decide(
    app: App,
    reviewer: Reviewer,
    ids: Sequence[int],
    decision: Decision,
    reason: str,
    *,
    bulk: bool = False,
    action: Action | None = None,
    seen: Action | None = None,
) -> int:
    """Record the same decision on each; the exit code as that of `each`.

    `bulk`: decided together even if it is a single one. `action`, `seen` as in `Reviewer.decide`.
    """
    let_lapse(app.store, app.now())
    now = app.now()  # one moment for all: they are taken back together
    together = bulk or len(set(ids)) > 1

    def one(id_: int) -> Proposal:
        return reviewer.decide(id_, decision, now, reason=reason, bulk=together, action=action, seen=seen)

    return each(app, ids, decision.value, one)


def each(app: App, ids: Sequence[int], done: str, one: Callable[[int], Proposal]) -> int:
    """Do it to each; the exit code: 0 all, 3 some, 1 none. Raises UsageError for an id that is not there."""
    chosen = list(dict.fromkeys(ids))
    with app.store.read() as conn:
        for id_ in chosen:
            get(conn, id_)
    changed: list[Proposal] = []
    failed: list[tuple[int, OrditoError]] = []
    for id_ in chosen:
        try:
            changed.append(one(id_))
        except TransitionError as error:
            failed.append((id_, error))
    _tell(app, changed, failed, done)
    if not failed:
        return 0
    return 3 if changed else 1


def _tell(
    app: App, changed: Sequence[Proposal], failed: Sequence[tuple[int, OrditoError]], done: str
) -> None:
    document: dict[str, Any] = {
        "reviewed": [{"id": each.id, "decision": done, "state": each.state.value} for each in changed]
    }
    if failed:
        document["errors"] = [
            {"site": "", "id": id_, "kind": error.kind, "message": error.message, "hint": error.hint}
            for id_, error in failed
        ]
    app.out.document(document)
    if not app.json:
        with app.store.read() as conn:
            for line in lines(conn, changed, app.platforms(), app.now()):
                app.out.say(f"{line.proposal.id} {done}: {line.sentence}")
        for _, error in failed:
            app.out.warn(f"ordito: {error}")


def waiting_of(app: App, policies: Sequence[str]) -> list[int]:
    """The ids of all that waits of these policies. Raises UsageError for a policy that there is not."""
    if not policies:
        return []
    with app.store.read() as conn:
        waiting = select(conn, read_filters(app, policies, (), (State.PROPOSED,)))
    if not waiting:
        app.out.note("Nothing of it waits for a decision.")
    return [proposal.id for proposal in waiting]


def read_filters(
    app: App,
    policies: Sequence[str],
    sites: Sequence[str],
    states: Sequence[str] = ("proposed",),
    item: str | None = None,
) -> Filters:
    """Raises UsageError for a policy, a site or an item that there is not."""
    app.sites(sites)
    _require_policies(app, policies)
    ref = None
    if item is not None:
        with app.store.read() as conn:
            ref = resolve(item, app.platforms(), conn)
    chosen = () if "all" in states else tuple(State(state) for state in states)
    return Filters(states=chosen, policies=policies, sites=sites, item=ref)


def _require_policies(app: App, policies: Sequence[str]) -> None:
    """What a policy proposed before it was taken out of the settings can still be asked for."""
    unknown = set(policies) - set(app.settings.policies)
    if not unknown:
        return
    with app.store.read() as conn:
        known = {*app.settings.policies, *conn.scalars(sql_select(proposals.c.policy).distinct())}
    for policy in sorted(unknown - known):
        hint = suggestion(policy, sorted(known), empty="The settings have no policies.")
        raise UsageError(f"There is no policy '{policy}' in the settings.", hint=hint)


def reviewer_of(ctx: click.Context, name: str | None) -> Reviewer:
    """`--as` of the command, else that before the command's word, else the login name."""
    before = ctx.parent.params.get("name") if ctx.parent is not None else None
    app: App = ctx.obj
    return Reviewer(app.store, name if name is not None else before or app.user)


def content(file: IO[str]) -> str:
    """What is in the file. Raises UsageError where it is not text."""
    try:
        return file.read()
    except UnicodeDecodeError:
        raise UsageError("The file is not text in UTF-8.") from None
