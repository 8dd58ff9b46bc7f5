"""What several kinds need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ..comparisons import AgeIs, BooleanIs, ChoiceIs
from ..conditions import All, Atom, Condition, Some
from ..facts import Subject, find_fact

SECTIONS = "sections"
"""The step of moving old sections of a talk page to an archive."""

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


def split(when: All) -> tuple[AgeIs | None, ChoiceIs | None, tuple[Condition, ...]]:
    """The tests of `quiet` and of `waiting_on` at the top of a condition, and its other parts."""
    quiet: AgeIs | None = None
    waiting: ChoiceIs | None = None
    rest: list[Condition] = []
    for part in _parts(when):
        test = part.test if isinstance(part, Atom) else None
        name = part.use.name if isinstance(part, Atom) else ""
        if name == "quiet" and isinstance(test, AgeIs):
            quiet = test
        elif name == "waiting_on" and isinstance(test, ChoiceIs):
            waiting = test
        else:
            rest.append(part)
    return quiet, waiting, tuple(rest)


def _parts(when: All) -> Iterator[Condition]:
    for part in when.parts:
        if isinstance(part, All):
            yield from _parts(part)
        else:
            yield part
