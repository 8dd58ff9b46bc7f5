"""What a run does with approvals: what it asks, what it records, and what each answer of a site leads to."""

from datetime import timedelta

import pytest

from ordito.config.durations import Duration
from ordito.config.errors import (
    Conflict,
    ConnectorError,
    Filtered,
    Forbidden,
    LockHeld,
    NotFound,
    RateLimited,
    ReadOnly,
    SignInFailed,
    Unreachable,
    UsageError,
)
from ordito.connectors.actions import Reply
from ordito.connectors.base import Batch, Receipt
from ordito.sync.outbox import (
    Decision,
    Go,
    Held,
    Review,
    State,
    Supersede,
    Wait,
    decisions,
)
from ordito.sync.store.tables import attempts, contacts, doings, locks
from tests.sync.outbox.fakes import ANNA, NOW, THREAD, WIKI, Rig, draft, rows, says


def test_what_is_approved_is_carried_out_and_nothing_else(rig: Rig) -> None:
    [approved] = rig.approved(draft())
    [waiting] = rig.propose(draft("other"))
    report = rig.apply()
    assert [(p.id, r.url) for p, r in report.applied] == [
        (approved, f"https://forum.example/{rig.server.done[0]}")
    ]
    assert report.exit_code == 0
    assert rig.get(approved).state == State.APPLIED
    assert rig.get(waiting.id).state == State.PROPOSED
    again = rig.apply()
    assert again.applied == []
    assert len(rig.server.done) == 1


def test_the_attempt_says_who_approved_and_our_doing_is_remembered(rig: Rig) -> None:
    [proposal] = rig.approved(draft(), by="bob")
    rig.gate.verdict = Go((ANNA,))
    rig.apply()
    [attempt] = rows(rig, attempts)
    assert (attempt["proposal"], attempt["doing"], attempt["by"]) == (proposal, "perform", "bob")
    assert attempt["outcome"] == "done"
    assert [(c["site"], c["member"]) for c in rows(rig, contacts)] == [("forum", "42")]
    [doing] = rows(rig, doings)
    assert (doing["site"], doing["kind"], doing["id"]) == ("forum", "contribution", rig.server.done[0])


def test_the_marker_is_ours_and_the_same_for_every_try(rig: Rig) -> None:
    [first, second] = rig.approved(draft(), draft("second"))
    with says(rig, "before perform", ReadOnly("backup", where="forum")):
        rig.apply()
    rig.apply()
    name = rig.store.installation[:8]
    assert rig.server.done == [f"{name}-{first}-do", f"{name}-{second}-do"]
    assert rig.connector.markers[0].note == "policy greet"


