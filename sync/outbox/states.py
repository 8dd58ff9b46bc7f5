"""The life of a proposal as a state machine (DESIGN §9); what is not drawn here is refused.

::

    proposed → approved → applying → applied → undone
    proposed → rejected | handled          proposed, approved → superseded | lapsed
    approved → proposed                    applying → failed | unsettled
    applying → approved                    unsettled → applied | approved     failed → approved
    rejected, handled → proposed

The last but one line is what the rest needs in order that no approval is lost: an attempt that was certainly
not carried out gives the approval back; a person decides what nobody else could find out, done or not done;
and a person may ask for another try of what the platform had refused, once the reason is mended. The last
line is for a person who pressed the wrong key: no policy proposes again what was rejected.
"""

from __future__ import annotations

from enum import StrEnum

from ...config.errors import TransitionError


class State(StrEnum):
    """`unsettled`: nobody knows whether it was carried out; `handled`: a person did it by hand."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDONE = "undone"
    REJECTED = "rejected"
    HANDLED = "handled"
    SUPERSEDED = "superseded"
    LAPSED = "lapsed"
    FAILED = "failed"
    UNSETTLED = "unsettled"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.PROPOSED: frozenset(
        {State.APPROVED, State.REJECTED, State.HANDLED, State.SUPERSEDED, State.LAPSED}
    ),
    State.APPROVED: frozenset({State.APPLYING, State.PROPOSED, State.SUPERSEDED, State.LAPSED}),
    State.APPLYING: frozenset({State.APPLIED, State.FAILED, State.UNSETTLED, State.APPROVED}),
    State.APPLIED: frozenset({State.UNDONE}),
    State.UNSETTLED: frozenset({State.APPLIED, State.APPROVED}),
    State.FAILED: frozenset({State.APPROVED}),
    State.UNDONE: frozenset(),
    State.REJECTED: frozenset({State.PROPOSED}),
    State.HANDLED: frozenset({State.PROPOSED}),
    State.SUPERSEDED: frozenset(),
    State.LAPSED: frozenset(),
}

REARMING = frozenset({State.SUPERSEDED, State.LAPSED})
"""States that leave the key free once the conditions have become true anew; every other one holds it."""

WAITING = frozenset({State.PROPOSED, State.APPROVED})
"""Nothing has been done yet, and still may be."""

DROPPED = REARMING | {State.REJECTED, State.HANDLED, State.UNDONE, State.FAILED}
"""A later step that waits for this one will not come."""


def require(old: State, new: State, proposal: int) -> None:
    """Raises TransitionError unless the machine has this transition."""
    if new in TRANSITIONS[old]:
        return
    hint = _INSTEAD.get(old, "That is final.").format(id=proposal)
    raise TransitionError(f"Proposal {proposal} is {old} and cannot become {new}.", hint=hint)


_INSTEAD = {
    State.PROPOSED: "Decide on it: ordito review show {id}",
    State.APPROVED: "To take the approval back: ordito review reopen {id}",
    State.APPLYING: "It is being carried out; look again in a moment: ordito review show {id}",
    State.APPLIED: "To reverse it: ordito undo {id}",
    State.UNSETTLED: "Say what came of it: ordito review settle {id} --done (or --not-done)",
    State.FAILED: "To have it tried again: ordito review approve {id}",
    State.REJECTED: "To decide anew: ordito review reopen {id}",
    State.HANDLED: "To decide anew: ordito review reopen {id}",
}
"""What a person can do from here."""
