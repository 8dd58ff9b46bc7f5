"""What carrying things out needs from outside, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ...config.durations import Duration
from ...config.errors import ConnectorError, OrditoError, TryLater
from ...connectors.base import Batch, Connector, Receipt, World
from ..locks import BEAT, RunLock
from ..store.store import Store
from .attempts import Attempt
from .proposals import Proposal

SKEW = timedelta(minutes=5)
"""How far a platform's clock may be behind ours when we look for what we did."""

Ingest = Callable[[Connection, str, Batch, datetime], None]
"""Stores what was fetched of a site, as a sync does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """`note`: the words that go into an edit summary. `say`: a line of progress for people.

    `in_flight`: how long after a request was sent a site may still be carrying it out. `undo_window`: the
    time between a person's approval and its being carried out. `deadline`: nothing is begun after it.
    """

    store: Store
    world: World
    lock: RunLock
    connector: Callable[[str], Connector]
    ingest: Ingest
    note: Callable[[Proposal], str]
    say: Callable[[str], None]
    in_flight: Callable[[str], timedelta]
    undo_window: Duration | None = None
    deadline: datetime | None = None

    def now(self) -> datetime:
        return self.world.now()

    def may_still_arrive(self, attempt: Attempt) -> timedelta:
        """How much longer the platform may be carrying out an attempt without an outcome."""
        in_flight = self.in_flight(attempt.proposal.site)
        last = attempt.given_up_at or attempt.started_at
        if attempt.given_up_at is None and self.lock.killed_after:
            last = max(last, self.lock.killed_after + timedelta(seconds=BEAT))
        # Never longer than that, however wrong the clock of the host was that wrote the attempt.
        return max(timedelta(0), min(in_flight, last + in_flight - self.now())) if in_flight else in_flight


@dataclass(frozen=True, slots=True)
class Held:
    """`until` is None where nobody can say."""

    id: int
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """`retriable`: the same may succeed later; what was approved is then tried again by itself. `kind` as
    in the errors of JSON documents."""

    id: int
    site: str
    kind: str
    error: str
    retriable: bool

    @classmethod
    def of(cls, proposal: Proposal, error: Exception, *, retriable: bool) -> Failure:
        kind = error.kind if isinstance(error, OrditoError) else "internal"
        return cls(proposal.id, proposal.site, kind, words(error), retriable)


@dataclass(frozen=True, slots=True)
class SiteError:
    """What keeps a whole site from being worked on."""

    site: str
    kind: str
    message: str
    hint: str

    @classmethod
    def of(cls, site: str, error: OrditoError) -> SiteError:
        return cls(site, error.kind, error.message, error.hint)


@dataclass(slots=True)
class Report:
    """What came of a run, in the order in which it happened."""

    applied: list[tuple[Proposal, Receipt]] = field(default_factory=list)
    undone: list[tuple[Proposal, Receipt]] = field(default_factory=list)
    superseded: list[tuple[int, str]] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    unsettled: list[tuple[int, str]] = field(default_factory=list)
    errors: list[SiteError] = field(default_factory=list)
    stopped: dict[str, ConnectorError] = field(default_factory=dict)
    """The sites that are left alone for the rest of the run, each with the reason."""
    left_open: set[int] = field(default_factory=set)
    """Attempts that could not be settled, which is said once in a run; the next one looks again."""

    @property
    def exit_code(self) -> int:
        """0 if all went as it should (waiting is that, too), else 3."""
        return 3 if self.failed or self.unsettled or self.errors else 0

    @property
    def summary(self) -> dict[str, int]:
        """How many of each, for the history of runs."""
        return {
            "applied": len(self.applied),
            "undone": len(self.undone),
            "superseded": len(self.superseded),
            "held": len(self.held),
            "failed": len(self.failed),
            "unsettled": len(self.unsettled),
        }

    @property
    def empty(self) -> bool:
        """Nothing was there to do."""
        parts = (self.applied, self.undone, self.superseded, self.held, self.failed, self.unsettled)
        return not any(parts) and not self.errors

    def stop(self, site: str, error: ConnectorError) -> None:
        """Leave a site alone for the rest of the run."""
        if site not in self.stopped:
            self.stopped[site] = error
            self.errors.append(SiteError.of(site, error))

    def hold_for(self, proposal: int, error: ConnectorError, prefix: str = "") -> None:
        until = error.until if isinstance(error, TryLater) else None
        self.held.append(Held(proposal, until, prefix + error.message))


def words(error: Exception) -> str:
    """An error in one line for people; what is no error of ours is a fault in the program."""
    if isinstance(error, OrditoError):
        return " ".join(part for part in (error.message, error.hint) if part)
    return f"a fault in Ordito: {type(error).__name__}: {error}"
