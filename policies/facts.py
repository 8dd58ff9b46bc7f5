"""The catalogue of facts: what a condition can ask, of which type, where it exists, and its SQL.

A fact's SQL is a method name of the source that computes it (`sources.py`): a table of one row per member,
thread or contribution. The catalogue is the one place that says what a fact means; `ordito facts` prints
it, and the JSON Schema and the docs are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..config.placed import PlacedError
from ..config.words import suggestion

Subject = Literal["member", "thread", "contribution"]
FactType = Literal["number", "age", "text", "choice", "set", "boolean", "scores"]

_BOTH = ("forum", "wiki")
_FORUM = ("forum",)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact.

    `source` and `column`: where its SQL is. `on`: the families of platforms that have it; elsewhere it is
    unknown. `counts`: it is counted over contributions, so it is at least so much where something is
    excluded. `history`: it looks at all contributions of an item, so it is unknown where the mirror's
    history is bounded or has gaps. `past`: `assumed` where only today's value is known, and a look into
    the past has to assume that it was the same then.
    """

    name: str
    subject: Subject
    type: FactType
    source: str
    column: str
    doc: str
    on: tuple[str, ...] = _BOTH
    choices: tuple[str, ...] = ()
    counts: bool = False
    history: bool = False
    past: Literal["known", "assumed"] = "known"


