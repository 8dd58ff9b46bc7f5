"""What is asked once more before anything is carried out, and plans that are made again and again."""

from __future__ import annotations

from datetime import timedelta

from ordito.connectors.actions import Reply, SendMessage
from ordito.connectors.base import Profile
from ordito.connectors.records import Kind, Ref
from ordito.sync.store import tables
from tests.policies.test_constitution import LABEL, NOTE, REPLY, held, law, topics
from tests.policies.town import NOW, Town

# --- the gate ---------------------------------------------------------------------------------------------


def test_a_stop_page_halts_everything_and_approvals_wait(town: Town) -> None:
    town.settle(LABEL, law())
    topics(town, 1)
    (proposal,) = town.proposed()
    town.approve(proposal)
    town.halted = "somebody wrote on the stop page"
    report = town.apply()
    assert town.performed == []
    assert "somebody wrote on the stop page" in report.held[0].reason
    assert town.get(proposal).state == "approved"
    town.halted = ""
    assert len(town.apply().applied) == 1


def test_what_no_longer_holds_is_superseded_when_it_would_be_carried_out(town: Town) -> None:
    town.settle(LABEL, law())
    topics(town, 1)
    (proposal,) = town.proposed()
    town.approve(proposal)
    town.change(proposal.item, deleted_at=town.ago(0))
    town.apply()
    assert town.get(proposal).state == "superseded"
    assert town.performed == []


def test_a_policy_that_was_taken_out_of_the_settings_does_nothing_more(town: Town) -> None:
    town.settle(LABEL, law())
    topics(town, 1)
    town.approve(*town.proposed())
    town.settle(NOTE, law())
    assert len(town.apply().superseded) == 1
    assert town.performed == []


def test_a_text_that_would_now_be_another_goes_back_to_review_and_an_edited_one_is_kept(town: Town) -> None:
    town.settle(REPLY % "thread", law())
    town.member("2")
    for id in ("10", "11"):
        town.topic(id, "2", ("2", 2, "x"))
    one, two = town.proposed()
    town.approve(one)
    edited = two.action
    assert isinstance(edited, Reply)
    words = Reply(site="forum", thread=edited.thread, text="In my own words.")
    town.approve(two, action=words)
    town.settle(REPLY.replace("rule-note}", "rule-note, note: Changed.}") % "thread", law())
    town.apply()
    assert town.performed == [words]
    again = town.get(one)
    assert again.state == "proposed"
    assert isinstance(again.action, Reply)
    assert "Changed." in again.action.text


def test_who_stops_taking_messages_after_the_approval_gets_none(town: Town) -> None:
    town.settle(NOTE, law())
    topics(town, 1)
    town.approve(*town.proposed())
    town.profiles[Ref("forum", Kind.MEMBER, "101")] = Profile(accepts=False, reason="messages are off")
    assert town.apply().superseded[0][1] == "messages are off"


# --- plans ------------------------------------------------------------------------------------------------


def test_a_proposal_goes_as_soon_as_a_plan_finds_that_it_no_longer_holds(town: Town) -> None:
    town.settle(LABEL, law())
    topics(town, 1)
    (proposal,) = town.proposed()
    town.change(proposal.item, deleted_at=town.ago(0))
    town.plan()
    assert town.get(proposal).state == "superseded"


def test_planning_again_and_again_proposes_and_does_nothing_twice(town: Town) -> None:
    town.settle(LABEL + NOTE, law())
    topics(town, 3)
    assert len(town.proposed()) == 6
    assert town.proposed() == []
    town.approve(*town.all())
    town.apply()
    assert town.proposed() == []
    town.apply()
    assert len(town.performed) == 6


def test_a_dry_run_and_a_look_into_the_past_store_nothing(town: Town) -> None:
    town.settle(LABEL, law())
    topics(town, 3)
    assert len(town.plan(dry_run=True).proposals) == 3
    then = town.plan(as_of=NOW - timedelta(days=1, hours=6))
    assert [each.item.id for each in then.proposals] == ["3", "2"]
    assert then.id is None
    with town.store.read() as conn:
        for table in (tables.plans, tables.proposals):
            assert conn.execute(table.select()).all() == []


def test_a_site_that_is_not_read_to_the_end_is_left_alone_and_named(town: Town) -> None:
    town.settle(LABEL, law())
    topics(town, 1)
    with town.store.write() as conn:
        conn.execute(tables.checkpoints.update().values(complete=False))
    plan = town.plan()
    assert not plan.proposals
    assert held(plan, "coverage") == ["forum"]


def test_a_message_is_addressed_to_nobody_else(town: Town) -> None:
    town.settle(NOTE, law())
    topics(town, 1)
    (message,) = town.run()
    assert isinstance(message, SendMessage)
    assert message.to == ("101",)
