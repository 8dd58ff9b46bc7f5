"""A site that counts what is done to it, a gate that says what it is told, and a world with its own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from ordito.config.durations import Duration
from ordito.config.errors import Conflict, UsageError
from ordito.connectors.actions import Action, Reply
from ordito.connectors.base import (
    Batch,
    Connector,
    Found,
    Marker,
    NotDone,
    Receipt,
    World,
)
from ordito.connectors.records import Kind, Ref
from ordito.sync.locks import Holder, run_lock
from ordito.sync.outbox import (
    Because,
    Bench,
    Decision,
    Draft,
    Go,
    Proposal,
    Report,
    Verdict,
    Wait,
    apply,
    get,
    propose,
    review,
    undo,
)
from ordito.sync.store.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
THREAD = Ref("forum", Kind.THREAD, "1")
WIKI = Ref("wiki", Kind.THREAD, "7")
ANNA = Ref("forum", Kind.MEMBER, "42")


class Killed(BaseException):
    """What SIGKILL is to a process, as near as an exception comes."""


@dataclass
class Clock:
    """Time passes only when somebody sleeps; whoever asked to be told is told."""

    now: datetime = NOW
    listeners: list[Callable[[datetime], None]] = field(default_factory=list)
    slept: float = 0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.pass_(timedelta(seconds=seconds))

    def pass_(self, time: timedelta) -> None:
        self.now += time
        for listener in self.listeners:
            listener(self.now)

    def world(self) -> World:
        return World(now=lambda: self.now, monotonic=lambda: 0.0, sleep=self.sleep)


@dataclass
class FakeSite:
    """The server's side: `done` has a token for every time that something was carried out there.

    `late`: what was sent, and is carried out only at that time, whether or not the sender still lives.
    """

    clock: Clock
    done: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    late: list[tuple[datetime, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock.listeners.append(self._arrive)

    def _arrive(self, now: datetime) -> None:
        self.done += [token for at, token in self.late if at <= now]
        self.late = [(at, token) for at, token in self.late if at > now]


Hook = Callable[[str], None]


@dataclass
class FakeConnector:
    """`hook` is called before and after the server does something; what it raises is what the client sees."""

    server: FakeSite
    site: str = "forum"
    hook: Hook = lambda point: None
    fetched: list[Ref] = field(default_factory=list)
    sought_since: list[datetime] = field(default_factory=list)
    found: Found | None = None
    markers: list[Marker] = field(default_factory=list)
    taken_back: list[Marker] = field(default_factory=list)
    attribution_unknown: bool = False

    def fetch(self, ref: Ref) -> Batch | None:
        self.hook("fetch")
        self.fetched.append(ref)
        return Batch()

    def perform(self, action: Action, marker: Marker) -> Receipt:
        self.hook("before perform")
        self.markers.append(marker)
        self.server.done.append(marker.token)
        self.hook("after perform")
        return self._receipt(action, marker.token)

    def take_back(self, action: Action, marker: Marker) -> None:
        self.hook("take back")
        self.taken_back.append(marker)

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        self.hook("find")
        self.sought_since.append(since)
        if self.found is not None:
            return self.found
        return self._receipt(action, marker.token) if marker.token in self.server.done else NotDone()

    def undo(self, receipt: Receipt, marker: Marker) -> Receipt:
        """Asked again it gives a receipt again; what people touched since is a conflict."""
        self.hook("before undo")
        token = receipt.made[0].id
        if token in self.server.touched:
            raise Conflict("bob replied since.", where=self.site)
        if token not in self.server.undone:
            self.server.undone.append(token)
        self.hook("after undo")
        return Receipt(site=self.site, verb=receipt.verb, at=self.server.clock.now)

    def _receipt(self, action: Action, token: str) -> Receipt:
        return Receipt(
            site=self.site,
            verb=action.verb,
            at=self.server.clock.now,
            made=(Ref(self.site, Kind.CONTRIBUTION, token),),
            url=f"https://forum.example/{token}",
            attribution="unknown" if self.attribution_unknown else "ours",
        )


@dataclass
class FakeGate:
    """`verdict` for every proposal, or by a function; what was asked is kept."""

    verdict: Verdict | Callable[[Proposal], Verdict] = field(default_factory=Go)
    waits: Wait | None = None
    hook: Hook = lambda point: None
    begun: int = 0
    checked: list[int] = field(default_factory=list)

    def begin(self, now: datetime) -> None:
        self.hook("begin")
        self.begun += 1

    def hold(self, conn: Connection, proposal: Proposal, now: datetime) -> Wait | None:
        return self.waits

    def prepare(self, proposal: Proposal, now: datetime) -> None:
        self.hook("prepare")

    def check(self, conn: Connection, proposal: Proposal, now: datetime) -> Verdict:
        self.hook("check")
        self.checked.append(proposal.id)
        return self.verdict(proposal) if callable(self.verdict) else self.verdict


@dataclass
class Rig:
    """All that a run needs, put together."""

    store: Store
    clock: Clock = field(default_factory=Clock)
    gate: FakeGate = field(default_factory=FakeGate)
    in_flight: timedelta = timedelta(seconds=65)
    undo_window: Duration | None = None
    deadline: datetime | None = None
    ingested: list[tuple[str, Batch]] = field(default_factory=list)
    hook: Hook = lambda point: None
    forgotten: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.server = FakeSite(self.clock)
        self.connectors = {
            "forum": FakeConnector(self.server),
            "wiki": FakeConnector(FakeSite(self.clock), "wiki"),
        }

    @property
    def connector(self) -> FakeConnector:
        return self.connectors["forum"]

    @contextmanager
    def bench(self, store: Store | None = None) -> Iterator[Bench]:
        chosen = store or self.store
        with run_lock(self.store, Holder.here("apply", "anna"), lambda: self.clock.now) as lock:
            yield Bench(
                store=chosen,
                world=self.clock.world(),
                lock=lock,
                connector=self._connector,
                ingest=lambda conn, site, batch, now: self.ingested.append((site, batch)),
                note=lambda proposal: f"policy {proposal.policy}",
                say=lambda text: None,
                in_flight=lambda site: self.in_flight,
                undo_window=self.undo_window,
                deadline=self.deadline,
            )

    def forget(self, site: str) -> None:
        """Take a site out of the settings."""
        self.forgotten.add(site)

    def _connector(self, site: str) -> Connector:
        if site in self.forgotten:
            raise UsageError(f"There is no site '{site}' in the settings.")
        connector: Connector = self.connectors[site]  # type: ignore[assignment]  # only what apply uses
        return connector

    def apply(self, *ids: int, store: Store | None = None) -> Report:
        with self.bench(store) as bench:
            return apply(bench, self.gate, ids)

    def undo(self, *ids: int, by: str = "anna", store: Store | None = None) -> Report:
        with self.bench(store) as bench:
            return undo(bench, ids, by)

    def propose(self, *drafts: Draft, approve_as: str | None = None) -> list[Proposal]:
        with self.store.write() as conn:
            made = propose(
                conn,
                drafts,
                plan=None,
                now=self.clock.now,
                expire=Duration(7, "day"),
                approve_as=approve_as,
            )
        return list(made.new)

    def review(self, proposal: int, decision: Decision, by: str = "anna") -> Proposal:
        with self.store.write() as conn:
            return review(conn, proposal, decision, by=by, now=self.clock.now)

    def approved(self, *drafts: Draft, by: str = "anna") -> list[int]:
        """Propose the drafts and have a person approve each; their ids."""
        ids = [proposal.id for proposal in self.propose(*drafts)]
        for proposal in ids:
            self.review(proposal, Decision.APPROVED, by)
        return ids

    def get(self, proposal: int) -> Proposal:
        with self.store.read() as conn:
            return get(conn, proposal)


def draft(
    occasion: str = "once",
    *,
    policy: str = "greet",
    step: str = "reply",
    item: Ref = THREAD,
    text: str = "Hello",
    after: int | None = None,
    not_before: datetime | None = None,
) -> Draft:
    return Draft(
        policy=policy,
        item=item,
        occasion=occasion,
        step=step,
        action=Reply(site=item.site, thread=item.id, text=text),
        because=(Because("posts", ">= 1", "3"),),
        after=after,
        not_before=not_before,
    )


@contextmanager
def says(rig: Rig, point: str, error: BaseException) -> Iterator[None]:
    """The forum says this at a point of the conversation."""

    def hook(at: str) -> None:
        if at == point:
            raise error

    rig.connector.hook = hook
    yield
    rig.connector.hook = lambda _: None


def rows(rig: Rig, table: object) -> list[dict[str, object]]:
    with rig.store.read() as conn:
        return [dict(row._mapping) for row in conn.execute(select(table))]  # type: ignore[call-overload]
