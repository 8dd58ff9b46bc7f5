"""What must not be stored: the second line behind the connectors, which should not even read it.

Excluded spaces (with those below them), labels and members; private messages that were not asked for; texts,
where the settings say so; and whom an admin has had forgotten. Of a forgotten member the contributions stay,
as somebody's; of an excluded one nothing does.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, Connection, Delete, delete, literal, or_, select, update

from ...connectors.records import (
    Badge,
    Change,
    Contribution,
    Group,
    Kind,
    Member,
    Record,
    Space,
    Thread,
    ThreadKind,
)
from ..inserts import insert_missing
from .states import chunks
from .tables import (
    checkpoints,
    contributions,
    doings,
    left_out,
    members,
    spaces,
    states,
    texts,
    threads,
    tombstones,
)


def digest(secret: bytes, site: str, member: str) -> str:
    """What is kept of a forgotten member: a keyed hash of the id, of use only together with the id."""
    return hmac.digest(secret, f"{site}:member:{member}".encode(), "sha256").hex()


def name_digest(secret: bytes, site: str, name: str) -> str:
    return hmac.digest(secret, f"{site}:excluded:{comparable(name)}".encode(), "sha256").hex()


def comparable(name: str) -> str:
    """Names that the platforms take for the same compare equal."""
    return unicodedata.normalize("NFC", name).replace("_", " ").strip().casefold()


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What the settings say of one site: names as `comparable` gives them."""

    spaces: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    text: bool = True
    messages: bool = True
    only: frozenset[str] | None = None
    """Ids of the spaces that are read at all; None: any."""


