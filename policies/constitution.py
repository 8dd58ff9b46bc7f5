"""The limits that no policy can exceed: never-lists, opt-outs, the contact budget, quiet hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from ..connectors.records import Kind, Ref
from ..sync.store.tables import spaces, states, threads
from .comparisons import fold
from .kind import Candidate
from .people import accounts, contacted_since, groups, opted_out, username

if TYPE_CHECKING:
    from ..config.settings import Constitution, QuietHours


@dataclass(frozen=True, slots=True)
class Barred:
    """What stands against a candidate: `by` in one word. `until`: when it may be tried again; None with
    `for_good`: it should not be done at all."""

    by: str
    reason: str
    until: datetime | None = None
    for_good: bool = True


def barred(
    conn: Connection, law: Constitution, candidate: Candidate, now: datetime
) -> Barred | None:
    """What the constitution says against a candidate at this moment, for good reasons first."""
    people = dict.fromkeys((*_members(candidate), *candidate.contacts, *candidate.concerns))
    for who in people:
        against = _never_member(conn, law, who) or _opted_out(conn, law, who)
        if against:
            return against
    against = _never_thread(conn, law, candidate.item)
    return against or over_budget(conn, law, candidate.contacts, now)


def over_budget(
    conn: Connection, law: Constitution, notified: tuple[Ref, ...], now: datetime
) -> Barred | None:
    """Whether somebody has heard from us as often as the budget allows, on any account."""
    since = law.contact.per.before(now)
    for who in notified:
        times = contacted_since(conn, accounts(conn, who), since)
        if len(times) >= law.contact.messages:
            oldest = times[len(times) - law.contact.messages] if law.contact.messages else None
            until = law.contact.per.after(oldest) if oldest else None
            name = username(conn, who) or str(who)
            reason = f"{name} has heard from us {len(times)} time(s) in the last {law.contact.per}"
            return Barred("contact", reason, until, for_good=False)
    return None


def quiet_until(hours: QuietHours | None, now: datetime) -> datetime | None:
    """When the quiet hours that `now` lies in end; None outside them.

    The clock is that of the place: on the days when it is changed, the hours are as long as the clock says.
    """
    if hours is None or hours.start == hours.end:
        return None
    local = now.astimezone(hours.zone)
    clock = local.time().replace(tzinfo=None)
    over_midnight = hours.start > hours.end
    inside = (
        clock >= hours.start or clock < hours.end if over_midnight else hours.start <= clock < hours.end
    )
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= hours.start else 0)
    return datetime.combine(day, hours.end, tzinfo=hours.zone).astimezone(UTC)


def _members(candidate: Candidate) -> tuple[Ref, ...]:
    own = (candidate.item,) if candidate.item.kind == Kind.MEMBER else ()
    return (*own, candidate.addressee) if candidate.addressee else own


def _never_member(conn: Connection, law: Constitution, who: Ref) -> Barred | None:
    named = {fold(name) for name in law.never.members}
    for account in accounts(conn, who):
        name = username(conn, account)
        if fold(name) in named:
            return Barred("never", f"{name} is on the list of members that no policy acts upon")
        shared = groups(conn, account).intersection(law.never.groups)
        if shared:
            return Barred("never", f"{name} is in '{min(shared)}', a group that no policy acts upon")
    return None


def _opted_out(conn: Connection, law: Constitution, who: Ref) -> Barred | None:
    every = accounts(conn, who)
    found = opted_out(conn, every)
    if found is not None:
        return Barred("opt-out", f"{username(conn, found[0]) or found[0]} opted out ({found[1]})")
    if law.opt_out.group:
        for account in every:
            if law.opt_out.group in groups(conn, account):
                reason = f"{username(conn, account)} opted out (group '{law.opt_out.group}')"
                return Barred("opt-out", reason)
    return None


def _never_thread(conn: Connection, law: Constitution, item: Ref) -> Barred | None:
    if item.kind != Kind.THREAD:
        return None
    name = conn.execute(
        select(spaces.c.name)
        .join_from(threads, spaces, (spaces.c.site == threads.c.site) & (spaces.c.id == threads.c.space))
        .where(threads.c.site == item.site, threads.c.id == item.id)
    ).scalar_one_or_none()
    if name is not None and fold(name) in {fold(each) for each in law.never.spaces}:
        return Barred("never", f"it is in '{name}', where no policy acts")
    labels = conn.execute(
        select(states.c.value).where(
            states.c.site == item.site,
            states.c.kind == Kind.THREAD,
            states.c.item == item.id,
            states.c.field == "label",
            states.c.valid_to.is_(None),
        )
    ).scalars()
    kept = sorted({fold(label) for label in labels} & {fold(each) for each in law.never.labels})
    return Barred("never", f"it is labelled '{kept[0]}'; such threads are left alone") if kept else None
