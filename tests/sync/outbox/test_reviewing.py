"""What people decide, and that it is recorded."""

from datetime import timedelta

import pytest

from ordito.config.errors import TransitionError, UsageError
from ordito.connectors.actions import Reply, SetLabels
from ordito.sync.outbox import (
    CLAIM,
    Decision,
    Review,
    State,
    claim,
    decisions,
    release,
    review,
)
from tests.sync.outbox.fakes import NOW, Rig, draft

REWRITTEN = Reply(site="forum", thread="1", text="Hello, Anna!")


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Decision.APPROVED, State.APPROVED),
        (Decision.REJECTED, State.REJECTED),
        (Decision.HANDLED, State.HANDLED),
    ],
)
def test_a_decision_records_who_when_and_why(rig: Rig, decision: Decision, state: State) -> None:
    [proposal] = rig.propose(draft())
    with rig.store.write() as conn:
        after = review(conn, proposal.id, decision, by="anna", reason="so it is", now=NOW, bulk=True)
        [decided] = decisions(conn, proposal.id)
    assert after.state == state
    assert (decided.by, decided.decision, decided.reason) == ("anna", decision, "so it is")
    assert (decided.at, decided.bulk, decided.before) == (NOW, True, None)


def test_an_approval_can_be_taken_back(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    rig.clock.pass_(timedelta(days=6))
    after = rig.review(proposal, Decision.REOPENED, by="bob")
    assert (after.state, after.approved_by, after.approved_at) == (State.PROPOSED, None, None)
    assert after.lapses_at == rig.clock.now + timedelta(days=7), "a review takes its time"
    rig.review(proposal, Decision.REJECTED)
    with rig.store.read() as conn:
        assert [d.decision for d in decisions(conn, proposal)] == ["approved", "reopened", "rejected"]


def test_nobody_decides_twice(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    rig.review(proposal.id, Decision.REJECTED)
    with pytest.raises(TransitionError, match="is rejected and cannot become approved"):
        rig.review(proposal.id, Decision.APPROVED)
    with rig.store.read() as conn:
        assert len(decisions(conn, proposal.id)) == 1


def test_the_text_may_be_edited_before_approving(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with rig.store.write() as conn:
        after = review(conn, proposal.id, Decision.EDITED, by="anna", now=NOW, action=REWRITTEN)
        [decided] = decisions(conn, proposal.id)
    assert (after.state, after.edited, after.action) == (State.PROPOSED, True, REWRITTEN)
    assert decided.before == proposal.action


def test_an_edit_and_an_approval_can_be_one_decision(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with rig.store.write() as conn:
        after = review(conn, proposal.id, Decision.APPROVED, by="anna", now=NOW, action=REWRITTEN)
    assert (after.state, after.edited, after.action) == (State.APPROVED, True, REWRITTEN)


@pytest.mark.parametrize(
    "other",
    [
        Reply(site="forum", thread="2", text="Hello"),
        Reply(site="wiki", thread="1", text="Hello"),
        SetLabels(site="forum", thread="1", add=("x",)),
    ],
)
def test_an_edit_cannot_turn_to_another_item_or_verb(rig: Rig, other: Reply | SetLabels) -> None:
    [proposal] = rig.propose(draft())
    with pytest.raises(UsageError, match="text only"), rig.store.write() as conn:
        review(conn, proposal.id, Decision.EDITED, by="anna", now=NOW, action=other)
    assert rig.get(proposal.id) == proposal


def test_an_edit_that_changes_nothing_is_said_to(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with pytest.raises(UsageError, match="not changed"), rig.store.write() as conn:
        review(conn, proposal.id, Decision.EDITED, by="anna", now=NOW, action=proposal.action)
    with rig.store.write() as conn:
        after = review(conn, proposal.id, Decision.APPROVED, by="anna", now=NOW, action=proposal.action)
    assert not after.edited


def test_what_is_approved_is_edited_only_after_it_was_reopened(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    with pytest.raises(TransitionError, match="waits for a review"), rig.store.write() as conn:
        review(conn, proposal, Decision.EDITED, by="anna", now=NOW, action=REWRITTEN)


def test_a_rejection_cannot_come_with_a_text(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with pytest.raises(UsageError, match="Only an approval"), rig.store.write() as conn:
        review(conn, proposal.id, Decision.REJECTED, by="anna", now=NOW, action=REWRITTEN)


def test_a_claim_keeps_others_away_for_a_quarter_of_an_hour(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with rig.store.write() as conn:
        assert claim(conn, proposal.id, "anna", NOW).claimed_by == "anna"
    with pytest.raises(TransitionError, match=r"reviewed by anna\. .* 12:15 UTC"):
        rig.review(proposal.id, Decision.APPROVED, by="bob")
    with pytest.raises(TransitionError, match="reviewed by anna"), rig.store.write() as conn:
        claim(conn, proposal.id, "bob", NOW + CLAIM - timedelta(seconds=1))
    with rig.store.write() as conn:
        assert claim(conn, proposal.id, "bob", NOW + CLAIM).claimed_by == "bob"
    rig.clock.pass_(CLAIM)
    after = rig.review(proposal.id, Decision.APPROVED, by="bob")
    assert (after.state, after.claimed_by) == (State.APPROVED, None)


def test_a_claim_is_given_back_by_who_has_it(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with rig.store.write() as conn:
        claim(conn, proposal.id, "anna", NOW)
        release(conn, proposal.id, "bob")
    assert rig.get(proposal.id).claimed_by == "anna"
    with rig.store.write() as conn:
        release(conn, proposal.id, "anna")
    assert rig.get(proposal.id).claimed_by is None


def test_only_what_waits_for_a_review_can_be_claimed(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    with pytest.raises(TransitionError, match="is approved"), rig.store.write() as conn:
        claim(conn, proposal, "anna", NOW)


def test_an_unknown_proposal_is_a_fault_of_the_command_line(rig: Rig) -> None:
    with pytest.raises(UsageError, match="no proposal 7"):
        rig.review(7, Decision.APPROVED)


def test_the_gate_never_throws_away_what_a_person_wrote(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with rig.store.write() as conn:
        review(conn, proposal.id, Decision.APPROVED, by="anna", now=NOW, action=REWRITTEN)
    rig.gate.verdict = Review(Reply(site="forum", thread="1", text="machine"))
    rig.apply()
    after = rig.get(proposal.id)
    assert (after.state, after.action) == (State.PROPOSED, REWRITTEN)
