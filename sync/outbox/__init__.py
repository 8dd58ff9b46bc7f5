"""The outbox: what was proposed, decided and done, and the one place from which platforms are changed."""

from .gate import Gate, Go, Review, Supersede, Verdict, Wait
from .proposals import Because, Draft, Proposal, get
from .proposing import Key, Proposed, lapse, propose, rearm, spent, supersede
from .reviewing import CLAIM, Decision, claim, release, review
from .states import TRANSITIONS, State

__all__ = [
    "CLAIM",
    "TRANSITIONS",
    "Because",
    "Decision",
    "Draft",
    "Gate",
    "Go",
    "Key",
    "Proposal",
    "Proposed",
    "Review",
    "State",
    "Supersede",
    "Verdict",
    "Wait",
    "claim",
    "get",
    "lapse",
    "propose",
    "rearm",
    "release",
    "review",
    "spent",
    "supersede",
]
