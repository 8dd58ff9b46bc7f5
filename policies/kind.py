"""What a kind of policy is: parameters, and a way from the community to candidates for proposals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from ..config.model import PolicySettings
from ..connectors.actions import Action
from ..connectors.base import Platform, Profile
from ..connectors.records import Ref
from ..sync.outbox import Because
from .community import Community
from .conditions import All, Condition, parse
from .facts import Subject
from .messages import Messages

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..config.settings import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """A condition as it was written, and as it was understood."""

    document: Mapping[str, Any]
    condition: All


def _reader(subject: Subject) -> Callable[[Any], Written]:
    def read(value: Any) -> Written:
        if isinstance(value, Written):
            return value
        return Written(value, parse(value, subject))

    return read


def _field(subject: Subject) -> Any:
    return Annotated[
        Written,
        PlainValidator(_reader(subject)),
        PlainSerializer(lambda written: written.document),
        WithJsonSchema({"type": "object", "x-condition": subject}),
    ]


MemberCondition = _field("member")
ThreadCondition = _field("thread")
ContributionCondition = _field("contribution")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something a policy would do, before limits and budgets.

    `since` (micros): since when the item has been waiting; where a limit cuts, the longest wait comes
    first. `compose` gives the final action; it is asked only for what is really proposed, with the profile
    of `addressee` if somebody is written to, and after `prepare` has read what it needs of the store.
    `contacts`: everybody whom the action notifies. `concerns`: members whose opt-outs, groups and names count
    besides those. `company`: those who are brought into a conversation besides the addressee, and `without`
    the same thing without some of them.
    """

    item: Ref
    occasion: str
    step: str
    because: Sequence[Because]
    since: int
    compose: Callable[[Profile], Action]
    site: str
    addressee: Ref | None = None
    contacts: tuple[Ref, ...] = ()
    concerns: tuple[Ref, ...] = ()
    after: int | None = None
    not_before: datetime | None = None
    company: tuple[Ref, ...] = ()
    without: Callable[[frozenset[Ref]], Candidate] | None = None
    prepare: Callable[[], object] | None = None

    @property
    def key(self) -> tuple[Ref, str, str]:
        """What of a proposal's key follows the policy."""
        return (self.item, self.occasion, self.step)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Candidates that are made only where somebody looks at them: of many matches a limit lets few through.

    They are about items of one kind (`items`) of a site, and have the same `steps`, in that order. `waits`:
    (`since`, id of the item) of each item. `occasion`: of all that wait since a moment. `make`: the
    candidates of the items with these ids, or of all of them (None). Nothing is asked of a platform about
    them before they are proposed: `Kind.links` is None.
    """

    site: str
    items: str
    steps: tuple[str, ...]
    waits: Sequence[tuple[int, str]]
    occasion: Callable[[int], str]
    make: Callable[[Sequence[str] | None], Iterator[Candidate]]

    def keys(self, of: Set[str]) -> Iterator[tuple[Ref, str, str]]:
        """What `Candidate.key` would be, of those of the items (`site:kind:id`) that are among these."""
        prefix = f"{self.site}:{self.items}:"
        ids = {item.removeprefix(prefix) for item in of if item.startswith(prefix)}
        for since, id in self.waits if ids else ():
            if id in ids:
                occasion = self.occasion(since)
                yield from ((Ref(self.site, self.items, id), occasion, step) for step in self.steps)


class Held(NamedTuple):
    """Something a policy would have done, and what stood against it: `by` in one word, `reason` in words."""

    policy: str
    item: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tools:
    """What kinds take from outside: the sites' words and escaping, the messages, whose account is whose."""

    platforms: Mapping[str, Platform]
    messages: Messages
    settings: Settings
    share_of: Callable[[str], float]
    """A steady number in [0, 1) for a text, keyed by the installation: who is held out of what."""

    def language(self, site: str) -> str:
        """Of what is written there to everybody, or to somebody whose language is not known."""
        return self.settings.sites[site].language or self.settings.language

    @property
    def phrase(self) -> str:
        """The first line of a reply that ends all contact."""
        return self.settings.constitution.opt_out.phrase


class Kind(ABC):
    """A kind of policy, made with the id and the parameters that the settings give it.

    A kind only decides. It never asks for the time, never talks to a platform, and gives the same
    candidate for the same item whether the whole community is looked at or that item only.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    subject: ClassVar[Subject]
    Parameters: ClassVar[type[PolicySettings]]

    def __init__(self, policy: str, parameters: Any, tools: Tools) -> None:
        self.policy = policy
        self.parameters = parameters
        self.tools = tools

    @abstractmethod
    def conditions(self, family: str) -> tuple[Condition, Condition]:
        """What must hold of an item on a site of this family, and what must surely not."""

    @abstractmethod
    def propose(self, community: Community, site: str) -> Iterator[Candidate | Held]:
        """What should be done on a site at the community's moment."""

    def survey(self, community: Community, site: str) -> Iterator[Candidate | Held | Crowd]:
        """The same; a kind that may find very many leaves them to be made where they are looked at."""
        return self.propose(community, site)

    def reports(self, community: Community, site: str) -> Iterator[Held]:
        """What is no candidate and is still to be told, besides what `propose` holds."""
        yield from ()

    def sites_of(self, item: Ref) -> list[str]:
        """The sites that say what it proposes for an item: the item's own, or, for a page that it keeps on
        another site, all."""
        if item.site in self.parameters.on:
            return [item.site]
        return list(self.parameters.on) if item.kind == "title" else []

    def looks_at(self, community: Community, site: str) -> int:
        """How many items it looks at there; the limit `share` is a share of these."""
        return community.size(self.subject, site)

    def links(self, site: str, step: str) -> int | None:
        """How many pages must link to a page for this step to be taken there; 0: it is only asked whether
        our account may edit it; None: neither matters. Asked of the wiki, see `standing.py`."""
        return None

    def remember(
        self, conn: Connection, found: Sequence[Candidate], held: Sequence[Held], now: datetime
    ) -> None:
        """Keep what a plan has to know again later; in the transaction that stores its proposals. Of a
        `Crowd` nothing is among those found."""
        return

    def missing(self, site: str) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        """What the settings leave open on a site of that family, so that nothing would be done: the path of
        the key concerned, the fault, and what to do."""
        yield from ()

    def held(self, item: object, by: str, reason: str) -> Held:
        return Held(self.policy, str(item), by, reason)
