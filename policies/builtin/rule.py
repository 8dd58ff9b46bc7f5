"""Rules: any condition on members, threads or contributions, and any verbs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, model_validator
from sqlalchemy import func, select

from ...config.model import DurationField, PolicySettings
from ...config.placed import PlacedError, PlacedErrors
from ...connectors.base import Platform, Profile
from ...connectors.records import Kind as RecordKind
from ...connectors.records import Ref
from ...sync.outbox import State
from ...sync.store.tables import proposals
from ...sync.store.times import moment
from ..community import Community
from ..conditions import NEVER, Condition, parse
from ..facts import FactUse, Subject, find_fact
from ..kind import Candidate, Crowd, Held, Kind
from ..matches import Match
from .common import nobody_to_talk_to, unless
from .verbs import Doing, Target, read_doing

ONCE = "once"
"""The occasion of what is done once for ever."""


class RuleParameters(PolicySettings):
    """Settings of `use: rule`."""

    for_: Literal["member", "thread", "contribution"] = Field(alias="for", description="What it is about.")
    when: dict[str, Any] = Field(min_length=1, description="Which items are meant.")
    except_: dict[str, Any] | None = Field(default=None, alias="except", description="Which are not.")
    do: list[dict[str, Any]] = Field(min_length=1, description="The verbs, each with its parameters.")
    again: DurationField | None = Field(
        default=None, description="After this it may act on the same item again; else once for ever."
    )
    _when: Condition = PrivateAttr()
    _except: Condition = PrivateAttr(NEVER)
    _doings: tuple[Doing, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _understood(self) -> RuleParameters:
        faults: list[PlacedError] = []
        for key, document in (("when", self.when), ("except", self.except_)):
            try:
                if document is not None:
                    setattr(self, f"_{key}", parse(document, self.for_, path=(key,)))
            except PlacedErrors as found:
                faults.extend(found.errors)
        doings = []
        for index, each in enumerate(self.do):
            try:
                doings.append(read_doing(each, self.for_, ("do", index)))
            except PlacedError as fault:
                faults.append(fault)
        self._doings = tuple(doings)
        if faults:
            raise PlacedErrors(faults)
        return self

    @property
    def condition(self) -> Condition:
        return self._when

    @property
    def exception(self) -> Condition:
        return self._except

    @property
    def doings(self) -> tuple[Doing, ...]:
        return self._doings


class Rule(Kind):
    """See the module."""

    name: ClassVar[str] = "rule"
    summary: ClassVar[str] = "Any condition on members, threads or contributions, and any verbs."
    subject: ClassVar[Subject] = "thread"
    Parameters: ClassVar[type[PolicySettings]] = RuleParameters

    def __init__(self, policy: str, parameters: Any, tools: Any) -> None:
        super().__init__(policy, parameters, tools)
        self.subject = parameters.for_  # type: ignore[misc]  # a rule chooses its subject, other kinds have one

    def conditions(self, family: str) -> tuple[Condition, Condition]:
        given: RuleParameters = self.parameters
        prefix = {"member": "", "thread": "author.", "contribution": "author."}[given.for_]
        alone = nobody_to_talk_to(family, given.for_, prefix)
        talks = any(doing.to_member for doing in given.doings)
        return given.condition, unless(given.exception, *(alone if talks else ()))

    def propose(self, community: Community, site: str) -> Iterator[Candidate | Held]:
        return self._among(community, site, None)

    def survey(self, community: Community, site: str) -> Iterator[Candidate | Held | Crowd]:
        """Very many items may match; of those that it may meet again, when differs from one to the other."""
        if self.parameters.again is not None:
            yield from self.propose(community, site)
            return
        when, barred = self.conditions(self.tools.platforms[site].family)
        crowds: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
        telling = self._telling()
        names = [use.name for use in telling]
        for each in community.brief(self.subject, site, when, barred, telling):
            values = dict(zip(names, each.values, strict=True))
            target = _target(self.subject, each.id, each.author, each.thread)
            steps: list[str] = []
            for number, doing in enumerate(self.parameters.doings):
                if why := doing.missing(target):
                    yield self.held(f"{site}:{self.subject}:{each.id}", "unknown", f"{doing.verb}: {why}")
                elif not doing.already(values):
                    steps.append(_step(number, doing))
            if steps:
                crowds[tuple(steps)].append((_since(values), each.id))
        for common, waits in crowds.items():
            make = partial(self._made, community, site)
            yield Crowd(site, self.subject, common, waits, lambda since: ONCE, make)

    def _made(self, community: Community, site: str, among: Sequence[str] | None) -> Iterator[Candidate]:
        for each in self._among(community, site, among):
            if isinstance(each, Candidate):
                yield each

    def _among(
        self, community: Community, site: str, among: Sequence[str] | None
    ) -> Iterator[Candidate | Held]:
        """What is to be done with all items that match, or with those of them that are among some."""
        platform = self.tools.platforms[site]
        when, barred = self.conditions(platform.family)
        also, done = self._wanted(), self._done(community)
        for match in community.select(self.subject, site, when, barred, also=also, among=among):
            author, thread = (ref.id if ref else None for ref in (match.author, match.thread))
            target = _target(self.subject, match.ref.id, author, thread)
            for number, doing in enumerate(self.parameters.doings):
                step = _step(number, doing)
                occasion = self._occasion(community, done.get((str(match.ref), step)))
                if doing.missing(target):
                    yield self.held(match.ref, "unknown", f"{doing.verb}: {doing.missing(target)}")
                elif occasion and not doing.already(match.values):
                    yield self._candidate(platform, match, target, doing, occasion, step)

    def _candidate(
        self, platform: Platform, match: Match, target: Target, doing: Doing, occasion: str, step: str
    ) -> Candidate:
        member = Ref(platform.site, RecordKind.MEMBER, target.member) if target.member else None
        notified = (member,) if member and doing.contacts else ()
        return Candidate(
            item=match.ref,
            occasion=occasion,
            step=step,
            because=match.because,
            since=_since(match.values),
            compose=partial(self._compose, platform, match, target, doing),
            site=platform.site,
            addressee=member if doing.to_member and doing.message else None,
            contacts=notified,
            concerns=(member,) if member and doing.recognises else (),
        )

    def _compose(
        self, platform: Platform, match: Match, target: Target, doing: Doing, profile: Profile
    ) -> Any:
        language = profile.language or self.tools.language(platform.site)
        return doing.action(platform, self.tools, self.policy, language, target, self._told(match))

    def _told(self, match: Match) -> dict[str, Any]:
        """The values for a template: a time as its date, which stays the same while a proposal waits."""
        told = dict(match.values)
        for name, value in match.values.items():
            if value is not None and find_fact(name, self.parameters.for_).fact.type == "age":
                told[name] = f"{moment(value):%Y-%m-%d}"
        return told

    def _wanted(self) -> list[FactUse]:
        """Facts that tell whether there is anything left to do, and that templates may use."""
        names = {
            "member": ("username", "joined", "groups"),
            "thread": ("title", "age", "labels", "closed", "archived", "visible", "author.username",
                       "author.groups"),
            "contribution": ("age", "thread.title", "thread.labels", "thread.closed", "thread.archived",
                             "thread.visible", "author.username", "author.groups"),
        }[self.parameters.for_]  # fmt: skip
        return [find_fact(name, self.parameters.for_) for name in names]

    def _telling(self) -> list[FactUse]:
        """Of these, what tells since when an item waits, and whether there is anything left to do."""
        told = {"age", "joined", *(doing.told_by for doing in self.parameters.doings)}
        return [use for use in self._wanted() if use.fact.name in told]

    def _done(self, community: Community) -> dict[tuple[str, str], tuple[int, int]]:
        """(id, time) of the last time that each step was applied to each item; only needed for `again`."""
        if self.parameters.again is None:
            return {}
        p = proposals
        query = (
            select(p.c.item, p.c.step, func.max(p.c.id).label("id"), func.max(p.c.changed_at).label("at"))
            .where(p.c.policy == self.policy, p.c.state == State.APPLIED)
            .group_by(p.c.item, p.c.step)
        )
        if community.only is not None:
            query = query.where(p.c.item == str(community.only))
        return {(row.item, row.step): (row.id, row.at) for row in community.conn.execute(query)}

    def _occasion(self, community: Community, last: tuple[int, int] | None) -> str:
        """'' while it is too early to act again."""
        if last is None:
            return ONCE
        number, at = last
        due = self.parameters.again.after(moment(at))
        return f"again after {number}" if community.now >= due else ""


def _step(number: int, doing: Doing) -> str:
    return f"{number + 1} {doing.verb}"


def _target(subject: str, item: str, author: str | None, thread: str | None) -> Target:
    """The thread and the member that a verb on this item acts upon."""
    match subject:
        case RecordKind.MEMBER:
            return Target(None, item, None)
        case RecordKind.THREAD:
            return Target(item, author, None)
        case _:
            return Target(thread, author, item)


def _since(values: Mapping[str, Any]) -> int:
    ages = [values.get(name) for name in ("age", "joined")]
    return min((int(age) for age in ages if age is not None), default=0)
