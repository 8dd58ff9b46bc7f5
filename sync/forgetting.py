"""Erasing a person from the store, for good.

What stays: that somebody wrote, where and when; and of what we did, that we did it. What goes: the account's
row with its name, its groups and levels, the texts, and in the outbox everything said to or about the person.
In place of the id stands a keyed digest, by which later syncs recognise whom not to store.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from ..connectors.records import Kind, Ref
from .identities import accounts_of
from .inserts import insert_missing
from .outbox import State
from .outbox.proposals import from_row
from .outbox.proposing import supersede
from .outbox.states import WAITING
from .store.guard import digest, hide_members
from .store.states import chunks
from .store.store import Store
from .store.tables import (
    assignments,
    consents,
    contacts,
    contributions,
    identities,
    members,
    opt_outs,
    plans,
    proposals,
    reviews,
    texts,
    threads,
    tombstones,
)
from .store.times import micros

HOW = "forgotten"
"""In `opt_outs.how`; the member there is a digest, not an id."""

_WORDS = ("text", "subject", "title", "summary", "expected")
_UNDER_WAY = (State.APPLYING, State.UNSETTLED)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`under_way`: proposals that are being carried out, or may have been; they have to be settled first."""

    accounts: tuple[Ref, ...]
    contributions: int
    withdrawn: int
    under_way: tuple[int, ...]


def forget(store: Store, who: Ref, now: datetime) -> Forgotten:
    """Erase the person with this account and with all that are linked with it, in one transaction.

    An account that the mirror does not hold can be forgotten as well: it will never be stored.
    """
    with store.write() as connection:
        accounts = accounts_of(connection, who)
        written = withdrawn = 0
        under_way: list[int] = []
        for account in accounts:
            grave = digest(store.secret, account.site, account.id)
            about = _about(connection, account)
            withdrawn += _withdraw(connection, about, now)
            under_way += _erase_from_outbox(connection, account, about, grave)
            written += _erase_from_mirror(connection, account)
            _erase_consent(connection, account)
            at = micros(now)
            insert_missing(connection, tombstones, [{"site": account.site, "digest": grave, "at": at}])
            opt_out = {"site": account.site, "member": grave, "how": HOW, "at": at, "evidence": ""}
            insert_missing(connection, opt_outs, [opt_out])
    store.scrub()
    return Forgotten(accounts, written, withdrawn, tuple(sorted(under_way)))


def _erase_from_mirror(connection: Connection, who: Ref) -> int:
    c = contributions
    theirs = (c.c.site == who.site, c.c.author == who.id)
    count = connection.scalar(select(func.count()).where(*theirs)) or 0
    ids = select(c.c.id).where(*theirs)
    connection.execute(delete(texts).where(texts.c.site == who.site, texts.c.contribution.in_(ids)))
    connection.execute(update(c).where(*theirs).values(author=None, sha1=None))
    hide_members(connection, who.site, [who.id])
    return count


def _withdraw(connection: Connection, about: Sequence[int], now: datetime) -> int:
    """What was proposed to do to them, or to say to them, is not done."""
    withdrawn = 0
    for number in about:
        current = connection.execute(select(proposals).where(proposals.c.id == number)).one()
        if State(current.state) in WAITING:  # not superseded with the step before
            supersede(connection, from_row(current), "the person asked to be forgotten", now)
            withdrawn += 1
    return withdrawn


def _erase_from_outbox(
    connection: Connection, who: Ref, about: Sequence[int], grave: str
) -> list[int]:
    under_way: list[int] = []
    for number in about:
        row = connection.execute(select(proposals).where(proposals.c.id == number)).one()
        if row.state in _UNDER_WAY:
            under_way.append(number)
            continue
        values = {"action": json.dumps(_without(json.loads(row.action), who.id, grave)), "because": "[]"}
        if row.item == str(who):
            values["item"] = str(Ref(who.site, Kind.MEMBER, grave))
        connection.execute(update(proposals).where(proposals.c.id == number).values(values))
        connection.execute(
            update(reviews).where(reviews.c.proposal == number).values(action_before=None, reason="")
        )
    if not under_way:
        connection.execute(
            update(contacts)
            .where(contacts.c.site == who.site, contacts.c.member == who.id)
            .values(member=grave)
        )
    _erase_from_plans(connection, who)
    return under_way


def _about(connection: Connection, who: Ref) -> list[int]:
    """Proposals about the member, or about what the member began or wrote, or that name the id."""
    items = [str(who)]
    for table, kind in ((threads, Kind.THREAD), (contributions, Kind.CONTRIBUTION)):
        ids = connection.scalars(select(table.c.id).where(table.c.site == who.site, table.c.author == who.id))
        items += [str(Ref(who.site, kind, id_)) for id_ in ids]
    found: set[int] = set()
    for chunk in chunks(items):
        found.update(connection.scalars(select(proposals.c.id).where(proposals.c.item.in_(chunk))))
    quoted = select(proposals.c.id, proposals.c.action).where(proposals.c.action.like(f'%"{who.id}"%'))
    found.update(row.id for row in connection.execute(quoted) if _names(json.loads(row.action), who))
    found.update(_moving_words_of(connection, who))
    return sorted(found)


def _moving_words_of(connection: Connection, who: Ref) -> list[int]:
    """Proposals that hold sections of talk pages which the member signed."""
    m, p = members, proposals
    name = connection.scalar(select(m.c.username).where(m.c.site == who.site, m.c.id == who.id))
    rows = connection.execute(
        select(p.c.id, p.c.action).where(p.c.site == who.site, p.c.action.contains('"sections"'))
    )
    return [row.id for row in rows if name and f":{name}" in "\n".join(json.loads(row.action)["sections"])]


def _names(action: dict[str, Any], who: Ref) -> bool:
    return action.get("site") == who.site and (
        action.get("member") == who.id or who.id in (action.get("to") or ())
    )


def _without(action: dict[str, Any], member: str, grave: str) -> dict[str, Any]:
    for word in _WORDS:
        if isinstance(action.get(word), str):
            action[word] = "…"
    if "sections" in action:
        action["sections"] = ["…"]
    if action.get("member") == member:
        action["member"] = grave
    if "to" in action:
        action["to"] = [grave if to == member else to for to in action["to"]]
    return action


def _erase_from_plans(connection: Connection, who: Ref) -> None:
    rows = connection.execute(select(plans.c.id, plans.c.held).where(plans.c.held.like(f'%"{who}"%')))
    for row in rows.all():
        held = [entry for entry in json.loads(row.held) if entry[1] != str(who)]  # policy, item, by, reason
        changed = json.dumps(held, ensure_ascii=False)
        connection.execute(update(plans).where(plans.c.id == row.id).values(held=changed))


def _erase_consent(connection: Connection, who: Ref) -> None:
    for table in (opt_outs, consents, identities):
        connection.execute(delete(table).where(table.c.site == who.site, table.c.member == who.id))
    connection.execute(delete(assignments).where(assignments.c.person == str(who)))
