"""Stale threads."""

from __future__ import annotations

from typing import Any

import pytest

from ordito.connectors.actions import ArchiveThread, CloseThread, Reply, SetLabels, UnlistThread
from ordito.policies.engine import Plan
from ordito.sync.outbox import Decision
from tests.policies.town import SITES, Town

CLOSE = """\
  tidy:
    use: stale
    on: [forum]
    warn: {grace: 14 days}
    then: [close]
"""


def held(plan: Plan, item: object) -> list[str]:
    return [each.by for each in plan.held if each.item == str(item)]


@pytest.fixture
def quiet(town: Town) -> Town:
    """A topic that somebody answered 200 days ago; its author never came back to it."""
    town.settle(CLOSE)
    town.member("2")
    town.member("3")
    town.topic("10", "2", ("2", 201, "How do I prune?"), ("3", 200, "In March."))
    return town


def test_first_a_warning_then_the_grace_then_the_topic_is_closed_on_the_same_approval(quiet: Town) -> None:
    (warning,) = quiet.proposed()
    assert (warning.step, warning.verb, str(warning.item)) == ("warn", "reply", "forum:thread:10")
    quiet.approve(warning)
    quiet.apply()
    assert [type(each) for each in quiet.performed] == [Reply]
    quiet.later(days=13)
    plan = quiet.plan()
    assert not plan.proposals
    assert held(plan, warning.item) == ["grace"]
    quiet.later(days=1)
    (closing,) = quiet.proposed()
    assert (closing.step, closing.state, closing.approved_by) == ("close", "approved", "anna")
    assert closing.after == warning.id
    assert closing.because[-1].fact == "warned"
    quiet.apply()
    assert quiet.performed[1:] == [CloseThread(site="forum", thread="10")]


def test_a_reply_during_the_grace_keeps_the_topic_open(quiet: Town) -> None:
    quiet.run()
    quiet.later(days=5)
    quiet.post("10", "3", text="One more thing.")
    quiet.later(days=30)
    assert not quiet.proposed()


def test_a_reply_after_the_closing_was_approved_still_stops_it(quiet: Town) -> None:
    quiet.run()
    quiet.later(days=15)
    (closing,) = quiet.proposed()
    quiet.post("10", "3", text="Wait!")
    report = quiet.apply()
    assert [number for number, _ in report.superseded] == [closing.id]
    assert [type(each) for each in quiet.performed] == [Reply]


def test_our_own_warning_is_no_activity(quiet: Town) -> None:
    quiet.run()
    quiet.later(days=15)
    (closing,) = quiet.proposed()
    assert closing.occasion.startswith("quiet since 2025-09-12")


def test_a_new_quiet_period_is_a_new_occasion_with_a_new_warning(quiet: Town) -> None:
    (first,) = quiet.run()
    quiet.later(days=5)
    quiet.post("10", "3", text="Still here.")
    quiet.later(days=181)
    (second,) = quiet.proposed()
    assert second.step == "warn"
    assert first.verb == second.verb


def test_a_rejected_warning_is_not_asked_again_in_the_same_quiet_period(quiet: Town) -> None:
    quiet.decide(Decision.REJECTED, *quiet.proposed())
    quiet.later(days=30)
    assert not quiet.proposed()


def test_an_unanswered_question_is_reported_and_never_closed(town: Town) -> None:
    town.settle(CLOSE)
    town.member("2")
    topic = town.topic("10", "2", ("2", 300, "Does anybody know?"))
    plan = town.plan()
    assert not plan.proposals
    assert held(plan, topic) == ["unanswered"]


def test_an_author_who_asks_again_is_waited_for_by_the_community(town: Town) -> None:
    town.settle(CLOSE)
    town.member("2")
    town.member("3")
    topic = town.topic("10", "2", ("2", 300, "How?"), ("3", 299, "So."), ("2", 298, "And then?"))
    plan = town.plan()
    assert not plan.proposals
    assert held(plan, topic) == ["unanswered"]


@pytest.mark.parametrize("flag", ["pinned", "closed", "archived"])
def test_pinned_closed_and_archived_topics_are_left_alone(town: Town, flag: str) -> None:
    town.settle(CLOSE)
    town.member("2")
    fields: Any = {flag: True}
    town.topic("10", "2", ("2", 300, "So."), ("3", 299, "So be it."), **fields)
    plan = town.plan()
    assert not plan.proposals
    assert not plan.held


def test_a_solved_topic_with_a_question_at_its_end_may_be_closed(town: Town) -> None:
    town.settle(CLOSE)
    town.member("2")
    town.topic("10", "2", ("2", 300, "How?"), ("3", 299, "So."), ("2", 298, "Is it?"), solved_by="1001")
    assert [each.step for each in town.proposed()] == ["warn"]


def test_without_a_warning_every_step_comes_at_once_and_what_is_so_already_is_left_out(town: Town) -> None:
    town.settle("""\
  tidy: {use: stale, on: [forum], then: [close, archive, unlist, label], label: old}
""")
    town.member("2")
    town.topic("10", "2", ("2", 300, "How?"), ("3", 299, "So."))
    town.topic("11", "2", ("2", 300, "How?"), ("3", 299, "So."), closed=True, visible=False,
               labels=["old"])  # fmt: skip
    for id in range(20, 30):  # so that the share of what is looked at is no limit
        town.topic(str(id), "2", ("2", 1, "Hm."))
    done = town.run()
    assert done == [
        CloseThread(site="forum", thread="10"),
        ArchiveThread(site="forum", thread="10"),
        UnlistThread(site="forum", thread="10"),
        SetLabels(site="forum", thread="10", add=("old",)),
        ArchiveThread(site="forum", thread="11"),
    ]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("for more than 180 days", "another 14 days, it will be closed", "rule of the moderators")),
        ("it", ("da più di 180 giorni", "ancora per 14 giorni, verrà chiusa", "una regola dei moderatori")),
    ],
)
def test_the_warning_says_how_long_what_will_happen_and_why(town: Town, language: str, words: object) -> None:
    town.settle(CLOSE, more=f"language: {language}\n")
    town.member("2")
    town.topic("10", "2", ("2", 300, "How?"), ("3", 299, "So."))
    (warning,) = town.run()
    assert isinstance(warning, Reply)
    assert isinstance(words, tuple)
    assert [word for word in words if word not in warning.text] == []
    assert "STOP" in warning.text


def test_without_a_threshold_the_warning_names_no_number(town: Town) -> None:
    town.settle("""\
  tidy:
    use: stale
    on: [forum]
    when: {age: "> 1 year", waiting_on: [author]}
    warn: {grace: 14 days}
    then: [close]
""")
    town.topic("10", "2", ("2", 400, "How?"), ("3", 300, "So."))
    (warning,) = town.run()
    assert isinstance(warning, Reply)
    assert "quiet for some time." in warning.text


def test_a_topic_with_posts_of_excluded_members_is_not_known_to_be_quiet(town: Town) -> None:
    shy = SITES.replace("forum: {", "forum: {exclude: {members: [shy]}, ")
    town.settle(CLOSE, sites=shy)
    town.member("2")
    topic = town.topic("10", "2", ("2", 300, "How?"), ("3", 299, "So."))
    plan = town.plan()
    assert not plan.proposals
    assert [each.by for each in plan.held] == ["unknown"]
    assert town.why("tidy", topic).conditions[0].holds is None
