"""What no policy can exceed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordito.config.settings import QuietHours
from ordito.connectors.actions import SetLabels
from ordito.connectors.records import Kind, Ref
from ordito.policies.constitution import quiet_until
from ordito.policies.engine import Plan
from ordito.sync.outbox import Decision
from ordito.sync.store import tables
from tests.policies.town import NOW, Town

LABEL = """\
  tag: {use: rule, on: [forum], for: thread, when: {age: "> 1 hour"}, do: [{set_labels: {add: [x]}}]}
"""
NOTE = """\
  note:
    use: rule
    on: [forum]
    for: member
    when: {posts: ">= 1"}
    do: [{send_message: {message: rule-note}}]
"""


def law(text: str = "", share: str = "100%", per_run: int = 100, per_policy: int = 100) -> str:
    limits = f"{{per_run: {per_run}, per_policy: {per_policy}, share: {share}}}"
    rest = text if "contact:" in text else f"contact: {{messages: 100, per: 7 days}}\n{text}"
    lines = [f"limits: {limits}", "undo_window: 0 minutes", *rest.strip().splitlines()]
    return "constitution:\n" + "".join(f"  {line}\n" for line in lines)


def topics(town: Town, number: int) -> None:
    """Topics of that many members, topic n begun n days ago."""
    for id in range(1, number + 1):
        town.member(f"{id + 100}")
        town.topic(str(id), f"{id + 100}", (f"{id + 100}", id, "x"))


def held(plan: Plan, by: str) -> list[str]:
    return [each.item for each in plan.held if each.by == by]


# --- limits -----------------------------------------------------------------------------------------------


def test_where_a_limit_cuts_the_longest_wait_comes_first_and_the_rest_is_reported(town: Town) -> None:
    town.settle(LABEL, law(per_policy=3))
    topics(town, 5)
    plan = town.plan()
    assert [each.item.id for each in plan.proposals] == ["5", "4", "3"]
    assert held(plan, "limit") == ["forum:thread:2", "forum:thread:1"]


def test_a_share_is_of_what_the_policy_looks_at_and_at_least_one(town: Town) -> None:
    town.settle(LABEL, law(share="5%"))
    topics(town, 3)
    assert len(town.plan(dry_run=True).proposals) == 1
    for id in range(10, 70):
        town.topic(str(id), "101", ("101", 1, "x"))
    assert len(town.plan(dry_run=True).proposals) == 3


def test_all_policies_together_stay_within_the_limit_of_a_run(town: Town) -> None:
    town.settle(LABEL + LABEL.replace("tag:", "again:").replace("[x]", "[y]"), law(per_run=4))
    topics(town, 3)
    plan = town.plan()
    assert sorted((each.item.id, each.policy) for each in plan.proposals) == [
        ("2", "again"), ("2", "tag"), ("3", "again"), ("3", "tag"),
    ]  # fmt: skip
    assert held(plan, "limit") == ["forum:thread:1"] * 2


def test_the_next_plan_goes_on_where_the_limit_cut(town: Town) -> None:
    town.settle(LABEL, law(per_policy=3))
    topics(town, 5)
    first = town.proposed()
    assert len(first) == 3
    town.decide(Decision.HANDLED, *first)
    assert [each.item.id for each in town.proposed()] == ["2", "1"]
    assert town.proposed() == []


def test_a_run_lasts_from_one_plan_to_the_next_however_often_somebody_presses(town: Town) -> None:
    two = LABEL + LABEL.replace("tag:", "again:").replace("[x]", "[y]")
    town.settle(two, law())
    topics(town, 3)
    town.approve(*town.proposed())
    town.settle(two, law(per_run=3, per_policy=2))  # less than what waits
    town.later(minutes=1)
    waiting = [town.apply().held for _ in range(3)]
    assert [len(each) for each in waiting] == [3, 3, 3]
    assert len(town.performed) == 3
    assert {held.reason for held in waiting[-1]} == {
        "the limit of 3 actions in one run; the next plan begins another run"
    }
    town.later(minutes=15)
    town.plan()
    town.apply()
    assert len(town.performed) == 6


def test_what_was_not_carried_out_uses_up_no_limit(town: Town) -> None:
    town.settle(LABEL, law(per_run=1))
    topics(town, 1)
    town.approve(*town.proposed())
    town.refuses = True
    assert len(town.apply().errors) == 1
    town.refuses = False
    assert len(town.apply().applied) == 1


def test_a_queue_that_nobody_works_through_does_not_grow(town: Town) -> None:
    town.settle(LABEL, law(per_policy=3))
    topics(town, 5)
    (first, *_) = town.proposed()
    again = town.plan()
    assert not again.proposals
    reasons = {each.reason for each in again.held if each.by == "limit"}
    assert reasons == {"3 of this policy wait already; its limit is 3"}
    town.decide(Decision.HANDLED, first)
    assert [each.item.id for each in town.proposed()] == ["2"]


def test_a_run_carries_out_no_more_than_its_limits_and_keeps_the_rest_approved(town: Town) -> None:
    town.settle(LABEL)
    topics(town, 5)
    town.approve(*town.proposed())
    town.settle(LABEL, law(per_policy=2))
    report = town.apply()
    assert (len(report.applied), len(report.held)) == (2, 3)
    assert "2 actions of one policy" in report.held[0].reason
    town.later(minutes=15)
    town.plan()
    assert len(town.apply().applied) == 2


# --- people -----------------------------------------------------------------------------------------------


def test_the_contact_budget_counts_all_policies_sites_and_accounts(town: Town) -> None:
    town.settle(NOTE.replace("[forum]", "[forum, wiki]"), law("contact: {messages: 1, per: 7 days}"))
    here, there = town.member("2"), town.member("8", site="wiki")
    town.link(here, there)
    town.topic("10", "2", ("2", 1, "x"))
    town.topic("11", "8", ("8", 1, "x"), site="wiki", space="0", kind="page")
    town.approve(*town.proposed())
    report = town.apply()
    assert len(report.applied) == 1
    (waits,) = report.held
    assert "has heard from us once in the last 7 days" in waits.reason
    assert waits.until == NOW + timedelta(days=7)
    town.later(days=7)
    assert len(town.apply().applied) == 1


def test_a_plan_holds_who_heard_from_us_lately(town: Town) -> None:
    town.settle(NOTE + NOTE.replace("note:", "other:"), law("contact: {messages: 1, per: 7 days}"))
    topics(town, 1)
    assert len(town.run("note")) == 1
    plan = town.plan()
    assert not plan.proposals
    assert held(plan, "contact") == ["forum:member:101"]


def test_what_notifies_nobody_needs_no_budget(town: Town) -> None:
    town.settle(LABEL, law("contact: {messages: 0, per: 7 days}"))
    topics(town, 1)
    assert [type(each) for each in town.run()] == [SetLabels]


NEVER = [
    ("never: {members: [User101]}", {}, []),
    ("never: {groups: [staff]}", {"admin": True}, []),
    ("never: {groups: [staff]}", {"moderator": True}, []),
    ("never: {groups: [friends]}", {}, ["friends"]),
    ("opt_out: {group: no-automation}", {}, ["no-automation"]),
]


@pytest.mark.parametrize(("text", "fields", "groups"), NEVER)
def test_nobody_on_a_never_list_is_ever_written_to(
    town: Town, text: str, fields: dict[str, Any], groups: list[str]
) -> None:
    town.settle(NOTE, law(text))
    topics(town, 1)
    who = Ref("forum", Kind.MEMBER, "101")
    town.change(who, username="UsEr101", **fields)
    for group in groups:
        town.join("101", group)
    plan = town.plan()
    assert not plan.proposals
    assert held(plan, "opt-out" if "opt_out" in text else "never") == [str(who)]


REPLY = """\
  r: {use: rule, on: [forum], for: %s, when: {age: "> 1 hour"}, do: [{reply: {message: rule-note}}]}
