"""The outbox: what was proposed, decided and done, and the one place from which platforms are changed."""

from .apply import apply
from .bench import Bench, Failure, Held, Report, SiteError
from .gate import Gate, Go, Review, Supersede, Verdict, Wait
from .listing import Decided, Entry, Filters, count, decisions, journal, select
from .proposals import Because, Draft, Proposal, get
from .proposing import Key, Proposed, lapse, propose, proposed_items, rearm, spent, supersede
from .reviewing import CLAIM, Decision, claim, release, review
from .settling import resolve
from .states import TRANSITIONS, State
from .undo import undo

__all__ = [
    "CLAIM",
    "TRANSITIONS",
    "Because",
    "Bench",
    "Decided",
    "Decision",
    "Draft",
    "Entry",
    "Failure",
    "Filters",
    "Gate",
    "Go",
    "Held",
    "Key",
    "Proposal",
    "Proposed",
    "Report",
    "Review",
    "SiteError",
    "State",
    "Supersede",
    "Verdict",
    "Wait",
    "apply",
    "claim",
    "count",
    "decisions",
    "get",
    "journal",
    "lapse",
    "propose",
    "proposed_items",
    "rearm",
    "release",
    "resolve",
    "review",
    "select",
    "spent",
    "supersede",
    "undo",
]
