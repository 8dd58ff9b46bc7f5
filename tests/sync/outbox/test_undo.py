"""Taking back what was done: journaled, refused where others have been there, settled after a crash."""

from contextlib import suppress
from itertools import count

import pytest
from sqlalchemy import select

from ordito.config.errors import OutcomeUnknown, Refused, TransitionError, Unreachable, UsageError
from ordito.connectors.base import NotDone
from ordito.connectors.records import Kind, Ref
from ordito.sync.outbox import State, resolve
from ordito.sync.store.tables import attempts
from tests.sync.outbox.fakes import NOW, WIKI, Killed, Rig, draft, rows, says
from tests.sync.outbox.test_crash import Fuse, fused


def applied(rig: Rig, *occasions: str) -> list[int]:
    ids = rig.approved(*(draft(occasion) for occasion in occasions or ("once",)))
    rig.apply()
    return ids


def test_what_was_applied_is_undone_and_the_journal_says_by_whom(rig: Rig) -> None:
    [proposal] = applied(rig)
    report = rig.undo(proposal, by="bob")
    assert [p.id for p, _ in report.undone] == [proposal]
    assert report.exit_code == 0
    assert rig.get(proposal).state == State.UNDONE
    assert rig.server.undone == [f"{rig.store.installation[:8]}-{proposal}-do"]
    _, attempt = rows(rig, attempts)
    assert (attempt["doing"], attempt["by"], attempt["outcome"]) == ("undo", "bob", "done")
    assert attempt["token"] == f"{rig.store.installation[:8]}-{proposal}-undo"


def test_what_somebody_changed_since_stays_as_it_is(rig: Rig) -> None:
    [proposal] = applied(rig)
    rig.server.touched.update(rig.server.done)
    report = rig.undo(proposal)
    assert [(f.id, f.error, f.retriable) for f in report.failed] == [(proposal, "bob replied since.", False)]
    assert report.exit_code == 3
    assert rig.get(proposal).state == State.APPLIED
    rig.server.touched.clear()
    assert len(rig.undo(proposal).undone) == 1


def test_what_was_perhaps_not_our_doing_is_not_undone(rig: Rig) -> None:
    rig.connector.attribution_unknown = True
    [proposal] = applied(rig)
    [failure] = rig.undo(proposal).failed
    assert failure.error.startswith("Somebody else may have brought it about")
    assert rig.server.undone == []
    assert len(rows(rig, attempts)) == 1, "nothing was tried"


@pytest.mark.parametrize("state", ["proposed", "approved", "undone"])
def test_only_what_was_applied_can_be_undone(rig: Rig, state: str) -> None:
    [fine] = applied(rig)
    [other] = rig.approved(draft(state)) if state == "approved" else [p.id for p in rig.propose(draft(state))]
    if state == "undone":
        [other] = applied(rig, "other")
        rig.undo(other)
    before = list(rig.server.undone)
    with pytest.raises(UsageError, match=f"{other} is {state}"):
        rig.undo(fine, other)
    assert rig.server.undone == before, "nothing at all is undone then"


def test_an_unknown_id_is_a_fault_of_the_command_line(rig: Rig) -> None:
    with pytest.raises(UsageError, match="no proposal 99"):
        rig.undo(99)


def test_later_steps_go_with_what_is_undone(rig: Rig) -> None:
    [warn] = rig.approved(draft(step="warn"))
    rig.apply()
    [close] = rig.propose(draft(step="close", after=warn))
    assert close.state == State.APPROVED
    rig.undo(warn)
    assert rig.get(close.id).state == State.SUPERSEDED
    assert rig.get(close.id).error == f"the step before (warn, proposal {warn}) is undone"


def test_a_site_that_cannot_be_reached_keeps_its_own_from_being_undone(rig: Rig) -> None:
    ids = rig.approved(draft("a"), draft("b"), draft(item=WIKI))
    rig.apply()
    with says(rig, "before undo", Unreachable("no answer", where="forum")):
        report = rig.undo(*ids)
    assert [p.id for p, _ in report.undone] == [ids[2]]
    assert [(f.id, f.error) for f in report.failed] == [(ids[0], "no answer"), (ids[1], "no answer")]
    assert [error.site for error in report.errors] == ["forum"]
    assert len(rig.undo(*ids[:2]).undone) == 2


