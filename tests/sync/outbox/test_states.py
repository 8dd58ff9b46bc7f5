"""The machine of DESIGN §9, pair by pair."""

import re
from itertools import product

import pytest
from sqlalchemy import update

from ordito.config.errors import TransitionError
from ordito.sync.outbox import State
from ordito.sync.outbox.proposals import move
from ordito.sync.outbox.states import TRANSITIONS, require
from ordito.sync.store.tables import proposals
from tests.sync.outbox.fakes import Rig, draft

DRAWN = {
    ("proposed", "approved"),
    ("approved", "applying"),
    ("applying", "applied"),
    ("applied", "undone"),
    ("proposed", "rejected"),
    ("proposed", "handled"),
    ("proposed", "superseded"),
    ("proposed", "lapsed"),
    ("approved", "superseded"),
    ("approved", "lapsed"),
    ("approved", "proposed"),
    ("applying", "failed"),
    ("applying", "unsettled"),
}
NEEDED = {  # so that no approval is lost
    ("applying", "approved"),
    ("unsettled", "applied"),
    ("unsettled", "approved"),
    ("failed", "approved"),
}
TAKEN_BACK = {("rejected", "proposed"), ("handled", "proposed")}


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_only_the_transitions_of_the_machine_are_possible(old: State, new: State) -> None:
    if (old, new) in DRAWN | NEEDED | TAKEN_BACK:
        require(old, new, 1)
    else:
        with pytest.raises(TransitionError, match=f"is {old} and cannot become {new}"):
            require(old, new, 1)


@pytest.mark.parametrize("old", list(State))
def test_a_refused_transition_says_what_can_be_done_instead(old: State) -> None:
    new = next(state for state in State if state not in TRANSITIONS[old])
    with pytest.raises(TransitionError) as caught:
        require(old, new, 7)
    final = not TRANSITIONS[old]
    assert (caught.value.hint == "That is final.") is final
    assert final or re.search(r": ordito [a-z ]+ 7\b", caught.value.hint)


def test_a_refused_transition_changes_nothing(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with pytest.raises(TransitionError), rig.store.write() as conn:
        move(conn, proposal, State.APPLIED, rig.clock.now)
    assert rig.get(proposal.id) == proposal


def test_of_two_who_move_the_same_proposal_one_is_told(rig: Rig) -> None:
    [proposal] = rig.propose(draft())
    with rig.store.write() as conn:
        conn.execute(update(proposals).values(state=State.REJECTED))
    message = "was proposed and has meanwhile become rejected"
    with pytest.raises(TransitionError, match=message), rig.store.write() as conn:
        move(conn, proposal, State.APPROVED, rig.clock.now)
    assert rig.get(proposal.id).state == State.REJECTED
