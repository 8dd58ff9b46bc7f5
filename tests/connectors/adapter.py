"""What a connector's test module offers to the contract suite: the site as its people and its server see it.

A test module writes one class that follows `Site` and hands it to the suite in a fixture::

    class TestDiscourse(ConnectorContract):
        @pytest.fixture
        def site(self, standin: Standin) -> Site:
            return DiscourseSite(standin)

Rules for an adapter:

- Every fixture gives a small site of its own (a dozen members, some threads) that no other test changes.
- People act on the server directly (its database, its objects, another account's session), never through
  the connector under test. Ids are those that the connector reports, as strings.
- `truth` is taken from the server's own state, not from its API, and holds exactly what the connector's
  account may see and the mirror shall hold; what is deleted is missing. A field that the adapter cannot
  know from the server's state is left at the value in `UNSEEN[kind]`, which is not compared.
- An operation that the platform does not have raises `Unsupported`; the test is then skipped, saying so.
- The connector is configured so that every sync sees every kind of change (a webhook, or a sweep each time).
- Time stands still or is the real time: the suite never waits and never turns the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from ordito.connectors.base import Batch, Connector, Cursor, Family, Platform
from ordito.connectors.records import Badge, Change, Contribution, Group, Kind, Member, Ref, Space, Thread


class Unsupported(Exception):
    """The platform has no such operation."""


Item = Member | Space | Thread | Contribution | Group | Badge


@dataclass(frozen=True, slots=True)
class Truth:
    """The server's own state, by id."""

    members: Mapping[str, Member]
    threads: Mapping[str, Thread]
    contributions: Mapping[str, Contribution]


