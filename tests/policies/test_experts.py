"""Recognising experts."""

from __future__ import annotations

from typing import Any

import pytest

from ordito.connectors.actions import AddToGroup, EditText, GrantBadge, RemoveFromGroup, SendMessage, SetTitle
from ordito.connectors.records import Kind, Ref
from ordito.policies.pages import MARKERS
from ordito.sync.store import tables
from tests.policies.town import FREE, Town

PAGE = "wiki:title:Club:Experts"


def policy(give: str, more: str = "", on: str = "[forum]") -> str:
    return (
        f"  e: {{use: experts, on: {on}, areas: spaces, at_least: {{evidence: 5, people: 3}}, top: 2,"
        f" give: {{{give}}}{more}}}\n"
    )


def helper(town: Town, id: str, answers: int, people: int = 5, days: float = 10, **fields: Any) -> Ref:
    """Somebody who answered so often, so many people, each time in another topic of Help."""
    who = town.member(id, **fields)
    with town.at_once():
        for number in range(answers):
            asker = f"asker{number % people}"
            town.topic(f"{id}-{number}", asker, (asker, days + 1, "How?"), (id, days, "So."))
    return who


def members(actions: list) -> list[str]:  # type: ignore[type-arg]
    return [each.member for each in actions]


def test_evidence_and_people_must_both_be_enough(town: Town) -> None:
    town.settle(policy("badge: Expert"))
    helper(town, "2", answers=4)
    helper(town, "3", answers=6, people=2)
    helper(town, "4", answers=5, people=3)
    assert town.run() == [GrantBadge(site="forum", member="4", badge="Expert")]


def test_only_the_top_are_named_and_old_answers_fade(town: Town) -> None:
    town.settle(policy("badge: Expert", more=", half_life: 100 days"))
    helper(town, "2", answers=10, days=500)  # worth a third of an answer each
    helper(town, "3", answers=7)
    helper(town, "4", answers=6)
    assert sorted(members(town.run())) == ["3", "4"]


def test_bots_suspended_and_excepted_members_are_not_named_and_make_room(town: Town) -> None:
    town.settle(policy("badge: Expert", more=", except: {groups: [staff]}"))
    helper(town, "2", answers=9, bot=True)
    helper(town, "3", answers=9, suspended_until=town.ago(-5))
    helper(town, "4", answers=9, groups=["staff"])
    helper(town, "5", answers=6)
    assert members(town.run()) == ["5"]


def test_whom_the_constitution_leaves_alone_makes_room_and_is_reported(town: Town) -> None:
    town.settle(policy("badge: Expert"), FREE + "  never: {groups: [elders]}\n")
    never = helper(town, "2", answers=9, groups=["elders"])
    out = helper(town, "3", answers=8)
    town.opt_out(out)
    for id, answers in (("4", 7), ("5", 6), ("6", 5)):
        helper(town, id, answers=answers)
    plan = town.plan()
    assert {each.item.id: each.because[-1].value for each in plan.proposals} == {
        "4": "3 (score 2.6), 1 of those who may be recognised",
        "5": "4 (score 2.4), 2 of those who may be recognised",
    }
    assert {(each.item, each.by) for each in plan.held} == {(str(never), "never"), (str(out), "opt-out")}


def test_who_is_below_the_top_when_it_is_carried_out_gets_nothing(town: Town) -> None:
    town.settle(policy("badge: Expert"))
    helper(town, "2", answers=5)
    town.approve(*town.proposed())
    helper(town, "3", answers=8)
    helper(town, "4", answers=7)
    report = town.apply()
    assert len(report.superseded) == 1
    assert town.performed == []


def test_a_group_that_is_missing_is_reported_and_one_that_is_there_is_joined_once(town: Town) -> None:
    town.settle(policy('group: "experts-{area}"'))
    who = helper(town, "2", answers=5)
    plan = town.plan()
    assert not plan.proposals
    assert [(each.item, each.by) for each in plan.held] == [(str(who), "missing")]
    town.group("experts-help")
    assert town.run() == [AddToGroup(site="forum", member="2", group="experts-help")]
    town.join("2", "experts-help")
    assert town.run() == []


def test_falling_a_little_keeps_the_group_and_falling_far_ends_it(town: Town) -> None:
    town.settle(policy("group: experts", more=", keep_until: {rank: 3}"))
    town.group("experts")
    helper(town, "2", answers=5)
    town.run()
    town.join("2", "experts")
    helper(town, "3", answers=6)
    helper(town, "4", answers=7)
    assert {type(each) for each in town.run()} == {AddToGroup}  # of the two others
    helper(town, "5", answers=8)
    done = [each for each in town.run() if each.item.id == "2"]
    assert done == [RemoveFromGroup(site="forum", member="2", group="experts")]
    assert [each for each in town.run() if each.item.id == "2"] == []