@dataclass(slots=True)
class Guard:
    """Lets records through, without what must not be stored. Grows with the names that a sync reads."""

    site: str
    exclusions: Exclusions
    secret: bytes
    account: str = ""
    """Member id of our own account; private messages that it began are always kept."""
    conversations: frozenset[str] = frozenset()
    """Threads that the outbox made, whatever account it used then."""
    tombstones: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    """Digests of excluded members whom an earlier sync met: they stay excluded under another name, too."""
    _spaces: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    _threads: set[str] = field(default_factory=set)
    _members: set[str] = field(default_factory=set)
    _digests: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: Connection, site: str, exclusions: Exclusions, secret: bytes) -> Guard:
        ours = select(doings.c.id).where(doings.c.site == site, doings.c.kind == Kind.THREAD.value)
        graves = select(tombstones.c.digest).where(tombstones.c.site == site)
        names = {name_digest(secret, site, name) for name in exclusions.members}
        met = select(left_out.c.digest).where(left_out.c.site == site, left_out.c.name.in_(names))
        known = select(spaces.c.id, spaces.c.name, spaces.c.parent).where(spaces.c.site == site)
        account = select(checkpoints.c.account).where(checkpoints.c.site == site)
        return cls(
            site,
            exclusions,
            secret,
            connection.scalar(account) or "",
            frozenset(connection.scalars(ours)),
            frozenset(connection.scalars(graves)),
            frozenset(connection.scalars(met)),
            {row.id: (row.name, row.parent) for row in connection.execute(known)},
        )

    def admit(self, records: Sequence[Record]) -> list[Record]:
        """What may be stored of these records."""
        if not self._active:
            return list(records)
        for record in records:  # names first: the order within a batch means nothing
            if type(record) is not Contribution:  # by far the most
                self._learn(record)
        if not self._judges_all:
            return list(records)
        admitted = (self._admit(record) for record in records)
        return [record for record in admitted if record is not None]

    @property
    def _judges_all(self) -> bool:
        """Whether something was learnt or is told that any record may fall foul of."""
        told = self.exclusions.spaces or not self.exclusions.text or self.tombstones or self.left_out
        return bool(told or self._threads or self._members)

    def drop(self, connection: Connection, records: Sequence[Record]) -> None:
        """Remove what the mirror holds of the threads and members that `admit` turned away."""
        if self._threads:
            bad = {record.id for record in records if isinstance(record, Thread)} & self._threads
            drop_threads(connection, self.site, bad)
        if self._members:
            people = {r.id: r.username for r in records if isinstance(r, Member) and r.id in self._members}
            drop_members(connection, self.site, people)
            self.met(connection, people)

    def met(self, connection: Connection, names: Mapping[str, str]) -> None:
        """Remember excluded members by their ids: what they write names them by nothing else."""
        self._members.update(names)
        rows = [
            {
                "site": self.site,
                "digest": self._digest(member),
                "name": name_digest(self.secret, self.site, name),
            }
            for member, name in names.items()
            if comparable(name) in self.exclusions.members
        ]
        insert_missing(connection, left_out, rows)

    @property
    def _active(self) -> bool:
        e = self.exclusions
        return bool(
            e.spaces or e.labels or e.members or not e.text or not e.messages or self.tombstones
            or e.only is not None
        )  # fmt: skip

    def _learn(self, record: Record) -> None:
        if isinstance(record, Space):
            self._spaces[record.id] = (record.name, record.parent)
        elif isinstance(record, Member):
            (self._members.add if self._excludes_member(record) else self._members.discard)(record.id)
        elif isinstance(record, Thread):
            (self._threads.add if self._excludes_thread(record) else self._threads.discard)(record.id)

    def _excludes_member(self, member: Member) -> bool:
        named = comparable(member.username) in self.exclusions.members
        return named or self._is_left_out(member.id)

    def _excludes_thread(self, thread: Thread) -> bool:
        if thread.kind is ThreadKind.MESSAGE and not self._may_hear(thread.id, thread.author):
            return True
        if self.exclusions.labels and not self.exclusions.labels.isdisjoint(
            map(comparable, thread.labels or ())
        ):
            return True
        return self.excludes_space(thread.space)

    def excludes_space(self, space: str | None) -> bool:
        """Whether the space, or one above it, is excluded, or not among those that are read."""
        if self.exclusions.only is not None and space is not None and space not in self.exclusions.only:
            return True
        passed: set[str] = set()
        while self.exclusions.spaces and space is not None and space not in passed:
            passed.add(space)
            name, parent = self._spaces.get(space, ("", None))
            if comparable(name) in self.exclusions.spaces:
                return True
            space = parent
        return False

    def _may_hear(self, message: str, author: str | None) -> bool:
        if self.exclusions.messages or message in self.conversations:
            return True
        return bool(self.account) and author == self.account

    def excludes_row(self, thread: str, kind: str, space: str | None, author: str | None) -> bool:
        """The same of a stored thread, apart from its labels."""
        private = kind == ThreadKind.MESSAGE.value
        return (private and not self._may_hear(thread, author)) or self.excludes_space(space)

    def _hides(self, member: str | None) -> bool:
        return member is not None and (self._excludes(member) or self._is_forgotten(member))

    def _excludes(self, member: str) -> bool:
        return member in self._members or self._is_left_out(member)

    def _is_left_out(self, member: str) -> bool:
        return bool(self.left_out) and self._digest(member) in self.left_out

    def _is_forgotten(self, member: str) -> bool:
        return bool(self.tombstones) and self._digest(member) in self.tombstones

    def _digest(self, member: str) -> str:
        if member not in self._digests:
            self._digests[member] = digest(self.secret, self.site, member)
        return self._digests[member]

    def _admit(self, record: Record) -> Record | None:
        if isinstance(record, Contribution):
            return self._admit_contribution(record)
        if isinstance(record, Thread):
            if record.id in self._threads:
                return None
            return replace(record, author=None) if self._hides(record.author) else record
        if isinstance(record, Member):
            return None if self._hides(record.id) else record
        if isinstance(record, Group) and record.members is not None:
            return replace(record, members=frozenset(m for m in record.members if not self._hides(m)))
        if isinstance(record, Badge):
            holders = {member: at for member, at in record.holders.items() if not self._hides(member)}
            return replace(record, holders=holders)
        if isinstance(record, Change):
            hidden = record.id in self._threads if record.kind is Kind.THREAD else self._hides(record.id)
            return None if hidden else record
        if isinstance(record, Space) and self.excludes_space(record.id):
            if self.exclusions.only is not None and record.id not in self.exclusions.only:
                return None
            named = comparable(record.name) in self.exclusions.spaces
            return record if named else replace(record, name="")
        return record

    def _admit_contribution(self, record: Contribution) -> Contribution | None:
        if record.thread in self._threads:
            return None
        if record.author is not None and self._excludes(record.author):
            return None
        if record.author is not None and self._is_forgotten(record.author):
            return replace(record, author=None, text=None)
        return record if self.exclusions.text or record.text is None else replace(record, text=None)


