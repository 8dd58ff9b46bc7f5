"""Holding newcomers out of a welcome, to learn whether it helps; and the statistics behind the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from ordito.connectors.base import World
from ordito.connectors.records import Ref
from ordito.policies.backtest_command import backtest
from ordito.policies.holdout import FEW, Arms, assigned, compare
from ordito.policies.intervals import _student, of_means, of_shares, wilson
from ordito.sync.context import App
from ordito.sync.output import Output
from ordito.sync.store import tables
from tests.policies.town import Town

HALF = "  hello: {use: welcome, on: [forum], holdout: 50%}\n"


def newcomers(town: Town, count: int, first: int = 100) -> list[Ref]:
    found = []
    for number in range(first, first + count):
        found.append(town.member(str(number), joined=1))
        town.topic(f"t{number}", str(number), (str(number), 1, "Here I am."))
    return found


def arms(town: Town) -> dict[Ref, str]:
    with town.store.read() as conn:
        return assigned(conn, "hello")


def compared(town: Town) -> Arms | None:
    with town.store.read() as conn:
        return compare(conn, "hello", town.now - timedelta(days=365), town.now, town.now)


def said(town: Town, *words: str) -> str:
    """What the command prints, at the town's time."""
    app = App(
        load_settings=lambda: town.settings,
        world=World(lambda: town.now, lambda: 0.0, lambda seconds: None),
        user="tester", out=Output(), make_gate=cast(Any, None),
    )  # fmt: skip
    app.store = town.store
    out = CliRunner().invoke(backtest, words, obj=app, catch_exceptions=False)
    assert out.exit_code == 0, out.output
    return " ".join(out.stdout.split())


def test_everybody_is_assigned_at_the_first_plan_and_stays_where_they_are(town: Town) -> None:
    town.settle(HALF)
    people = newcomers(town, 20)
    plan = town.plan()
    first = arms(town)
    assert set(first) == set(people)
    welcomed = {each.item for each in plan.proposals}
    assert welcomed == {who for who, arm in first.items() if arm == "treated"}
    assert 0 < len(welcomed) < 20
    town.settle(HALF.replace("50%", "99%"))
    newcomers(town, 20, first=200)
    town.plan()
    assert {who: arm for who, arm in arms(town).items() if who in first} == first
    assert len(arms(town)) == 40


def test_the_backtest_shows_both_arms_or_says_why_there_are_none(town: Town) -> None:
    town.settle(HALF)
    newcomers(town, 20)
    span = ("hello", "--from", f"{town.now:%Y-%m-%d}", "--to")
    assert "Nobody was held out in this span" in said(town, *span, f"{town.now:%Y-%m-%d}")
    town.plan()
    town.now += timedelta(days=1)
    told = said(town, *span, f"{town.now:%Y-%m-%d}")
    assert "as they were assigned" in told
    assert f"Too few to tell: each side needs {FEW} people" in told


def test_a_dry_run_assigns_nobody_and_without_a_holdout_nobody_is(town: Town) -> None:
    town.settle(HALF)
    newcomers(town, 5)
    town.plan(dry_run=True)
    assert not arms(town)
    town.settle(HALF.replace("50%", "0%"))
    assert len(town.proposed()) == 5
    assert not arms(town)


def test_an_account_that_is_linked_later_keeps_the_arm_of_the_person(town: Town) -> None:
    town.settle(HALF)
    people = newcomers(town, 12)
    town.plan()
    before = arms(town)
    held = [who for who in people if before[who] == "held out"]
    for who in held:
        town.link(who, town.member(f"a{who.id}"), person=who.id)
    town.plan()
    assert arms(town) == before
    assert not {each.item for each in town.all()} & set(held)


def test_both_arms_are_compared_by_assignment(town: Town) -> None:
    """Of 40 treated 30 came back and wrote twice, of 40 held out 10 once; ten more are too young to say."""
    town.settle(HALF)
    with town.store.write() as conn:
        for number in range(90):
            days = 100 if number < 80 else 5
            arm = "treated" if number % 2 else "held out"
            row = {"policy": "hello", "person": f"forum:member:{number}", "arm": arm, "at": town.ago(days)}
            conn.execute(insert(tables.assignments).values(**row))
    with town.at_once():
        for number in range(80):
            treated, place = number % 2, number // 2
            for post in range(2 if treated and place < 30 else 1 if not treated and place < 10 else 0):
                town.post("1", str(number), 90 - post)
    found = compared(town)
    assert found is not None
    assert (found.treated.assigned, found.treated.followed, found.treated.back) == (45, 40, 30)
    assert (found.held_out.assigned, found.held_out.followed, found.held_out.back) == (45, 40, 10)
    assert found.back is not None and found.back.value == pytest.approx(0.5)
    assert found.back.shown and found.enough_back
    assert found.posts is not None and found.posts.value == pytest.approx(1.25)


def test_nobody_held_out_is_nothing_to_compare_and_few_are_too_few(town: Town) -> None:
    town.settle(HALF)
    assert compared(town) is None
    newcomers(town, 10)
    town.plan()
    found = compared(town)
    assert found is not None
    assert (found.treated.followed, found.back) == (0, None)
    assert not found.enough_back and not found.enough_posts


def test_the_intervals_are_those_of_the_literature() -> None:
    # Newcombe 1998, tables I and II: 81/263; 56/70 and 48/80
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    found = of_shares(56, 70, 48, 80)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert of_shares(1, 2, 0, 0) is None


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (1e6, 1.96)]
)
def test_students_quantile_is_that_of_the_tables(freedom: float, quantile: float) -> None:
    assert _student(freedom) == pytest.approx(quantile, rel=0.01)


def test_the_difference_of_means_widens_with_their_spread() -> None:
    close, wide = [1.0, 1.1, 0.9, 1.0], [0.0, 4.0, -2.0, 2.0]
    sure, unsure = of_means(close, [0.0, 0.1, -0.1, 0.0]), of_means(wide, [0.0, 3.0, -3.0, 0.0])
    assert sure is not None and unsure is not None
    assert sure.shown and not unsure.shown
    assert of_means([1.0], close) is None
    same = of_means([2.0, 2.0], [1.0, 1.0])
    assert same is not None and (same.low, same.high) == (1.0, 1.0)