def test_a_badge_is_taken_back_only_if_the_policy_says_so(town: Town) -> None:
    town.settle(policy("badge: Expert", more=", keep_until: {rank: 1}"))
    helper(town, "2", answers=5)
    town.run()
    helper(town, "3", answers=9)
    assert {each.verb for each in town.run()} == {"grant_badge"}
    town.settle(policy("badge: Expert", more=", keep_until: {rank: 1}, withdraw: [badge]"))
    assert [(each.verb, each.item.id) for each in town.run()] == [("revoke_badge", "2")]


# --- consent and the directory ----------------------------------------------------------------------------

LISTED = policy(f'directory: "{PAGE}", title: Sage')


def asked(town: Town) -> SendMessage:
    (question,) = town.run()
    assert isinstance(question, SendMessage)
    return question


def answer(town: Town, text: str, by: str = "2") -> None:
    town.post("m1", by, text=text)
    town.later(minutes=5)


def test_before_a_title_or_a_place_in_the_directory_one_question_is_asked(town: Town) -> None:
    town.settle(LISTED)
    helper(town, "2", answers=5)
    question = asked(town)
    assert "https://forum.example.org/p/" in question.text
    assert "](https://wiki.example.org/index.php?title=Club:Experts)" in question.text
    assert "“Sage”" in question.text
    town.later(days=60)
    assert town.run() == []


def test_a_yes_brings_the_title_and_the_directory(town: Town) -> None:
    town.settle(LISTED)
    helper(town, "2", answers=5)
    asked(town)
    answer(town, "Yes!\n\nWith pleasure.")
    title, page = sorted(town.run(), key=lambda each: each.verb, reverse=True)
    assert title == SetTitle(site="forum", member="2", title="Sage")
    assert isinstance(page, EditText)
    assert (page.site, page.title, page.markers, page.expected) == ("wiki", "Club:Experts", MARKERS, None)
    assert "user2" in page.text
    assert "nobots" in page.text


def test_of_several_areas_the_title_names_the_one_that_somebody_knows_best(town: Town) -> None:
    town.settle(policy('title: "Knows {area}", group: "know-{area}"'))
    town.space("9", "Honey")
    who = helper(town, "2", answers=5)
    for number in range(8):
        asker = f"asker{number % 5}"
        town.topic(f"h{number}", asker, (asker, 11, "How?"), ("2", 10, "So."), space="9")
    for area in ("help", "honey"):
        town.group(f"know-{area}")
    question = next(each for each in town.run() if isinstance(each, SendMessage))
    assert "“Knows Honey”" in question.text
    answer(town, "Yes!")
    assert [each for each in town.run() if isinstance(each, SetTitle)] == [
        SetTitle(site="forum", member=who.id, title="Knows Honey")
    ]


def test_who_bears_a_title_keeps_it(town: Town) -> None:
    town.settle(LISTED)
    who = helper(town, "2", answers=5, title="Founder")
    asked(town)
    answer(town, "Yes!")
    plan = town.plan()
    assert {each.verb for each in plan.proposals} == {"edit_text"}
    assert [(each.item, each.reason) for each in plan.held if each.by == "title"] == [
        (str(who), "user2 bears the title “Founder” already")
    ]
    town.change(who, title="Sage")
    assert not [each for each in town.plan().held if each.by == "title"]


def test_a_no_is_for_good(town: Town) -> None:
    town.settle(LISTED)
    helper(town, "2", answers=5)
    asked(town)
    answer(town, "no, thank you".partition(",")[0])
    town.later(days=400)
    helper(town, "2b", answers=0)
    assert town.run() == []


def test_somebody_else_cannot_say_yes_for_them(town: Town) -> None:
    town.settle(LISTED)
    helper(town, "2", answers=5)
    asked(town)
    answer(town, "YES", by="3")
    assert town.run() == []


def test_the_last_answer_counts(town: Town) -> None:
    town.settle(LISTED)
    helper(town, "2", answers=5)
    asked(town)
    answer(town, "sì")
    answer(town, "NO")
    assert town.run() == []


def page(town: Town, text: str) -> None:
    """The directory as it stands on the wiki and in the mirror."""
    with town.store.write() as conn:
        conn.execute(tables.contributions.delete().where(tables.contributions.c.site == "wiki"))
        conn.execute(tables.threads.delete().where(tables.threads.c.site == "wiki"))
    town.topic("1", None, (None, 0, text), site="wiki", space="4", kind="page", title="Club:Experts")


