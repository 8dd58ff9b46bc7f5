"""The engine's answer to `apply`, asked with the item freshly read: is this still right, and is it time?"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ..config.errors import ConnectorError, NotFound
from ..connectors.base import Profile, Standing
from ..connectors.records import Kind as RecordKind
from ..connectors.records import Ref
from ..sync.outbox import Go, Proposal, Review, Supersede, Verdict, Wait
from ..sync.outbox.attempts import performed_since_the_plan
from ..sync.outbox.fresh import addressed
from ..sync.outbox.reviewing import as_written
from .company import with_the_willing
from .constitution import Law, quiet_until
from .engine import Engine
from .inbox import take_in
from .kind import Candidate, Held, Kind
from .standing import objection as objection_to

if TYPE_CHECKING:
    from ..sync.context import App


_LOOK_AGAIN = timedelta(minutes=1)
"""At a polite pace a run goes on for many minutes; whoever asks it to stop should not wait for its end."""

_NEXT_RUN = "the next plan begins another run"


class EngineGate:
    """Implements `sync.outbox.Gate`: what was let through counts against the limits of a run.

    A run is a plan and all that is carried out until the next one, by however many calls of `apply` and
    presses of a button.
    """

    def __init__(self, app: App, engine: Engine) -> None:
        self._app = app
        self._engine = engine
        self._law = app.settings.constitution
        self._halted = ""
        self._looked_at: datetime | None = None
        self._profiles: dict[Ref, Profile | NotFound] = {}
        self._standing: dict[Ref, Standing | None] = {}
        self._through: Counter[str] | None = None

    def begin(self, now: datetime) -> None:
        """Read the stop page, and on every site whether somebody wrote on our own talk page.

        Raises ConnectorError where that cannot be read, and nobody asked us to stop elsewhere.
        """
        self._looked_at, self._halted = now, ""
        stop = Ref.parse(self._law.stop) if self._law.stop else None
        unreadable: ConnectorError | None = None
        for site in self._app.settings.sites:
            try:
                why = self._app.connector(site).halted(stop if stop and stop.site == site else None)
            except ConnectorError as error:
                error.where = site
                unreadable = unreadable or error
                continue
            if why:
                self._halted = why
                return
        if unreadable is not None:
            self._halted = f"whether we are asked to stop cannot be read: {unreadable.message}"
            raise unreadable

    def hold(self, conn: Connection, proposal: Proposal, now: datetime) -> Wait | None:
        """A stop, the quiet hours, and the limits of one run."""
        if self._halted:
            return Wait(None, f"halted: {self._halted}")
        if proposal.action.contact and (until := quiet_until(self._law.quiet_hours, now)):
            return Wait(until, "quiet hours")
        limits, through = self._law.limits, self._let_through(conn)
        if through.total() >= limits.per_run:
            return Wait(None, f"the limit of {limits.per_run} actions in one run; {_NEXT_RUN}")
        if through[proposal.policy] >= limits.per_policy:
            most = f"the limit of {limits.per_policy} actions of one policy"
            return Wait(None, f"{most} in one run; {_NEXT_RUN}")
        return None

    def _let_through(self, conn: Connection) -> Counter[str]:
        """By policy, what this run has done so far; at first what others did since the newest plan."""
        if self._through is None:
            self._through = performed_since_the_plan(conn)
        return self._through

    def prepare(self, proposal: Proposal, now: datetime) -> None:
        """Read the profile of the person addressed, if somebody is, and how the page stands where that
        matters; in a long run the stop page again."""
        if self._looked_at is None or now - self._looked_at >= _LOOK_AGAIN:
            self.begin(now)
        if proposal.verb == "send_message" and proposal.item.kind == RecordKind.MEMBER:
            for member in getattr(proposal.action, "to", ()):
                self._read_profile(Ref(proposal.site, RecordKind.MEMBER, member))
        self._standing.clear()
        links = self._links(proposal)
        if links is not None and self._engine.standing is not None:
            item = proposal.item
            self._standing[item] = self._engine.standing(item.site, [item.id], links).get(item.id)

    def _links(self, proposal: Proposal) -> int | None:
        kind = self._engine.policies.get(proposal.policy)
        if kind is None or proposal.item.kind != RecordKind.THREAD:
            return None
        return kind.links(proposal.item.site, proposal.step)

    def check(self, conn: Connection, proposal: Proposal, now: datetime) -> Verdict:
        """Go, wait, supersede or review again."""
        if wait := self.hold(conn, proposal, now):
            return wait
        kind = self._engine.policies.get(proposal.policy)
        if kind is None or kind.parameters.mode.within(self._law.mode).level == "off":
            return Supersede("its policy is off or no longer in the settings")
        if people := addressed(conn, proposal):
            take_in(conn, self._law.opt_out.phrase, now, of=people)
        candidate, why = self._again(conn, kind, proposal, now)
        if candidate is None:
            return Supersede(why)
        against = Law(conn, self._law).barred(candidate, now)
        if against is not None:
            return Supersede(against.reason) if against.for_good else Wait(against.until, against.reason)
        links = self._links(proposal)
        if links is not None and proposal.item in self._standing:
            objection = objection_to(self._standing[proposal.item], links)
            if objection is not None:
                return Supersede(objection[1])
        verdict = self._as_approved(proposal, candidate)
        if isinstance(verdict, Go):
            self._let_through(conn)[proposal.policy] += 1
        return verdict

    def _again(
        self, conn: Connection, kind: Kind, proposal: Proposal, now: datetime
    ) -> tuple[Candidate | None, str]:
        """The same candidate, found anew by the policy; or why it is not found."""
        community = self._engine.community(conn, now, only=proposal.item)
        why = "its conditions no longer hold"
        try:
            for site in kind.sites_of(proposal.item):
                for each in chain(kind.propose(community, site), kind.reports(community, site)):
                    if isinstance(each, Held):
                        why = each.reason if each.item == str(proposal.item) else why
                    elif each.key == (proposal.item, proposal.occasion, proposal.step):
                        return each, ""
        finally:
            community.close()
        return None, why

    def _as_approved(self, proposal: Proposal, candidate: Candidate) -> Verdict:
        candidate = with_the_willing(candidate, self._profile)
        profile = self._read_profile(candidate.addressee) if candidate.addressee else Profile()
        if isinstance(profile, NotFound):
            return Supersede("the account is not there any more")
        if not profile.accepts:
            return Supersede(profile.reason)
        action = candidate.compose(profile)
        if proposal.edited:
            action = as_written(proposal.action, action)
        if action != proposal.action:
            return Review(action)
        return Go(candidate.contacts)

    def _profile(self, who: Ref) -> Profile:
        """Raises NotFound."""
        found = self._read_profile(who)
        if isinstance(found, NotFound):
            raise found
        return found

    def _read_profile(self, who: Ref) -> Profile | NotFound:
        if who not in self._profiles:
            try:
                self._profiles[who] = self._app.connector(who.site).profile(who.id)
            except NotFound as error:
                self._profiles[who] = error
        return self._profiles[who]
