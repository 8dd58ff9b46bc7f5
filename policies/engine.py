"""Policies × facts → proposals, under the constitution.

A plan reads first, without holding the store; then composes what is really proposed, which may ask a
platform for a member's language; then stores everything in one transaction.
"""

from __future__ import annotations

import gc
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from ..config.errors import ConnectorError, NotFound
from ..connectors.base import Platform, Profile
from ..connectors.records import Kind as RecordKind
from ..connectors.records import Ref
from ..sync.outbox import Draft, Proposal, State, lapse, propose, rearm, supersede
from ..sync.outbox.bench import SiteError
from ..sync.outbox.proposals import from_row
from ..sync.store.tables import plans, proposals
from ..sync.store.times import micros
from .builtin import KINDS
from .choosing import Found, choose
from .community import Community
from .company import with_the_willing
from .constitution import Law
from .earning import acts_alone
from .inbox import take_in
from .kind import Candidate, Crowd, Held, Kind, Tools
from .messages import Messages
from .sight import views
from .standing import Ask

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..sync.store.store import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan found. `id` None: nothing was stored (a dry run)."""

    as_of: datetime
    proposals: tuple[Proposal, ...]
    held: tuple[Held, ...]
    id: int | None = None
    errors: tuple[SiteError, ...] = ()


@dataclass
class _Round:
    """One plan while it is being made."""

    found: dict[str, Found] = field(default_factory=dict)
    looked_at: dict[str, int] = field(default_factory=dict)
    evaluated: set[tuple[str, str]] = field(default_factory=set)
    held: list[Held] = field(default_factory=list)
    errors: list[SiteError] = field(default_factory=list)


class Engine:
    """The policies of an installation. `profile` reads a member's language and whether messages are taken,
    `standing` how pages of a wiki stand (None: not asked)."""

    def __init__(
        self,
        settings: Settings,
        platforms: Mapping[str, Platform],
        messages: Messages,
        profile: Callable[[Ref], Profile],
        secret: Callable[[], bytes],
        standing: Ask | None = None,
    ) -> None:
        self.settings = settings
        self.platforms = platforms
        self.profile = profile
        self.standing = standing
        tools = Tools(platforms, messages, settings, partial(_share_of, secret))
        self.policies: dict[str, Kind] = {
            name: KINDS[parameters.use](name, parameters, tools)
            for name, parameters in settings.policies.items()
        }

    def active(self, names: Sequence[str] = ()) -> list[Kind]:
        """The policies that are not off, or those of them that are named."""
        ceiling = self.settings.constitution.mode
        return [
            kind
            for name, kind in self.policies.items()
            if (not names or name in names) and kind.parameters.mode.within(ceiling).level != "off"
        ]

    def community(self, conn: Connection, now: datetime, **how: object) -> Community:
        """The sites as the store has them, at a moment."""
        sites = views(conn, self.settings, self.platforms)
        return Community(conn, sites, now, **how)  # type: ignore[arg-type]  # live and only, by name

    # --- planning -----------------------------------------------------------------------------------------

    def plan(
        self,
        store: Store,
        now: datetime,
        names: Sequence[str] = (),
        *,
        as_of: datetime | None = None,
        dry_run: bool = False,
    ) -> Plan:
        """Evaluate the policies and, unless it is a dry run, store what they propose.

        `as_of`: as it would have been at an earlier moment; always a dry run.
        """
        dry_run = dry_run or as_of is not None
        moment = as_of or now
        if not dry_run:
            with store.write() as conn:
                take_in(conn, self.settings.constitution.opt_out.phrase, now)
        kinds = self.active(names)
        this = _Round()
        with _no_collector(), store.read(scratch=True) as conn:
            community = self.community(conn, moment, live=as_of is None)
            try:
                for kind in kinds:
                    self._evaluate(kind, community, this)
                chosen = self._choose(conn, kinds, this, moment, live=as_of is None)
            finally:
                community.close()
        drafts = self._compose(chosen, this)
        if dry_run:
            shown = tuple(_unstored(draft, now) for draft in drafts)
            return Plan(moment, shown, tuple(this.held), errors=tuple(this.errors))
        with store.write() as conn:
            plan, stored = self._store(conn, kinds, this, drafts, now)
        return Plan(moment, tuple(stored), tuple(this.held), plan, tuple(this.errors))

    def _evaluate(self, kind: Kind, community: Community, this: _Round) -> None:
        found = this.found.setdefault(kind.policy, Found())
        for site in kind.parameters.on:
            view = community.sites[site]
            if not view.complete:
                reason = f"the first sync of {site} is not finished; run 'ordito sync {site}'"
                this.held.append(kind.held(site, "coverage", reason))
                continue
            for each in kind.survey(community, site):
                match each:
                    case Candidate():
                        found.candidates.append(each)
                    case Crowd():
                        found.crowds.append(each)
                    case _:
                        this.held.append(each)
            this.held += kind.reports(community, site)
            this.looked_at[kind.policy] = this.looked_at.get(kind.policy, 0) + kind.looks_at(community, site)
            this.evaluated.add((kind.policy, site))
            self._report_unknown(kind, community, site, this)

    def _report_unknown(self, kind: Kind, community: Community, site: str, this: _Round) -> None:
        when, unless = kind.conditions(community.sites[site].family)
        count = community.unknown(kind.subject, site, when, unless)
        if count:
            names = community.unknown_facts(site, when, unless)
            which = f" ({', '.join(names)})" if names else ""
            words = self.platforms[site].words(RecordKind(kind.subject))
            reason = f"{count} {words}{'s' * (count > 1)}: a fact is unknown{which}"
            this.held.append(kind.held(site, "unknown", reason))

    def _choose(
        self, conn: Connection, kinds: Iterable[Kind], this: _Round, now: datetime, *, live: bool
    ) -> list[tuple[str, Candidate]]:
        """What the constitution lets through, the longest wait first.

        Not `live`: what is proposed or done today does not count at an earlier moment.
        """
        law = Law(conn, self.settings.constitution, None if live else now)
        through: list[tuple[str, Candidate]] = []
        for kind in kinds:
            found, looked_at = this.found[kind.policy], this.looked_at.get(kind.policy, 0)
            chosen = choose(conn, kind, found, looked_at, law, self.standing, now)
            through += [(kind.policy, each) for each in chosen.through]
            this.held += chosen.held
            this.errors += [SiteError.of(site, error) for site, error in chosen.failed.items()]
        return sorted(through, key=lambda pair: pair[1].since)

    def _compose(self, chosen: Iterable[tuple[str, Candidate]], this: _Round) -> list[Draft]:
        drafts: list[Draft] = []
        most = self.settings.constitution.limits.per_run
        for policy, found in chosen:
            candidate = found
            if len(drafts) >= most:
                reason = f"the limit of {most} for one plan; the longest wait comes first"
                this.held.append(Held(policy, str(candidate.item), "limit", reason))
                continue
            try:
                profile = self.profile(candidate.addressee) if candidate.addressee else Profile()
                candidate = with_the_willing(candidate, self.profile)
            except NotFound:
                this.held.append(Held(policy, str(candidate.item), "gone", "the account is not there"))
                continue
            except ConnectorError as error:
                this.errors.append(SiteError.of(candidate.site, error))
                this.held.append(Held(policy, str(candidate.item), "unreachable", error.message))
                continue
            if not profile.accepts:
                this.held.append(Held(policy, str(candidate.item), "opt-out", profile.reason))
                continue
            drafts.append(draft_of(policy, candidate, profile))
        return drafts

    def _store(
        self, conn: Connection, kinds: Iterable[Kind], this: _Round, drafts: list[Draft], now: datetime
    ) -> tuple[int, list[Proposal]]:
        law = self.settings.constitution
        lapse(conn, now)
        row = plans.insert().values(
            created_at=micros(now),
            as_of=micros(now),
            policies=json.dumps([kind.policy for kind in kinds]),
            held=json.dumps([[h.policy, h.item, h.by, h.reason] for h in this.held], ensure_ascii=False),
        )
        conn.execute(plans.update().where(plans.c.held != "[]").values(held="[]"))  # only the newest is asked
        plan = int(conn.execute(row).inserted_primary_key[0])  # type: ignore[index]
        stored: list[Proposal] = []
        for kind in kinds:
            found = this.found[kind.policy]
            matching = found.keys(conn, kind.policy)
            rearm(conn, kind.policy, matching)
            held = [each for each in this.held if each.policy == kind.policy]
            kind.remember(conn, found.candidates, held, now)
            self._withdraw(conn, kind, set(matching), this, now)
            mode = kind.parameters.mode.within(law.mode)
            alone = f"policy {kind.policy}" if acts_alone(conn, kind.policy, mode) else None
            mine = [draft for draft in drafts if draft.policy == kind.policy]
            done = propose(conn, mine, plan=plan, now=now, expire=law.expire, approve_as=alone)
            stored.extend(done.new)
        return plan, stored

    def _withdraw(
        self,
        conn: Connection,
        kind: Kind,
        matching: set[tuple[Ref, str, str]],
        this: _Round,
        now: datetime,
    ) -> None:
        """What still waits for a decision and is no longer called for is superseded."""
        rows = conn.execute(
            select(proposals).where(
                proposals.c.policy == kind.policy, proposals.c.state == State.PROPOSED
            )
        ).all()
        for row in rows:
            proposal = from_row(row)
            looked = all((kind.policy, site) in this.evaluated for site in kind.sites_of(proposal.item))
            if looked and (proposal.item, proposal.occasion, proposal.step) not in matching:
                supersede(conn, proposal, "its conditions no longer hold", now)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without Python's search for cycles: a plan makes hundreds of thousands of small objects and no cycles
    of them, and the search, again and again through all of them, takes a sixth of its time. What is left of
    them then counts as old, or the next search would be through all of them after all."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.unfreeze()  # into the oldest generation
            gc.enable()


def _share_of(secret: Callable[[], bytes], text: str) -> float:
    digest = hmac.new(secret(), text.encode(), "sha256").digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def draft_of(policy: str, candidate: Candidate, profile: Profile) -> Draft:
    """The candidate with its final action."""
    return Draft(
        policy=policy,
        item=candidate.item,
        occasion=candidate.occasion,
        step=candidate.step,
        action=candidate.compose(profile),
        because=tuple(candidate.because),
        after=candidate.after,
        not_before=candidate.not_before,
    )


def _unstored(draft: Draft, now: datetime) -> Proposal:
    return Proposal(
        id=0, policy=draft.policy, item=draft.item, occasion=draft.occasion, step=draft.step,
        action=draft.action, because=draft.because, state=State.PROPOSED, plan=None, after=draft.after,
        not_before=draft.not_before, lapses_at=None, created_at=now, changed_at=now,
    )  # fmt: skip