def listed(town: Town) -> EditText:
    (edit,) = [each for each in town.run() if isinstance(each, EditText)]
    return edit


def test_the_page_is_edited_only_when_it_changes_and_what_people_wrote_around_it_stays(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed"))
    helper(town, "2", answers=5)
    first = listed(town)
    page(town, f"Our own words.\n{MARKERS[0]}\n{first.text}\n{MARKERS[1]}\nMore of them.")
    assert town.run() == []
    helper(town, "3", answers=6)
    second = listed(town)
    assert second.expected == first.text
    assert "user3" in second.text


def test_a_page_that_has_no_block_yet_gets_one(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed"))
    helper(town, "2", answers=5)
    page(town, "Only words of people.")
    assert listed(town).expected == ""


def test_nobots_on_the_talk_page_ends_the_listing(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed"))
    who = helper(town, "2", answers=5)
    helper(town, "3", answers=6)
    first = listed(town)
    page(town, f"{MARKERS[0]}\n{first.text}\n{MARKERS[1]}")
    there = town.member("7", site="wiki")
    town.link(who, there)
    town.topic("t", "7", ("7", 0, "{{nobots}}"), site="wiki", space="3", kind="talk", title="User talk:user7")
    assert "user2" not in listed(town).text


def test_an_opt_out_ends_the_listing(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed"))
    who = helper(town, "2", answers=5)
    helper(town, "3", answers=6)
    first = listed(town)
    assert "user2" in first.text
    page(town, f"{MARKERS[0]}\n{first.text}\n{MARKERS[1]}")
    town.opt_out(who)
    second = listed(town)
    assert "user2" not in second.text
    assert "user3" in second.text


def test_somebody_who_agreed_and_then_opted_out_is_taken_off_as_well(town: Town) -> None:
    town.settle(LISTED)
    who = helper(town, "2", answers=5)
    asked(town)
    answer(town, "YES")
    text = listed(town).text
    assert "who agreed to be named" in text
    page(town, f"{MARKERS[0]}\n{text}\n{MARKERS[1]}")
    town.opt_out(who)
    assert "user2" not in listed(town).text


def test_what_was_proposed_for_the_page_goes_when_the_list_changes(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed"))
    helper(town, "2", answers=5)
    (before,) = town.proposed()
    helper(town, "3", answers=6)
    (after,) = town.proposed()
    assert town.get(before).state == "superseded"
    assert after.occasion != before.occasion


def test_nothing_is_listed_before_every_site_was_read(town: Town) -> None:
    town.settle(policy(f'directory: "{PAGE}"', more=", consent: assumed", on="[forum, wiki]"))
    helper(town, "2", answers=5)
    with town.store.write() as conn:
        c = tables.checkpoints
        conn.execute(c.update().where(c.c.site == "forum").values(complete=False))
    plan = town.plan()
    assert not plan.proposals
    assert ("wiki:title:Club:Experts", "coverage") in [(each.item, each.by) for each in plan.held]


def test_why_names_the_evidence_for_an_expert(town: Town) -> None:
    town.settle(policy("badge: Expert"))
    helper(town, "2", answers=5)
    why = town.why("e", Ref("forum", Kind.MEMBER, "2"))
    assert why.matches
    assert why.conditions[0].condition == "answers in Help >= 5"
    assert why.conditions[0].value == "5"


@pytest.mark.parametrize(
    ("at", "recognised"),
    [(1, {"title", "directory"}), (2, set()), (3, set())],
    ids=["before", "with", "after"],
)
def test_of_answers_on_two_accounts_the_newer_and_else_the_more_cautious_counts(
    town: Town, at: int, recognised: set[str]
) -> None:
    town.settle(LISTED)
    who = helper(town, "2", answers=5)
    other = town.member("7", site="wiki")
    town.link(who, other)
    said = ((other, "yes", 2), (who, "unclear", at))
    with town.store.write() as conn:
        for each, answer, when in said:
            key = {"site": each.site, "member": each.id, "about": "e"}
            conn.execute(tables.consents.insert().values(**key, answer=answer, at=when, evidence=""))
    assert {each.step for each in town.proposed()} == recognised


@pytest.mark.parametrize(("years", "named"), [(0, ["2"]), (2, ["2"]), (12, [])])
def test_nobody_is_recognised_whose_evidence_has_faded_to_nothing(
    town: Town, years: int, named: list[str]
) -> None:
    town.settle(policy("badge: Expert"))
    helper(town, "2", answers=5, days=10 + 365 * years)
    assert members(town.run()) == named
