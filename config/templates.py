"""What each message template may say: its variables, their meaning, and values to try it with.

All values reach a template escaped for the platform. An optional variable is always given; it is empty
where there is nothing to say (`{% if area %}…{% endif %}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variable:
    """`sample` is a value such as really occurs; an optional one may also be empty."""

    meaning: str
    sample: Any
    optional: bool = False

    @property
    def empty(self) -> Any:
        return () if isinstance(self.sample, list) else ""


@dataclass(frozen=True, slots=True)
class Template:
    """A message that Ordito sends; admins may write their own under the same name."""

    purpose: str
    variables: Mapping[str, Variable]

    def values(self, *, full: bool) -> dict[str, Any]:
        """Values to try the template with: everything, or only what is always there."""
        return {
            name: variable.empty if variable.optional and not full else variable.sample
            for name, variable in self.variables.items()
        }


_EVERYWHERE = {
    "why": Variable("One sentence: why this came.", "You receive this because you posted here."),
    "stop": Variable("One sentence: how to get no more.", "To stop such messages, reply with STOP."),
}
_MEMBER = {"member": Variable("`.mention` notifies; `.name` only names.", {"name": "Ada", "mention": "Ada"})}
_THREAD = {"thread": Variable("`.title` of the topic or page.", {"title": "Choosing a loom"})}
_STALE = {
    "quiet_for": Variable("How long it has been quiet, in words.", "6 months"),
    "then": Variable("closed, archived, unlisted, labelled or marked.", "closed"),
}

TEMPLATES: dict[str, Template] = {
    "welcome": Template(
        "To a newcomer, after the first contribution.",
        {
            **_MEMBER,
            "site_name": Variable("What the site calls itself.", "The Weavers", optional=True),
            "area": Variable("Category or label of the first contribution.", "Looms", optional=True),
            "question_url": Variable("Their unanswered question.", "https://example.org/t/1", optional=True),
            "question_title": Variable("Title of that question.", "Which loom?", optional=True),
            "start_url": Variable("A page to begin with.", "https://example.org/start", optional=True),
            "greeters": Variable("Mentions of those who offer help.", ["Bea", "Carl"], optional=True),
            **_EVERYWHERE,
        },
    ),
    "stale-warning": Template(
        "In a quiet topic or page, before something is done about it.",
        {
            **_THREAD,
            **_STALE,
            "grace": Variable("How long there is to answer, in words.", "14 days"),
            **_EVERYWHERE,
        },
    ),
    "stale-notice": Template(
        "In a quiet topic or page, when something has been done about it.",
        {**_THREAD, **_STALE, **_EVERYWHERE},
    ),
    "stale-authors": Template(
        "To those who last edited pages of a wiki that have been marked as stale.",
        {
            **_MEMBER,
            "pages": Variable("Links to the pages, ten at most.", ["How to warp", "Which reed"]),
            "quiet_for": Variable("How long they have been quiet, in words.", "6 months"),
            **_EVERYWHERE,
        },
    ),
    "expert-consent": Template(
        "Asks somebody, once, whether they agree to be recognised as knowing an area.",
        {
            **_MEMBER,
            "area": Variable("What they know about.", "Looms"),
            "evidence": Variable("Links to contributions of theirs.", ["How to warp", "Which reed"]),
            "directory": Variable("Link to the list they would be in.", "Experts", optional=True),
            "group": Variable("Group they would join.", "experts-looms", optional=True),
            "title": Variable("Title beside their name.", "Weaver", optional=True),
            "badge": Variable("Badge they would get.", "Expert", optional=True),
            **_EVERYWHERE,
        },
    ),
    "directory": Template(
        "The list of those who know about something, on a page, between two markers.",
        {
            "areas": Variable(
                "A list: each has `.name` and `.experts`, of whom each has `.mention` and `.evidence`.",
                [{"name": "Looms", "experts": [{"mention": "Ada", "evidence": ["How to warp"]}]}],
                optional=True,
            ),
            **_EVERYWHERE,
        },
    ),
    "rule-note": Template(
        "In a topic or on a page that a rule was applied to, or to a member.",
        {
            **_MEMBER,
            **_THREAD,
            "note": Variable("The moderators' own words.", "Moved to Looms.", optional=True),
            **_EVERYWHERE,
        },
    ),
}  # fmt: skip
