"""What several kinds need."""

from __future__ import annotations

import hashlib

from ..comparisons import BooleanIs
from ..conditions import Atom, Condition, Some
from ..facts import Subject, find_fact

_LEFT_ALONE = ("bot", "staged", "suspended", "silenced")


def nobody_to_talk_to(family: str, subject: Subject = "member", prefix: str = "") -> tuple[Condition, ...]:
    """Accounts that no message should go to: bots, staged, suspended and silenced ones."""
    uses = [find_fact(f"{prefix}{name}", subject) for name in _LEFT_ALONE]
    return tuple(Atom(use, BooleanIs(True)) for use in uses if family in use.fact.on)


def unless(written: Condition | None, *more: Condition) -> Some:
    """What an item must surely not be: what the settings except, and what the kind itself does."""
    return Some((*((written,) if written is not None else ()), *more))


def steady_order(seed: str, names: list[str]) -> list[str]:
    """The names in an order that depends on `seed` only: the same person always gets the same one first,
    and over many people every name comes first equally often (rendezvous hashing, Thaler and
    Ravishankar 1998)."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
