"""A site whose batches a test writes down, and a world that stands still."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NoReturn

from ordito.config.model import SiteSettings
from ordito.connectors.actions import Action
from ordito.connectors.base import Batch, Connector, Cursor, Family, Freshness, Health, Known, World
from ordito.connectors.records import Kind, Record, Ref
from ordito.sync.mirror import SiteReport, Source, sync_sites
from ordito.sync.progress import Silence
from ordito.sync.store.store import Store
from tests.sync.records import SITE


def standing(now: datetime) -> World:
    return World(now=lambda: now, monotonic=lambda: 0.0, sleep=lambda seconds: None)


def health(**counts: int) -> Health:
    return Health(
        account="ordito", account_id="900", version="1", can=frozenset(), counts=counts, requests=120,
        language="it",
    )  # fmt: skip


@dataclass
class FakeSite:
    """Reads its `batches` in order; the cursor counts them. `items` is what `fetch` gives.

    `faults`: raised before the batch of that number is given. `asked`: what was fetched.
    """

    batches: Sequence[Batch] = ()
    items: Mapping[Ref, Sequence[Record]] = field(default_factory=dict)
    faults: Mapping[int, Exception] = field(default_factory=dict)
    site: str = SITE
    state: Health = field(default_factory=health)
    asked: list[Ref] = field(default_factory=list)
    begun: list[Cursor | None] = field(default_factory=list)
    requests: int = 0
    fresh: Sequence[Freshness] = ()
    anew: bool = False
    verbs: frozenset[type[Action]] = frozenset()

    def probe(self) -> Health:
        self.requests += 1
        return self.state

    def changes(self, cursor: Cursor | None, known: Known) -> Iterator[Batch]:
        self.begun.append(cursor)
        for number in range((cursor or {"next": 0})["next"], len(self.batches)):
            if number in self.faults:
                raise self.faults[number]
            self.requests += 1
            yield replace(self.batches[number], cursor={"next": number + 1})

    def begins_anew(self, cursor: Cursor, known: Known) -> bool:
        return self.anew

    def freshness(self, cursor: Cursor, synced_at: datetime) -> Sequence[Freshness]:
        return self.fresh

    def fetch(self, ref: Ref) -> Batch | None:
        self.asked.append(ref)
        found = self.items.get(Ref(ref.site, Kind(ref.kind), ref.id))
        return None if found is None else Batch(records=tuple(found))

    def statistics(self) -> Mapping[str, float]:
        return {"requests": self.requests, "retries": 2, "waited": 0.5}

    def close(self) -> None:
        pass

    def _not_here(self, *args: object) -> NoReturn:
        raise AssertionError("a sync only reads")

    profile = halted = perform = find = undo = _not_here


def source(site: FakeSite, settings: SiteSettings | None = None, family: Family = "forum") -> Source:
    def connect() -> Connector:
        return site

    return Source(
        site=site.site, family=family, settings=settings or SiteSettings(connector="fake"), connect=connect
    )


def sync_one(
    store: Store,
    site: FakeSite,
    now: datetime,
    settings: SiteSettings | None = None,
    *,
    full: bool = False,
    family: Family = "forum",
) -> SiteReport:
    sources = {site.site: source(site, settings, family)}
    (report,) = sync_sites(store, sources, standing(now), Silence(), full=full)
    return report
