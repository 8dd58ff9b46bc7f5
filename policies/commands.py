"""`ordito plan` and `ordito why`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..config.errors import UsageError
from ..config.words import suggestion

if TYPE_CHECKING:
    from ..sync.context import App
    from .engine import Engine, Plan
    from .kind import Held, Kind
    from .why import Why

_AS_OF = (
    "Opt-outs, groups and messages sent count as they were then; names, links between wiki pages, templates "
    "such as {{nobots}} and whether somebody takes messages are those of today."
)
PROPOSED = 5
"""Exit code of `plan --detailed-exitcode` where something was proposed."""


@click.command()
@click.argument("policies", nargs=-1, metavar="[POLICY]…")
@click.option("--dry-run", is_flag=True, help="Show what would be proposed; store nothing.")
@click.option("--as-of", metavar="TIME", help="As it would have been then (2026-03-01 or 2026-03-01T12:00).")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 5 if something was proposed.")
@click.pass_obj
def plan(
    app: App, policies: tuple[str, ...], dry_run: bool, as_of: str | None, detailed_exitcode: bool
) -> int:
    """Evaluate the policies and store what they propose."""
    from ..sync.moments import read_moment
    from .documents import plan_document
    from .wiring import make_engine

    engine = make_engine(app)
    named(engine, policies)
    moment = read_moment(as_of, app.now()) if as_of else None
    result = engine.plan(app.store, app.now(), policies, as_of=moment, dry_run=dry_run)
    app.out.document(plan_document(result, app.platforms()))
    _show(app, result, stored=result.id is not None)
    _warn_of_areas(app, engine, policies)
    if moment is not None:
        app.out.note(_AS_OF)
    if result.errors:
        return 3
    return PROPOSED if detailed_exitcode and result.proposals else 0


@click.command()
@click.argument("policy")
@click.argument("item")
@click.pass_obj
def why(app: App, policy: str, item: str) -> int:
    """Why a policy proposes something for an item, or why not."""
    from ..connectors.records import Kind as RecordKind
    from ..sync.items import resolve
    from ..sync.naming import called
    from .documents import why_document
    from .why import explain
    from .wiring import make_engine

    engine = make_engine(app)
    kind = named(engine, [policy])[0]
    with app.store.read(scratch=True) as conn:
        ref = resolve(item, app.platforms(), conn)
        found = explain(engine, conn, kind, ref, app.now())
        name = f"{called(conn, ref, app.platform(ref.site))} on {ref.site}"
    if found is None:
        words = app.platform(ref.site).words(RecordKind(kind.subject))
        raise UsageError(
            f"The policy {policy} looks at {words}s, and the mirror has no such one as '{item}'.",
            hint="Run 'ordito sync' first, or look for the item's address.",
        )
    app.out.document(why_document(found))
    _explain(app, found, name)
    return 0


def named(engine: Engine, names: Sequence[str]) -> list[Kind]:
    """The policies named. Raises UsageError with the nearest name."""
    for name in names:
        if name not in engine.policies:
            hint = suggestion(name, engine.policies, empty="The settings have no policies.")
            raise UsageError(f"There is no policy '{name}' in the settings.", hint=hint)
    return [engine.policies[name] for name in names]


def _show(app: App, result: Plan, *, stored: bool) -> None:
    from .review.queue import cards
    from .review.show import render

    with app.store.read() as conn:
        for card in cards(conn, result.proposals, app.platforms(), app.now()):
            app.out.say(render(card, app.out.width or 80))
            app.out.say()
    _show_held(app, result.held)
    counted = Counter(each.policy for each in result.proposals)
    total = ", ".join(f"{policy} {count}" for policy, count in counted.items())
    if not result.proposals:
        app.out.say("Nothing to propose.")
    elif stored:
        app.out.say(f"Proposed: {total}. Nothing is done before it is approved: ordito review")
    else:
        app.out.say(f"Would be proposed: {total}. Nothing was stored.")


def _warn_of_areas(app: App, engine: Engine, policies: Sequence[str]) -> None:
    """What was misspelt where a policy names areas, which nothing else would show."""
    from .area_names import unknown_areas

    with app.store.read() as conn:
        for row in unknown_areas(engine, conn, engine.active(policies)):
            app.out.warn(f"{row.where}: {row.message} {row.hint}")


def _show_held(app: App, held: Sequence[Held]) -> None:
    """What was held back: in full where it is little, else counted by reason."""
    if not held:
        return
    app.out.say("Held back:")
    counted = Counter((each.policy, each.by, each.reason) for each in held)
    for (policy, by, reason), count in counted.most_common(12):
        times = f" ({count}×)" if count > 1 else ""
        app.out.say(f"  {policy}, {by}: {reason}{times}")
    if len(counted) > 12:
        app.out.say(f"  … and {len(counted) - 12} more reasons; 'ordito --json plan' has them all.")
    app.out.say()


def _explain(app: App, found: Why, name: str) -> None:
    signs = {True: "yes", False: "NO", None: "unknown"}
    verdict = "means" if found.matches else "does not mean"
    app.out.say(f"The policy {found.policy} {verdict} {name}.")
    app.out.say()
    rows = [
        [each.condition, each.value, signs[each.holds], f"{each.next:%Y-%m-%d}" if each.next else ""]
        for each in found.conditions
    ]
    app.out.table(["Condition", "Value", "Holds", "Will hold on"], rows)
    for reason in found.held_by:
        app.out.say(f"Held by: {reason}")
