"""What the mirror lacks: stale kinds of changes, counts, holes, and a random sample read again.

Only what a site confirms is a gap: a number that is missing may never have been given, a smaller count may
count other things. What was read on the way is stored, so that an audit leaves the mirror better than it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import Connection, delete, insert, select

from ..config.errors import ConnectorError
from ..connectors.base import Batch, Connector, Freshness
from ..connectors.records import Contribution, Kind, Ref
from .comparing import Difference, differences, vanished
from .counting import Count, compared
from .holes import holes
from .mirror import Gap, Source, exclusions, store_fetched
from .store.checkpoints import Checkpoint
from .store.deletion import within
from .store.guard import Guard
from .store.rows import MIRRORED
from .store.store import Store
from .store.tables import contributions, gaps, members
from .store.times import micros, moment

STALE = timedelta(days=2)
"""A mirror that was not brought up to date for longer than this is a gap by itself."""

_SAMPLE = {Kind.THREAD: 10, Kind.MEMBER: 5, Kind.CONTRIBUTION: 5}
_ASKED_PER_HOLE = 2
_AUTHORS = 5
_EXAMPLES = 5


@dataclass(slots=True, kw_only=True)
class Audited:
    """What an audit of one site found. `checked`: how many items were compared with the site. `fresh`: how
    far each kind of change is known."""

    site: str
    checked: int = 0
    counts: tuple[Count, ...] = ()
    fresh: tuple[Freshness, ...] = ()
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
    synced_at = moment(checkpoint.synced_at)
    if checkpoint.synced_at is None or synced_at is None:
        result.gaps = stale
        return result
    try:
        connector = source.connect()
        result.fresh = tuple(connector.freshness(checkpoint.cursor or {}, synced_at))
        result.gaps += _overdue(result.fresh, synced_at)
        _Audit(store, source, connector, now, random, checkpoint.synced_at, result).run()
        result.gaps = _without_hidden(result)
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


def _overdue(fresh: Iterable[Freshness], synced_at: datetime) -> Iterator[Gap]:
    """Kinds of changes that were not looked for although syncs came.

    A round of reading may begin right after one change and end after the next round has begun: twice as long.
    """
    for one in fresh:
        if one.within is None:
            continue
        if one.until is None:
            yield Gap(kind=one.aspect, what="the account may not read them", closable=False)
        elif synced_at - one.until > 2 * one.within + STALE:
            what = "changes were not looked for, as syncs came too rarely or were cut off, since"
            yield Gap(kind=one.aspect, what=what, since=micros(one.until))


def _without_hidden(result: Audited) -> list[Gap]:
    """What differs in a kind that the account may not read is said by that already."""
    hidden = {gap.kind for gap in result.gaps if not gap.closable}
    return [gap for gap in result.gaps if gap.kind not in hidden or not gap.closable]


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
        """Fewer than the site counts where nothing explains it, or, on a forum, more than there are. Wikis
        do not count well enough for that: imports and broken jobs leave their statistics behind."""
        source, health = self.source, self.connector.probe()
        with self.store.read() as connection:
            found = compared(connection, source.site, source.family, source.settings, health)
            self.result.counts = tuple(found)
        for count in self.result.counts:
            what = f"the site counts {count.stated:,} {count.kind}, the mirror holds {count.held:,}"
            if count.missing:
                self.result.gaps.append(Gap(kind=count.kind, what=what))
            elif count.left_over and source.family == "forum":
                self.result.gaps.append(Gap(kind="deletions", what=what))

    def _sample(self) -> None:
        found: dict[str, dict[str, None]] = {}
        for kind, number in _SAMPLE.items():
            for ref in self._some(kind, number):
                for aspect, difference in self._read_again(ref):
                    found.setdefault(aspect, {})[difference] = None
        for missed, lines in found.items():
            more = f" and {len(lines) - _EXAMPLES} more" if len(lines) > _EXAMPLES else ""
            what = f"{'; '.join(list(lines)[:_EXAMPLES])}{more}"
            self.result.gaps.append(Gap(kind=missed, what=what, since=self.synced_at))

    def _some(self, kind: Kind, number: int) -> list[Ref]:
        """A random sample, in one pass over the ids whatever their number."""
        table = MIRRORED[kind.value]
        shown = within(kind, self.source.shown_since(kind))
        query = select(table.c.id).where(
            table.c.site == self.source.site, table.c.deleted_at.is_(None), shown
        )
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
            return [("deletions", f"{Kind(ref.kind).value} {ref.id} is gone")]
        with self.store.read() as connection:
            admitted = self._guard(connection).admit(batch.records)
            found = list(differences(connection, self.source.site, admitted, self.synced_at))
            lost = list(vanished(connection, self.source.site, admitted)) if ref.kind == Kind.THREAD else []
        self._keep(batch)
        for each in lost[:_EXAMPLES]:  # a thread may have been given in part only
            if self.connector.fetch(each) is None:
                self._keep(Batch(gone=((each, None),)))
                found.append(("deletions", f"contribution {each.id} is gone"))
        return found

    def _holes(self) -> None:
        """Runs of numbers of which the mirror holds none: asked for here and there."""
        site = self.source.site
        with self.store.read() as connection:
            found = holes(connection, site)
        for hole in found:
            asked = {self.random.randint(hole.first, hole.last) for _ in range(_ASKED_PER_HOLE)}
            there = [id_ for id_ in sorted(asked) if self._is_there(Ref(site, Kind.CONTRIBUTION, str(id_)))]
            if there:
                what = f"some of the contributions {hole}, such as {there[0]}"
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
        with self.store.read() as connection:
            admitted = self._guard(connection).admit(batch.records)
        self._keep(batch)
        mine = (r for r in admitted if getattr(r, "ref", None) == ref)
        first = self.source.since or 0
        return any(first <= _made_at(record) <= self.synced_at for record in mine)

    def _guard(self, connection: Connection) -> Guard:
        settings = exclusions(self.source.settings)
        return Guard.load(connection, self.source.site, settings, self.store.secret)

    def _keep(self, batch: Batch) -> None:
        with self.store.write() as connection:
            store_fetched(self.store, self.source, connection, batch, self.now)


def _made_at(record: object) -> int:
    made = record.created_at if isinstance(record, Contribution) else getattr(record, "joined_at", None)
    return micros(made) or 0
