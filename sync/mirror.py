"""Platform → store: what a sync of one site does.

A batch and its cursor are stored in one transaction, so that a sync that was stopped at any point goes on
where it was. What an enumeration did not show is asked for one by one before its end is recorded.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import Connection, delete, select

from ..config.errors import ConnectorError, LockHeld, StoreError
from ..config.model import SiteSettings
from ..connectors.base import Batch, Connector, Family, Health, World
from ..connectors.records import Change, Kind, Ref
from .progress import Estimate, Watch
from .store.checkpoints import Checkpoint
from .store.deletion import mark_seen, unseen
from .store.guard import Exclusions, Guard, comparable, drop_orphans, purge
from .store.ingest import Counts, Ingest, find_parents, held
from .store.known import MirrorKnown
from .store.store import Store
from .store.tables import gaps
from .store.times import micros

_log = logging.getLogger(__name__)
_MUCH = 1000
"""Contributions after which the database should count anew what it holds."""
_ASKED_AT_ONCE = 100
_MORE = "the settings leave out less than before, so everything is read again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What the mirror is known to lack; `since` in microseconds. `closable`: by a sync, not only by other
    rights of the account."""

    kind: str
    what: str
    since: int | None = None
    closable: bool = True


@dataclass(slots=True, kw_only=True)
class SiteReport:
    """What a sync of one site did. `seconds` and `waited` are of the clock on the wall; `estimates` are what
    was said of it beforehand.

    `complete`: it came to its end, and the mirror is true as of the moment that it began. `stored`: at least
    one batch was.
    """

    site: str
    complete: bool = False
    stored: bool = False
    counts: Counts = field(default_factory=Counts)
    removed: Counter[str] = field(default_factory=Counter)
    """What was stored and the settings leave out, by kind of item, and as `text`."""
    estimates: list[Estimate] = field(default_factory=list)
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    seconds: float = 0.0
    gaps: tuple[Gap, ...] = ()
    error: ConnectorError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A site as a sync takes it. `connect` raises ConnectorError."""

    site: str
    family: Family
    settings: SiteSettings
    connect: Callable[[], Connector]

    @property
    def since(self) -> int | None:
        """Where the history begins by the settings, in microseconds."""
        return _micros_of(self.settings)

    def shown_since(self, kind: Kind) -> int | None:
        """From when on an enumeration shows items of this kind: a wiki lists its pages whatever their age."""
        return None if kind is Kind.THREAD and self.family == "wiki" else self.since


def _micros_of(settings: SiteSettings) -> int | None:
    since = settings.since
    return None if since is None else micros(datetime.combine(since, time.min, tzinfo=UTC))


def sync_sites(
    store: Store, sources: Mapping[str, Source], world: World, watch: Watch, *, full: bool = False
) -> list[SiteReport]:
    """Sync one site after the other; what goes wrong with one is in its report and stops no other.

    `full`: read everything again. Raises StoreError, after which nothing can go on.
    """
    return [_sync_or_explain(store, source, world, watch, full) for source in sources.values()]


def _sync_or_explain(store: Store, source: Source, world: World, watch: Watch, full: bool) -> SiteReport:
    report = SiteReport(site=source.site)
    began = world.monotonic()
    try:
        connector = source.connect()
        before = connector.statistics()
        try:
            SiteSync(store, source, connector, world.now(), watch, report).run(full=full)
        finally:
            spent = connector.statistics()
            report.requests = int(spent.get("requests", 0) - before.get("requests", 0))
            report.retries = int(spent.get("retries", 0) - before.get("retries", 0))
            report.waited = round(spent.get("waited", 0.0) - before.get("waited", 0.0), 1)
    except ConnectorError as error:
        report.error = error
    except (StoreError, LockHeld):
        raise
    except Exception as error:  # a fault of ours or an answer that nobody foresaw: the other sites go on
        _log.exception("the sync of %s stopped", source.site)
        report.error = ConnectorError(
            f"What the site answered could not be read ({_fault(error)}).",
            where=source.site,
            hint="What was read before is kept. This is a fault in Ordito: please report it.",
        )
    report.seconds = round(world.monotonic() - began, 1)
    with store.read() as connection:
        report.gaps = known_gaps(connection, source.site)
    return report


def _fault(error: Exception) -> str:
    """Kind and place of a fault. Not its words, which may quote what must not be told."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"


