"""Recognise experts: from evidence, with consent, with hysteresis; a directory page that is kept true."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import ClassVar

from sqlalchemy import select

from ...config.model import PolicySettings
from ...connectors.actions import (
    Action,
    AddToGroup,
    GrantBadge,
    SendMessage,
    SetTitle,
)
from ...connectors.base import Platform, Profile
from ...connectors.records import Ref
from ...sync.outbox import Because
from ...sync.store.states import chunks
from ...sync.store.tables import consents
from ...sync.store.times import micros
from .. import phrases
from ..community import Community
from ..conditions import NEVER, NOTHING_ASKED, Condition
from ..constitution import Barred, Law
from ..facts import Subject, find_fact
from ..insight.expertise import LEVEL, SHOWN, Expert, flat, rank
from ..kind import Candidate, Held, Kind
from ..people import accounts, group_exists, groups
from .common import nobody_to_talk_to, unless
from .directory import Directory, links
from .experts_settings import ExpertsParameters
from .gifts import BADGE, GROUP, TAKEN, gifts, withdrawals

__all__ = ["ASK", "Experts", "ExpertsParameters"]

ASK = "ask"
_CAUTIOUS = ("yes", "unclear", "no")
_UNCLEAR = "{} answered neither a plain yes nor a plain no; read it, and ask them for one of the two"


@dataclass(frozen=True, slots=True)
class _Ranking:
    """All areas of a site: their order as far as it matters, those in it whom nothing excepts, and the first
    of these whom the constitution does not leave alone, with the place of each; `passed`: whom it does, and
    who would be among them else."""

    experts: dict[str, list[Expert]]
    fit: list[Expert]
    top: dict[Expert, int]
    passed: list[tuple[Expert, Barred]]


class Experts(Kind):
    """See the module."""

    name: ClassVar[str] = "experts"
    summary: ClassVar[str] = "Find who knows about what; group, badge, title and directory, with consent."
    subject: ClassVar[Subject] = "member"
    Parameters: ClassVar[type[PolicySettings]] = ExpertsParameters

    def conditions(self, family: str) -> tuple[Condition, Condition]:
        written = self.parameters.except_.condition if self.parameters.except_ else None
        return NEVER, unless(written, *nobody_to_talk_to(family))

    def propose(self, community: Community, site: str) -> Iterator[Candidate | Held]:
        platform = self.tools.platforms[site]
        ranking = self._rank(community, site)
        for expert, barred in ranking.passed:
            yield self.held(expert.member, barred.by, barred.reason)
        best = {each.member: each for each in sorted(ranking.top, key=attrgetter("score"))}
        for expert in ranking.top:
            if expert is best[expert.member]:  # one question and one title, however many areas they know
                if self._asks():
                    yield from self._ask(community, platform, expert)
                yield from self._entitle(community, platform, expert)
            yield from self._recognise(community, platform, expert)
        yield from self._let_go(community, site, ranking)
        yield from self._directory(community, site)

    def _rank(self, community: Community, site: str) -> _Ranking:
        key = (self.policy, site)
        if key not in community.memo:
            community.memo[key] = self._ranked(community, site)
        ranking: _Ranking = community.memo[key]
        return ranking

    def _ranked(self, community: Community, site: str) -> _Ranking:
        given: ExpertsParameters = self.parameters
        least = given.at_least

        def first(top: int) -> dict[str, list[Expert]]:
            return rank(
                community, site, given.areas, given.half_life, evidence=least.evidence, people=least.people,
                score=given.score, top=top,
            )  # fmt: skip

        experts, fit = self._best(community, site, first)
        law, named = self._law(community), Counter[str]()
        top: dict[Expert, int] = {}
        passed: list[tuple[Expert, Barred]] = []
        for expert in fit:
            if round(expert.score, SHOWN) <= LEVEL[given.score] or named[expert.area] == given.top:
                continue
            if barred := law.left_alone(expert.member):
                passed.append((expert, barred))
            else:
                named[expert.area] += 1
                top[expert] = named[expert.area]
        return _Ranking(experts, fit, top, passed)

    def _best(
        self, community: Community, site: str, ranked: Callable[[int], dict[str, list[Expert]]]
    ) -> tuple[dict[str, list[Expert]], list[Expert]]:
        """Each area as far down as it takes to fill its top and to see who has fallen far; and those there
        whom nothing excepts."""
        most = self.parameters.top
        depth = max(most, self.parameters.keep_until.rank)
        asked: set[Ref] = set()
        meant: set[Ref] = set()
        while True:
            experts = ranked(depth + 1)  # one more tells whether there are more
            first = {each.member for found in experts.values() for each in found[:depth]}
            meant |= self._fit(community, site, first - asked)
            asked |= first
            best = [[each for each in found[:depth] if each.member in meant] for found in experts.values()]
            lengths = map(len, experts.values())
            if all(len(fit) >= most or length <= depth for fit, length in zip(best, lengths, strict=True)):
                return experts, list(chain.from_iterable(best))
            depth *= 2

    def _fit(self, community: Community, site: str, who: set[Ref]) -> set[Ref]:
        """Those whom nothing excepts. All of them are asked about, whoever the plan is about: somebody's
        rank depends on the others."""
        _, barred = self.conditions(community.sites[site].family)
        return {
            match.ref
            for chunk in chunks(sorted(member.id for member in who))
            for match in community.select("member", site, NOTHING_ASKED, barred, among=chunk)
        }

    def _law(self, community: Community) -> Law:
        """One for a community: the same people are asked about in many areas."""
        if Law not in community.memo:
            community.memo[Law] = Law(community.conn, self.tools.settings.constitution)
        law: Law = community.memo[Law]
        return law

    def _asks(self) -> bool:
        give = self.parameters.give
        return self.parameters.consent == "ask" and bool(give.title or give.directory)

    # --- recognition --------------------------------------------------------------------------------------

    def _recognise(
        self, community: Community, platform: Platform, expert: Expert
    ) -> Iterator[Candidate | Held]:
        give = self.parameters.give
        of, member = expert.member.site, expert.member.id
        if give.group and platform.family == "forum":
            name = _named(give.group, _slug(expert.area))
            joined = AddToGroup(site=of, member=member, group=name)
            if not group_exists(community.conn, of, name):
                reason = f"there is no group '{name}' on {of}; make it first"
                yield self.held(expert.member, "missing", reason)
            elif name not in groups(community.conn, expert.member):
                yield self._candidate(community, expert, GROUP, name, joined)
        if give.badge and GrantBadge in platform.verbs:
            badge = _named(give.badge, expert.area)
            granted = GrantBadge(site=of, member=member, badge=badge)
            yield self._candidate(community, expert, BADGE, badge, granted)

    def _entitle(
        self, community: Community, platform: Platform, expert: Expert
    ) -> Iterator[Candidate | Held]:
        """The title, which stands beside a name alone: whoever bears one keeps it."""
        given, who = self.parameters.give.title, expert.member
        if not given or SetTitle not in platform.verbs or not self._agreed(community, who):
            return
        use, title = find_fact("title", "member"), _named(given, expert.area)
        borne = (community.values("member", who, [use]) or {}).get(use.name)
        if not borne:
            titled = SetTitle(site=who.site, member=who.id, title=title)
            yield self._candidate(community, expert, "title", title, titled)
        elif borne != title:
            yield self.held(who, "title", f"{expert.username} bears the title “{borne}” already")

    def _candidate(
        self, community: Community, expert: Expert, step: str, name: str, action: Action
    ) -> Candidate:
        """`name` is what is given: a badge for all areas is given once, whatever area it was seen in.

        What we took back ourselves is given anew to who earns it anew. What a person took back, or refused,
        is never given again: that was their decision.
        """
        back = withdrawals(community, self.policy, expert.member.site).get((expert.member, step, name))
        return Candidate(
            item=expert.member,
            occasion=name if back is None else f"{name} anew, after {back}",
            step=step,
            because=self._because(community, expert),
            since=micros(community.now) - int(expert.score * 1000),  # the best known wait the longest
            compose=partial(_exactly, action),
            site=expert.member.site,
            contacts=(expert.member,) if action.contact else (),
            concerns=(expert.member,),
        )

    def _because(self, community: Community, expert: Expert) -> tuple[Because, ...]:
        least = self.parameters.at_least
        place = self._rank(community, expert.member.site).top[expert]
        told = f"{expert.rank} (score {expert.score:.{SHOWN}f})"
        if place != expert.rank:  # some before them are left alone
            told += f", {place} of those who may be recognised"
        forum = self.tools.platforms[expert.member.site].family == "forum"
        done, others = ("answers", "people helped") if forum else ("lasting edits", "others on these pages")
        return (
            Because(f"{done} in {expert.area}", f">= {least.evidence}", str(expert.answers)),
            Because(others, f">= {least.people}", str(expert.people)),
            Because(f"rank in {expert.area}", f"<= {self.parameters.top}", told),
        )  # fmt: skip

    def _let_go(self, community: Community, site: str, ranking: _Ranking) -> Iterator[Candidate]:
        """Who has fallen far below the top leaves what this policy gave; nobody for a small change."""
        steps = (GROUP, BADGE) if "badge" in self.parameters.withdraw else (GROUP,)
        lowest = self.parameters.keep_until.rank
        deserved = {
            (expert.member, name)
            for expert in flat(ranking.experts)
            if expert.rank <= lowest
            for name in self._names(expert)
        }
        for gift in gifts(community, self.policy, site):
            if gift.step not in steps or (gift.member, gift.name) in deserved or gift.is_over(community.conn):
                continue
            yield Candidate(
                item=gift.member,
                occasion=f"{gift.name} given in {gift.id}",
                step=TAKEN[gift.step],
                because=(Because(f"rank for {gift.name}", f"> {lowest}", "below, or not ranked any more"),),
                since=micros(community.now),
                compose=partial(_exactly, gift.taken_back()),
                site=site,
                contacts=(gift.member,),
            )

    def _names(self, expert: Expert) -> tuple[str, ...]:
        """What an expert of this area may have been given."""
        give = self.parameters.give
        return (_named(give.group or "", _slug(expert.area)), _named(give.badge or "", expert.area))

    # --- consent ------------------------------------------------------------------------------------------

    def _agreed(self, community: Community, who: Ref) -> bool:
        """Whether somebody may be named in public: nobody whom the constitution leaves alone, by their own
        wish or not."""
        if self._law(community).left_alone(who):
            return False
        return self.parameters.consent == "assumed" or self._answer(community, who) == "yes"

    def _answer(self, community: Community, who: Ref) -> str | None:
        """The newest on any of their accounts; of two that were read together, the more cautious one."""
        found: list[tuple[int, int, str]] = []
        for account in accounts(community.conn, who):
            query = select(consents.c.at, consents.c.answer).where(
                consents.c.site == account.site,
                consents.c.member == account.id,
                consents.c.about == self.policy,
            )
            rows = community.conn.execute(query)
            found += [(at, _CAUTIOUS.index(answer), answer) for at, answer in rows]
        return max(found)[-1] if found else None

    def _ask(
        self, community: Community, platform: Platform, expert: Expert
    ) -> Iterator[Candidate | Held]:
        answer = self._answer(community, expert.member)
        if answer == "unclear":
            yield self.held(expert.member, "answer", _UNCLEAR.format(expert.username))
        if answer is not None:
            return
        evidence = links(self.tools, community, platform, expert, self.parameters.areas)
        yield Candidate(
            item=expert.member,
            occasion="consent",
            step=ASK,
            because=self._because(community, expert),
            since=micros(community.now) - int(expert.score * 1000),
            compose=partial(self._question, platform, expert, evidence),
            site=platform.site,
            addressee=expert.member,
            contacts=(expert.member,),
        )

    def _question(self, platform: Platform, expert: Expert, evidence: list[str], profile: Profile) -> Action:
        language = profile.language or self.tools.language(platform.site)
        give = self.parameters.give
        page = Ref.parse(give.directory) if give.directory else None
        where = self.tools.platforms[page.site] if page else None
        name = expert.username
        values = {
            "member": {"name": platform.escape(name), "mention": platform.mention(name)},
            "area": platform.escape(expert.area),
            "evidence": evidence,
            "directory": _link(platform, page.id, where.url(page)) if page and where else "",
            "group": "",
            "badge": "",
            "title": platform.escape(_named(give.title or "", expert.area)),
            "why": phrases.why("experts", language),
            "stop": phrases.stop(platform.family, language, phrase=self.tools.phrase),
        }
        message = self.tools.messages.render("expert-consent", language, platform.markup, values)
        return SendMessage(
            site=platform.site,
            to=(expert.member.id,),
            subject=message.subject,
            text=message.text,
            type="experts",
        )

    # --- the directory ------------------------------------------------------------------------------------

    def _directory(self, community: Community, site: str) -> Iterator[Candidate | Held]:
        """One page for all sites, edited only when it changes; proposed with the page's own site, or the
        first one where the page's site is not among the policy's."""
        if self.parameters.give.directory is None:
            return
        page = Ref.parse(self.parameters.give.directory)
        on = self.parameters.on
        if site != (page.site if page.site in on else on[0]):
            return
        if unread := [each for each in on if not community.sites[each].complete]:
            reason = f"the first sync of {unread[0]} is not finished, so its experts are not known yet"
            yield self.held(page, "coverage", reason)
            return
        asked = self.parameters.consent == "ask"
        directory = Directory(self.policy, page, self.parameters.areas, self.tools, asked)
        listed = [expert for each in on for expert in self._listed(community, each, directory)]
        candidate = directory.candidate(community, listed)
        if candidate is not None:
            yield candidate

    def _listed(self, community: Community, site: str, directory: Directory) -> Iterator[Expert]:
        """Who is at the top, and who was and has not fallen far, of those who agreed."""
        ranking, stays = self._rank(community, site), directory.listed_before(community)
        for expert in ranking.fit:
            kept = expert.rank <= self.parameters.keep_until.rank and stays(expert)
            if (expert in ranking.top or kept) and self._agreed(community, expert.member):
                yield expert


def _exactly(action: Action, profile: Profile) -> Action:
    return action


def _link(platform: Platform, label: str, url: str) -> str:
    return platform.link(label, url) if url else platform.escape(label)


def _named(pattern: str, area: str) -> str:
    return pattern.replace("{area}", area)


def _slug(area: str) -> str:
    """An area as part of a group's name: `Data & Maps` → `data-maps`."""
    plain = unicodedata.normalize("NFKD", area).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "area"
