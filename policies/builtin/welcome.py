"""Welcome newcomers: once per person, after people had the time to greet first, and not if they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import Connection, and_, or_, select

from ...config.durations import Duration
from ...config.model import DurationField, Model, Percent, PolicySettings
from ...connectors.actions import Action, SendMessage
from ...connectors.base import Platform, Profile
from ...connectors.records import Kind as RecordKind
from ...connectors.records import Ref
from ...sync.store.states import chunks
from ...sync.store.tables import contributions, proposals, spaces, texts, threads
from ...sync.store.times import micros
from .. import phrases
from ..community import Community
from ..comparisons import AgeIs, BooleanIs
from ..conditions import All, Atom, Condition, parse
from ..facts import Subject, find_fact
from ..holdout import HELD_OUT, TREATED, assign, assigned
from ..kind import Candidate, Held, Kind, MemberCondition, Written
from ..matches import Match
from ..people import accounts_of, display_name
from ..sources import Scope, open_threads, visible
from .common import nobody_to_talk_to, unless
from .greeters import Greeters

_DEFAULT = {"first_contribution": "< 14 days", "posts": ">= 1"}
STEP = "welcome"


def _newcomers() -> Written:
    return Written(_DEFAULT, parse(_DEFAULT, "member"))


class Send(Model):
    """What is sent, and who joins the conversation."""

    message: str = Field(default="welcome", description="Name of the message template.")
    with_: list[str] = Field(
        default=[], alias="with", description="Groups of greeters; one active member of them joins."
    )
    start: str = Field(default="", description="Address of a page to start from, named in the message.")


class WelcomeParameters(PolicySettings):
    """Settings of `use: welcome`."""

    when: MemberCondition = Field(default_factory=_newcomers, description="Who is a newcomer.")
    except_: MemberCondition | None = Field(default=None, alias="except", description="Who is not meant.")
    after: DurationField = Field(
        default=Duration(6, "hour"), description="How long people have to greet first."
    )
    send: Send = Field(default=Send(), description="What is sent.")
    holdout: Percent = Field(
        default=0.0, description="Share of the newcomers not welcomed, to learn whether it helps."
    )


class Welcome(Kind):
    """See the module."""

    name: ClassVar[str] = "welcome"
    summary: ClassVar[str] = "Welcome newcomers, once, if nobody else has."
    subject: ClassVar[Subject] = "member"
    Parameters: ClassVar[type[PolicySettings]] = WelcomeParameters

    def conditions(self, family: str) -> tuple[Condition, Condition]:
        given = self.parameters
        waited = AgeIs(">=", given.after, f"at least {given.after}")
        when = All(
            (
                given.when.condition,
                Atom(find_fact("first_contribution", "member"), waited),
                Atom(find_fact("greeted", "member"), BooleanIs(False)),
            )
        )
        written = given.except_.condition if given.except_ else None
        return when, unless(written, *nobody_to_talk_to(family))

    def propose(self, community: Community, site: str) -> Iterator[Candidate | Held]:
        platform = self.tools.platforms[site]
        when, barred = self.conditions(platform.family)
        also = [find_fact(name, "member") for name in ("first_contribution", "username")]
        greeters = Greeters.of(community, site, self)
        newcomers = list(community.select("member", site, when, barred, also=also))
        known = accounts_of(community.conn, (match.ref for match in newcomers))
        welcomed = self._welcomed(community, (each for every in known.values() for each in every))
        for match in newcomers:
            every = known[match.ref]
            if self._held_out(community, every):
                yield self.held(match.ref, "holdout", "held out, to learn whether welcoming helps")
            elif not self._elsewhere(community, every, welcomed):
                words = cache(partial(self._values, community, platform, match))
                yield self._with(platform, match, greeters, words, frozenset())

    def _with(
        self,
        platform: Platform,
        match: Match,
        greeters: Greeters,
        words: Callable[[], dict[str, Any]],
        unwilling: frozenset[Ref],
    ) -> Candidate:
        """The welcome with a greeter who is none of these, or with nobody."""
        with_ = greeters.choose(match.ref, frozenset(who.id for who in unwilling))
        names = [platform.mention(greeters.names[member]) for member in with_]
        joined = with_ if platform.family == "forum" else ()
        to = (match.ref.id, *joined)
        return Candidate(
            item=match.ref,
            occasion="once",
            step=STEP,
            because=match.because,
            since=int(match.values["first_contribution"]),
            compose=partial(self._compose, platform, words, names, to),
            prepare=words,
            site=platform.site,
            addressee=match.ref,
            contacts=tuple(Ref(platform.site, RecordKind.MEMBER, member) for member in to),
            company=tuple(Ref(platform.site, RecordKind.MEMBER, member) for member in joined),
            without=partial(self._with, platform, match, greeters, words),
        )

    def _compose(
        self,
        platform: Platform,
        values: Callable[[], dict[str, Any]],
        greeters: list[str],
        to: tuple[str, ...],
        profile: Profile,
    ) -> Action:
        language = profile.language or self.tools.language(platform.site)
        words = {
            **values(),
            "greeters": greeters,
            "why": phrases.why("welcome", language),
            "stop": phrases.stop(platform.family, language, phrase=self.tools.phrase),
        }
        name = self.parameters.send.message
        message = self.tools.messages.render(name, language, platform.markup, words)
        return SendMessage(
            site=platform.site, to=to, subject=message.subject, text=message.text, type="welcome"
        )

    def _values(self, community: Community, platform: Platform, match: Match) -> dict[str, Any]:
        """What fits this person: where they wrote, and a question of theirs that nobody answered."""
        area, question = _first_words(community, match.ref)
        username = str(match.values["username"])
        name = display_name(community.conn, match.ref) or username
        return {
            "member": {"name": platform.escape(name), "mention": platform.mention(username)},
            "site_name": "",
            "area": platform.escape(area) if area else "",
            "question_title": platform.escape(question[1]) if question else "",
            "question_url": platform.url(question[0]) if question else "",
            "start_url": self.parameters.send.start,
        }

    def _elsewhere(
        self, community: Community, every: tuple[Ref, ...], welcomed: Mapping[str, tuple[int, str]]
    ) -> bool:
        """Whether the same person is or was welcomed on another account, or by another policy."""
        own = (self.policy, str(every[0]))
        first: tuple[str, str] = community.memo.setdefault((self.name, min(every)), own)
        stored = [(welcomed[item], item) for item in map(str, every) if item in welcomed]
        if stored:
            (_, policy), item = min(stored)
            return (policy, item) != own
        return first != own

    def _welcomed(self, community: Community, accounts: Iterable[Ref]) -> dict[str, tuple[int, str]]:
        """Of these, who was welcomed first by which proposal of which policy."""
        welcomes = [name for name, given in self.tools.settings.policies.items() if given.use == self.name]
        found: dict[str, tuple[int, str]] = {}
        for some in chunks(sorted(map(str, accounts))):
            rows = community.conn.execute(
                select(proposals.c.item, proposals.c.id, proposals.c.policy)
                .where(proposals.c.policy.in_(welcomes), proposals.c.item.in_(some))
                .where(proposals.c.step == STEP, proposals.c.state.not_in(("superseded", "lapsed")))
            )
            for item, number, policy in rows:
                found[item] = min(found.get(item, (number, policy)), (number, policy))
        return found

    def _held_out(self, community: Community, every: tuple[Ref, ...]) -> bool:
        """By the arm that was kept, else by a hash of the person that nobody chooses."""
        if not self.parameters.holdout:
            return False
        key = (self.policy, "arms")
        if key not in community.memo:
            community.memo[key] = assigned(community.conn, self.policy) if community.live else {}
        arms: dict[Ref, str] = community.memo[key]
        kept = [arms[account] for account in every if account in arms]
        if kept:
            return kept[0] == HELD_OUT
        return self.tools.share_of(f"{self.policy}:{min(every)}") < float(self.parameters.holdout)

    def remember(
        self, conn: Connection, found: Sequence[Candidate], held: Sequence[Held], now: datetime
    ) -> None:
        """Who is in which arm, from the first plan that means them on."""
        if self.parameters.holdout:
            arms = {each.item: TREATED for each in found}
            arms |= {Ref.parse(each.item): HELD_OUT for each in held if each.by == "holdout"}
            assign(conn, self.policy, arms, now)


def _first_words(community: Community, who: Ref) -> tuple[str, tuple[Ref, str] | None]:
    """The name of the space where somebody first wrote, and their first question that nobody answered:
    a topic with a question mark in its title or in its first post."""
    scope = Scope(who.site, community.sites[who.site].family, micros(community.now), community.live)
    c, t, s = contributions, threads, spaces
    area = community.conn.execute(
        select(s.c.name)
        .join_from(c, t, and_(t.c.site == c.c.site, t.c.id == c.c.thread))
        .join(s, and_(s.c.site == t.c.site, s.c.id == t.c.space))
        .where(visible(scope), c.c.author == who.id)
        .order_by(c.c.created_at, c.c.id)
        .limit(1)
    ).scalar_one_or_none()
    if scope.family != "forum":
        return "", None
    other = contributions.alias("other")
    answer = select(other.c.id).where(
        visible(scope, other), other.c.thread == t.c.id, other.c.author != who.id
    )
    opening = (
        select(texts.c.contribution)
        .join_from(texts, c, and_(c.c.site == texts.c.site, c.c.id == texts.c.contribution))
        .where(c.c.site == t.c.site, c.c.thread == t.c.id, c.c.position == 1, texts.c.text.contains("?"))
    )
    asks = or_(t.c.title.contains("?"), opening.exists())
    question = community.conn.execute(
        select(t.c.id, t.c.title)
        .where(open_threads(scope), t.c.author == who.id, asks, ~answer.exists())
        .order_by(t.c.created_at, t.c.id)
        .limit(1)
    ).one_or_none()
    found = (Ref(who.site, RecordKind.THREAD, question.id), str(question.title)) if question else None
    return str(area or ""), found