class Site(Protocol):
    """One server with some content, a connector's account on it, and people who act there."""

    name: str
    """The key of the site in the settings."""
    family: Family
    group: str
    """Name of a group that exists and that our account may put members into ('' = there is none)."""
    badge: str
    """Name of a badge that our account may grant ('' = there is none)."""
    other_space: str
    """Where MoveThread may move a thread: a category's id (forum); '' on a wiki, where titles are moved."""

    @property
    def platform(self) -> Platform:
        """As the registry makes it for this site."""

    def connect(self) -> Connector:
        """A new connection of our account; several may be open at once. The suite closes them."""

    def now(self) -> datetime:
        """The time on the server."""

    def truth(self) -> Truth:
        """What the mirror shall hold now."""

    # People. `by` and `author` are ids of members other than our account.

    def join(self, username: str) -> str:
        """A new member; returns the id."""

    def moderator(self) -> str:
        """Id of a member (not our account) who may change every state."""

    def open(self, author: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        """A new topic or page with these labels; returns the id of the thread. The labels exist or are
        made. On a wiki the text gets the category links."""

    def contribute(self, author: str, thread: str, text: str) -> str:
        """A reply (forum) or a revision that adds a paragraph (wiki); returns the contribution's id."""

    def rewrite(self, by: str, thread: str, text: str) -> None:
        """Replace the text of the first post, or of the page, its category links included."""

    def relabel(self, by: str, thread: str, labels: Sequence[str]) -> None:
        """Set the tags or categories to exactly these."""

    def edit(self, by: str, contribution: str, text: str) -> None:
        """Replace the text of a post. Wiki: Unsupported."""

    def close(self, by: str, thread: str, closed: bool = True) -> None:
        """Close or reopen the topic. Wiki: Unsupported."""

    def archive(self, by: str, thread: str, archived: bool = True) -> None:
        """Archive the topic or the contrary. Wiki: Unsupported."""

    def retitle(self, by: str, thread: str, title: str) -> None:
        """Another title; on a wiki a move."""

    def like(self, by: str, contribution: str) -> None:
        """Wiki: Unsupported."""

    def delete_contribution(self, by: str, contribution: str) -> None:
        """Delete a reply (forum). Wiki: Unsupported."""

    def delete_thread(self, by: str, thread: str) -> None:
        """Delete the topic or page."""

    def suspend(self, by: str, member: str) -> None:
        """Suspend or block for a month."""

    def put_into_group(self, by: str, member: str, group: str) -> None: ...

    def take_from_group(self, by: str, member: str, group: str) -> None: ...

    def refuse_messages(self, member: str) -> None:
        """The member opts out the platform's way: setting (forum), {{nobots}} on the talk page (wiki)."""

    def object(self, by: str) -> Ref | None:
        """`by` halts us: a reply in a stop topic made for it, or text on a stop page; returns what the
        settings would name as `stop:`."""

    # What the suite looks at on the server.

    def first_text(self, thread: str) -> str:
        """Raw text of the first post, or of the page."""

    def received(self, member: str) -> Sequence[str]:
        """Raw texts of what our account sent this member: undeleted messages, or the sections on the
        talk page with their headings, oldest first."""

    def texts(self, thread: str) -> Sequence[str]:
        """Raw texts of a topic's undeleted posts, without small ones; of a page: its text and, if it exists
        and is not empty, its talk page's."""

    def groups_of(self, member: str) -> frozenset[str]: ...

    def badges_of(self, member: str) -> frozenset[str]: ...

    def state(self, thread: str) -> Thread:
        """The thread as it is now."""

    # Our account's rights, and the site's state.

    def demote(self) -> None:
        """Take from our account the rights to change states, labels, groups and other people's texts."""

    def stop_writes(self) -> None:
        """Read-only mode."""


UNSEEN: Mapping[type[Item], frozenset[str]] = {
    Member: frozenset({"last_seen_at"}),
    Space: frozenset(),
    Thread: frozenset({"stamp", "views"}),
    Contribution: frozenset({"updated_at", "unlisted"}),
    Group: frozenset(),
    Badge: frozenset(),
}
"""Fields that two views of one item need not agree on."""


def seen(item: Item) -> dict[str, Any]:
    """The fields of an item that are compared."""
    return {f.name: getattr(item, f.name) for f in fields(item) if f.name not in UNSEEN[type(item)]}


@dataclass
class MemoryMirror:
    """The smallest mirror: what the store keeps of the batches, in dictionaries. It is a `Known`."""

    connector: Connector
    cursor: Cursor | None = None
    items: dict[Ref, Item] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    _seen: dict[str, set[Ref]] = field(default_factory=dict)

    def sync(self, batches: int | None = None) -> list[Batch]:
        """Read on from the cursor; with a number stop after so many batches. Returns the batches."""
        taken: list[Batch] = []
        for batch in self._batches():
            self.apply(batch)
            taken.append(batch)
            if len(taken) == batches:
                break
        return taken

    def _batches(self) -> Iterator[Batch]:
        return iter(self.connector.changes(self.cursor, self))

    def apply(self, batch: Batch) -> None:
        self._keep(batch)
        if batch.scan:
            self._seen.setdefault(batch.scan, set()).update(
                record.ref for record in batch.records if not isinstance(record, Change)
            )
        for kind in batch.ended:
            self._ask_for_the_unseen(batch.scan, kind)
        if batch.cursor is not None:
            self.cursor = batch.cursor

    def _keep(self, batch: Batch) -> None:
        for record in batch.records:
            if isinstance(record, Change):
                self.changes.append(record)
            elif record.deleted_at is not None:
                self._drop(record.ref)
            else:
                self.items[record.ref] = self._with_what_is_known(record)
        for ref, _ in batch.gone:
            self._drop(ref)

    def _with_what_is_known(self, record: Item) -> Item:
        """What a reading of a thread does not tell stays as it was."""
        old = self.items.get(record.ref)
        if not (isinstance(record, Thread) and isinstance(old, Thread)):
            return record
        told = {f.name for f in fields(Thread) if getattr(record, f.name) is not None}
        told -= {"stamp"} if record.stamp == "" else set()
        kept = {f.name for f in fields(Thread)} - told - {"space", "deleted_at"}
        return replace(record, **{name: getattr(old, name) for name in kept})

    def _ask_for_the_unseen(self, scan: str, kind: Kind) -> None:
        unseen = [r for r in self.items if r.kind == kind and r not in self._seen.get(scan, set())]
        for ref in unseen:
            fresh = self.connector.fetch(ref)
            if fresh is None:
                self._drop(ref)
            else:
                self._keep(fresh)

    def _drop(self, ref: Ref) -> None:
        self.items.pop(ref, None)
        if ref.kind == Kind.THREAD:
            for item in list(self.items.values()):
                if isinstance(item, Contribution) and item.thread == ref.id:
                    del self.items[item.ref]

    def of(self, kind: type[Item]) -> dict[str, Item]:
        """The items of a kind by id; what a contribution answers is looked up where only its position is
        known, as in the store."""
        found = {item.id: item for item in self.items.values() if isinstance(item, kind)}
        places = {(c.thread, c.position): c.id for c in found.values() if isinstance(c, Contribution)}
        for id, item in found.items():
            if isinstance(item, Contribution) and item.parent_position is not None:
                parent = places.get((item.thread, item.parent_position))
                found[id] = replace(item, parent=parent, parent_position=None)
        return found

    # Known

    def stamps(self, ids: Sequence[str]) -> Mapping[str, str]:
        threads = self.of(Thread)
        return {i: thread.stamp for i in ids if isinstance(thread := threads.get(i), Thread)}

    def conversations(self) -> Sequence[str]:
        return [i for i, t in self.of(Thread).items() if isinstance(t, Thread) and t.kind == "message"]

    def contribution_ids(self, thread: str) -> frozenset[str]:
        return frozenset(
            i for i, c in self.of(Contribution).items() if isinstance(c, Contribution) and c.thread == thread
        )

    def listed(self, low: int, high: int) -> frozenset[str]:
        shown = {
            t.id for t in self.items.values()
            if isinstance(t, Thread) and t.kind == "topic" and t.visible is not False
        }  # fmt: skip
        return frozenset(
            c.id
            for c in self.items.values()
            if isinstance(c, Contribution)
            and c.kind in ("regular", "moderator")
            and c.thread in shown
            and low <= int(c.id) <= high
        )

    def spoken(self, threads: Sequence[str]) -> Mapping[str, int]:
        said = [c for c in self.of(Contribution).values() if isinstance(c, Contribution)]
        return Counter(c.thread for c in said if c.kind not in ("small", "whisper") and c.thread in threads)

    def sealed(self, name: str) -> str:
        return sha256(name.encode()).hexdigest()
