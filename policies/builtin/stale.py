"""Stale threads: warn, wait, act. Who is being waited for decides; an unanswered question is never closed.

On a wiki, pages that nobody has touched for long are marked (`stale_authors.py` tells who edited them last),
and old sections of talk pages go to an archive (`stale_talk.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, ClassVar

from sqlalchemy import select

from ...config.durations import Duration
from ...config.model import PolicySettings
from ...connectors.actions import Action, ArchiveThread, CloseThread, Reply, SetLabels, UnlistThread
from ...connectors.base import Platform, Profile
from ...connectors.records import Kind as RecordKind
from ...connectors.records import Ref
from ...sync.outbox import Because, State
from ...sync.store.states import chunks
from ...sync.store.tables import proposals
from ...sync.store.times import moment
from .. import phrases
from ..community import Community
from ..comparisons import AgeIs, BooleanIs, ChoiceIs, Comparison
from ..conditions import All, Atom, Condition, grounds, parse
from ..facts import FactUse, Subject, find_fact
from ..kind import Candidate, Crowd, Held, Kind
from ..matches import Match
from ..pages import newest_text, own_namespaces
from .common import SECTIONS, split, unless
from .stale_authors import Authors
from .stale_settings import DEFAULT_ON_WIKIS, StaleParameters

_DONE = {"close": "closed", "archive": "archived", "unlist": "unlisted", "label": "labelled"}
WARN = "warn"


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
        return self._when(family), unless(written, *self._settled(family))

    def _when(self, family: str) -> All:
        """On a wiki nobody is waited for on a page, so that is not part of what is asked there by itself."""
        if family == "wiki" and "when" not in self.parameters.model_fields_set:
            return parse(DEFAULT_ON_WIKIS, "thread")
        condition: All = self.parameters.when.condition
        return condition

    def _settled(self, family: str) -> tuple[Condition, ...]:
        """Threads with which nothing is to be done: pinned ones, and those that are there already."""
        if family != "forum":
            return ()
        names = ["pinned", "archived"]
        names += ["closed"] if set(self.parameters.then) <= {"close", "label"} else []
        return tuple(Atom(find_fact(name, "thread"), BooleanIs(True)) for name in names)

    def propose(self, community: Community, site: str) -> Iterator[Candidate | Held]:
        platform = self.tools.platforms[site]
        if platform.family == "wiki":
            yield from self._on_a_wiki(community, platform)
            return
        yield from self._threads(community, platform, None)

    def survey(self, community: Community, site: str) -> Iterator[Candidate | Held | Crowd]:
        """On a forum half of all threads may be stale: what is done with which is told in brief."""
        platform = self.tools.platforms[site]
        if platform.family == "wiki":
            yield from self.propose(community, site)
            return
        when, barred = self.conditions(platform.family)
        prefix, warned = f"{site}:thread:", {item for item, _ in self._warnings(community)}
        crowds: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
        apart: list[str] = []
        telling = self._telling()
        facts = [find_fact(name, "thread") for name in ("quiet", *telling)]

        @cache
        def steps_of(*values: Any) -> tuple[str, ...]:
            return self._steps_of(platform, dict(zip(telling, values, strict=True)))

        for id, _, _, (quiet, *told) in community.brief("thread", site, when, barred, facts):
            if warned and prefix + id in warned:
                apart.append(id)
            elif steps := steps_of(*told):
                crowds[steps].append((int(quiet), id))
        for some in chunks(apart):
            yield from self._threads(community, platform, some)
        make = partial(self._made, community, platform)
        for steps, waits in crowds.items():
            yield Crowd(site, RecordKind.THREAD, steps, waits, _occasion, make)

    def reports(self, community: Community, site: str) -> Iterator[Held]:
        """Questions that would be stale if somebody had answered, so that somebody does."""
        family = self.tools.platforms[site].family
        asked, rest = _split(self.parameters.when.condition)
        if family == "wiki" or asked is None or asked.holds("community", community.now):
            return
        barred = self.conditions(family)[1]
        waiting = Atom(find_fact("waiting_on", "thread"), ChoiceIs(("community",)))
        for each in community.brief("thread", site, All((*rest, waiting)), barred, ()):
            thread = f"{site}:thread:{each.id}"
            yield self.held(thread, "unanswered", "it waits for an answer; silence alone never closes it")

    def _threads(
        self, community: Community, platform: Platform, among: Sequence[str] | None
    ) -> Iterator[Candidate | Held]:
        """What is to be done with stale threads of a forum, or with those of them that are among some."""
        when, barred = self.conditions(platform.family)
        warnings, site = self._warnings(community), platform.site
        for match in community.select("thread", site, when, barred, also=self._also(), among=among):
            yield from self._steps(community, platform, match, warnings)

    def _made(
        self, community: Community, platform: Platform, among: Sequence[str] | None
    ) -> Iterator[Candidate]:
        for each in self._threads(community, platform, among):
            if isinstance(each, Candidate):
                yield each

    def _telling(self) -> list[str]:
        """The facts that tell which steps are left to do, as far as the condition does not."""
        if self.parameters.warn is not None:
            return []
        told = {"close": "closed", "unlist": "visible", "label": "labels"}
        return [told[step] for step in self.parameters.then if step in told]

    def _steps_of(self, platform: Platform, values: Mapping[str, Any]) -> tuple[str, ...]:
        """What is to be done with a thread in which no warning was written."""
        if self.parameters.warn is not None:
            return (WARN,)
        return tuple(step for step in self._to_do(platform) if not self._is_so(step, values))

    def _also(self) -> list[FactUse]:
        names = ["quiet", "title", "closed", "visible"]
        names += ["labels"] if "label" in self.parameters.then else []
        return [find_fact(name, "thread") for name in names]

    def links(self, site: str, step: str) -> int | None:
        if self.tools.platforms[site].family != "wiki":
            return None
        return 0 if step == SECTIONS else self.parameters.linked

    def missing(self, site: str) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        given = self.parameters
        for name in ("template", "archive", "tell"):
            if getattr(given, name) and not any(map(self._is_wiki, given.on)):
                yield (name,), f"is for wikis, and {site} is a forum.", "Remove it, or name a wiki in 'on'."
        if self._is_wiki(site) and "archive" in given.then and not (given.template or given.archive):
            yield ("then",), f"does not say how a page of {site} is archived.", (
                "Name 'template: \"{{Out of date}}\"' for pages, "
                "'archive: \"{talkpage}/Archive {year}\"' for talk pages, or both."
            )

    # --- wikis --------------------------------------------------------------------------------------------

    def _on_a_wiki(self, community: Community, platform: Platform) -> Iterator[Candidate | Held]:
        """Pages are marked, and sections of talk pages archived; pages of users are theirs."""
        site, given = platform.site, self.parameters
        when, (_, barred) = self._when(platform.family), self.conditions(platform.family)
        if self._to_do(platform):
            stale: dict[str, tuple[str, Match]] = {}
            pages = All((*when.parts, Atom(find_fact("kind", "thread"), ChoiceIs(("page",)))))
            also = [*self._also(), find_fact("space", "thread")]
            own, warnings = own_namespaces(community.conn, site), self._warnings(community)
            for match in community.select("thread", site, pages, barred, also):
                if match.values["space"] not in own:
                    stale[str(match.ref)] = (_occasion(int(match.values["quiet"])), match)
                    yield from self._steps(community, platform, match, warnings)
            if given.tell is not None:
                yield from Authors(self, community, platform).propose(stale)
        if given.archive:
            from .stale_talk import TalkPages  # with a parser that nobody else needs

            yield from TalkPages(self, community, site).propose(when, barred)

    def _steps(
        self,
        community: Community,
        platform: Platform,
        match: Match,
        warnings: dict[tuple[str, str], _Warning],
    ) -> Iterator[Candidate | Held]:
        occasion = _occasion(int(match.values["quiet"]))
        if self.parameters.warn is None:
            yield from self._acts(community, platform, match, occasion, None)
            return
        warned = warnings.get((str(match.ref), occasion))
        if warned is None:
            yield self._warn(platform, match, occasion, community.now)
            return
        due = self.parameters.warn.grace.after(warned.at)
        if community.now < due:
            reason = f"warned on {warned.at:%Y-%m-%d}; the grace ends on {due:%Y-%m-%d}"
            yield self.held(match.ref, "grace", reason)
        else:
            yield from self._acts(community, platform, match, occasion, warned)

    def _warn(self, platform: Platform, match: Match, occasion: str, now: datetime) -> Candidate:
        return Candidate(
            item=match.ref,
            occasion=occasion,
            step=WARN,
            because=match.because,
            since=int(match.values["quiet"]),
            compose=partial(self._warning, platform, match, now),
            site=platform.site,
            contacts=(match.author,) if match.author else (),
        )

    def _warning(self, platform: Platform, match: Match, now: datetime, profile: Profile) -> Action:
        warn = self.parameters.warn
        assert warn is not None  # noqa: S101 (only composed where there is a warning)
        language = self.tools.language(platform.site)
        values = {
            "thread": {"title": platform.escape(str(match.values["title"]))},
            "quiet_for": _quiet_words(self._quiet_for(match, now), language),
            "grace": phrases.duration(warn.grace, language),
            "then": self._done(platform),
            "why": phrases.why("stale", language),
            "stop": phrases.stop(platform.family, language, phrase=self.tools.phrase),
        }
        message = self.tools.messages.render(warn.message, language, platform.markup, values)
        heading = message.subject if platform.family == "wiki" else ""
        return Reply(site=platform.site, thread=match.ref.id, text=message.text, subject=heading)

    def _done(self, platform: Platform) -> str:
        first = self.parameters.then[0]
        return "marked" if platform.family == "wiki" and first == "archive" else _DONE[first]

    def quiet_words(self, language: str) -> str:
        """How long what this policy means has been quiet, where it is not about one thread."""
        quiet, _, _ = split(self.parameters.when.condition)
        return _quiet_words(quiet.duration if quiet and quiet.operator[0] == ">" else None, language)

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
        for step in self._to_do(platform):
            if self._is_so(step, match.values) or (
                platform.family == "wiki" and step == "archive" and self._is_marked(community, match)
            ):
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

    def _to_do(self, platform: Platform) -> list[str]:
        """The steps there: on a wiki a template and a category come with one edit."""
        then = list(self.parameters.then)
        if platform.family != "wiki":
            return then
        if "archive" in then and not self.parameters.template:
            then.remove("archive")  # it is about talk pages only
        return [step for step in then if step != "label" or "archive" not in then]

    def _is_marked(self, community: Community, match: Match) -> bool:
        """Whether a page carries the template, and the category that comes with it."""
        from ...connectors.mediawiki.wikitext import has_template

        text, name = newest_text(community.conn, match.ref) or "", self.parameters.template.strip("{} \n")
        if name.partition("|")[0].casefold() not in text.casefold():
            return False
        labelled = "label" not in self.parameters.then or self._is_so("label", match.values)
        return labelled and has_template(text, self.parameters.template)

    def _is_so(self, step: str, values: Mapping[str, Any]) -> bool:
        """Whether there is nothing left to do for a step."""
        match step:
            case "close":
                return bool(values["closed"])
            case "unlist":
                return values["visible"] is False
            case "label":
                return self.parameters.label in (values["labels"] or ())
        return False

    def _action(self, step: str, thread: Ref, profile: Profile) -> Action:
        match step:
            case "close":
                return CloseThread(site=thread.site, thread=thread.id)
            case "archive" if self.parameters.template and self._is_wiki(thread.site):
                labels = (self.parameters.label,) if "label" in self.parameters.then else ()
                return ArchiveThread(
                    site=thread.site, thread=thread.id, template=self.parameters.template, labels=labels
                )
            case "archive":
                return ArchiveThread(site=thread.site, thread=thread.id)
            case "unlist":
                return UnlistThread(site=thread.site, thread=thread.id)
            case _:
                return SetLabels(site=thread.site, thread=thread.id, add=(self.parameters.label,))

    def _is_wiki(self, site: str) -> bool:
        return self.tools.platforms[site].family == "wiki"

    def _warnings(self, community: Community) -> dict[tuple[str, str], _Warning]:
        """The warnings that were written, by thread and quiet period."""
        query = select(proposals.c.id, proposals.c.item, proposals.c.occasion, proposals.c.changed_at).where(
            proposals.c.policy == self.policy, proposals.c.step == WARN, proposals.c.state == State.APPLIED
        )
        if community.only is not None:
            query = query.where(proposals.c.item == str(community.only))
        rows = community.conn.execute(query)
        return {(row.item, row.occasion): _Warning(row.id, moment(row.changed_at)) for row in rows}


def _occasion(since: int) -> str:
    return f"quiet since {moment(since):%Y-%m-%dT%H:%M:%S}Z"


def _quiet_words(length: Duration | None, language: str) -> str:
    return phrases.more_than(length, language) if length else phrases.some_time(language)


def _split(when: All) -> tuple[Comparison | None, tuple[Condition, ...]]:
    """The test of `waiting_on`, and the other parts."""
    for part in when.parts:
        if isinstance(part, Atom) and part.use.name == "waiting_on":
            return part.test, tuple(other for other in when.parts if other is not part)
    return None, when.parts
