"""Policies over the mirrored past, judged by what then happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from ordito.config.durations import Duration
from ordito.config.errors import UsageError
from ordito.policies.backtest import Backtest, backtest
from ordito.policies.variants import variants
from ordito.sync.store import tables
from tests.policies.town import NOW, Town

CLOSE = """\
  tidy:
    use: stale
    on: [forum]
    warn: {grace: 14 days}
    then: [close]
"""
WELCOME = "  hello: {use: welcome, on: [forum], after: 6 hours, holdout: 50%}\n"


def run(town: Town, *vary: str, days: int = 300, until: int = 0, every: str = "14 days") -> list[Backtest]:
    (kind,) = town.engine.policies.values()
    start, end = NOW - timedelta(days=days), NOW - timedelta(days=until)
    with town.store.read(scratch=True) as conn:
        return backtest(
            town.engine, conn, variants(kind, vary), start, end, Duration.parse(every), town.now
        )


def outcomes(town: Town, **how: Any) -> Mapping[str, object]:
    return run(town, **how)[0].outcomes


# --- stale ----------------------------------------------------------------------------------------------


@pytest.fixture
def quiet(town: Town) -> Town:
    """Three topics of 500 days ago: one sleeps on, one wakes 200 days ago, one 20 days ago."""
    town.settle(CLOSE)
    town.member("2")
    town.member("3")
    for id, *woke in (("10",), ("11", 200), ("12", 20)):
        town.topic(id, "2", ("2", 501, "How?"), ("3", 500, "So."), *(("3", each, "Ah.") for each in woke))
    return town


def test_what_would_have_been_closed_and_what_woke_again(quiet: Town) -> None:
    assert outcomes(quiet) == {
        "due on the first day already": 3,
        "warn": 4,  # one of them a second time
        "kept open by a reply in the grace": 0,
        "close": 3,
        "revived within 90 days": 1,
        "revived later": 2,
        "revived later, %": 66.7,
        "median days until revived": 176.0,
    }


def test_a_reply_within_the_grace_keeps_a_topic_open(quiet: Town) -> None:
    quiet.post("10", "3", 295, "Wait.")
    found = outcomes(quiet)
    assert (found["warn"], found["kept open by a reply in the grace"], found["close"]) == (5, 1, 3)


def test_several_settings_side_by_side_are_each_what_they_are_alone(quiet: Town) -> None:
    both = run(quiet, "quiet=180d,330 days")
    assert [dict(each.settings) for each in both] == [
        {"when.quiet": "> 180 days"}, {"when.quiet": "> 330 days"}
    ]  # fmt: skip
    alone = [run(quiet, f"when.quiet={days} days")[0] for days in (180, 330)]
    assert [each.outcomes for each in both] == [each.outcomes for each in alone]
    assert both[0].outcomes["close"] == 3 and both[0].steps == both[1].steps == 22
    assert both[0].outcomes != both[1].outcomes


def test_settings_that_ask_about_the_expertise_of_different_people_are_each_what_they_are_alone(
    town: Town,
) -> None:
    rule = 'use: rule, for: member, on: [forum], when: {joined: "> 1 day", expertise: "> 0"}'
    town.settle(f"  r: {{{rule}, do: [{{grant_badge: {{badge: Helper}}}}]}}\n")
    for number in range(2, 12):
        town.member(str(number), joined=number * 10)
    for number in range(20):
        posts = ("11", 9, "How?"), (str(2 + number % 5), 8, "So.")
        town.topic(f"t{number}", "11", *posts)
    both = run(town, "when.joined=< 25 days,> 45 days", days=1)
    assert [{each.item.id for each in one.actions} for one in both] == [{"2"}, {"5", "6"}]


def test_examples_show_what_was_better_left_undone_and_what_then_happened(quiet: Town) -> None:
    found = run(quiet)[0].examples()
    assert {(each.item.id, each.outcome, each.good) for each in found} == {
        ("10", "nobody wrote there again", True),
        ("11", "woke after 86 days", False),
        ("12", "woke after 266 days", False),
    }


def test_facts_whose_past_is_not_known_are_named(quiet: Town) -> None:
    assert run(quiet)[0].assumed == ("pinned",)


def test_on_a_wiki_the_links_of_today_are_assumed_and_talk_pages_left_out(town: Town) -> None:
    town.settle("""\
  tidy:
    use: stale
    on: [wiki]
    when: {quiet: "> 1 year"}
    then: [archive]
    template: "{{Old}}"
    linked: 1
    archive: "{talkpage}/Archive {year}"
