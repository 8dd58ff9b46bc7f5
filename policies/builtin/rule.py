"""Rules: any condition on members, threads or contributions, and any verbs."""

from __future__ import annotations

from collections.abc import Iterator
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
from ..kind import Candidate, Held, Kind
from ..matches import Match
from .common import nobody_to_talk_to, unless
from .verbs import Doing, Target, read_doing


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
        platform = self.tools.platforms[site]
        when, barred = self.conditions(platform.family)
        also = self._wanted(platform.family)
        done = self._done(community)
        for match in community.select(self.subject, site, when, barred, also=also):
            target = _target(match)
            for number, doing in enumerate(self.parameters.doings):
                step = f"{number + 1} {doing.verb}"
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
            since=_since(match),
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

    def _wanted(self, family: str) -> list[FactUse]:
        """Facts that tell whether there is anything left to do, and that templates may use."""
        names = {
            "member": ("username", "joined", "groups"),
            "thread": ("title", "age", "labels", "closed", "archived", "visible", "author.username",
                       "author.groups"),
            "contribution": ("age", "thread.title", "thread.labels", "thread.closed", "thread.archived",
                             "thread.visible", "author.username", "author.groups"),
        }[self.parameters.for_]  # fmt: skip
        return [find_fact(name, self.parameters.for_) for name in names]

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
            return "once"
        number, at = last
        due = self.parameters.again.after(moment(at))
        return f"again after {number}" if community.now >= due else ""


def _target(found: Match) -> Target:
    """The thread and the member that a verb on this item acts upon."""
    author = found.author.id if found.author else None
    match found.ref.kind:
        case RecordKind.MEMBER:
            return Target(None, found.ref.id, None)
        case RecordKind.THREAD:
            return Target(found.ref.id, author, None)
        case _:
            return Target(found.thread.id if found.thread else None, author, found.ref.id)


def _since(match: Match) -> int:
    ages = [match.values.get(name) for name in ("age", "joined")]
    return min((int(age) for age in ages if age is not None), default=0)
