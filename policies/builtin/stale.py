"""Stale threads: warn, wait, act. Who is being waited for decides; an unanswered question is never closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar, Literal

from pydantic import Field, model_validator
from sqlalchemy import select

from ...config.durations import Duration
from ...config.model import DurationField, Model, PolicySettings
from ...connectors.actions import Action, ArchiveThread, CloseThread, Reply, SetLabels, UnlistThread
from ...connectors.base import Platform, Profile
from ...connectors.records import Ref
from ...sync.outbox import Because, State
from ...sync.store.tables import proposals
from ...sync.store.times import moment
from .. import phrases
from ..community import Community, Match
from ..comparisons import AgeIs, BooleanIs, ChoiceIs, Comparison
from ..conditions import All, Atom, Condition, grounds, parse
from ..facts import Subject, find_fact
from ..kind import Candidate, Held, Kind, ThreadCondition, Written
from .common import unless

_DEFAULT = {"quiet": "> 180 days", "waiting_on": ["nobody", "author"]}
_DONE = {"close": "closed", "archive": "archived", "unlist": "unlisted", "label": "labelled"}
WARN = "warn"


def _quiet() -> Written:
    return Written(_DEFAULT, parse(_DEFAULT, "thread"))


class Warn(Model):
    """What is written before anything is done."""

    message: str = Field(default="stale-warning", description="Name of the message template.")
    grace: DurationField = Field(
        default=Duration(14, "day"), description="How long a reply can still keep the thread open."
    )


class StaleParameters(PolicySettings):
    """Settings of `use: stale`."""

    when: ThreadCondition = Field(default_factory=_quiet, description="Which threads are stale.")
    except_: ThreadCondition | None = Field(default=None, alias="except", description="Which are not meant.")
    warn: Warn | None = Field(default=None, description="A warning first, and time to answer it.")
    then: list[Literal["close", "archive", "unlist", "label"]] = Field(
        min_length=1, description="What is done: close, archive, unlist, label."
    )
    label: str = Field(default="", description="The label that `label` sets.")

    @model_validator(mode="after")
    def _label_named(self) -> StaleParameters:
        if "label" in self.then and not self.label:
            raise ValueError("'then: [label]' needs 'label: NAME'")
        return self


@dataclass(frozen=True, slots=True)
class _Warning:
    proposal: int
    at: datetime


class Stale(Kind):
    """See the module."""

    name: ClassVar[str] = "stale"
    summary: ClassVar[str] = "Warn in threads that fell silent, then close, archive, unlist or label them."
    subject: ClassVar[Subject] = "thread"
    Parameters: ClassVar[type[PolicySettings]] = StaleParameters

    def conditions(self, family: str) -> tuple[Condition, Condition]:
        written = self.parameters.except_.condition if self.parameters.except_ else None
        return self.parameters.when.condition, unless(written, *self._settled(family))

    def _settled(self, family: str) -> tuple[Condition, ...]:
        """Threads with which nothing is to be done: pinned ones, and those that are there already."""
        if family != "forum":
            return ()
        names = ["pinned", "archived"]
        names += ["closed"] if set(self.parameters.then) <= {"close", "label"} else []
        return tuple(Atom(find_fact(name, "thread"), BooleanIs(True)) for name in names)

    def propose(self, community: Community, site: str) -> Iterator[Candidate | Held]:
        platform = self.tools.platforms[site]
        when, barred = self.conditions(platform.family)
        names = ["quiet", "title", "closed", "visible"]
        names += ["labels"] if "label" in self.parameters.then else []
        also = [find_fact(name, "thread") for name in names]
        warnings = self._warnings(community)
        for match in community.select("thread", site, when, barred, also=also):
            yield from self._steps(community, platform, match, warnings)
        yield from self._unanswered(community, site, barred)

    def _steps(
        self,
        community: Community,
        platform: Platform,
        match: Match,
        warnings: dict[tuple[str, str], _Warning],
    ) -> Iterator[Candidate | Held]:
        occasion = f"quiet since {moment(int(match.values['quiet'])):%Y-%m-%dT%H:%M:%S}Z"
        if self.parameters.warn is None:
            yield from self._acts(community, platform, match, occasion, None)
            return
        warned = warnings.get((str(match.ref), occasion))
        if warned is None:
            yield self._warn(platform, match, occasion, self._quiet_for(match, community.now))
            return
        due = self.parameters.warn.grace.after(warned.at)
        if community.now < due:
            reason = f"warned on {warned.at:%Y-%m-%d}; the grace ends on {due:%Y-%m-%d}"
            yield self.held(match.ref, "grace", reason)
        else:
            yield from self._acts(community, platform, match, occasion, warned)

    def _warn(
        self, platform: Platform, match: Match, occasion: str, quiet_for: Duration | None
    ) -> Candidate:
        return Candidate(
            item=match.ref,
            occasion=occasion,
            step=WARN,
            because=match.because,
            since=int(match.values["quiet"]),
            compose=partial(self._warning, platform, match, quiet_for),
            site=platform.site,
            contacts=(match.author,) if match.author else (),
        )

    def _warning(
        self, platform: Platform, match: Match, quiet_for: Duration | None, profile: Profile
    ) -> Action:
        warn = self.parameters.warn
        assert warn is not None  # noqa: S101 (only composed where there is a warning)
        language = self.tools.language(platform.site)
        values = {
            "thread": {"title": platform.escape(str(match.values["title"]))},
            "quiet_for": (
                phrases.more_than(quiet_for, language) if quiet_for else phrases.some_time(language)
            ),
            "grace": phrases.duration(warn.grace, language),
            "then": _DONE[self.parameters.then[0]],
            "why": phrases.why("stale", language),
            "stop": phrases.stop(platform.family, language, phrase=self.tools.phrase),
        }
        message = self.tools.messages.render(warn.message, language, platform.markup, values)
        heading = message.subject if platform.family == "wiki" else ""
        return Reply(site=platform.site, thread=match.ref.id, text=message.text, subject=heading)

    def _quiet_for(self, match: Match, now: datetime) -> Duration | None:
        """The threshold that was passed, which stays the same while a proposal waits for its review."""
        held = grounds(self.parameters.when.condition, match.values, now)
        passed = [atom.test.duration for atom, true in held
                  if true and atom.use.name == "quiet"
                  and isinstance(atom.test, AgeIs) and atom.test.operator[0] == ">"]  # fmt: skip
        return min(passed, key=lambda length: length.before(now), default=None)

    def _acts(
        self, community: Community, platform: Platform, match: Match, occasion: str, warned: _Warning | None
    ) -> Iterator[Candidate]:
        because = match.because
        if warned is not None:
            grace = Because("warned", f"at least {self.parameters.warn.grace} ago", f"{warned.at:%Y-%m-%d}")
            because = (*because, grace)
        for step in self.parameters.then:
            if self._is_so(step, match):
                continue
            yield Candidate(
                item=match.ref,
                occasion=occasion,
                step=step,
                because=because,
                since=int(match.values["quiet"]),
                compose=partial(self._action, step, match.ref),
                site=platform.site,
                after=warned.proposal if warned else None,
            )

    def _is_so(self, step: str, found: Match) -> bool:
        """Whether there is nothing left to do for a step."""
        match step:
            case "close":
                return bool(found.values["closed"])
            case "unlist":
                return found.values["visible"] is False
            case "label":
                return self.parameters.label in (found.values["labels"] or ())
        return False

    def _action(self, step: str, thread: Ref, profile: Profile) -> Action:
        match step:
            case "close":
                return CloseThread(site=thread.site, thread=thread.id)
            case "archive":
                return ArchiveThread(site=thread.site, thread=thread.id)
            case "unlist":
                return UnlistThread(site=thread.site, thread=thread.id)
            case _:
                return SetLabels(site=thread.site, thread=thread.id, add=(self.parameters.label,))

    def _warnings(self, community: Community) -> dict[tuple[str, str], _Warning]:
        """The warnings that were written, by thread and quiet period."""
        query = select(proposals.c.id, proposals.c.item, proposals.c.occasion, proposals.c.changed_at).where(
            proposals.c.policy == self.policy, proposals.c.step == WARN, proposals.c.state == State.APPLIED
        )
        if community.only is not None:
            query = query.where(proposals.c.item == str(community.only))
        rows = community.conn.execute(query)
        return {(row.item, row.occasion): _Warning(row.id, moment(row.changed_at)) for row in rows}

    def _unanswered(self, community: Community, site: str, barred: Condition) -> Iterator[Held]:
        """Questions that would be stale if somebody had answered: reported, so that somebody does."""
        asked, rest = _split(self.parameters.when.condition)
        if asked is None or asked.holds("community", community.now):
            return
        waiting = Atom(find_fact("waiting_on", "thread"), ChoiceIs(("community",)))
        for match in community.select("thread", site, All((*rest, waiting)), barred):
            yield self.held(match.ref, "unanswered", "it waits for an answer; silence alone never closes it")


def _split(when: All) -> tuple[Comparison | None, tuple[Condition, ...]]:
    """The test of `waiting_on`, and the other parts."""
    for part in when.parts:
        if isinstance(part, Atom) and part.use.name == "waiting_on":
            return part.test, tuple(other for other in when.parts if other is not part)
    return None, when.parts


