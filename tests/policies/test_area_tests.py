"""Conditions about somebody's expertise, by area."""

from __future__ import annotations

from typing import Any

import pytest

from ordito.config.placed import PlacedErrors
from ordito.connectors.records import Kind, Ref
from ordito.policies.conditions import parse
from tests.policies.test_experts import helper
from tests.policies.town import Town

RULE = "  r: {use: rule, for: %s, on: [forum], when: {%s}, do: [%s]}\n"
BADGE, CLOSE = "{grant_badge: {badge: Helper}}", "{close_thread: {}}"


@pytest.fixture
def helped(town: Town) -> Town:
    """2 answered nine times in Help, where five others asked."""
    town.settle(RULE % ("member", "posts: '>= 1'", BADGE))
    for number in range(5):
        town.member(f"asker{number}")
    helper(town, "2", answers=9)
    return town


def meant(town: Town, when: str, subject: str = "member", do: str = BADGE) -> set[str]:
    town.settle(RULE % (subject, when, do))
    return {each.item.id for each in town.plan(dry_run=True).proposals}


def test_a_score_is_asked_by_area_in_whatever_case_and_all_of_them_must_hold(helped: Town) -> None:
    assert meant(helped, 'expertise: {HELP: ">= 2"}') == {"2"}
    assert meant(helped, 'expertise: {help: ">= 2", lounge: "> 0"}') == set()
    assert meant(helped, 'expertise: {help: ">= 2", lounge: "0"}') == {"2"}


def test_who_asks_more_than_they_answer_is_below_zero_and_who_does_neither_has_none(helped: Town) -> None:
    helped.member("8")
    askers = {f"asker{number}" for number in range(5)}
    assert meant(helped, 'expertise: {help: "< 0"}') == askers
    assert meant(helped, 'expertise: {help: "0"}') == {"8"}


def test_a_bare_test_asks_about_the_best_area(helped: Town) -> None:
    assert meant(helped, 'expertise: ">= 2"') == {"2"}
    assert "2" not in meant(helped, 'expertise: "< 2"')


def test_labels_are_areas_as_well(helped: Town) -> None:
    helped.topic("t", "asker0", ("asker0", 3, "How?"), ("asker1", 2, "So."), space="2", labels=["Bees"])
    assert meant(helped, 'expertise: {bees: "> 0"}') == {"asker1"}


def test_an_authors_expertise_is_asked_of_their_threads(helped: Town) -> None:
    topic = helped.topic("t", "2", ("2", 3, "How?"), space="2")
    assert meant(helped, 'author.expertise: {help: ">= 2"}', "thread", CLOSE) == {topic.id}


def test_why_shows_the_areas_that_are_asked_about(helped: Town) -> None:
    when = 'expertise: {help: ">= 2", bees: "> 0"}'
    helped.settle(RULE % ("member", when, BADGE))
    reason = helped.why("r", Ref("forum", Kind.MEMBER, "2")).conditions[0]
    assert reason.condition == "expertise: >= 2 in help, > 0 in bees"
    assert (reason.value, reason.holds) == ("Help 3.0, bees 0.0", False)


@pytest.mark.parametrize(
    ("written", "path", "fault"),
    [
        ({"help": "lots"}, ("expertise", "help"), "'lots' does not compare a number."),
        ({}, ("expertise",), "is empty; name an area and compare its score."),
        ("many", ("expertise",), "'many' does not compare a number."),
        ({"help": {"bees": 1}}, ("expertise", "help"), "does not compare a number."),
    ],
)
def test_what_compares_nothing_is_an_error_at_its_place(written: Any, path: Any, fault: str) -> None:
    with pytest.raises(PlacedErrors) as found:
        parse({"expertise": written}, "member")
    (error,) = found.value.errors
    assert error.path == path
    assert fault in str(error)