@dataclass(frozen=True, slots=True)
class FactUse:
    """A fact as a condition names it: `prefix` is '' or the way to another subject (author, thread, …)."""

    fact: Fact
    prefix: tuple[str, ...] = ()
    name: str = field(init=False, compare=False)
    """With its prefix, as it is written."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", ".".join((*self.prefix, self.fact.name)))

    @property
    def subject(self) -> Subject:
        return self.fact.subject


_MEMBER: tuple[Fact, ...] = (
    Fact("joined", "member", "age", "member", "joined_at", "When the account was made."),
    Fact("first_contribution", "member", "age", "first_words", "first_at",
         "When the member first wrote: a post, or a revision.", history=True),
    Fact("last_contribution", "member", "age", "latest_words", "last_at",
         "When the member last wrote.", history=True),
    Fact("last_seen", "member", "age", "member", "last_seen_at",
         "When the member last visited.", on=_FORUM, past="assumed"),
    Fact("posts", "member", "number", "written", "posts",
         "How many contributions the member wrote: posts on a forum, revisions on a wiki.",
         counts=True, history=True),
    Fact("threads", "member", "number", "opened", "threads",
         "How many topics or pages the member began.", counts=True, history=True),
    Fact("edits", "member", "number", "written", "posts",
         "How many revisions of pages the member made.", on=("wiki",), counts=True, history=True),
    Fact("replies_given", "member", "number", "answered", "given",
         "How many contributions the member wrote in threads that others began.", counts=True, history=True),
    Fact("replies_received", "member", "number", "received", "received",
         "How many contributions others wrote in threads that the member began.", counts=True, history=True),
    Fact("solutions", "member", "number", "solved", "solutions",
         "How many of the member's posts were accepted as the answer to somebody else's question.",
         on=_FORUM, counts=True, history=True, past="assumed"),
    Fact("likes_received", "member", "number", "liked", "likes",
         "How many likes the member's posts have.", on=_FORUM, counts=True, history=True, past="assumed"),
    Fact("trust_level", "member", "number", "member", "trust_level",
         "The forum's trust level, 0 to 4.", on=_FORUM, past="assumed"),
    Fact("groups", "member", "set", "member", "group", "The names of the member's groups.", past="assumed"),
    Fact("title", "member", "text", "member", "title", "The words beside the member's name.",
         on=_FORUM, past="assumed"),
    Fact("username", "member", "text", "member", "username", "The account's name.", past="assumed"),
    Fact("admin", "member", "boolean", "member", "admin", "Whether the member administers the site.",
         past="assumed"),
    Fact("moderator", "member", "boolean", "member", "moderator", "Whether the member moderates the site.",
         past="assumed"),
    Fact("bot", "member", "boolean", "member", "bot", "Whether the account is a program's.",
         past="assumed"),
    Fact("staged", "member", "boolean", "member", "staged",
         "Whether nobody has taken the account yet (made from e-mail, or temporary).", past="assumed"),
    Fact("suspended", "member", "boolean", "member", "suspended",
         "Whether the member is suspended or blocked.", past="assumed"),
    Fact("silenced", "member", "boolean", "member", "silenced", "Whether the member may not write.",
         on=_FORUM, past="assumed"),
    Fact("linked", "member", "boolean", "linked", "linked",
         "Whether the member's account on another site is known.", past="assumed"),
    Fact("greeted", "member", "boolean", "greeted", "greeted",
         "Whether somebody, and not a bot, answered the member's first contribution: by a reply to it, as "
         "the author of its thread, in the member's own thread, or on the member's talk page.",
         history=True),
    Fact("contacted", "member", "age", "contacted", "at", "When Ordito last wrote to the member."),
    Fact("expertise", "member", "scores", "expertise", "score",
         "How far the member's answers exceed their questions, by area (a tag or category; on a wiki lasting "
         "edits, by category): a Z-score, 0 for who did neither. Both count half after a year. Of a tag and "
         "a category of one name, the larger.", history=True, past="assumed"),
)  # fmt: skip

_THREAD: tuple[Fact, ...] = (
    Fact("kind", "thread", "choice", "thread", "kind", "What it is.",
         choices=("topic", "message", "page", "talk")),
    Fact("space", "thread", "text", "thread", "space_name", "The name of its category or namespace.",
         past="assumed"),
    Fact("labels", "thread", "set", "thread", "label", "Its tags or categories.", past="assumed"),
    Fact("title", "thread", "text", "thread", "title", "Its title.", past="assumed"),
    Fact("age", "thread", "age", "thread", "created_at", "When it was begun."),
    Fact("quiet", "thread", "age", "last_words", "at", "When somebody last wrote in it.", history=True),
    Fact("posts", "thread", "number", "extent", "posts", "How many contributions it has.",
         history=True),
    Fact("participants", "thread", "number", "participants", "participants", "How many people wrote in it.",
         history=True),
    Fact("views", "thread", "number", "thread", "views", "How often it was looked at.", on=_FORUM,
         past="assumed"),
    Fact("likes", "thread", "number", "thread", "likes", "How many likes its posts have.", on=_FORUM,
         past="assumed"),
    Fact("solved", "thread", "boolean", "thread", "solved", "Whether an answer was accepted.", on=_FORUM,
         past="assumed"),
    Fact("answered", "thread", "boolean", "replied", "answered",
         "Whether somebody else than its author wrote in it.", history=True),
    Fact("waiting_on", "thread", "choice", "waiting", "waiting_on",
         "Who is being waited for: the author (others wrote last), the community (nobody answered, or the "
         "author asks again), or nobody (solved, closed, archived, or the author ended it without a "
         "question).", on=_FORUM, choices=("author", "community", "nobody"), history=True),
    Fact("closed", "thread", "boolean", "thread", "closed", "Whether replies are no longer taken.",
         on=_FORUM),
    Fact("archived", "thread", "boolean", "thread", "archived", "Whether it is frozen.", on=_FORUM),
    Fact("pinned", "thread", "boolean", "thread", "pinned", "Whether it is kept at the top.", on=_FORUM,
         past="assumed"),
    Fact("visible", "thread", "boolean", "thread", "visible", "Whether it stands in the lists.", on=_FORUM),
    Fact("revived", "thread", "number", "revived", "revived",
         "How often somebody wrote in it after 90 quiet days.", history=True),
)  # fmt: skip

_CONTRIBUTION: tuple[Fact, ...] = (
    Fact("age", "contribution", "age", "contribution", "created_at", "When it was written."),
    Fact("position", "contribution", "number", "contribution", "position",
         "Its number in the topic; 1 is the first.", on=_FORUM, past="assumed"),
    Fact("kind", "contribution", "choice", "contribution", "kind", "What it is.",
         choices=("regular", "moderator", "minor")),
    Fact("size", "contribution", "number", "contribution", "size", "The length of its text in bytes.",
         past="assumed"),
    Fact("text", "contribution", "text", "contribution", "text", "Its text, as written.", past="assumed"),
    Fact("likes", "contribution", "number", "contribution", "likes", "How many likes it has.", on=_FORUM,
         past="assumed"),
    Fact("edited", "contribution", "boolean", "contribution", "edited", "Whether it was changed later.",
         on=_FORUM, past="assumed"),
)  # fmt: skip

CATALOGUE: dict[Subject, dict[str, Fact]] = {
    "member": {fact.name: fact for fact in _MEMBER},
    "thread": {fact.name: fact for fact in _THREAD},
    "contribution": {fact.name: fact for fact in _CONTRIBUTION},
}

PREFIXES: dict[Subject, dict[str, Subject]] = {
    "member": {},
    "thread": {"author": "member"},
    "contribution": {"author": "member", "thread": "thread"},
}
"""From which subject which other one can be reached."""


def names(subject: Subject) -> Iterable[str]:
    """Every name that a condition on `subject` may use."""
    yield from CATALOGUE[subject]
    for prefix, other in PREFIXES[subject].items():
        yield from (f"{prefix}.{name}" for name in names(other))


def find_fact(name: str, subject: str, path: tuple[str | int, ...] = ()) -> FactUse:
    """The fact that `name` means for `subject`. Raises PlacedError with the nearest name."""
    here: Subject = subject  # type: ignore[assignment]  # one of three words, from the kinds' own code
    *prefix, last = name.split(".")
    for step in prefix:
        if step not in PREFIXES[here]:
            raise _no_such(name, subject, path)
        here = PREFIXES[here][step]
    if last not in CATALOGUE[here]:
        raise _no_such(name, subject, path)
    return FactUse(CATALOGUE[here][last], tuple(prefix))


def _no_such(name: str, subject: str, path: tuple[str | int, ...]) -> PlacedError:
    hint = suggestion(name, names(subject))  # type: ignore[arg-type]  # as above
    return PlacedError(f"there is no fact '{name}' about a {subject}.", path=path, hint=hint, at_key=True)
