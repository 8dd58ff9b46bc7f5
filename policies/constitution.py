"""The limits that no policy can exceed: never-lists, opt-outs, the contact budget, quiet hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from ..connectors.records import Kind, Ref
from ..sync.store.tables import contributions, spaces, states, threads
from .comparisons import fold
from .kind import Candidate
from .pages import objection_of
from .people import accounts, contacted_since, groups, opted_out, username

if TYPE_CHECKING:
    from ..config.settings import Constitution, QuietHours


@dataclass(frozen=True, slots=True)
class Barred:
    """What stands against a candidate: `by` in one word. `for_good`: it should not be done at all; else it
    may be tried again, at `until` if that is known."""

    by: str
    reason: str
    until: datetime | None = None
    for_good: bool = True


@dataclass(slots=True)
class Law:
    """The constitution, asked over one connection. Who somebody is does not change while it lives.

    `at`: a past moment, whose opt-outs, groups and messages count instead of today's. Names, and the
    templates on talk pages, are those of today.
    """

    conn: Connection
    text: Constitution
    at: datetime | None = None
    _people: dict[Ref, Barred | None] = field(default_factory=dict)
    _accounts: dict[Ref, tuple[Ref, ...]] = field(default_factory=dict)
    _groups: dict[Ref, frozenset[str]] = field(default_factory=dict)

    def barred(self, candidate: Candidate, now: datetime) -> Barred | None:
        """What the constitution says against a candidate at this moment, good reasons first."""
        people = dict.fromkeys((*_members(candidate), *candidate.contacts, *candidate.concerns))
        for who in people:
            if against := self.left_alone(who):
                return against
        return self._never_thread(candidate.item) or self.over_budget(candidate.contacts, now)

    def left_alone(self, who: Ref) -> Barred | None:
        """Whether nothing may ever be done to somebody: a never-list, or their own wish."""
        if who not in self._people:
            self._people[who] = self._never(who) or self._opted_out(who)
        return self._people[who]

    def over_budget(self, notified: tuple[Ref, ...], now: datetime) -> Barred | None:
        """Whether somebody has heard from us as often as the budget allows, on any account."""
        budget = self.text.contact
        for who in notified:
            times = contacted_since(
                self.conn, self._accounts_of(who), budget.per.before(now), self.at
            )
            if len(times) >= budget.messages:
                until = budget.per.after(times[len(times) - budget.messages]) if budget.messages else None
                name = username(self.conn, who) or str(who)
                often = "once" if len(times) == 1 else f"{len(times)} times"
                reason = f"{name} has heard from us {often} in the last {budget.per}"
                return Barred("contact", reason, until, for_good=False)
        return None

    def _accounts_of(self, who: Ref) -> tuple[Ref, ...]:
        if who not in self._accounts:
            self._accounts[who] = accounts(self.conn, who)
        return self._accounts[who]

    def _groups_of(self, account: Ref) -> frozenset[str]:
        if account not in self._groups:
            self._groups[account] = groups(self.conn, account, self.at)
        return self._groups[account]

    def _never(self, who: Ref) -> Barred | None:
        named = {fold(name) for name in self.text.never.members}
        for account in self._accounts_of(who):
            if named and fold(name := username(self.conn, account)) in named:
                return Barred("never", f"{name} is on the list of members that no policy acts upon")
            shared = self._groups_of(account).intersection(self.text.never.groups)
            if shared:
                name = username(self.conn, account)
                return Barred("never", f"{name} is in '{min(shared)}', a group that no policy acts upon")
        return None

    def _opted_out(self, who: Ref) -> Barred | None:
        every = self._accounts_of(who)
        found = opted_out(self.conn, every, self.at)
        if found is not None:
            name = username(self.conn, found[0]) or str(found[0])
            return Barred("opt-out", f"{name} opted out ({found[1]})")
        if group := self.text.opt_out.group:
            for account in every:
                if group in self._groups_of(account):
                    return Barred("opt-out", f"{username(self.conn, account)} opted out (group '{group}')")
        for account in every:
            if template := objection_of(self.conn, account):
                return Barred("opt-out", f"{username(self.conn, account)} has {template} on the talk page")
        return None

    def _never_thread(self, item: Ref) -> Barred | None:
        if item.kind == Kind.CONTRIBUTION:
            query = select(contributions.c.thread).where(
                contributions.c.site == item.site, contributions.c.id == item.id
            )
            item = Ref(item.site, Kind.THREAD, self.conn.execute(query).scalar_one_or_none() or "")
        if item.kind != Kind.THREAD:
            return None
        space = self.conn.execute(
            select(spaces.c.name)
            .join_from(threads, spaces, (spaces.c.site == threads.c.site) & (spaces.c.id == threads.c.space))
            .where(threads.c.site == item.site, threads.c.id == item.id)
        ).scalar_one_or_none()
        if space is not None and fold(space) in {fold(each) for each in self.text.never.spaces}:
            return Barred("never", f"it is in '{space}', where no policy acts")
        labels = self.conn.execute(
            select(states.c.value).where(
                states.c.site == item.site,
                states.c.kind == Kind.THREAD,
                states.c.item == item.id,
                states.c.field == "label",
                states.c.valid_to.is_(None),
            )
        ).scalars()
        kept = sorted({fold(label) for label in labels} & {fold(each) for each in self.text.never.labels})
        return Barred("never", f"it is labelled '{kept[0]}'; such threads are left alone") if kept else None


def quiet_until(hours: QuietHours | None, now: datetime) -> datetime | None:
    """When the quiet hours that `now` lies in end; None outside them.

    The clock is that of the place: on the days when it is changed, the hours are as long as the clock says.
    """
    if hours is None or hours.start == hours.end:
        return None
    local = now.astimezone(hours.zone)
    clock = local.time().replace(tzinfo=None)
    over_midnight = hours.start > hours.end
    inside = clock >= hours.start or clock < hours.end if over_midnight else hours.start <= clock < hours.end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= hours.start else 0)
    end = datetime.combine(day, hours.end, tzinfo=hours.zone).astimezone(UTC)
    if end <= now:  # an hour that comes twice, and now is in the second one
        end = datetime.combine(day, hours.end.replace(fold=1), tzinfo=hours.zone).astimezone(UTC)
    return end


def _members(candidate: Candidate) -> tuple[Ref, ...]:
    own = (candidate.item,) if candidate.item.kind == Kind.MEMBER else ()
    return (*own, candidate.addressee) if candidate.addressee else own