"""


@pytest.mark.parametrize("subject", ["thread", "contribution"])
@pytest.mark.parametrize("text", ["never: {spaces: [HELP]}", "never: {labels: [Keep]}"])
def test_threads_that_are_left_alone_are_so_with_all_that_was_written_there(
    town: Town, subject: str, text: str
) -> None:
    town.settle(REPLY % subject, law(text))
    town.member("2")
    town.topic("10", "2", ("2", 1, "x"), labels=["keep"])
    plan = town.plan()
    assert not plan.proposals
    assert len(held(plan, "never")) == 1


def test_an_opt_out_is_for_all_accounts_of_a_person(town: Town) -> None:
    town.settle(NOTE, law())
    topics(town, 1)
    here, there = Ref("forum", Kind.MEMBER, "101"), town.member("8", site="wiki")
    town.link(here, there)
    town.opt_out(there)
    plan = town.plan()
    assert not plan.proposals
    assert held(plan, "opt-out") == [str(here)]


def test_who_opts_out_after_the_approval_is_not_written_to(town: Town) -> None:
    town.settle(NOTE, law())
    topics(town, 1)
    town.approve(*town.proposed())
    town.opt_out(Ref("forum", Kind.MEMBER, "101"))
    assert len(town.apply().superseded) == 1
    assert town.performed == []


# --- time -------------------------------------------------------------------------------------------------

ROME = QuietHours.model_validate({"from": "20:00", "to": "08:00", "timezone": "Europe/Rome"})


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-10T18:59", None),  # 19:59 in Rome
        ("2026-01-10T19:00", "2026-01-11T07:00"),
        ("2026-01-10T23:30", "2026-01-11T07:00"),  # after midnight there
        ("2026-01-11T06:59", "2026-01-11T07:00"),
        ("2026-01-11T07:00", None),
        ("2026-03-28T19:00", "2026-03-29T06:00"),  # the night when clocks go forward
        ("2026-10-24T18:00", "2026-10-25T07:00"),  # the night when they go back
    ],
)
def test_quiet_hours_follow_the_clock_of_the_place(now: str, until: str | None) -> None:
    expected = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    assert quiet_until(ROME, datetime.fromisoformat(now).replace(tzinfo=UTC)) == expected


clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)) | st.sampled_from(
    [datetime(2026, 3, 29, 0), datetime(2026, 10, 25, 0)]
).flatmap(lambda night: st.integers(-120, 360).map(lambda minutes: night + timedelta(minutes=minutes)))


@given(start=clocks, end=clocks, now=instants.map(lambda moment: moment.replace(tzinfo=UTC)))
def test_quiet_hours_end_in_the_future_and_never_last_longer_than_a_day_and_an_hour(
    start: time, end: time, now: datetime
) -> None:
    given_ = {"from": f"{start:%H:%M}", "to": f"{end:%H:%M}", "timezone": "Europe/Rome"}
    hours = QuietHours.model_validate(given_)
    until = quiet_until(hours, now)
    clock = now.astimezone(hours.zone).time()
    inside = start <= clock < end if start <= end else not end <= clock < start
    assert (until is not None) == inside
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        local = until.astimezone(hours.zone)
        gap = local.date() == datetime(2026, 3, 29).date() and local.hour == 3  # a time that was left out
        assert local.time() == end or gap


def test_in_quiet_hours_nobody_is_notified_and_quiet_work_goes_on(town: Town) -> None:
    text = 'quiet_hours: {from: "13:00", to: "15:00", timezone: Europe/Rome}'  # NOW is 14:00 there
    town.settle(LABEL + NOTE, law(text))
    topics(town, 1)
    town.approve(*town.proposed())
    report = town.apply()
    assert [type(each) for each in town.performed] == [SetLabels]
    assert [(each.reason, each.until) for each in report.held] == [("quiet hours", NOW.replace(hour=13))]
    town.later(hours=1)
    assert len(town.apply().applied) == 1


def test_what_nobody_reviewed_in_time_lapses_and_comes_back_only_when_it_is_true_anew(town: Town) -> None:
    town.settle(LABEL, law("expire: 7 days"))
    topics(town, 1)
    (proposal,) = town.proposed()
    town.later(days=7)
    plan = town.plan()
    assert not plan.proposals
    assert town.get(proposal).state == "lapsed"
    assert not town.plan().proposals
    assert held(town.plan(), "occasion") == ["forum:thread:1"]
    town.change(proposal.item, deleted_at=town.ago(0))
    town.plan()
    town.change(proposal.item, deleted_at=None)
    assert len(town.proposed()) == 1


# --- modes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "ceiling", "state"),
    [
        ("auto", "auto", "approved"), ("auto", "propose", "proposed"), ("propose", "auto", "proposed"),
        ("{earn: {reviews: 1}}", "auto", "proposed"), ("auto", "off", None), ("off", "auto", None),
    ],
)  # fmt: skip
def test_the_lower_of_the_two_modes_holds(town: Town, mode: str, ceiling: str, state: str | None) -> None:
    town.settle(LABEL.replace("use:", f"mode: {mode}, use:"), law(f"mode: {ceiling}"))
    topics(town, 1)
    assert [str(each.state) for each in town.proposed()] == ([state] if state else [])


EARN = LABEL.replace("use:", "mode: {earn: {reviews: 4, accepted: 75%}}, use:")


def test_a_policy_earns_to_act_alone_by_single_reviews_and_loses_it_by_an_undo(town: Town) -> None:
    town.settle(EARN, law("mode: auto"))
    topics(town, 4)
    first, second, third, fourth = town.proposed()
    town.decide(Decision.REJECTED, first, reason="no")
    town.approve(second, third, bulk=True)
    town.approve(fourth)
    topics_more(town, 10)
    proposed = town.proposed()
    assert {str(each.state) for each in proposed} == {"proposed"}
    town.approve(*proposed[:2])
    topics_more(town, 20)
    (alone,) = town.proposed()
    assert (str(alone.state), alone.approved_by) == ("approved", "policy tag")
    with town.store.write() as conn:
        done = {"doing": "undo", "by": "anna", "token": "t", "outcome": "done", "started_at": town.ago(-1)}
        conn.execute(tables.attempts.insert().values(proposal=alone.id, **done))
    topics_more(town, 30)
    assert [str(each.state) for each in town.proposed()] == ["proposed"]


def test_what_was_taken_back_neither_earns_nor_loses_anything(town: Town) -> None:
    town.settle(EARN, law("mode: auto"))
    topics(town, 4)
    first, second, third, fourth = town.proposed()
    for _ in range(4):
        town.approve(first)
        town.decide(Decision.REOPENED, first)
    topics_more(town, 30)
    (fifth,) = town.proposed()
    assert str(fifth.state) == "proposed", "one click, four times, is no four reviews"
    town.approve(first, second, third, fifth)
    town.decide(Decision.REJECTED, fourth, reason="the wrong key")
    town.decide(Decision.REOPENED, fourth)
    topics_more(town, 40)
    assert [str(each.state) for each in town.proposed()] == ["approved"]


def topics_more(town: Town, first: int) -> None:
    for id in range(first, first + (2 if first == 10 else 1)):
        town.topic(str(id), "101", ("101", 1, "x"))


def test_a_rejection_in_bulk_ends_what_was_earned(town: Town) -> None:
    town.settle(EARN, law("mode: auto"))
    topics(town, 6)
    *four, fifth, sixth = town.proposed()
    town.approve(*four)
    town.decide(Decision.REJECTED, fifth, sixth, reason="no", bulk=True)
    topics_more(town, 30)
    assert [str(each.state) for each in town.proposed()] == ["proposed"]


def test_a_look_at_the_past_does_not_count_what_is_proposed_today(town: Town) -> None:
    town.settle(LABEL, law(per_policy=3))
    topics(town, 3)
    today = {each.item for each in town.proposed()}
    then = town.plan(as_of=town.now - timedelta(minutes=1))
    assert {each.item for each in then.proposals} == today
    assert then.id is None
