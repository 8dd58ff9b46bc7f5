"""Candidates that are only made where somebody looks at them are those that are found one by one."""

from __future__ import annotations

from collections import Counter

import pytest

from ordito.connectors.records import Ref
from ordito.policies.kind import Candidate, Crowd, Held
from ordito.sync.outbox import Decision, State
from tests.policies.town import Town

CLOSE = """\
  tidy:
    use: stale
    on: [forum]
    when: {quiet: "> 90 days", waiting_on: [nobody, author]}
    then: [close]
"""
TIGHT = """\
constitution:
  limits: {per_run: 100, per_policy: 3, share: 100%}
"""
POLICIES = {
    "close": CLOSE,
    "unlist, and label what is not": CLOSE.replace("[close]", "[unlist, label]") + "    label: old\n",
    "warn": CLOSE + "    warn: {grace: 14 days}\n",
    "rule": """\
  tidy:
    use: rule
    for: thread
    on: [forum]
    when: {title: {contains: "topic"}}
    do: [{close_thread: {}}, {set_labels: {add: [old]}}]
""",
    "rule on members": """\
  tidy:
    use: rule
    for: member
    on: [forum]
    when: {joined: "> 1 day"}
    do: [{send_message: {message: notice}}]
""",
}


@pytest.fixture
def crowded(town: Town) -> Town:
    """Eight quiet topics: one unlisted, one labelled, one both, one closed, two since the same moment."""
    town.settle(CLOSE, TIGHT)
    for number in range(1, 9):
        who = f"m{number}"
        town.member(who)
        asked = 500.0 - 10 * (number if number != 7 else 6)
        labels = ["old"] if number in (3, 4) else []
        posts = (who, asked, "How?"), ("x", asked - 5, "So.")
        town.topic(str(number), who, *posts, title=f"topic {number}", labels=labels)
    thread = {number: Ref("forum", "thread", str(number)) for number in range(1, 9)}
    for number in (2, 4):
        town.change(thread[number], visible=False)
    town.change(thread[5], closed=True)
    return town


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_survey_finds_what_is_found_one_by_one(crowded: Town, policy: str) -> None:
    crowded.settle(policy, TIGHT)
    kind = crowded.engine.policies["tidy"]
    with crowded.store.read(scratch=True) as conn:
        community = crowded.engine.community(conn, crowded.now)
        single = [each for each in kind.propose(community, "forum") if isinstance(each, Candidate)]
        found = list(kind.survey(community, "forum"))
        crowds = [each for each in found if isinstance(each, Crowd)]
        assert crowds and not [each for each in found if isinstance(each, Candidate)]
        promised = Counter(
            (since, str(Ref(each.site, each.items, id)), each.occasion(since), step)
            for each in crowds for since, id in each.waits for step in each.steps
        )  # fmt: skip
        assert promised == Counter((c.since, str(c.item), c.occasion, c.step) for c in single)
        for crowd in crowds:
            ids = [id for _, id in crowd.waits]
            made = [each for each in crowd.make(ids[:2])]
            assert {each.item.id for each in made} == set(ids[:2])
            assert [each.step for each in made if each.item.id == ids[0]] == list(crowd.steps)
            for each in made:
                (same,) = [other for other in single if other.key == each.key]
                assert (tuple(each.because), each.since) == (tuple(same.because), same.since)
        community.close()


def test_a_limit_lets_the_longest_wait_through_and_names_every_other(crowded: Town) -> None:
    plan = crowded.plan()
    assert [each.item.id for each in plan.proposals] == ["1", "2", "3"]
    held = [each for each in plan.held if each.by == "limit"]
    assert [each.item for each in held] == [f"forum:thread:{id}" for id in "4678"]
    assert all(isinstance(each, Held) for each in held)


def test_what_was_decided_takes_no_place_and_is_not_held_by_the_limit(crowded: Town) -> None:
    first = crowded.plan().proposals
    crowded.decide(Decision.REJECTED, *first)
    plan = crowded.plan()
    assert [each.item.id for each in plan.proposals] == ["4", "6", "7"]
    assert [each.item for each in plan.held if each.by == "limit"] == ["forum:thread:8"]
    assert [crowded.get(each).state for each in first] == [State.REJECTED] * 3
    # Those that wait for a decision fill the limit; none of them is superseded, or held.
    third = crowded.plan()
    assert not third.proposals
    assert [each.item for each in third.held if each.by == "limit"] == ["forum:thread:8"]
    assert [crowded.get(each).state for each in plan.proposals] == [State.PROPOSED] * 3


def test_what_no_longer_matches_is_superseded_though_only_some_were_made(crowded: Town) -> None:
    proposed = crowded.plan().proposals
    crowded.post("2", "m2", days=1, text="I am back.")
    crowded.plan()
    assert [crowded.get(each).state for each in proposed] == [
        State.PROPOSED, State.SUPERSEDED, State.PROPOSED
    ]  # fmt: skip
