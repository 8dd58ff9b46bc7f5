"""Finding out what came of an attempt whose answer was lost."""

from datetime import timedelta

import pytest

from ordito.config.errors import Conflict, OutcomeUnknown, ReadOnly, Unreachable
from ordito.connectors.actions import Reply
from ordito.connectors.base import NotDone, Unknown
from ordito.sync.locks import STALE
from ordito.sync.outbox import Go, Review, State, Supersede, Verdict, decisions, get, resolve
from ordito.sync.outbox.attempts import Doing, begin
from ordito.sync.store.tables import contacts, locks
from ordito.sync.store.times import micros
from tests.sync.outbox.fakes import ANNA, NOW, WIKI, Rig, draft, rows, says


@pytest.mark.parametrize("error", [OutcomeUnknown("no answer", where="forum"), ValueError("not JSON")])
def test_a_lost_answer_is_found_out_about_in_the_same_run(rig: Rig, error: Exception) -> None:
    [proposal] = rig.approved(draft())
    with says(rig, "after perform", error):
        report = rig.apply()
    assert [p.id for p, _ in report.applied] == [proposal]
    assert len(rig.server.done) == 1
    assert rig.get(proposal).state == State.APPLIED


def test_what_was_not_carried_out_is_believed_only_after_the_servers_own_time_out(rig: Rig) -> None:
    rig.gate.verdict = Go((ANNA,))
    [proposal] = rig.approved(draft())
    with says(rig, "before perform", OutcomeUnknown("no answer", where="forum")):
        report = rig.apply()
    assert rig.clock.slept == 65
    assert [(f.id, f.retriable) for f in report.failed] == [(proposal, True)]
    assert (rig.get(proposal).state, rows(rig, contacts)) == (State.APPROVED, [])
    assert [p.id for p, _ in rig.apply().applied] == [proposal]
    assert len(rig.server.done) == 1


def test_what_arrives_late_is_found_and_not_done_again(rig: Rig) -> None:
    [proposal] = rig.approved(draft())
    token = f"{rig.store.installation[:8]}-{proposal}-do"
    rig.server.late.append((NOW + timedelta(seconds=40), token))
    with says(rig, "before perform", OutcomeUnknown("no answer", where="forum")):
        report = rig.apply()
    assert [p.id for p, _ in report.applied] == [proposal]
    assert rig.server.done == [token]


def test_find_looks_back_as_far_as_the_first_try_and_the_difference_of_clocks(rig: Rig) -> None:
    rig.approved(draft())
    with says(rig, "before perform", Unreachable("down", where="forum")):
        rig.apply()
    rig.clock.pass_(timedelta(days=2))
    with says(rig, "after perform", OutcomeUnknown("no answer", where="forum")):
        rig.apply()
    assert rig.connector.sought_since == [NOW - timedelta(minutes=5)]


def test_what_cannot_be_decided_is_left_to_a_person(rig: Rig) -> None:
    rig.gate.verdict = Go((ANNA,))
    [proposal] = rig.approved(draft())
    rig.connector.found = Unknown("the topic was deleted meanwhile")
    with says(rig, "after perform", OutcomeUnknown("no answer", where="forum")):
        report = rig.apply()
    assert report.unsettled == [(proposal, "the topic was deleted meanwhile")]
    assert report.exit_code == 3
    assert rig.get(proposal).state == State.UNSETTLED
    assert rig.apply().applied == [], "it is never retried blindly"
    assert rig.propose(draft()) == []
    assert len(rows(rig, contacts)) == 1, "it may have reached somebody"


def test_a_person_says_that_it_was_done(rig: Rig) -> None:
    proposal = unsettled(rig)
    with rig.store.write() as conn:
        after = resolve(conn, proposal, done=True, by="bob", now=NOW, reason="I saw it")
        last = decisions(conn, proposal)[-1]
    assert after.state == State.APPLIED
    assert (last.by, last.decision, last.reason) == ("bob", "settled", "done: I saw it")
    [failure] = rig.undo(proposal).failed
    assert failure.error.startswith("Somebody else may have brought it about")
    assert rig.server.undone == []


def test_a_person_says_that_it_was_not_done(rig: Rig) -> None:
    proposal = unsettled(rig)
    rig.server.done.clear()
    with rig.store.write() as conn:
        assert resolve(conn, proposal, done=False, by="bob", now=NOW).state == State.APPROVED
    assert [p.id for p, _ in rig.apply().applied] == [proposal]


def unsettled(rig: Rig) -> int:
    [proposal] = rig.approved(draft())
    rig.connector.found = Unknown("cannot say")
    with says(rig, "after perform", OutcomeUnknown("no answer", where="forum")):
        rig.apply()
    rig.connector.found = None
    return proposal


