"""What the mirror lacks: counts, holes in the numbering, and a random sample read again.

Only what a site confirms is a gap: a number that is missing may never have been given, a smaller count may
count other things. What was read on the way is stored, so that an audit leaves the mirror better than it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import BigInteger, Connection, cast, delete, func, insert, select

from ..config.errors import ConnectorError
from ..connectors.base import Batch, Connector, Family
from ..connectors.records import Contribution, Kind, Ref
from .comparing import Difference, differences, vanished
from .mirror import Gap, Source, exclusions, store_fetched
from .store.checkpoints import Checkpoint
from .store.guard import Guard
from .store.rows import MIRRORED
from .store.store import Store
from .store.tables import contributions, gaps, members
from .store.times import micros, moment

STALE = timedelta(days=2)
"""A mirror that was not brought up to date for longer than this is a gap by itself."""

_SAMPLE = {Kind.THREAD: 10, Kind.MEMBER: 5}
_HOLES, _ASKED_PER_HOLE, _HOLE = 3, 2, 50
_AUTHORS = 5
_EXAMPLES = 5
_TOLERATED, _TOLERATED_SHARE = 5, 0.01
_COMPARED: dict[Family, tuple[Kind, ...]] = {
    "forum": (Kind.MEMBER, Kind.THREAD),
    "wiki": (Kind.MEMBER,),  # a wiki counts the pages of all namespaces, and the edits that are gone
}


@dataclass(slots=True, kw_only=True)
class Audited:
    """What an audit of one site found. `checked`: how many items were compared with the site."""

    site: str
    checked: int = 0
    gaps: list[Gap] = field(default_factory=list)
    error: ConnectorError | None = None


def audit_sites(store: Store, sources: Mapping[str, Source], now: datetime) -> list[Audited]:
    """One site after the other; another random sample at every other moment."""
    random = Random(micros(now))  # noqa: S311 (a sample, no secret)
    return [audit_site(store, source, now, random) for source in sources.values()]


def audit_site(store: Store, source: Source, now: datetime, random: Random) -> Audited:
    """Compare, store what was read, and write the gaps down; ConnectorErrors are in the result."""
    result = Audited(site=source.site)
    with store.read() as connection:
        checkpoint = Checkpoint.load(connection, source.site) or Checkpoint(site=source.site)
    stale = list(_staleness(checkpoint, now))
    if checkpoint.synced_at is None:
        result.gaps = stale
        return result
    try:
        _Audit(store, source, source.connect(), now, random, checkpoint.synced_at, result).run()
    except ConnectorError as error:
        result.error = error
        result.gaps = [*stale, *result.gaps]
        return result
    _write_down(store, result, now)
    result.gaps = [*stale, *result.gaps]
    return result


def _staleness(checkpoint: Checkpoint, now: datetime) -> Iterator[Gap]:
    if checkpoint.synced_at is None:
        yield Gap(kind="history", what="the first sync has not come to its end")
    elif now - moment(checkpoint.synced_at) > STALE:
        yield Gap(
            kind="changes", what="the mirror was not brought up to date since", since=checkpoint.synced_at
        )


def _write_down(store: Store, result: Audited, now: datetime) -> None:
    with store.write() as connection:
        connection.execute(delete(gaps).where(gaps.c.site == result.site))
        for gap in result.gaps:
            row = {"kind": gap.kind, "what": gap.what, "since": gap.since, "found_at": micros(now)}
            connection.execute(insert(gaps).values(site=result.site, **row))


@dataclass(slots=True)
class _Audit:
    store: Store
    source: Source
    connector: Connector
    now: datetime
    random: Random
    synced_at: int
    result: Audited

    def run(self) -> None:
        self._counts()
        self._sample()
        self._holes()
        self._authors()

    def _counts(self) -> None:
        """Fewer than the site counts, by more than may have come since. Bounded mirrors have fewer."""
        settings = self.source.settings
        exclude = settings.exclude
        if settings.since or exclude.spaces or exclude.labels or exclude.members:
            return
        counts = self.connector.probe().counts
        for kind in _COMPARED[self.source.family]:
            stated, table = counts.get(f"{kind.value}s"), MIRRORED[kind.value]
            if stated is None:
                continue
            with self.store.read() as connection:
                held = connection.scalar(
                    select(func.count()).where(
                        table.c.site == self.source.site, table.c.deleted_at.is_(None)
                    )
                )
            if stated - (held or 0) > max(_TOLERATED, stated * _TOLERATED_SHARE):
                what = f"the site counts {stated:,} {kind.value}s, the mirror holds {held:,}"
                self.result.gaps.append(Gap(kind=f"{kind.value}s", what=what))

    def _sample(self) -> None:
        found: dict[str, list[str]] = {}
        for kind, number in _SAMPLE.items():
            for ref in self._some(kind, number):
                for plural, what in self._read_again(ref):
                    found.setdefault(plural, []).append(what)
        for plural, lines in found.items():
            more = f" and {len(lines) - _EXAMPLES} more" if len(lines) > _EXAMPLES else ""
            what = f"{'; '.join(lines[:_EXAMPLES])}{more}"
            self.result.gaps.append(Gap(kind=plural, what=what, since=self.synced_at))

    def _some(self, kind: Kind, number: int) -> list[Ref]:
        """A random sample, in one pass over the ids whatever their number."""
        table = MIRRORED[kind.value]
        query = select(table.c.id).where(table.c.site == self.source.site, table.c.deleted_at.is_(None))
        sample: list[str] = []
        with self.store.read() as connection:
            for index, id_ in enumerate(connection.scalars(query.order_by(table.c.id))):
                if index < number:
                    sample.append(id_)
                elif (place := self.random.randrange(index + 1)) < number:
                    sample[place] = id_
        return [Ref(self.source.site, kind, id_) for id_ in sample]

    def _read_again(self, ref: Ref) -> list[Difference]:
        batch = self.connector.fetch(ref)
        self.result.checked += 1
        if batch is None:
            self._keep(Batch(gone=((ref, None),)))
            return [(f"{Kind(ref.kind).value}s", f"{Kind(ref.kind).value} {ref.id} is gone")]
        with self.store.write() as connection:
            admitted = self._guard(connection).admit(batch.records)
            found = list(differences(connection, self.source.site, admitted, self.synced_at))
            if ref.kind == Kind.THREAD:
                found += vanished(connection, self.source.site, admitted)
        self._keep(batch)
        return found

    def _holes(self) -> None:
        """Long runs of numbers of which the mirror holds none: asked for here and there."""
        site = self.source.site
        with self.store.read() as connection:
            runs = _missing_runs(connection, site)
        for first, last in runs:
            asked = {self.random.randint(first, last) for _ in range(_ASKED_PER_HOLE)}
            found = [id_ for id_ in sorted(asked) if self._is_there(Ref(site, Kind.CONTRIBUTION, str(id_)))]
            if found:
                what = f"some of the contributions {first} to {last}, such as {found[0]}"
                self.result.gaps.append(Gap(kind="contributions", what=what))

    def _authors(self) -> None:
        """Who wrote, and is not in the mirror."""
        site, c, m = self.source.site, contributions, members
        known = select(m.c.id).where(m.c.site == site, m.c.id == c.c.author).exists()
        query = select(c.c.author).where(c.c.site == site, c.c.author.is_not(None), ~known).distinct()
        with self.store.read() as connection:
            authors = connection.scalars(query.limit(_AUTHORS)).all()
        missing = [author for author in authors if self._is_there(Ref(site, Kind.MEMBER, author))]
        if missing:
            what = f"members who wrote, such as {', '.join(missing)}"
            self.result.gaps.append(Gap(kind="members", what=what))

    def _is_there(self, ref: Ref) -> bool:
        """Whether the site has an item that the mirror should have had; it has it then."""
        batch = self.connector.fetch(ref)
        self.result.checked += 1
        if batch is None:
            return False
        with self.store.write() as connection:
            admitted = self._guard(connection).admit(batch.records)
        self._keep(batch)
        mine = (r for r in admitted if getattr(r, "ref", None) == ref)
        return any(_made_at(record) <= self.synced_at for record in mine)

    def _guard(self, connection: Connection) -> Guard:
        settings = exclusions(self.source.settings)
        return Guard.load(connection, self.source.site, settings, self.store.secret)

    def _keep(self, batch: Batch) -> None:
        with self.store.write() as connection:
            store_fetched(self.store, self.source, connection, batch, self.now)


def _made_at(record: object) -> int:
    made = record.created_at if isinstance(record, Contribution) else getattr(record, "joined_at", None)
    return micros(made) or 0


def _missing_runs(connection: Connection, site: str) -> Sequence[tuple[int, int]]:
    """The longest runs of numbers without a contribution, between the least and the greatest."""
    c = contributions
    numeric = c.c.id.regexp_match("^[0-9]+$") if connection.dialect.name == "postgresql" else None
    number = cast(c.c.id, BigInteger).label("number")
    held = select(number).where(c.c.site == site)
    held = held if numeric is None else held.where(numeric)
    ordered = held.subquery()
    previous = func.lag(ordered.c.number).over(order_by=ordered.c.number).label("previous")
    pairs = select(previous, ordered.c.number).subquery()
    length = pairs.c.number - pairs.c.previous
    found = connection.execute(
        select(pairs.c.previous, pairs.c.number)
        .where(length > _HOLE)
        .order_by(length.desc(), pairs.c.number)
        .limit(_HOLES)
    )
    return [(row.previous + 1, row.number - 1) for row in found]