def purge(connection: Connection, guard: Guard) -> Counter[str]:
    """Remove what an earlier sync stored and must not be there any more: the settings exclude more now.

    By kind of item, and as `text`, how much that was.
    """
    e, site = guard.exclusions, guard.site
    removed: Counter[str] = Counter()
    if e.spaces or not e.messages:
        private = threads.c.kind == ThreadKind.MESSAGE.value
        rows = connection.execute(
            select(threads.c.id, threads.c.kind, threads.c.space, threads.c.author).where(
                threads.c.site == site, or_(private, literal(bool(e.spaces)))
            )
        )
        removed += drop_threads(connection, site, [row.id for row in rows if guard.excludes_row(*row)])
    if e.labels:
        labelled = select(states.c.item, states.c.value).where(
            states.c.site == site, states.c.kind == "thread", states.c.field == "label",
            states.c.valid_to.is_(None),
        )  # fmt: skip
        rows = connection.execute(labelled)
        bad = {row.item for row in rows if comparable(row.value) in e.labels}
        removed += drop_threads(connection, site, bad)
    if e.only is not None:
        elsewhere = select(threads.c.id).where(threads.c.site == site, threads.c.space.not_in(e.only))
        removed += drop_threads(connection, site, connection.scalars(elsewhere).all())
        connection.execute(delete(spaces).where(spaces.c.site == site, spaces.c.id.not_in(e.only)))
    names = {name_digest(guard.secret, site, name) for name in e.members}
    connection.execute(delete(left_out).where(left_out.c.site == site, left_out.c.name.not_in(names)))
    if e.members:
        rows = connection.execute(select(members.c.id, members.c.username).where(members.c.site == site))
        excluded = {row.id: row.username for row in rows if comparable(row.username) in e.members}
        removed += drop_members(connection, site, excluded)
        guard.met(connection, excluded)
    if not e.text:
        removed["text"] = connection.execute(delete(texts).where(texts.c.site == site)).rowcount
    return removed


def drop_orphans(connection: Connection, guard: Guard) -> None:
    """Remove contributions whose thread turned out to be excluded, or is not there, at the end of a sync.

    A connector may read them before it knows what they belong to, and be stopped in between.
    """
    e, c = guard.exclusions, contributions
    if not (e.spaces or e.labels):
        return
    known = select(threads.c.id).where(threads.c.site == guard.site, threads.c.id == c.c.thread)
    orphans = select(c.c.id).where(c.c.site == guard.site, ~known.exists())
    connection.execute(delete(texts).where(texts.c.site == guard.site, texts.c.contribution.in_(orphans)))
    connection.execute(delete(c).where(c.c.site == guard.site, ~known.exists()))


def drop_threads(connection: Connection, site: str, ids: Iterable[str]) -> Counter[str]:
    """Remove threads with all that was written in them, without a trace; how much that was, by kind."""
    removed: Counter[str] = Counter()
    for chunk in chunks(ids):
        removed += _drop_contributions(connection, site, contributions.c.thread.in_(chunk))
        connection.execute(_states_of(site, "thread", chunk))
        gone = connection.execute(delete(threads).where(threads.c.site == site, threads.c.id.in_(chunk)))
        removed[Kind.THREAD] += gone.rowcount
    return removed


def drop_members(connection: Connection, site: str, ids: Iterable[str]) -> Counter[str]:
    """Remove members with all that they wrote, without a trace; threads that they began keep the rest. How
    much that was, by kind."""
    removed: Counter[str] = Counter()
    for chunk in chunks(ids):
        removed += _drop_contributions(connection, site, contributions.c.author.in_(chunk))
        removed[Kind.MEMBER] += hide_members(connection, site, chunk)
    return removed


def hide_members(connection: Connection, site: str, ids: Sequence[str]) -> int:
    """Remove the members' rows and states, and their names from what they began; how many rows."""
    connection.execute(
        update(threads).where(threads.c.site == site, threads.c.author.in_(ids)).values(author=None)
    )
    connection.execute(_states_of(site, "member", ids))
    gone = connection.execute(delete(members).where(members.c.site == site, members.c.id.in_(ids)))
    return gone.rowcount


def _drop_contributions(connection: Connection, site: str, which: ColumnElement[bool]) -> Counter[str]:
    chosen = (contributions.c.site == site, which)
    inside = select(contributions.c.id).where(*chosen)
    connection.execute(delete(texts).where(texts.c.site == site, texts.c.contribution.in_(inside)))
    gone = connection.execute(delete(contributions).where(*chosen))
    return Counter({Kind.CONTRIBUTION: gone.rowcount})


def _states_of(site: str, kind: str, ids: Sequence[str]) -> Delete:
    return delete(states).where(states.c.site == site, states.c.kind == kind, states.c.item.in_(ids))
