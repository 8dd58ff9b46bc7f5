"""Welcoming newcomers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from ordito.connectors.actions import SendMessage
from ordito.connectors.base import Profile
from ordito.connectors.records import Kind as RecordKind
from ordito.connectors.records import Ref
from ordito.sync.outbox import Decision
from ordito.sync.store import tables
from tests.policies.town import FREE, NOW, Town

WELCOME = "  hello: {use: welcome, on: [forum], after: 6 hours}\n"
BOTH = "  hello: {use: welcome, on: [forum, wiki], after: 6 hours}\n"


def newcomer(town: Town, id: str = "20", days: float = 1, text: str = "Here I am.", **fields: Any) -> Ref:
    who = town.member(id, joined=days, **fields)
    town.topic(f"t{id}", id, (id, days, text))
    return who


def addressed(town: Town) -> list[str]:
    return [str(each.item) for each in town.proposed()]


def test_people_have_their_six_hours_to_greet_first(town: Town) -> None:
    town.settle(WELCOME)
    who = newcomer(town, days=5 / 24)
    assert addressed(town) == []
    town.later(hours=1)
    assert addressed(town) == [str(who)]


def test_whom_somebody_greeted_is_not_greeted_again(town: Town) -> None:
    town.settle(WELCOME)
    newcomer(town)
    town.post("t20", "2", 0.5, "Good to see you!")
    assert addressed(town) == []


def test_a_programs_answer_is_no_greeting(town: Town) -> None:
    town.settle(BOTH)
    who = newcomer(town)
    there = town.member("20", site="wiki", joined=2)
    town.topic("p20", "20", ("20", 1, "text"), site="wiki", space="0", kind="page")
    for site in ("forum", "wiki"):
        town.member("8", site=site, bot=True)
    town.post("t20", "8", 0.5, "I am a program; welcome!")
    town.topic("u", "8", ("8", 0.5, "Hi!"), site="wiki", space="3", kind="talk", title="User talk:user20")
    assert addressed(town) == [str(who), str(there)]


def test_somebody_who_goes_on_alone_was_not_greeted(town: Town) -> None:
    town.settle(WELCOME)
    who = newcomer(town)
    town.post("t20", "20", 0.5, "Anybody here?")
    assert addressed(town) == [str(who)]


def test_on_a_wiki_the_own_talk_page_is_where_people_greet(town: Town) -> None:
    town.settle(BOTH)
    for id in ("20", "21"):
        town.member(id, site="wiki", joined=2)
        town.topic(f"p{id}", id, (id, 1, "text"), site="wiki", space="0", kind="page")
    town.topic("u", "2", ("2", 0.5, "Hello!"), site="wiki", space="3", kind="talk", title="User talk:user21")
    assert addressed(town) == ["wiki:member:20"]


@pytest.mark.parametrize("flag", ["bot", "staged"])
def test_programs_and_accounts_that_nobody_has_taken_are_not_welcomed(town: Town, flag: str) -> None:
    town.settle(WELCOME)
    fields: Any = {flag: True}
    newcomer(town, **fields)
    assert addressed(town) == []


@pytest.mark.parametrize("state", ["suspended_until", "silenced_until"])
def test_suspended_and_silenced_members_are_not_welcomed_until_it_is_over(town: Town, state: str) -> None:
    town.settle(WELCOME)
    fields: Any = {state: town.ago(-2)}
    who = newcomer(town, **fields)
    assert addressed(town) == []
    town.later(days=3)
    assert addressed(town) == [str(who)]


def test_old_members_and_those_who_wrote_nothing_are_no_newcomers(town: Town) -> None:
    town.settle(WELCOME)
    newcomer(town, days=15)
    town.member("21", joined=1)
    assert addressed(town) == []


def test_a_person_is_welcomed_once_whatever_becomes_of_it_later(town: Town) -> None:
    town.settle(WELCOME)
    newcomer(town)
    assert len(town.run()) == 1
    town.later(days=2)
    assert addressed(town) == []


def test_a_person_with_two_accounts_is_welcomed_on_one_of_them(town: Town) -> None:
    town.settle(BOTH)
    here = newcomer(town)
    there = town.member("77", site="wiki", joined=1)
    town.topic("p", "77", ("77", 1, "text"), site="wiki", space="0", kind="page")
    town.link(here, there)
    assert addressed(town) == [str(here)]
    assert addressed(town) == []
    assert [each.site for each in town.run()] == []
    town.approve(*town.all())
    town.apply()
    assert [each.item for each in town.performed] == [here]
    assert addressed(town) == []


def test_two_welcomes_of_two_sites_do_not_welcome_one_person_twice(town: Town) -> None:
    town.settle(WELCOME + "  ciao: {use: welcome, on: [wiki]}\n")
    here = newcomer(town)
    there = town.member("77", site="wiki", joined=1)
    town.topic("p", "77", ("77", 1, "text"), site="wiki", space="0", kind="page")
    town.link(here, there)
    assert [each.item for each in town.run()] == [here]
    town.later(days=1)
    assert addressed(town) == []


def test_the_message_is_in_the_language_of_who_gets_it(town: Town) -> None:
    town.settle(WELCOME)
    anna, aldo = newcomer(town, "20"), newcomer(town, "21")
    town.profiles[aldo] = Profile(language="it")
    texts = {each.item: each.text for each in town.run() if isinstance(each, SendMessage)}
    assert texts[anna].startswith("Hello @user20,")
    assert texts[aldo].startswith("Ciao @user21,")
    assert "in Help" in texts[anna]
    assert "in Help" in texts[aldo]


def test_their_own_unanswered_question_is_named(town: Town) -> None:
    town.settle(WELCOME)
    newcomer(town, text="How do I begin?")
    (message,) = town.run()
    assert isinstance(message, SendMessage)
    assert "[Topic t20](https://forum.example.org/t/t20)" in message.text


def test_the_page_to_start_from_is_named(town: Town) -> None:
    town.settle("  hello: {use: welcome, on: [forum], send: {start: 'https://example.org/start'}}\n")
    newcomer(town)
    (message,) = town.run()
    assert isinstance(message, SendMessage)
    assert "https://example.org/start" in message.text


def test_who_takes_no_messages_is_left_alone_and_reported(town: Town) -> None:
    town.settle(WELCOME)
    who = newcomer(town)
    town.profiles[who] = Profile(accepts=False, reason="takes no messages")
    plan = town.plan()
    assert not plan.proposals
    assert [(each.item, each.by, each.reason) for each in plan.held] == [
        (str(who), "opt-out", "takes no messages")
    ]


# --- greeters ---------------------------------------------------------------------------------------------

WITH = "  hello: {use: welcome, on: [forum], send: {with: [greeters]}}\n"


def greeters(town: Town, *ids: str) -> None:
    for id in ids:
        town.member(id, groups=["greeters"])
    town.topic("lounge", "2", *((id, days, "Talk.") for id in ids for days in (400, 10)))


def test_greeters_take_turns_and_a_welcome_keeps_its_own(town: Town) -> None:
    town.settle(WITH)
    greeters(town, "5", "6", "7")
    for id in range(20, 50):
        newcomer(town, str(id))
    actions = [each.action for each in town.proposed()]
    chosen = {each.item: each.to[1:] for each in actions if isinstance(each, SendMessage)}
    turns = Counter(with_ for (with_,) in chosen.values())
    assert set(turns) == {"5", "6", "7"}
    assert min(turns.values()) >= 4
    town.approve(*town.all())
    assert len(town.apply().applied) == 30
    assert {each.item: each.to[1:] for each in town.performed if isinstance(each, SendMessage)} == chosen


def test_a_greeter_who_has_been_away_or_wants_peace_is_not_asked(town: Town) -> None:
    town.settle(WITH)
    greeters(town, "5", "6")
    town.member("8", groups=["greeters"])  # wrote nothing
    town.opt_out(Ref("forum", "member", "5"))
    newcomer(town)
    (message,) = town.run()
    assert isinstance(message, SendMessage)
    assert message.to == ("20", "6")
    assert "@user6" in message.text


def silence(town: Town, *ids: str) -> None:
    for id in ids:
        town.profiles[Ref("forum", "member", id)] = Profile(accepts=False, reason="takes no messages")


def test_for_a_greeter_who_takes_no_messages_the_next_one_comes_or_nobody(town: Town) -> None:
    town.settle(WITH)
    greeters(town, "5", "6")
    newcomer(town)
    (first,) = town.plan(dry_run=True).proposals
    asked = first.action.to[1]  # type: ignore[union-attr]
    other = "6" if asked == "5" else "5"
    silence(town, asked)
    (message,) = town.run()
    assert isinstance(message, SendMessage)
    assert message.to == ("20", other) and f"@user{other}" in message.text
    silence(town, other)
    newcomer(town, "21")
    (alone,) = town.run()
    assert isinstance(alone, SendMessage)
    assert alone.to == ("21",) and "@user5" not in alone.text and "@user6" not in alone.text


def test_a_greeter_who_stops_taking_messages_after_the_approval_is_replaced_in_review(town: Town) -> None:
    town.settle(WITH)
    greeters(town, "5", "6")
    newcomer(town)
    (proposal,) = town.proposed()
    town.approve(proposal)
    before = proposal.action.to  # type: ignore[union-attr]
    silence(town, before[1])
    town.apply()
    assert not town.performed
    again = town.get(proposal)
    assert again.state == "proposed"
    assert again.action.to[0] == "20" and again.action.to[1] != before[1]  # type: ignore[union-attr]


def test_a_greeter_who_opts_out_is_written_to_no_more_even_where_the_text_was_edited(town: Town) -> None:
    town.settle(WITH)
    greeters(town, "5", "6")
    newcomer(town)
    (proposal,) = town.proposed()
    action = proposal.action
    assert isinstance(action, SendMessage)
    town.approve(proposal, action=replace(action, text="Written by hand."))
    town.opt_out(Ref("forum", "member", action.to[1]))
    town.apply()
    assert not town.performed
    again = town.get(proposal)
    assert isinstance(again.action, SendMessage)
    other = "6" if action.to[1] == "5" else "5"
    assert again.state == "proposed" and again.action.to == ("20", other)
    assert again.action.text == "Written by hand."
    town.approve(again)
    town.apply()
    assert town.performed == [again.action]


def test_a_welcome_does_not_wait_for_the_budget_of_its_greeter(town: Town) -> None:
    """What was written to the greeter meanwhile, by another policy, lets the next one come."""
    once = FREE.replace("messages: 100", "messages: 1")
    town.settle(WITH, once)
    greeters(town, "5", "6")
    newcomer(town)
    (proposal,) = town.proposed()
    town.approve(proposal)
    asked = proposal.action.to[1]  # type: ignore[union-attr]
    note = f"""\
  note: {{use: rule, on: [forum], for: member, when: {{username: user{asked}}},
         do: [{{send_message: {{message: rule-note}}}}]}}