def known_gaps(connection: Connection, site: str) -> tuple[Gap, ...]:
    """What the last audit found to be missing."""
    rows = connection.execute(
        select(gaps.c.kind, gaps.c.what, gaps.c.since).where(gaps.c.site == site).order_by(gaps.c.kind)
    )
    return tuple(Gap(kind=row.kind, what=row.what, since=row.since) for row in rows)


@dataclass(slots=True)
class SiteSync:
    """One sync of one site, which observes everything `now`."""

    store: Store
    source: Source
    connector: Connector
    now: datetime
    watch: Watch
    report: SiteReport
    _checkpoint: Checkpoint = field(init=False)
    _ingest: Ingest = field(init=False)
    _purged: bool = False
    _before: Counts | None = None
    """Before a first sync has come to its end: what was held as this one began, and is not left out now."""

    def run(self, *, full: bool) -> None:
        """Raises ConnectorError with everything stored that was read before."""
        self._begin(full)
        try:
            self._read()
            self._finish(full)
        finally:
            if self._before is not None:
                self._count_what_came(self._before)
        if self.report.counts.contributions >= _MUCH:
            self.store.analyse()

    @property
    def _is_first(self) -> bool:
        """Whether no sync has come to its end yet."""
        return self._checkpoint.synced_at is None

    def _read(self) -> None:
        known = MirrorKnown(self.store, self.source.site)
        for batch in self.connector.changes(self._checkpoint.cursor, known):
            if batch.ended:
                self._settle_unseen(batch)
            self._checkpoint = replace(self._checkpoint, cursor=batch.cursor or self._checkpoint.cursor)
            with self.store.write(durable=False) as connection:
                self._purge(connection)
                self._ingest.store(connection, batch)
                self._checkpoint.save(connection)
            self.report.stored = True
            self.watch.batch(self.source.site, batch)
            if batch.ahead is not None:
                self._tell(Estimate.of(batch.ahead, self.source.settings.requests_per_minute))

    def _count_what_came(self, before: Counts) -> None:
        """Nothing that was mirrored is deleted yet: a wiki's first sync reads redirects and finds them to be
        no pages."""
        with self.store.read() as connection:
            now = held(connection, self.source.site)
        for name in ("members", "threads", "contributions"):
            setattr(self.report.counts, name, max(0, getattr(now, name) - getattr(before, name)))
        self.report.counts.deleted = 0

    def _tell(self, estimate: Estimate) -> None:
        self.report.estimates.append(estimate)
        self.watch.estimate(self.source.site, estimate)

    def _begin(self, full: bool) -> None:
        site, settings = self.source.site, self.source.settings
        with self.store.read() as connection:
            stored = Checkpoint.load(connection, site)
        checkpoint = _bounded(stored or Checkpoint(site=site), settings)
        if full:
            checkpoint = replace(checkpoint, cursor=None)
        known = MirrorKnown(self.store, site)
        anew = checkpoint.cursor is not None and self.connector.begins_anew(checkpoint.cursor, known)
        if checkpoint.cursor is None or anew or not checkpoint.account:
            health = self.connector.probe()
            checkpoint = replace(checkpoint, language=health.language, account=health.account_id)
            if checkpoint.cursor is None or anew:
                self._tell(self._estimate(health, _MORE if anew else ""))
        if checkpoint.cursor is not None and checkpoint.synced_at is None and not anew:
            self.watch.resumed(site)
        self._checkpoint = checkpoint
        with self.store.write() as connection:
            checkpoint.save(connection)
            guard = Guard.load(connection, site, exclusions(settings), self.store.secret)
            self._ingest = Ingest(
                site, self.source.family, guard, self.now, checkpoint.synced_at, self.report.counts
            )
            if self._is_first:
                self._before = held(connection, site)
            if checkpoint.cursor is None:
                self._purge(connection)

    def _purge(self, connection: Connection) -> None:
        """Remove what the settings leave out now, once. It goes with the first cursor that is of these
        settings: beside an older one it would seem to be there still, if they change back."""
        if not self._purged:
            self.report.removed = purge(connection, self._ingest.guard)
            self._purged = True
            if self._before is not None:
                self._before = held(connection, self.source.site)

    def _estimate(self, health: Health, what: str) -> Estimate:
        settings = self.source.settings
        return Estimate(
            requests=health.requests,
            per_minute=settings.requests_per_minute,
            month_ago=(self.now - timedelta(days=30)).date(),
            of_month=health.requests_of_month,
            since=settings.since,
            what=what,
            hint=health.uncounted,
        )

    def _settle_unseen(self, last: Batch) -> None:
        """What an enumeration did not show is gone, unless the platform still has it when asked.

        Threads come first: what was written in one that is gone need not be asked for.
        """
        with self.store.write(durable=False) as connection:
            self._ingest.store(connection, replace(last, ended=()))
        for kind in sorted(last.ended, key=lambda kind: kind is not Kind.THREAD):
            while True:
                with self.store.read() as connection:
                    since = self.source.shown_since(kind)
                    refs = unseen(connection, self.source.site, kind, last.scan, _ASKED_AT_ONCE, since)
                if not refs:
                    break
                self._ask_for(refs, last.scan)

    def _ask_for(self, refs: Sequence[Ref], scan: str) -> None:
        answered: set[Ref] = set()
        for ref in refs:
            if ref in answered:
                continue
            batch = self.connector.fetch(ref) or Batch(gone=((ref, None),))
            answered |= {record.ref for record in batch.records if not isinstance(record, Change)}
            with self.store.write(durable=False) as connection:
                self._ingest.store(connection, replace(batch, scan=scan))
                mark_seen(connection, [ref], scan)

    def _finish(self, full: bool) -> None:
        self._checkpoint = replace(
            self._checkpoint,
            complete=True,
            synced_at=micros(self.now),
            first_synced_at=self._checkpoint.first_synced_at or micros(self.now),
        )
        with self.store.write() as connection:
            self._purge(connection)  # where there was no batch
            find_parents(connection, self.source.site)
            drop_orphans(connection, self._ingest.guard)
            if full:  # whatever an audit missed has been read now
                connection.execute(delete(gaps).where(gaps.c.site == self.source.site))
            self._checkpoint.save(connection)
        self.report.complete = True


