"""Why somebody is expected to answer a topic: what lifts them most above the others, in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain

from .answerers import RECENT, Likely, Past, Topic

_SAID = 3
_CITED = 3
_NEAREST, _ALIKE = 10, 60
_LITTLE = 0.1
"""A term that lifts by less than a tenth is no reason."""


def why(past: Past, topic: Topic, likely: Likely, now: float) -> str:
    """The two or three largest reasons, largest first."""
    parts = likely.parts
    reasons: list[tuple[float, Callable[[], str]]] = [
        (parts.lately, lambda: _lately(past, likely.who, now)),
        (parts.absent + parts.present, lambda: _here(past, likely.who, now)),
        (parts.hour, lambda: "often writes at this time of day"),
        (parts.area, lambda: _area(past, topic, likely.who)),
        (parts.nearest + parts.around + parts.alike, lambda: _alike(past, topic, likely.who)),
        (parts.author, lambda: _author(past, topic, likely.who)),
    ]
    reasons.sort(key=lambda each: -each[0])
    said = [words for lift, phrase in reasons if lift > _LITTLE and (words := phrase())]
    return "; ".join(said[:_SAID]) or _here(past, likely.who, now)


def evidence(past: Past, topic: Topic, who: str) -> list[str]:
    """The contributions that speak most for somebody: answers to the topics most like this one, then to
    others of its areas, then the newest; one of each topic."""
    alike = (near.answers[who] for near in past.nearest(topic)[:_ALIKE] if who in near.answers)
    there = past.answers_of(who, lambda _, areas: not set(areas).isdisjoint(topic.areas))
    anywhere = past.answers_of(who, lambda _, areas: True)
    return list(dict.fromkeys(chain(alike, there, anywhere)))[:_CITED]


def _lately(past: Past, who: str, now: float) -> str:
    answered, opened = past.answered_since(who, now - RECENT), past.opened_since(now - RECENT)
    if not answered:
        return ""
    return f"answered {_many(answered, 'topic')} in the last {RECENT} days ({opened} were opened)"


def _here(past: Past, who: str, now: float) -> str:
    """Counted in days of the calendar (UTC), as people say it."""
    ago = int(now) - int(past.people[who].last)
    return "wrote " + {0: "today", 1: "yesterday"}.get(ago, f"{ago} days ago")


def _area(past: Past, topic: Topic, who: str) -> str:
    counts = ((len(past.answers_of(who, partial(_is_in, area))), area) for area in topic.areas)
    (most, area), *others = sorted(counts, reverse=True) or [(0, "")]
    if not most:
        return ""
    also = f" and {others[0][0]} in {others[0][1]}" if others and others[0][0] else ""
    return f"answered {_many(most, 'topic')} in {area}{also}"


def _is_in(area: str, author: str | None, areas: tuple[str, ...]) -> bool:
    return area in areas


def _alike(past: Past, topic: Topic, who: str) -> str:
    nearest = past.nearest(topic)
    for many in (_NEAREST, _ALIKE):
        answered = sum(who in near.answers for near in nearest[:many])
        if answered:
            return f"answered {answered} of the {len(nearest[:many])} topics most like this one"
    return ""


def _author(past: Past, topic: Topic, who: str) -> str:
    answered = len(past.answers_of(who, lambda author, _: author is not None and author == topic.author))
    return f"answered {_many(answered, 'other topic')} of the same author" if answered else ""


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