@pytest.mark.parametrize(
    "verdict", [Supersede("somebody replied"), Review(Reply(site="forum", thread="1", text="x"))]
)
def test_half_of_what_is_not_wanted_any_more_goes_before_it_is_dropped(rig: Rig, verdict: Verdict) -> None:
    [proposal] = rig.approved(draft())
    rig.connector.found = NotDone("the copy is there already.")
    with says(rig, "after perform", OutcomeUnknown("no answer", where="forum")):
        rig.apply()
    assert rig.get(proposal).error == "It will be finished or taken back: the copy is there already."
    rig.gate.verdict = verdict
    with says(rig, "take back", ReadOnly("no writes", where="forum")):
        rig.apply()
    assert rig.get(proposal).state == State.APPROVED, "it is tried again"
    rig.apply()
    assert rig.connector.taken_back == rig.connector.markers[:1]
    assert rig.get(proposal).state in (State.SUPERSEDED, State.PROPOSED)


def test_half_that_only_a_person_can_take_back_is_told_once_and_holds_up_nothing(rig: Rig) -> None:
    [proposal, other] = rig.approved(draft("a"), draft("b"))
    rig.connector.found = NotDone("the copy is there already.")
    with says(rig, "after perform", OutcomeUnknown("no answer", where="forum")):
        rig.apply(proposal)
    rig.gate.verdict = Supersede("somebody replied")
    with says(rig, "take back", Conflict("the copy was changed.", where="forum", hint="Do it by hand.")):
        report = rig.apply()
    assert [(f.id, f.retriable) for f in report.failed] == [(proposal, False)]
    assert "Do it by hand." in report.failed[0].error
    assert [rig.get(each).state for each in (proposal, other)] == [State.SUPERSEDED] * 2


def test_of_what_was_never_begun_nothing_is_taken_back(rig: Rig) -> None:
    rig.approved(draft())
    rig.gate.verdict = Supersede("somebody replied")
    assert len(rig.apply().superseded) == 1
    assert rig.connector.taken_back == []


@pytest.mark.parametrize("error", [Unreachable("down", where="forum"), RuntimeError("bug in find")])
def test_what_cannot_be_asked_about_now_stays_open(rig: Rig, error: Exception) -> None:
    [proposal, other] = rig.approved(draft("a"), draft(item=WIKI))

    def no_answers(at: str) -> None:
        if at == "after perform":
            raise OutcomeUnknown("no answer", where="forum")
        if at == "find":
            raise error

    rig.connector.hook = no_answers
    report = rig.apply()
    assert rig.get(proposal).state == State.APPLYING
    assert rig.get(other).state == State.APPLIED
    assert [held.id for held in report.held] + [id_ for id_, _ in report.unsettled] == [proposal]
    assert report.exit_code == 3
    again = rig.apply(proposal)
    assert len(again.held) + len(again.unsettled) == 1, "named, it is said again"
    rig.connector.hook = lambda _: None
    assert [p.id for p, _ in rig.apply().applied] == [proposal]
    assert len(rig.server.done) == 1


def test_the_wait_begins_when_the_answer_was_given_up_not_when_it_was_asked_for(rig: Rig) -> None:
    rig.approved(draft())

    def slow(at: str) -> None:
        if at == "before perform":
            rig.clock.pass_(timedelta(minutes=5))
            raise OutcomeUnknown("no answer", where="forum")

    rig.connector.hook = slow
    rig.apply()
    assert rig.clock.slept == 65


def test_a_killed_run_may_have_sent_its_request_as_late_as_it_was_last_alive(rig: Rig) -> None:
    """It waited for the site's pace for five minutes, and was killed while it was sending."""
    [proposal] = rig.approved(draft())
    with rig.store.write() as conn:
        begin(
            conn, get(conn, proposal), Doing.PERFORM, by="anna", installation=rig.store.installation,
            contacted=(), now=NOW,
        )  # fmt: skip
        alive = NOW + timedelta(minutes=5)
        dead = {"name": "run", "holder": "", "token": "elsewhere|1|x", "since": micros(NOW)}
        conn.execute(locks.insert().values(beat_at=micros(alive), **dead))
    token = f"{rig.store.installation[:8]}-{proposal}-do"
    rig.server.late.append((alive + STALE + timedelta(seconds=70), token))
    rig.clock.now = alive + STALE + timedelta(seconds=1)
    rig.in_flight = STALE + timedelta(seconds=65)
    report = rig.apply()
    assert [p.id for p, _ in report.applied] == [proposal]
    rig.clock.pass_(timedelta(minutes=5))
    assert rig.server.done == [token]


@pytest.mark.parametrize("error", [Unreachable("down", where="forum"), RuntimeError("bug in find")])
def test_what_a_run_cannot_settle_it_says_once(rig: Rig, error: Exception) -> None:
    [proposal] = rig.approved(draft())
    with says(rig, "after perform", KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        rig.apply()
    with says(rig, "find", error):
        report = rig.apply()
    assert [held.id for held in report.held] + [id_ for id_, _ in report.unsettled] == [proposal]
