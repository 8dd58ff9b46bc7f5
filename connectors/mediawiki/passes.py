"""In which order a wiki is read: everything once, what the settings add to that, what changed since, and from
time to time everything again."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..base import Ahead, Batch, Cursor, Known, World
from .adding import Adding
from .client import Client
from .convert import Converter, moment
from .extent import Extent
from .probe import requests_of_scan
from .recent import Recent, start_of_recent
from .scan import Scan, again
from .scope import digest_of
from .settings import MediaWikiSettings

Reading = Generator[Batch, None, Cursor | None]
"""Batches, and the cursor after them."""


@dataclass(frozen=True, slots=True)
class Passes:
    """One use for one sync."""

    client: Client
    convert: Converter
    known: Known
    world: World
    settings: MediaWikiSettings

    def run(self, cursor: Cursor | None) -> Iterator[Batch]:
        if cursor is not None and not self._same_settings(cursor):
            cursor = yield from self._with_more(cursor)
        if cursor is not None and cursor.get("again") and self.settings.reread is None:
            cursor = _without_reading(cursor)
        if cursor is None or cursor["phase"] != "recent":
            cursor = yield from self._all(Scan(self.client, self.convert, self.known).run(cursor), cursor)
        cursor = yield from self._recent(cursor)
        if cursor is not None and "extent" not in cursor:  # of a version that did not note it
            cursor = {**cursor, "extent": Extent.of(self.convert.scope, self.known).document()}
            yield Batch(cursor=cursor)
        if cursor is not None and is_due(cursor, self.settings, self.world.now()):
            start = again(cursor)
            yield Batch(cursor=start, ahead=self._ahead())
            cursor = yield from self._all(Scan(self.client, self.convert, self.known).run(start), start)
            yield from self._recent(cursor)

    def _all(self, batches: Iterator[Batch], cursor: Cursor | None) -> Reading:
        for batch in batches:
            yield batch
            cursor = batch.cursor
        return cursor

    def _recent(self, cursor: Cursor | None) -> Reading:
        """What changed, up to now. A reading that was stopped is finished first: of the two lists that it
        goes through, one may have come to its end before what it would show now."""
        stopped = cursor is not None and "continue" in cursor
        for _ in range(2 if stopped else 1):
            if cursor is not None:
                recent = Recent(self.client, self.convert, self.known, self.world.now())
                cursor = yield from self._all(recent.run(cursor), cursor)
        return cursor

    def _same_settings(self, cursor: Cursor) -> bool:
        if "extent" not in cursor:
            return True
        seal = self.known.sealed(digest_of(self.settings))
        return "adding" not in cursor and bool(cursor["extent"]["settings"] == seal)

    def _with_more(self, cursor: Cursor) -> Reading:
        """Adds what the settings leave out no more. A first reading that was stopped begins once more in
        that case, as it has passed by what is missing; one for the second time waits until that is added."""
        if cursor["phase"] != "recent":
            held, now = Extent.load(cursor["extent"]), Extent.of(self.convert.scope, self.known)
            if held.within(now) == now:
                return {**cursor, "extent": now.document()}
            if not cursor.get("again"):
                cursor = {"phase": "users", "time": cursor["time"]}
                yield Batch(cursor=cursor)
                return cursor
            cursor = _without_reading(cursor)
        return (yield from self._all(Adding(self.client, self.convert, self.known).run(cursor), cursor))

    def _ahead(self) -> Ahead:
        wiki, spaces = self.convert.wiki, self.convert.scope.namespaces
        each = wiki.statistics.get("pages", 0) // len(spaces) if spaces else 0
        requests = requests_of_scan(wiki, [each for _ in spaces])
        return Ahead(
            what=f"everything is read again, as every {self.settings.reread}, for what the wiki hides"
            " without a trace",
            requests=self.client.sent + requests + 1,  # with what was sent, and what changes meanwhile
            at_most=self.settings.since is not None,
            hint="'reread' in the settings of the site says how often; 'reread: never' turns it off.",
        )


def _without_reading(cursor: Cursor) -> Cursor:
    """Without the reading of everything for the second time that is under way."""
    scanned, extent, seen = cursor.get("scanned", ""), cursor.get("extent"), cursor.get("seen")
    return start_of_recent(cursor["time"], scanned, extent, seen)


def is_due(cursor: Cursor, settings: MediaWikiSettings, now: datetime) -> bool:
    """Whether a mirror that is up to date shall be read again as a whole."""
    if settings.reread is None:
        return False
    scanned = cursor.get("scanned")
    return not scanned or settings.reread.after(moment(scanned)) <= now


def rereads_within(settings: MediaWikiSettings, now: datetime) -> timedelta | None:
    """How long after a reading of everything the next one is due; None: never."""
    return None if settings.reread is None else settings.reread.after(now) - now
