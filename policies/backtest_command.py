"""`ordito backtest`: what a policy would have done in the past, and how that would have turned out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..config.durations import Duration
from ..config.errors import UsageError

if TYPE_CHECKING:
    from ..sync.context import App
    from .backtest import Backtest


@click.command()
@click.argument("policy")
@click.option("--from", "start", required=True, metavar="D", help="First moment: 2026-01-01.")
@click.option("--to", "end", required=True, metavar="D", help="Last moment: 2026-03-31.")
@click.option("--every", default="1 day", show_default=True, metavar="DURATION", help="Time between steps.")
@click.pass_obj
def backtest(app: App, policy: str, start: str, end: str, every: str) -> int:
    """What a policy would have done in the past."""
    from ..sync.moments import read_moment
    from .backtest import backtest as run
    from .commands import named
    from .wiring import make_engine

    engine = make_engine(app)
    kind = named(engine, [policy])[0]
    first, last = read_moment(start, app.now()), read_moment(end, app.now())
    if last < first:
        raise UsageError(f"{end} is before {start}.", hint="--from names the earlier moment.")
    if last > app.now():
        raise UsageError(f"{end} is in the future.", hint="'ordito plan --dry-run' says what is due today.")
    with app.store.read(scratch=True) as conn:
        result = run(engine, conn, kind, first, last, _step(every))
    app.out.document(_document(result))
    _show(app, result)
    return 0


def _step(text: str) -> Duration:
    try:
        step = Duration.parse(text if text.strip()[-1:].isalpha() and " " in text else _spaced(text))
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if step.amount == 0:
        raise UsageError("The time between steps must not be zero.")
    return step


def _spaced(text: str) -> str:
    """`1d`, as DESIGN writes it, → `1 day`."""
    units = {"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}
    return f"{text[:-1]} {units.get(text[-1:], text[-1:])}"


def _document(result: Backtest) -> dict[str, object]:
    return {
        "policy": result.policy,
        "from": result.start.isoformat(),
        "to": result.end.isoformat(),
        "steps": result.steps,
        "actions": len(result.actions),
        "outcomes": result.outcomes,
        "assumed": list(result.assumed),
        "examples": [
            {"at": each.at.isoformat(), "item": str(each.item), "step": each.step, "because": each.because}
            for each in result.examples
        ],
    }


def _show(app: App, result: Backtest) -> None:
    span = f"{result.start:%Y-%m-%d} to {result.end:%Y-%m-%d}, {result.steps} steps"
    app.out.say(f"{result.policy}: {len(result.actions)} actions ({span}).")
    app.out.table(
        ["Outcome", "Number"],
        [[name, "unknown" if number is None else f"{number:g}"] for name, number in result.outcomes.items()],
    )
    if result.assumed:
        names = ", ".join(result.assumed)
        app.out.say(f"Assumed to have been as today, because their past is not known: {names}.")
    if result.examples:
        app.out.say()
        app.out.table(
            ["When", "What", "Item", "Because"],
            [
                [f"{e.at:%Y-%m-%d}", e.step, app.platform(e.item.site).url(e.item) or str(e.item), e.because]
                for e in result.examples
            ],
        )
