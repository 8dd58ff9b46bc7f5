"""What experts were given, what is taken back, and what is given again."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from ordito.connectors.actions import Action, AddToGroup, EditText, GrantBadge, RemoveFromGroup, RevokeBadge
from ordito.policies.pages import MARKERS
from ordito.sync.outbox import Decision, State, select
from ordito.sync.outbox.listing import Filters
from ordito.sync.store import tables
from ordito.sync.store.times import micros
from tests.policies.test_experts import PAGE, helper, listed, page, policy
from tests.policies.town import Town

GROUP = policy("group: experts", more=", keep_until: {rank: 2}")
BADGE = policy("badge: Expert", more=", keep_until: {rank: 2}, withdraw: [badge]")


@pytest.fixture
def member(town: Town) -> Town:
    """2 is an expert and was given the group."""
    town.settle(GROUP)
    town.group("experts")
    helper(town, "2", answers=5)
    assert town.run() == [AddToGroup(site="forum", member="2", group="experts")]
    join(town, "2")
    return town


def leave(town: Town, id: str, group: str = "experts") -> None:
    """The mirror sees that somebody is not in a group any more."""
    s = tables.states
    with town.store.write() as conn:
        conn.execute(
            update(s)
            .where(s.c.item == id, s.c.field == "group", s.c.value == group, s.c.valid_to.is_(None))
            .values(valid_to=micros(town.now))
        )
    town.later(days=1)


def join(town: Town, id: str) -> None:
    """The mirror sees that somebody is in the group now."""
    row = {"site": "forum", "kind": "member", "item": id, "field": "group", "value": "experts"}
    with town.store.write() as conn:
        conn.execute(tables.states.insert().values(**row, valid_from=micros(town.now), source="observed"))
    town.later(days=1)


def of(actions: list[Action], id: str) -> list[Action]:
    return [each for each in actions if getattr(each, "member", "") == id]


def overtaken(town: Town, *by: str, answers: int = 7) -> None:
    for id in by:
        helper(town, id, answers=answers)


def more(town: Town, id: str, answers: int) -> None:
    with town.at_once():
        for number in range(answers):
            asker = f"asker{number % 5}"
            town.topic(f"{id}+{number}", asker, (asker, 1, "How?"), (id, 0.5, "So."))


def test_who_fell_and_rises_again_is_given_the_group_again_each_time(member: Town) -> None:
    overtaken(member, "3", "4")
    assert of(member.run(), "2") == [RemoveFromGroup(site="forum", member="2", group="experts")]
    leave(member, "2")
    more(member, "2", 9)
    assert of(member.run(), "2") == [AddToGroup(site="forum", member="2", group="experts")]
    join(member, "2")
    overtaken(member, "5", "6", answers=40)
    assert of(member.run(), "2") == [RemoveFromGroup(site="forum", member="2", group="experts")]


def test_whom_a_person_took_out_is_never_put_back(member: Town) -> None:
    leave(member, "2")
    assert of(member.run(), "2") == []
    overtaken(member, "3", "4")
    assert of(member.run(), "2") == [], "there is nothing to take back either"
    more(member, "2", 20)
    assert of(member.run(), "2") == []


def test_whom_a_person_put_back_is_not_taken_out_by_us(member: Town) -> None:
    leave(member, "2")
    join(member, "2")
    overtaken(member, "3", "4")
    assert of(member.run(), "2") == []


def test_a_no_to_giving_again_is_for_good(member: Town) -> None:
    overtaken(member, "3", "4")
    member.run()
    leave(member, "2")
    more(member, "2", 9)
    (again,) = [each for each in member.proposed() if each.item.id == "2"]
    assert again.occasion.startswith("experts anew")
    member.decide(Decision.REJECTED, again, reason="no more")
    member.later(days=30)
    assert of(member.run(), "2") == []


def test_a_withdrawal_that_was_undone_does_not_give_again(member: Town) -> None:
    overtaken(member, "3", "4")
    member.run()
    with member.store.write() as conn:
        gone = next(p for p in select(conn, Filters()) if p.action.verb == "remove_from_group")
        conn.execute(
            update(tables.proposals).where(tables.proposals.c.id == gone.id).values(state=State.UNDONE)
        )
    more(member, "2", 9)
    leave(member, "2")
    assert of(member.run(), "2") == []


def test_a_badge_comes_back_as_well(town: Town) -> None:
    town.settle(BADGE)
    helper(town, "2", answers=5)
    town.run()
    overtaken(town, "3", "4")
    assert of(town.run(), "2") == [RevokeBadge(site="forum", member="2", badge="Expert")]
    more(town, "2", 9)
    assert of(town.run(), "2") == [GrantBadge(site="forum", member="2", badge="Expert")]
    assert of(town.run(), "2") == []


# --- the directory --------------------------------------------------------------------------------------


def test_who_stands_in_the_directory_stays_until_they_have_fallen_far(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed, keep_until: {rank: 3}"))
    helper(town, "2", answers=5)
    first = listed(town)
    page(town, f"{MARKERS[0]}\n{first.text}\n{MARKERS[1]}")
    overtaken(town, "3", "4")
    second = listed(town)
    assert all(f"user{id}" in second.text for id in "234")
    page(town, f"{MARKERS[0]}\n{second.text}\n{MARKERS[1]}")
    overtaken(town, "5", answers=6)
    (edit,) = town.run()
    assert isinstance(edit, EditText)
    assert "agreed" not in edit.text, "nobody was asked"
    assert "user2" not in edit.text, "the fourth"
    assert "user5" not in edit.text, "the third, but never of the first two"


def test_the_reasons_for_an_edit_of_the_directory_name_who_is_listed(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed"))
    helper(town, "2", answers=5)
    helper(town, "3", answers=6)
    (proposal,) = town.proposed()
    assert [(each.fact, each.condition, each.value) for each in proposal.because] == [
        ("experts", "differ from the page", "2"),
        ("Help", "listed", "user3 · user2"),
    ]
