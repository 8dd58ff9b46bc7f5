"""Who somebody is for the constitution: linked accounts, groups, opt-outs, and how often we wrote."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, true, tuple_

from ..connectors.records import Kind, Ref
from ..sync.store.states import chunks
from ..sync.store.tables import attempts, contacts, identities, members, opt_outs, site_groups, states
from ..sync.store.times import micros, moment

# Asked of one member after the other, so put together once: that takes longer than the answer.
_HERE, _THERE = identities.alias("here"), identities.alias("there")
_LINKED = (
    select(_THERE.c.site, _THERE.c.member)
    .join_from(_HERE, _THERE, _THERE.c.person == _HERE.c.person)
    .where(_HERE.c.site == bindparam("site"), _HERE.c.member == bindparam("member"))
    .where(_HERE.c.state == "linked", _THERE.c.state == "linked")
)
_GROUPS = select(states.c.value).where(
    states.c.site == bindparam("site"),
    states.c.kind == Kind.MEMBER,
    states.c.item == bindparam("member"),
    states.c.field == "group",
)
_GROUPS_NOW = _GROUPS.where(states.c.valid_to.is_(None))
_FLAGS = select(members.c.admin, members.c.moderator).where(
    members.c.site == bindparam("site"), members.c.id == bindparam("member")
)


def accounts(conn: Connection, who: Ref) -> tuple[Ref, ...]:
    """The member's accounts on all sites that are known to belong together, this one first."""
    rows = conn.execute(_LINKED, {"site": who.site, "member": who.id})
    others = {Ref(site, Kind.MEMBER, member) for site, member in rows} - {who}
    return (who, *sorted(others))


def accounts_of(conn: Connection, everybody: Iterable[Ref]) -> dict[Ref, tuple[Ref, ...]]:
    """The `accounts` of many members, asked for together."""
    found = {who: {who} for who in everybody}
    for site in {who.site for who in found}:
        for some in chunks(sorted(who.id for who in found if who.site == site)):
            rows = conn.execute(
                select(_HERE.c.member, _THERE.c.site, _THERE.c.member.label("other"))
                .join_from(_HERE, _THERE, _THERE.c.person == _HERE.c.person)
                .where(_HERE.c.site == site, _HERE.c.member.in_(some))
                .where(_HERE.c.state == "linked", _THERE.c.state == "linked")
            )
            for row in rows:
                found[Ref(site, Kind.MEMBER, row.member)].add(Ref(row.site, Kind.MEMBER, row.other))
    return {who: (who, *sorted(every - {who})) for who, every in found.items()}


def groups(conn: Connection, who: Ref, at: datetime | None = None) -> frozenset[str]:
    """The names of the groups somebody is in, or was in `at` a moment, with `admins`, `moderators` and
    `staff` by the flags, which are always those of today."""
    asked, query = {"site": who.site, "member": who.id}, _GROUPS_NOW
    if at is not None:
        later = or_(states.c.valid_to.is_(None), states.c.valid_to > micros(at))
        query = _GROUPS.where(states.c.valid_from <= micros(at), later)
    names = set(conn.execute(query, asked).scalars())
    flags = conn.execute(_FLAGS, asked).one_or_none()
    if flags is not None and flags.admin:
        names |= {"admins", "staff"}
    if flags is not None and flags.moderator:
        names |= {"moderators", "staff"}
    return frozenset(names)


def group_exists(conn: Connection, site: str, name: str) -> bool:
    """Whether the mirror knows a group of this name."""
    query = select(site_groups.c.id).where(
        site_groups.c.site == site, site_groups.c.name == name, site_groups.c.deleted_at.is_(None)
    )
    return conn.execute(query.limit(1)).first() is not None


def username(conn: Connection, who: Ref) -> str:
    """The account's name; '' if it is not in the mirror."""
    query = select(members.c.username).where(members.c.site == who.site, members.c.id == who.id)
    return conn.execute(query).scalar_one_or_none() or ""


def display_name(conn: Connection, who: Ref) -> str:
    """What somebody wants to be called; '' if they did not say."""
    query = select(members.c.name).where(members.c.site == who.site, members.c.id == who.id)
    return conn.execute(query).scalar_one_or_none() or ""


def opted_out(
    conn: Connection, who: Iterable[Ref], at: datetime | None = None
) -> tuple[Ref, str] | None:
    """The first of these accounts that is opted out, or was `at` a moment, and how; None if none is."""
    for ref in who:
        query = select(opt_outs.c.how).where(opt_outs.c.site == ref.site, opt_outs.c.member == ref.id)
        if at is not None:
            query = query.where(opt_outs.c.at <= micros(at))
        how = conn.execute(query.limit(1)).scalar_one_or_none()
        if how is not None:
            return ref, how
    return None


def contacted_since(
    conn: Connection, who: Iterable[Ref], since: datetime, until: datetime | None = None
) -> list[datetime]:
    """When we wrote to any of these accounts, attempts included whose outcome nobody knows yet; oldest
    first. `until`: no later than that."""
    pairs = [(ref.site, ref.id) for ref in who]
    rows = conn.execute(
        select(contacts.c.at)
        .join_from(contacts, attempts, attempts.c.id == contacts.c.attempt)
        .where(tuple_(contacts.c.site, contacts.c.member).in_(pairs), contacts.c.at > micros(since))
        .where(contacts.c.at <= micros(until) if until is not None else true())
        .where(or_(attempts.c.outcome.is_(None), attempts.c.outcome != "not_done"))
        .order_by(contacts.c.at)
    )
    return [moment(at) for at in rows.scalars()]