"""
    town.settle(WITH + note, once)
    (news,) = town.proposed("note")
    town.approve(news)
    with town.store.write() as conn:  # the note comes first
        conn.execute(tables.proposals.update().where(tables.proposals.c.id == news.id).values(approved_at=0))
    report = town.apply()
    assert [each.to for each in town.performed] == [(asked,)]  # type: ignore[union-attr]
    assert [each.until for each in report.held] == [None]
    again = town.get(proposal)
    assert again.state == "proposed"
    assert again.action.to[1] not in ("", asked)  # type: ignore[union-attr]


def test_an_approved_welcome_without_a_greeter_is_sent_so_even_if_one_is_free_again(town: Town) -> None:
    town.settle(WITH, FREE.replace("messages: 100", "messages: 1"))
    greeters(town, "5")
    for id in ("20", "21"):
        newcomer(town, id)
    first, second = town.proposed()
    assert [len(each.action.to) for each in (first, second)] == [2, 1]  # type: ignore[union-attr]
    town.decide(Decision.REJECTED, first, reason="not this one")
    town.approve(second)
    assert [each.to for each in town.apply().applied and town.performed] == [("21",)]  # type: ignore[union-attr]


def test_who_is_named_on_a_wiki_is_the_same_in_the_plan_and_when_it_is_carried_out(town: Town) -> None:
    town.settle(WITH.replace("forum", "wiki"), FREE.replace("messages: 100", "messages: 1"))
    for id in ("5", "6"):
        town.member(id, site="wiki", groups=["greeters"])
    talk = [(id, days, "Talk.") for id in ("5", "6") for days in (400, 10)]
    town.topic("lounge", "2", *talk, site="wiki", space="0", kind="page")
    for id in map(str, range(20, 26)):
        town.member(id, site="wiki", joined=2)
        town.topic(f"p{id}", id, (id, 1, "text"), site="wiki", space="0", kind="page")
    town.proposed()
    town.approve(*town.all())
    report = town.apply()
    assert len(report.applied) == 6 and not report.held
    assert all("[[User:user5|" in each.text or "[[User:user6|" in each.text for each in town.performed)  # type: ignore[union-attr]


def test_on_a_wiki_everybody_is_named_as_often_as_the_others_and_nobody_always(town: Town) -> None:
    town.settle(WITH.replace("forum", "wiki"))
    for id in ("5", "6", "7"):
        town.member(id, site="wiki", groups=["greeters"])
    talk = [(id, days, "Talk.") for id in ("5", "6", "7") for days in (400, 10)]
    town.topic("lounge", "2", *talk, site="wiki", space="0", kind="page")
    with town.at_once():
        for id in map(str, range(20, 80)):
            town.member(id, site="wiki", joined=2)
            town.topic(f"p{id}", id, (id, 1, "text"), site="wiki", space="0", kind="page")
    texts = [each.action.text for each in town.proposed() if isinstance(each.action, SendMessage)]
    named = Counter(id for text in texts for id in "567" if f"[[User:user{id}|" in text)
    assert named.total() == len(texts) == 60
    assert min(named.values()) >= 12, named


def test_who_is_named_on_a_wiki_is_not_written_to_and_spends_none_of_their_budget(town: Town) -> None:
    town.settle(WITH.replace("forum", "wiki"), FREE.replace("messages: 100", "messages: 1"))
    town.member("5", site="wiki", groups=["greeters"])
    town.topic("lounge", "2", ("5", 400, "Talk."), ("5", 10, "x"), site="wiki", space="0", kind="page")
    for id in ("20", "21"):
        town.member(id, site="wiki", joined=2)
        town.topic(f"p{id}", id, (id, 1, "text"), site="wiki", space="0", kind="page")
    assert len(town.run()) == 2
    with town.store.read() as conn:
        assert {row.member for row in conn.execute(tables.contacts.select())} == {"20", "21"}
    town.opt_out(Ref("wiki", RecordKind.MEMBER, "5"))
    town.member("22", site="wiki", joined=2)
    town.topic("p22", "22", ("22", 1, "text"), site="wiki", space="0", kind="page")
    [last] = town.run()
    assert "User:user5" not in getattr(last, "text", "")


# --- holdout ----------------------------------------------------------------------------------------------


def test_a_share_is_held_out_the_same_at_every_run_and_said(town: Town) -> None:
    town.settle("  hello: {use: welcome, on: [forum], holdout: 25%}\n")
    for id in range(100, 300):
        newcomer(town, str(id))
    first = town.plan(dry_run=True)
    held = {each.item for each in first.held if each.by == "holdout"}
    assert 30 <= len(held) <= 70
    town.later(days=1)
    again = town.plan(dry_run=True)
    assert {each.item for each in again.held if each.by == "holdout"} == held
    assert held.isdisjoint(str(each.item) for each in first.proposals)


def test_linked_accounts_are_in_the_same_arm(town: Town) -> None:
    town.settle("  hello: {use: welcome, on: [forum, wiki], holdout: 50%}\n")
    for id in range(100, 130):
        here = newcomer(town, str(id))
        there = town.member(str(id), site="wiki", joined=1)
        town.topic(f"p{id}", str(id), (str(id), 1, "text"), site="wiki", space="0", kind="page")
        town.link(here, there, person=str(id))
    plan = town.plan()
    held = Counter(each.item.rpartition(":")[2] for each in plan.held if each.by == "holdout")
    assert set(held.values()) == {2}
    assert held.keys().isdisjoint(each.item.id for each in plan.proposals)
    assert len(held) + len(plan.proposals) == 30


def test_the_moment_looked_at_decides_who_is_new(town: Town) -> None:
    town.settle(WELCOME)
    who = newcomer(town, days=40)
    then = town.plan(as_of=NOW.replace(month=2, day=25))
    assert [each.item for each in then.proposals] == [who]
    assert addressed(town) == []