def test_a_refused_undoing_says_why(rig: Rig) -> None:
    [proposal] = applied(rig)
    with says(rig, "before undo", Refused("too old to delete", where="forum", hint="Ask an admin.")):
        [failure] = rig.undo(proposal).failed
    assert failure.error == "too old to delete Ask an admin."
    assert rig.get(proposal).state == State.APPLIED


@pytest.mark.parametrize("lost", ["before undo", "after undo"])
def test_a_lost_answer_is_asked_for_again_after_the_servers_time_out(rig: Rig, lost: str) -> None:
    [proposal] = applied(rig)
    fired: list[str] = []

    def once(at: str) -> None:
        if at == lost and not fired:
            fired.append(at)
            raise OutcomeUnknown("no answer", where="forum")

    rig.connector.hook = once
    report = rig.undo(proposal)
    assert [p.id for p, _ in report.undone] == [proposal]
    assert len(rig.server.undone) == 1
    assert rig.clock.slept == 65


def test_stopped_at_any_point_an_undoing_is_completed_once(rig: Rig) -> None:
    for at in count():
        [proposal] = rig.approved(draft(item=Ref("forum", Kind.THREAD, str(at))))
        rig.apply()
        rig.server.undone.clear()
        fuse = Fuse(at)
        rig.connector.hook = fuse
        with suppress(Killed):
            rig.undo(proposal, store=fused(rig, fuse))
        rig.connector.hook = lambda _: None
        if rig.get(proposal).state == State.APPLIED:
            rig.apply()  # settles first
        if rig.get(proposal).state == State.APPLIED:  # not even begun
            assert rig.server.undone == []
            rig.undo(proposal)
        assert rig.get(proposal).state == State.UNDONE
        assert rig.server.undone == [f"{rig.store.installation[:8]}-{proposal}-do"]
        with rig.store.read() as conn:
            assert conn.execute(select(attempts.c.id).where(attempts.c.outcome.is_(None))).all() == []
        if not fuse.blown:
            break
    assert at > 8, "the points were counted"


def interrupted(rig: Rig) -> int:
    """An undoing that took effect before its process was killed; the site tells it from no change."""
    [proposal] = applied(rig)
    with says(rig, "after undo", Killed()), pytest.raises(Killed):
        rig.undo(proposal)
    rig.server.touched.update(rig.server.done)
    return proposal


def test_a_conflict_after_a_crash_is_our_own_undoing_where_nothing_is_left(rig: Rig) -> None:
    proposal = interrupted(rig)
    rig.connector.found = NotDone()
    assert [p.id for p, _ in rig.apply().undone] == [proposal]
    assert rig.get(proposal).state == State.UNDONE


def test_a_conflict_after_a_crash_is_left_to_a_person_where_something_is_left(rig: Rig) -> None:
    proposal = interrupted(rig)
    assert rig.apply().unsettled == [(proposal, "bob replied since.")]
    assert rig.get(proposal).state == State.APPLIED
    [failure] = rig.undo(proposal).failed
    how = f"ordito review settle {proposal} --done (or --not-done)"
    assert failure.error.endswith(f"Please look, then say it: {how}")
    with rig.store.write() as conn:
        assert resolve(conn, proposal, done=True, by="bob", now=NOW).state == State.UNDONE


def test_a_person_says_that_nothing_was_undone(rig: Rig) -> None:
    proposal = interrupted(rig)
    rig.apply()
    with rig.store.write() as conn:
        assert resolve(conn, proposal, done=False, by="bob", now=NOW).state == State.APPLIED
    rig.server.touched.clear()
    assert len(rig.undo(proposal).undone) == 1


def test_there_is_nothing_to_say_about_what_is_settled(rig: Rig) -> None:
    [proposal] = applied(rig)
    message = f"Nothing about proposal {proposal} is unsettled"
    with pytest.raises(TransitionError, match=message), rig.store.write() as conn:
        resolve(conn, proposal, done=True, by="bob", now=NOW)
