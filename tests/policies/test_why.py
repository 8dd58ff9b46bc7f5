"""Why a policy proposes something for an item, or why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ordito.config.durations import Duration
from ordito.config.errors import Unreachable
from ordito.connectors.base import Profile
from ordito.connectors.records import Ref
from ordito.policies.comparisons import AgeIs
from ordito.policies.why import Reason
from ordito.sync.outbox import Decision
from ordito.sync.store.times import micros
from tests.policies.town import FREE, NOW, Town

RULE = """\
  r:
    use: rule
    on: [forum]
    for: thread
    when: {quiet: "> 30 days", posts: ">= 2", not: {labels: [busy]}, views: "> 10"}
    except: {age: "< 40 days"}
    do: [{set_labels: {add: [old]}}]
"""


@pytest.fixture
def topic(town: Town) -> Ref:
    town.settle(RULE)
    town.member("2")
    return town.topic("10", "2", ("2", 25, "x"), labels=["busy"])


def test_every_condition_has_its_value_whether_it_holds_and_from_when(town: Town, topic: Ref) -> None:
    why = town.why("r", topic)
    assert not why.matches
    began = NOW - timedelta(days=25)
    assert why.conditions == (
        Reason("quiet: > 30 days", "25 days ago (2026-03-06)", False, began + timedelta(days=30)),
        Reason("posts: >= 2", "1", False),
        Reason("not labels: busy", "busy", False),
        Reason("views: > 10", "unknown", None),
        Reason("not age: < 40 days", "25 days ago (2026-03-06)", False, began + timedelta(days=40)),
    )


def test_an_item_that_is_meant_matches_and_nothing_holds_it(town: Town, topic: Ref) -> None:
    town.post("10", "3", days=25)
    town.change(topic, views=11)
    town.later(days=16)
    with town.store.write() as conn:
        conn.exec_driver_sql("delete from states")
    why = town.why("r", topic)
    assert why.matches
    assert [each.holds for each in why.conditions] == [True] * 5
    assert why.held_by == ()


SIMPLE = "  r: {use: rule, on: [forum], for: thread, when: {age: '> 1 hour'}, do: [{close_thread: {}}]}\n"


def test_what_stands_against_it_is_named(town: Town) -> None:
    town.settle(SIMPLE, FREE + "  never: {labels: [keep]}\n")
    kept = town.topic("10", "2", ("2", 1, "x"), labels=["keep"])
    done = town.topic("11", "2", ("2", 1, "x"))
    (proposal,) = town.proposed()
    town.decide(Decision.REJECTED, proposal, reason="no")
    assert town.why("r", kept).held_by == (
        "1 close_thread: it is labelled 'keep'; such threads are left alone",
    )
    assert town.why("r", done).held_by == (f"1 close_thread: rejected already (proposal {proposal.id})",)


def test_who_takes_no_messages_is_named_and_so_is_a_silent_site(town: Town) -> None:
    town.settle("  hello: {use: welcome, on: [forum], after: 6 hours}\n")
    who = town.member("20", joined=1)
    town.topic("t", "20", ("20", 1, "Here I am."))
    town.profiles[who] = Profile(accepts=False, reason="takes no private messages")
    assert town.why("hello", who).held_by == ("welcome: takes no private messages",)

    def silent(member: Ref) -> Profile:
        raise Unreachable("no answer.")

    town.engine.profile = silent
    assert town.why("hello", who).held_by == ("welcome: no answer.",)


def test_a_budget_is_named_with_the_day_when_it_allows_more(town: Town) -> None:
    note = "  n: {use: rule, on: [forum], for: member, when: {posts: '>= 1'}, do: [%s]}\n"
    do = "{send_message: {message: rule-note}}"
    budget = FREE.replace("messages: 100", "messages: 1")
    town.settle(note % do + (note % do).replace("n:", "m:", 1), budget)
    who = town.member("2")
    town.topic("10", "2", ("2", 1, "x"))
    town.run("n")
    (reason,) = town.why("m", who).held_by
    assert reason.endswith("has heard from us once in the last 7 days, until 2026-04-07 12:00 UTC")


def test_a_policy_that_is_off_or_looks_elsewhere_says_so(town: Town) -> None:
    town.settle(SIMPLE.replace("use:", "mode: off, use:"))
    topic = town.topic("10", "2", ("2", 1, "x"))
    page = town.topic("20", "2", ("2", 1, "x"), site="wiki", kind="page")
    assert "the policy is off" in town.why("r", topic).held_by
    assert "the policy does not look after wiki" in town.why("r", page).held_by


def test_a_thread_that_was_warned_waits_for_the_end_of_its_grace(town: Town) -> None:
    town.settle("  s: {use: stale, on: [forum], warn: {grace: 14 days}, then: [close]}\n")
    topic = town.topic("10", "2", ("2", 300, "How?"), ("3", 299, "So."))
    town.run()
    assert town.why("s", topic).held_by == ("warned on 2026-03-31; the grace ends on 2026-04-14",)


def test_a_greeted_newcomer_is_not_meant_because_greeted(town: Town) -> None:
    town.settle("  w: {use: welcome, on: [forum]}\n")
    who = town.member("2", joined=1)
    town.topic("10", "2", ("2", 1, "x"), ("3", 0.5, "Hello."))
    why = town.why("w", who)
    assert not why.matches
    assert Reason("greeted: no", "yes", False) in why.conditions


instants = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)).map(lambda when: when.replace(tzinfo=UTC))
lengths = st.builds(Duration, st.integers(0, 40), st.sampled_from(["hour", "day", "week", "month", "year"]))


@given(start=instants, now=instants, length=lengths, operator=st.sampled_from([">", ">=", "<", "<="]))
@example(
    start=datetime(2026, 1, 31, tzinfo=UTC), now=datetime(2026, 2, 1, tzinfo=UTC),
    length=Duration(1, "month"), operator=">",
)  # fmt: skip
def test_a_date_that_is_named_is_when_the_condition_turns(
    start: datetime, now: datetime, length: Duration, operator: str
) -> None:
    test, instant = AgeIs(operator, length, ""), timedelta(microseconds=1)
    value = micros(start)
    holds = test.holds(value, now)
    due = test.until(value, now) if operator[0] == "<" else test.next(value, now)
    assert (due is not None) == (holds if operator[0] == "<" else not holds)
    if due is not None:
        assert due >= now
        assert test.holds(value, due + instant) != holds
        assert test.holds(value, max(now, due - timedelta(days=1))) == holds