def test_the_item_is_read_fresh_and_stored_before_the_gate_is_asked(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    order: list[str] = []
    rig.connector.hook = order.append
    rig.gate.hook = order.append
    rig.apply()
    assert order == ["begin", "fetch", "prepare", "check", "before perform", "after perform"]
    assert rig.ingested == [("forum", Batch())]
    assert rig.gate.checked == [proposal]


def test_what_is_gone_is_stored_as_gone(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.approved(draft())
    monkeypatch.setattr(rig.connector, "fetch", lambda ref: None)
    rig.gate.verdict = Supersede("the topic is gone")
    rig.apply()
    assert rig.ingested == [("forum", Batch(gone=((THREAD, None),)))]
    assert rig.server.done == []


def test_the_oldest_approval_comes_first(rig: Rig) -> None:
    ids = [p.id for p in rig.propose(draft("a"), draft("b"), draft("c"))]
    for proposal in (ids[2], ids[0], ids[1]):
        rig.review(proposal, Decision.APPROVED)
        rig.clock.pass_(timedelta(minutes=1))
    assert [p.id for p, _ in rig.apply().applied] == [ids[2], ids[0], ids[1]]


def test_named_proposals_only(rig: Rig) -> None:
    ids = rig.approved(draft("a"), draft("b"))
    assert [p.id for p, _ in rig.apply(ids[1]).applied] == [ids[1]]
    assert rig.get(ids[0]).state == State.APPROVED


def test_naming_what_is_not_approved_does_nothing_at_all(rig: Rig) -> None:
    [approved] = rig.approved(draft("a"))
    [waiting] = rig.propose(draft("b"))
    with pytest.raises(UsageError, match=f"{waiting.id} is proposed") as caught:
        rig.apply(approved, waiting.id)
    assert caught.value.hint == f"ordito review approve {waiting.id}"
    assert rig.server.done == []


def test_a_gate_that_waits_holds_the_approval_without_reading_the_item(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    rig.gate.waits = Wait(NOW + timedelta(hours=8), "quiet hours")
    report = rig.apply()
    assert report.held == [Held(proposal, NOW + timedelta(hours=8), "quiet hours")]
    assert report.exit_code == 0
    assert rig.connector.fetched == []
    rig.gate.waits = None
    rig.gate.verdict = Wait(None, "the budget of this person")
    assert rig.apply().held == [Held(proposal, None, "the budget of this person")]
    rig.gate.verdict = Go()
    assert [p.id for p, _ in rig.apply().applied] == [proposal]


def test_conditions_that_no_longer_hold_supersede(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    rig.gate.verdict = Supersede("somebody replied")
    report = rig.apply()
    assert report.superseded == [(proposal, "somebody replied")]
    assert rig.server.done == []
    assert (rig.get(proposal).state, rig.get(proposal).error) == (State.SUPERSEDED, "somebody replied")


def test_a_text_that_would_now_differ_goes_back_to_review(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    new = Reply(site="forum", thread="1", text="Hello again")
    rig.gate.verdict = Review(new)
    report = rig.apply()
    assert [held.id for held in report.held] == [proposal]
    assert rig.server.done == []
    after = rig.get(proposal)
    assert (after.state, after.action, after.approved_by) == (State.PROPOSED, new, None)
    assert after.error == "it would now be another text than was approved; back to review"
    with rig.store.read() as conn:
        told = [(each.by, each.decision, each.reason) for each in decisions(conn, proposal)]
    assert told[-1] == ("Ordito", "returned", after.error), "it stands in the record of what became of it"


def test_an_approval_can_be_taken_back_for_a_while_unless_it_is_asked_for(rig: Rig) -> None:
    rig.undo_window = Duration(10, "minute")
    ids = rig.approved(draft("a"), draft("b"))
    [auto] = rig.propose(draft("c"), approve_as="greet (auto)")
    report = rig.apply()
    assert [p.id for p, _ in report.applied] == [auto.id], "nobody's approval could be taken back there"
    until = NOW + timedelta(minutes=10)
    reason = "the approval can still be taken back (naming its id does it now)"
    assert report.held == [Held(proposal, until, reason) for proposal in ids]
    assert [p.id for p, _ in rig.apply(ids[1]).applied] == [ids[1]]
    rig.clock.pass_(timedelta(minutes=10))
    assert [p.id for p, _ in rig.apply().applied] == [ids[0]]


def test_nothing_is_asked_of_a_site_while_every_approval_has_to_wait(rig: Rig) -> None:
    rig.approved(draft(not_before=NOW + timedelta(hours=6)))
    report = rig.apply()
    assert [held.until for held in report.held] == [NOW + timedelta(hours=6)]
    assert (rig.gate.begun, rig.connector.fetched) == (0, [])
    rig.clock.pass_(timedelta(hours=6))
    assert len(rig.apply().applied) == 1


def test_a_later_step_waits_for_the_step_before(rig: Rig) -> None:
    [warn] = rig.approved(draft(step="warn"))
    [close] = rig.propose(draft(step="close", after=warn))
    rig.gate.verdict = lambda proposal: Wait(None, "limit") if proposal.id == warn else Go()
    report = rig.apply()
    assert Held(close.id, None, f"waits for the step before (warn, proposal {warn})") in report.held
    rig.gate.verdict = Go()
    assert [p.id for p, _ in rig.apply().applied] == [warn, close.id]


def test_a_run_begins_nothing_after_its_deadline(rig: Rig) -> None:
    ids = rig.approved(draft("a"), draft("b"))
    rig.deadline = NOW + timedelta(minutes=1)
    rig.connector.hook = lambda at: rig.clock.pass_(timedelta(minutes=1)) if at == "after perform" else None
    report = rig.apply()
    assert [p.id for p, _ in report.applied] == [ids[0]]
    assert report.held == [Held(ids[1], None, "the time given to this run is over")]


@pytest.mark.parametrize("error", [Forbidden, NotFound, Filtered])
def test_what_the_platform_refuses_has_failed_and_is_not_tried_again(
    rig: Rig, error: type[ConnectorError]
) -> None:
    [refused, fine] = rig.approved(draft("a"), draft("b"))
    rig.gate.verdict = Go((ANNA,))
    point = error("no", where="forum", hint="Ask an admin.")
    fired: list[str] = []

    def once(at: str) -> None:
        if at == "before perform" and not fired:
            fired.append(at)
            raise point

    rig.connector.hook = once
    report = rig.apply()
    assert [(f.id, f.error, f.retriable) for f in report.failed] == [(refused, "no Ask an admin.", False)]
    assert [p.id for p, _ in report.applied] == [fine], "others go on"
    assert report.exit_code == 3
    assert rig.get(refused).state == State.FAILED
    assert len(rows(rig, contacts)) == 1, "the contact was given back"
    assert rig.apply().applied == []
    rig.review(refused, Decision.APPROVED)  # a person asks for another try
    assert [p.id for p, _ in rig.apply().applied] == [refused]


def test_an_edit_conflict_is_planned_anew(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    with says(rig, "before perform", Conflict("bob edited the page.", where="forum")):
        report = rig.apply()
    assert report.superseded == [(proposal, "changed meanwhile: bob edited the page.")]
    assert rig.get(proposal).state == State.SUPERSEDED
    assert len(rig.propose(draft())) == 1


@pytest.mark.parametrize("point", ["fetch", "before perform"])
@pytest.mark.parametrize(
    "error",
    [
        Unreachable("no answer", where="forum"),
        RateLimited("slow down", where="forum", until=NOW + timedelta(hours=1)),
        ReadOnly("backup", where="forum"),
        SignInFailed("wrong key", where="forum", hint="Mend api_key."),
    ],
)
def test_a_site_that_cannot_be_used_stops_its_own_actions_only(
    rig: Rig, point: str, error: ConnectorError
) -> None:
    rig.gate.verdict = Go((ANNA,))
    [first, second, elsewhere] = rig.approved(draft("a"), draft("b"), draft(item=WIKI))
    with says(rig, point, error):
        report = rig.apply()
    assert [p.id for p, _ in report.applied] == [elsewhere]
    until = getattr(error, "until", None)
    assert report.held == [Held(first, until, error.message), Held(second, until, error.message)]
    assert [(e.site, e.kind, e.hint) for e in report.errors] == [("forum", error.kind, error.hint)]
    assert report.exit_code == 3
    assert {rig.get(first).state, rig.get(second).state} == {State.APPROVED}
    assert len(rows(rig, contacts)) == 1, "only what was carried out uses the budget"
    assert [p.id for p, _ in rig.apply().applied] == [first, second]


def test_an_unreadable_stop_page_halts_everything(rig: Rig) -> None:
    [first, second] = rig.approved(draft("a"), draft(item=WIKI))

    def unreadable(at: str) -> None:
        if at == "begin":
            raise Unreachable("the stop page cannot be read", where="wiki")

    rig.gate.hook = unreadable
    report = rig.apply()
    assert [(held.id, held.reason) for held in report.held] == [
        (first, "the stop page cannot be read"),
        (second, "the stop page cannot be read"),
    ]
    assert [(e.site, e.kind) for e in report.errors] == [("wiki", "unreachable")]
    assert (rig.server.done, rig.connector.fetched) == ([], [])


def test_an_account_that_is_gone_supersedes_its_message(rig: Rig) -> None:
    [proposal] = rig.approved(draft())

    def gone(at: str) -> None:
        if at == "prepare":
            raise NotFound("There is no such member.", where="forum")

    rig.gate.hook = gone
    assert rig.apply().superseded == [(proposal, "There is no such member.")]


def test_a_fault_in_one_policy_does_not_keep_the_others_from_acting(rig: Rig) -> None:
    [faulty, fine] = rig.approved(draft("a"), draft("b"))

    def broken(at: str) -> None:
        if at == "prepare" and not rig.gate.checked:
            rig.gate.hook = lambda _: None
            raise KeyError("oops")

    rig.gate.hook = broken
    report = rig.apply()
    assert [p.id for p, _ in report.applied] == [fine]
    assert [(f.id, f.error) for f in report.failed] == [(faulty, "a fault in Ordito: KeyError: 'oops'")]


def test_a_run_that_lost_its_lock_begins_nothing(rig: Rig) -> None:
    rig.approved(draft())

    def taken_over(at: str) -> None:
        if at == "prepare":
            with rig.store.write() as conn:
                conn.execute(locks.update().values(token="another", holder="ordito run by bob"))

    rig.gate.hook = taken_over
    with pytest.raises(LockHeld, match="lost its lock to ordito run by bob"):
        rig.apply()
    assert (rig.server.done, rows(rig, attempts)) == ([], [])
    with rig.store.write() as conn:
        conn.execute(locks.delete())


def test_a_review_meanwhile_is_respected(rig: Rig) -> None:
    [proposal] = rig.approved(draft())

    def reopened(at: str) -> None:
        if at == "prepare":
            rig.review(proposal, Decision.REOPENED)

    rig.gate.hook = reopened
    report = rig.apply()
    assert (report.applied, rig.server.done) == ([], [])
    assert rig.get(proposal).state == State.PROPOSED


def test_what_waits_for_the_platforms_own_moderators_is_applied_and_says_so(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    [proposal] = rig.approved(draft())
    receipt = Receipt(site="forum", verb="reply", at=NOW, pending=True)
    monkeypatch.setattr(rig.connector, "perform", lambda action, marker: receipt)
    assert [r.pending for _, r in rig.apply().applied] == [True]
    assert rig.get(proposal).state == State.APPLIED