""")
    town.member("2", site="wiki")
    town.topic("10", "2", ("2", 500, "Tents."), site="wiki", kind="page", space="0")
    old = "== A ==\nB. [[User:user2]] 10:00, 1 March 2024 (UTC)"
    town.topic("11", "2", ("2", 500, old), site="wiki", kind="talk", space="1")
    (found,) = run(town, every="30 days")
    assert [(each.item.id, each.step) for each in found.actions] == [("10", "archive")]
    assert found.assumed == ("links to the page",)


@pytest.mark.parametrize(
    ("vary", "fault"),
    [
        ("grace=1d", "no key 'grace'"),
        ("mode=auto", "no key 'mode'"),
        ("quiet", "does not say what varies"),
        ("quiet=long", "not a duration"),
        ("when.quit=90d", "quit"),
        ("then=explode", "Input should be"),
        ("quiet=1d,2d,3d,4d,5d,6d,7d,8d,9d,10d,11d,12d,13d", "13 combinations"),
    ],
)
def test_what_cannot_vary_is_refused(quiet: Town, vary: str, fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        run(quiet, vary)
    assert fault in caught.value.message


def test_keys_of_every_shape_may_vary(quiet: Town) -> None:
    (kind,) = quiet.engine.policies.values()
    found = variants(kind, ["waiting_on=[nobody],[nobody, author]", "warn.grace=7d", "then=close,unlist"])
    assert [each.parameters.then for _, each in found] == [["close"], ["unlist"]] * 2
    assert {str(each.parameters.warn.grace) for _, each in found} == {"7 days"}
    asked = [each.parameters.when.document["waiting_on"] for _, each in found]
    assert asked == [["nobody"], ["nobody"], ["nobody", "author"], ["nobody", "author"]]


# --- welcome --------------------------------------------------------------------------------------------


def test_newcomers_and_how_soon_people_greeted_them(town: Town) -> None:
    town.settle(WELCOME.replace(", holdout: 50%", ""))
    town.member("2")
    town.member("8", bot=True)
    town.topic("1", "2", ("2", 900, "Hello."))
    for id, answer in (("20", 2), ("21", 4), ("22", 12), ("23", 48), ("24", None)):
        town.member(id, joined=51)
        town.topic(f"t{id}", id, (id, 50, "Here I am."))
        if answer is not None:
            town.post(f"t{id}", "2", 50 - answer / 24, "Welcome!")
    town.post("t20", "8", 49.999, "I am a program.")
    found = outcomes(town, days=51, until=49, every="3 hours")
    assert found == {
        "newcomers": 5,
        "would be welcomed": 3,
        "answered by people": 4,
        "answered by people, %": 80.0,
        "answered within 6 hours": 2,
        "hours to the first answer, first quartile": 3.5,
        "hours to the first answer, median": 8.0,
        "hours to the first answer, third quartile": 21.0,
    }


def test_on_a_wiki_people_greet_on_talk_pages(town: Town) -> None:
    town.settle("  hello: {use: welcome, on: [wiki], after: 6 hours}\n")
    for id in ("2", "20", "21"):
        town.member(id, site="wiki")
    town.topic("1", "2", ("2", 900, "x"), site="wiki", kind="page", space="0")
    for id in ("20", "21"):
        town.post("1", id, 50, site="wiki")
    town.post("1", "2", 49, site="wiki")  # another edit of the page is no answer
    town.topic("9", "2", ("2", 48, "Hello!"), site="wiki", kind="talk", space="3", title="User talk:user21")
    found = outcomes(town, days=60, until=40)
    assert (found["newcomers"], found["answered by people"]) == (2, 1)
    assert found["hours to the first answer, median"] == 48.0


def test_on_a_talk_page_an_unknown_author_answers_nobody_and_a_name_that_two_have_answers_both(
    town: Town,
) -> None:
    town.settle("  hello: {use: welcome, on: [wiki], after: 6 hours}\n")
    for id in ("2", "20", "21"):
        town.member(id, site="wiki")
    town.member("22", site="wiki", username="user21")
    town.topic("1", "2", ("2", 900, "x"), site="wiki", kind="page", space="0")
    for id in ("20", "21", "22"):
        town.post("1", id, 50, site="wiki")
    for id, by, owner in (("8", None, "20"), ("9", "2", "21")):
        title = f"User talk:user{owner}"
        town.topic(id, by, (by, 48, "Hello!"), site="wiki", kind="talk", space="3", title=title)
    assert outcomes(town, days=60, until=40)["answered by people"] == 2


def test_a_holdout_is_compared_by_assignment(town: Town) -> None:
    town.settle(WELCOME)
    with town.store.write() as conn:
        for number, arm in enumerate(("treated", "held out")):
            row = {"policy": "hello", "person": f"forum:member:{number}", "arm": arm, "at": town.ago(50)}
            conn.execute(insert(tables.assignments).values(**row))
    arms = run(town, days=60, until=40)[0].arms
    assert arms is not None
    assert (arms.treated.followed, arms.held_out.followed, arms.enough_back) == (1, 1, False)
    assert run(town, days=40, until=20)[0].arms is None


# --- experts and rules ----------------------------------------------------------------------------------


def test_named_experts_are_followed_for_ninety_days(town: Town) -> None:
    town.settle("""\
  who:
    use: experts
    on: [forum]
    areas: spaces
    at_least: {evidence: 2, people: 2}
    give: {badge: Expert}
