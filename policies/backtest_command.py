"""`ordito backtest`: what a policy would have done in the past, and how that would have turned out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..config.durations import Duration
from ..config.errors import UsageError

if TYPE_CHECKING:
    from ..sync.context import App
    from .backtest import Backtest
    from .holdout import Arm, Arms
    from .intervals import Difference


_FEW = 4
"""Examples of each setting, where there are several."""


@click.command()
@click.argument("policy")
@click.option("--from", "start", required=True, metavar="D", help="First moment: 2026-01-01.")
@click.option("--to", "end", required=True, metavar="D", help="Last moment: 2026-03-31.")
@click.option("--every", default="1 day", show_default=True, metavar="DURATION", help="Time between steps.")
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=V,V…",
    help="Values of a key of the policy, side by side: when.quiet='90 days,180 days'. May be repeated.",
)
@click.pass_obj
def backtest(app: App, policy: str, start: str, end: str, every: str, vary: tuple[str, ...]) -> int:
    """What a policy would have done in the past."""
    from ..sync.moments import read_moment
    from .backtest import backtest as run
    from .commands import named
    from .variants import variants
    from .wiring import make_engine

    engine, now = make_engine(app), app.now()
    kinds = variants(named(engine, [policy])[0], vary)
    first, last = read_moment(start, now), read_moment(end, now)
    if last < first:
        raise UsageError(f"{end} is before {start}.", hint="--from names the earlier moment.")
    if last > now:
        raise UsageError(f"{end} is in the future.", hint="'ordito plan --dry-run' says what is due today.")
    with app.store.read(scratch=True) as conn:
        results = run(engine, conn, kinds, first, last, _step(every), now)
    app.out.document(_document(app, results))
    _show(app, results)
    return 0


def _step(text: str) -> Duration:
    from .variants import spaced

    try:
        step = Duration.parse(spaced(text))
    except ValueError as error:
        raise UsageError(f"{error}.") from None
    if step.amount == 0:
        raise UsageError("The time between steps must not be zero.")
    return step


# --- the document ---------------------------------------------------------------------------------------


def _document(app: App, results: Sequence[Backtest]) -> dict[str, object]:
    """At the top the first setting; all of them in `variants` where several were asked for."""
    from .backtest import LEFT_OUT

    first = results[0]
    document: dict[str, object] = {
        "policy": first.policy,
        "from": first.start.isoformat(),
        "to": first.end.isoformat(),
        "steps": first.steps,
        **_found(app, first),
        "left_out": list(LEFT_OUT),
    }
    if first.arms is not None:
        document["arms"] = _arms_document(first.arms)
    if first.settings:
        document["variants"] = [{"settings": dict(each.settings), **_found(app, each)} for each in results]
    return document


def _found(app: App, result: Backtest) -> dict[str, object]:
    return {
        "actions": len(result.actions),
        "outcomes": result.outcomes,
        "assumed": list(result.assumed),
        "examples": [
            {
                "at": each.at.isoformat(),
                "item": str(each.item),
                "url": app.platform(each.item.site).url(each.item),
                "step": each.step,
                "because": each.because,
                "outcome": each.outcome,
            }
            for each in result.examples()
        ],
    }


def _arms_document(arms: Arms) -> dict[str, object]:
    return {
        "treated": arms.treated.to_dict(),
        "held_out": arms.held_out.to_dict(),
        "came_back": _difference(arms.back, arms.enough_back),
        "posts": _difference(arms.posts, arms.enough_posts),
    }


def _difference(found: Difference | None, enough: bool) -> dict[str, object]:
    if found is None:
        return {"difference": None, "low": None, "high": None, "enough": False}
    return {
        "difference": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4),
        "enough": enough,
    }  # fmt: skip


# --- for people -----------------------------------------------------------------------------------------


def _show(app: App, results: Sequence[Backtest]) -> None:
    from .backtest import LEFT_OUT

    first = results[0]
    span = f"{first.start:%Y-%m-%d} to {first.end:%Y-%m-%d}, {first.steps} steps"
    if first.settings:
        app.out.say(f"{first.policy}: {len(results)} settings side by side ({span}).")
    else:
        app.out.say(f"{first.policy}: {len(first.actions)} actions ({span}).")
    app.out.say()
    _outcomes(app, results)
    if first.arms is not None:
        app.out.say()
        _show_arms(app, first.arms)
    elif getattr(app.settings.policies[first.policy], "holdout", 0):
        app.out.say()
        app.out.say("Nobody was held out in this span: 'plan' and 'run' assign newcomers from now on.")
    app.out.say()
    assumed = dict.fromkeys(name for each in results for name in each.assumed)
    if assumed:
        names = ", ".join(assumed)
        app.out.say(f"Assumed to have been as today, because their past is not known: {names}.")
    app.out.say(f"Not taken into account: {', '.join(LEFT_OUT)}.")
    for result in results:
        if result.actions:
            app.out.say()
            _examples(app, result)


def _outcomes(app: App, results: Sequence[Backtest]) -> None:
    """One column for each setting."""
    from .outcomes import told

    names = dict.fromkeys(name for each in results for name in each.outcomes)
    columns = [_settings(each) or "Number" for each in results]
    rows = [
        [name, *(told(each.outcomes[name]) if name in each.outcomes else "0" for each in results)]
        for name in names
    ]
    app.out.table(["Outcome", *columns], rows)


def _settings(result: Backtest) -> str:
    """`quiet > 90 days`: what stands in `when` is known without saying so."""
    return ", ".join(f"{key.removeprefix('when.')} {value}" for key, value in result.settings.items())


def _examples(app: App, result: Backtest) -> None:
    settings = _settings(result)
    app.out.say(f"Examples with {settings}:" if settings else "Examples:")
    for each in result.examples(_FEW) if settings else result.examples():
        where = app.platform(each.item.site).url(each.item) or str(each.item)
        then = f": {each.outcome}" if each.outcome else ""
        app.out.say(f"  {each.at:%Y-%m-%d}  {each.step}  {where}{then}")
        app.out.say(f"              because {each.because}")


def _show_arms(app: App, arms: Arms) -> None:
    app.out.say("Those who were to be welcomed, and those held out, as they were assigned:")
    app.out.table(
        ["", "to be welcomed", "held out", "difference (95%)"],
        [
            ["assigned", str(arms.treated.assigned), str(arms.held_out.assigned), ""],
            ["came back within 30 days", _back(arms.treated), _back(arms.held_out),
             _points(arms.back, arms.enough_back)],
            ["posts in 90 days, mean", _posts(arms.treated), _posts(arms.held_out),
             _mean(arms.posts, arms.enough_posts)],
        ],
    )  # fmt: skip
    app.out.say(_verdict(arms))


def _back(arm: Arm) -> str:
    return f"{arm.back} of {arm.followed}" if arm.followed else "nobody long enough ago"


def _posts(arm: Arm) -> str:
    mean = arm.to_dict()["posts_in_90_days"]
    return f"{mean:g} ({len(arm.posts)} people)" if mean is not None else "nobody long enough ago"


def _points(found: Difference | None, enough: bool) -> str:
    if found is None or not enough:
        return "too few to tell"
    return f"{100 * found.value:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f}) points"


def _mean(found: Difference | None, enough: bool) -> str:
    if found is None or not enough:
        return "too few to tell"
    return f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def _verdict(arms: Arms) -> str:
    from .holdout import FEW

    if not arms.enough_back or arms.back is None:
        return f"Too few to tell: each side needs {FEW} people who were assigned at least 30 days ago."
    if not arms.back.shown:
        return "Whether welcoming brings people back cannot be told from this: the interval holds zero."
    return f"Welcoming {'brings more people back' if arms.back.value > 0 else 'keeps people away'}."
