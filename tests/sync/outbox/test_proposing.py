"""Which drafts become proposals: keys that are used up, keys that re-arm, later steps."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from ordito.config.durations import Duration
from ordito.connectors.actions import Reply
from ordito.connectors.records import Kind, Ref
from ordito.sync.outbox import (
    Decision,
    State,
    Supersede,
    decisions,
    lapse,
    propose,
    rearm,
)
from ordito.sync.store.tables import proposals
from tests.sync.outbox.fakes import NOW, THREAD, Rig, draft


def test_a_stored_proposal_is_what_was_drafted(rig: Rig) -> None:
    drafted = draft(text="Grüße «{{x}}»\n🐝", not_before=NOW + timedelta(days=1))
    [proposal] = rig.propose(drafted)
    assert proposal == rig.get(proposal.id)
    assert (proposal.policy, proposal.item, proposal.action) == ("greet", THREAD, drafted.action)
    assert (proposal.because, proposal.not_before) == (drafted.because, drafted.not_before)
    assert proposal.key == f"greet {THREAD} once reply"
    assert (proposal.state, proposal.lapses_at) == (State.PROPOSED, NOW + timedelta(days=7))


def test_one_key_has_one_proposal_however_often_it_is_drafted(rig: Rig) -> None:
    [first] = rig.propose(draft(), draft(text="worded otherwise"))
    assert rig.propose(draft()) == []
    assert rig.get(first.id).action == Reply(site="forum", thread="1", text="Hello")


@pytest.mark.parametrize(
    ("policy", "occasion", "step", "item"),
    [
        ("other", "once", "reply", THREAD),
        ("greet", "twice", "reply", THREAD),
        ("greet", "once", "close", THREAD),
        ("greet", "once", "reply", Ref("forum", Kind.THREAD, "2")),
        ("greet", "once", "reply", Ref("wiki", Kind.THREAD, "1")),
    ],
)
def test_every_part_of_the_key_makes_another_proposal(
    rig: Rig, policy: str, occasion: str, step: str, item: Ref
) -> None:
    rig.propose(draft())
    assert len(rig.propose(draft(occasion, policy=policy, step=step, item=item))) == 1


@pytest.mark.parametrize("decision", [Decision.REJECTED, Decision.HANDLED])
def test_what_was_rejected_or_handled_does_not_come_again(rig: Rig, decision: Decision) -> None:
    [proposal] = rig.propose(draft())
    rig.review(proposal.id, decision)
    with rig.store.write() as conn:
        rearm(conn, "greet", [])
        again = propose(conn, [draft()], plan=None, now=NOW, expire=None)
    assert again.new == ()
    assert [why for _, why in again.skipped] == [f"{decision} already (proposal {proposal.id})"]


def test_what_was_applied_and_what_was_undone_does_not_come_again(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    rig.apply()
    assert rig.propose(draft()) == []
    rig.undo(proposal)
    assert rig.propose(draft()) == []


def test_a_lapsed_key_re_arms_when_the_conditions_have_been_false_meanwhile(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    rig.clock.pass_(timedelta(days=7))
    with rig.store.write() as conn:
        assert [p.id for p in lapse(conn, rig.clock.now)] == [proposal.id]
        assert rearm(conn, "greet", [(THREAD, "once", "reply")]) == 0
    assert rig.propose(draft()) == []  # it has been true all the time
    with rig.store.write() as conn:
        assert rearm(conn, "greet", []) == 1
    [again] = rig.propose(draft())
    assert again.id != proposal.id
    assert rig.get(proposal.id).state == State.LAPSED


def test_what_the_gate_superseded_comes_again_as_soon_as_it_is_true_again(rig: Rig) -> None:
    rig.approved(draft())
    rig.gate.verdict = Supersede("somebody greeted")
    rig.apply()
    assert len(rig.propose(draft())) == 1


def test_an_approval_does_not_lapse_and_neither_does_what_has_no_limit(rig: Rig) -> None:
    [approved] = rig.approved(draft())
    with rig.store.write() as conn:
        endless = propose(conn, [draft("endless")], plan=None, now=NOW, expire=None).new[0]
        assert lapse(conn, NOW + timedelta(days=1000)) == []
    assert rig.get(approved).state == State.APPROVED
    assert rig.get(endless.id).state == State.PROPOSED


def test_a_policy_that_acts_by_itself_needs_no_review(rig: Rig) -> None:
    [proposal] = rig.propose(draft(), approve_as="greet (auto)")
    assert (proposal.state, proposal.approved_by) == (State.APPROVED, "greet (auto)")
    with rig.store.read() as conn:
        assert decisions(conn, proposal.id) == []


def test_a_later_step_is_approved_by_the_review_of_the_first(rig: Rig) -> None:
    [warned] = rig.approved(draft(step="warn"))
    rig.clock.pass_(timedelta(days=14))
    [close] = rig.propose(draft(step="close", after=warned))
    assert (close.state, close.approved_by, close.approved_at) == (State.APPROVED, "anna", NOW)
    with rig.store.read() as conn:
        [decision] = decisions(conn, close.id)
    assert decision.bulk, "nobody looked at it by itself: `earn` must not count it"
    assert decision.reason == f"approved together with warn (proposal {warned})"


def test_a_later_step_of_what_a_policy_approved_follows_the_mode_of_today(rig: Rig) -> None:
    [warned] = rig.propose(draft(step="warn"), approve_as="greet (auto)")
    [close] = rig.propose(draft(step="close", after=warned.id))
    assert close.state == State.PROPOSED


def test_approving_the_first_step_approves_later_ones_that_wait_already(rig: Rig) -> None:
    [warn] = rig.propose(draft(step="warn"))
    [close] = rig.propose(draft(step="close", after=warn.id))
    rig.review(warn.id, Decision.APPROVED)
    assert rig.get(close.id).state == State.APPROVED


@pytest.mark.parametrize("decision", [Decision.REJECTED, Decision.HANDLED])
def test_a_later_step_goes_with_the_step_before(rig: Rig, decision: Decision) -> None:
    [warn] = rig.propose(draft(step="warn"))
    [close] = rig.propose(draft(step="close", after=warn.id))
    rig.review(warn.id, decision)
    close = rig.get(close.id)
    assert close.state == State.SUPERSEDED
    assert close.error == f"the step before (warn, proposal {warn.id}) is {decision}"
    assert rig.propose(draft(step="close", after=warn.id)) == []


def test_when_all_steps_lapse_together_each_is_let_go_once(rig: Rig) -> None:
    [warn] = rig.propose(draft(step="warn"))
    [close] = rig.propose(draft(step="close", after=warn.id))
    with rig.store.write() as conn:
        assert [p.id for p in lapse(conn, NOW + timedelta(days=8))] == [warn.id]
    assert rig.get(close.id).state == State.SUPERSEDED


def test_two_plans_at_the_same_time_propose_once(rig: Rig) -> None:
    start = threading.Barrier(2)
    made: list[int] = []

    def plan() -> None:
        start.wait()
        made.append(len(rig.propose(*(draft(str(n)) for n in range(20)))))

    threads = [threading.Thread(target=plan) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 20]


def test_the_index_guards_a_key_even_from_a_process_that_did_not_look(rig: Rig) -> None:
    from ordito.sync.outbox import proposing

    [first] = rig.propose(draft())
    with pytest.MonkeyPatch.context() as patch, rig.store.write() as conn:
        patch.setattr(proposing, "_latest", lambda *_: {})
        result = propose(conn, [draft(), draft("next")], plan=None, now=NOW, expire=Duration(1, "day"))
    assert [why for _, why in result.skipped] == ["another run has just proposed it"]
    assert [proposal.occasion for proposal in result.new] == ["next"]
    with rig.store.read() as conn:
        assert len(conn.execute(select(proposals.c.id)).all()) == 2
    assert rig.get(first.id) == first


def test_many_drafts_are_looked_up_in_pieces(rig: Rig) -> None:
    drafts = [draft(item=Ref("forum", Kind.THREAD, str(n))) for n in range(900)]
    assert len(rig.propose(*drafts)) == 900
    assert rig.propose(*drafts) == []