""")
    for id in ("2", "3", "4", "5"):
        town.member(id)
    for number in range(4):
        town.topic(f"a{number}", str(4 + number % 2), (str(4 + number % 2), 250, "How?"), ("2", 249, "So."))
        town.post(f"a{number}", "3", 248, "Or so.")
    town.topic("b", "4", ("4", 150, "And now?"), ("2", 149, "Still so."), solved_by="1013")
    town.topic("c", "4", ("4", 100, "And then?"), ("3", 90, "Too late."))
    found = run(town, days=200, until=190, every="7 days")[0]
    assert found.outcomes == {
        "people named": 2,
        "who answered others within 90 days": 1,
        "who answered others within 90 days, %": 50.0,
        "answers in 90 days, median": 0.5,
        "answers in 90 days, all": 1,
        "of these accepted": 1,
    }
    assert {(each.item.id, each.outcome) for each in found.examples()} == {
        ("2", "answered others once in 90 days"), ("3", "answered others 0 times in 90 days")
    }  # fmt: skip


def test_matches_of_a_rule_by_week(town: Town) -> None:
    town.settle("""\
  tag:
    use: rule
    for: thread
    on: [forum]
    when: {title: {contains: install}}
    do: [{set_labels: {add: [installation]}}]
""")
    for number in range(6):
        town.topic(str(number), "2", ("2", 20 - number * 3, "x"), title="How to install")
    found = outcomes(town, days=28)
    assert found == {"matches": 6, "items": 6, "matches per week": 1.5, "most in one week": 3}


def test_nothing_in_an_empty_town(town: Town) -> None:
    town.settle(WELCOME)
    found = outcomes(town, days=10)
    assert (found["newcomers"], found["answered by people, %"]) == (0, None)
    town.settle(CLOSE)
    assert outcomes(town, days=10)["revived later, %"] is None


def test_a_step_of_the_calendar_is_understood(quiet: Town) -> None:
    (found,) = run(quiet, days=90, every="1 month")
    assert found.steps == 4  # 31 December, 31 January, 28 February, 28 March