def _bounded(checkpoint: Checkpoint, settings: SiteSettings) -> Checkpoint:
    """With the settings' `since`. What lies before it and was read stays; what was not is read now."""
    since = _micros_of(settings)
    if checkpoint.cursor is None:
        return replace(checkpoint, since=since)
    if checkpoint.since is not None and (since is None or since < checkpoint.since):
        return replace(checkpoint, since=since, cursor=None, complete=False)
    return checkpoint


def exclusions(settings: SiteSettings) -> Exclusions:
    """What of a site must not be stored."""
    exclude = settings.exclude
    return Exclusions(
        spaces=frozenset(map(comparable, exclude.spaces)),
        labels=frozenset(map(comparable, exclude.labels)),
        members=frozenset(map(comparable, exclude.members)),
        text=settings.text,
        messages=settings.messages,
        only=settings.spaces_read,
    )


def store_fetched(
    store: Store, source: Source, connection: Connection, batch: Batch, now: datetime
) -> None:
    """Store what was fetched of a site outside of a sync, in the transaction of the caller."""
    guard = Guard.load(connection, source.site, exclusions(source.settings), store.secret)
    checkpoint = Checkpoint.load(connection, source.site)
    synced_at = checkpoint.synced_at if checkpoint else None
    Ingest(source.site, source.family, guard, now, synced_at).store(connection, batch)
