"""Experts on a wiki: edits that lasted, by category. And on a forum by whom people turn to."""

from __future__ import annotations

import pytest

from ordito.connectors.actions import GrantBadge
from ordito.policies.builtin.directory import STEP
from ordito.policies.insight.central import centrality
from tests.policies.test_experts import helper, policy
from tests.policies.town import Town

LISTED = (
    "  e: {use: experts, on: [wiki], areas: %s, at_least: {evidence: 2, people: 1}, consent: assumed,"
    " give: {directory: \"wiki:title:Club:Experts\"}}\n"
)


def settle(town: Town, areas: str = "labels") -> None:
    town.settle(LISTED % areas)
    for id in ("2", "3", "4"):
        town.member(id, site="wiki")


def edits(town: Town, page: str, *revisions: tuple[str, float, str]) -> None:
    """A page of the category Bees: (author, days ago, text), oldest first; equal texts have equal digests."""
    town.topic(page, revisions[0][0], site="wiki", space="0", kind="page", labels=["Bees"])
    for author, days, text in revisions:
        town.post(page, author, days, text, site="wiki", sha1=f"digest of {text}")


def named(town: Town) -> set[str]:
    """Who would stand in the directory."""
    found = [each for each in town.plan().proposals if each.step == STEP]
    return {name for each in found for b in each.because[1:] for name in b.value.split(" · ")}


def test_edits_that_lasted_make_an_expert_of_the_pages_categories(town: Town) -> None:
    settle(town)
    for page in ("10", "11"):
        edits(town, page, ("2", 90, "one"), ("3", 60, "one two"))
    (proposal,) = town.proposed()
    assert (proposal.because[1].fact, proposal.because[1].value) == ("Bees", "user3 · user2")


def test_a_wiki_has_categories_for_areas_where_the_forum_has_spaces(town: Town) -> None:
    settle(town, areas="spaces")
    for page in ("10", "11"):
        edits(town, page, ("2", 90, "one"), ("3", 60, "one two"))
    (proposal,) = town.proposed()
    assert proposal.because[1].fact == "Bees"


def test_what_was_undone_within_two_weeks_does_not_count_nor_does_its_undoing(town: Town) -> None:
    settle(town)
    for page in ("10", "11"):
        edits(town, page, ("2", 90, "one"), ("3", 60, "nonsense"), ("4", 59, "one"))
    assert named(town) == {"user2"}


def test_what_stood_longer_than_that_has_lasted(town: Town) -> None:
    settle(town)
    for page in ("10", "11"):
        edits(town, page, ("2", 90, "one"), ("3", 60, "two"), ("4", 40, "one"))
    assert named(town) == {"user2", "user3"}


def test_an_edit_of_yesterday_has_not_lasted_yet(town: Town) -> None:
    settle(town)
    for page in ("10", "11"):
        edits(town, page, ("2", 90, "one"), ("3", 3, "one two"))
    assert named(town) == {"user2"}
    town.later(days=12)
    assert named(town) == {"user2", "user3"}


def test_all_edits_between_a_text_and_its_return_are_undone(town: Town) -> None:
    settle(town)
    for page in ("10", "11"):
        edits(town, page, ("2", 90, "one"), ("3", 60, "x"), ("4", 58, "y"), ("3", 57, "z"), ("2", 50, "one"))
    assert named(town) == {"user2"}


# --- by the graph ---------------------------------------------------------------------------------------


def test_to_have_answered_those_who_answer_counts_for_more() -> None:
    ranks = centrality([("a", "b", 1), ("c", "b", 1), ("b", "d", 1), ("x", "y", 1), ("z", "y", 1)])
    assert max(ranks, key=lambda who: ranks[who]) == "d"
    assert ranks["b"] == pytest.approx(ranks["y"])
    assert sum(ranks.values()) / len(ranks) == pytest.approx(1)
    assert ranks["a"] < 1 < ranks["d"]


def test_the_graph_finds_whom_the_busy_turn_to(town: Town) -> None:
    def settle(score: str) -> None:
        town.settle(policy("badge: Expert", more=f", score: {score}").replace("top: 2", "top: 1"))

    settle("z")
    for id in ("2", "3"):
        helper(town, id, answers=20)
    who = town.member("4")
    for number in range(5):
        asker = ("2", "3", "asker0")[number % 3]
        town.topic(f"q{number}", asker, (asker, 12, "How?"), (who.id, 11, "So."))
    by_count = {each.item.id for each in town.proposed()}
    settle("pagerank")
    assert "4" not in by_count
    assert town.run() == [GrantBadge(site="forum", member="4", badge="Expert")]
