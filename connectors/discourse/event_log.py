"""The delivery log of a webhook, page by page: newest event first, by offset, while new ones come on top."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ...config.errors import Forbidden, Misconfigured, NotFound
from . import mapping
from .client import Client, Json
from .reading import Reading

_PAGE = 50
_PACE = _PAGE - 1
"""From page to page: each has the last event of the one before, or new ones have moved it on meanwhile."""
_KEPT = timedelta(days=1)
"""An event stays in the log for so long at least; by default it is 30 days."""
_FAR = 2**20
"""Pages that no log has: something else than a log by offset answers."""


class EventLog:
    """What the log has above the event that the state knows, from there upwards.

    `lost`: the log no longer has that event, so that others may be missing as well.
    """

    def __init__(self, r: Reading) -> None:
        self._r = r
        self._pages: dict[int, list[Json]] = {}
        self._known = r.state.event
        self._top = self._page(0)
        self._next = self._foundation()
        first = self._pages[self._next]
        self.lost = min((int(row["id"]) for row in first), default=self._known + 1) > self._known

    @property
    def ended(self) -> bool:
        """Whether everything was given, as far as it was there at the beginning."""
        return self._next < 0

    def rows(self) -> list[Json]:
        """The next events, oldest pages first."""
        while not self._reaches(page := self._page(self._next)):
            self._pages.pop(self._next)
            self._next += _PACE  # new events have moved the known one on
        self._pages.pop(self._next)
        self._next -= _PACE
        news = [row for row in page if int(row["id"]) > self._known]
        self._known = max([self._known, *(int(row["id"]) for row in news)])
        return news

    def note_hearing(self) -> None:
        """Remember when the log was read to its end, and how long it keeps events at least."""
        note_hearing(self._r, self._top)

    @property
    def gap(self) -> bool:
        """Whether events may have gone from the log before they were read."""
        if not (self.lost and self._r.state.heard):
            return False
        at, kept = datetime.fromisoformat(self._r.state.heard["at"]), float(self._r.state.heard["kept"])
        return self._r.world.now() - at > max(_KEPT, timedelta(seconds=kept))

    def _page(self, offset: int) -> list[Json]:
        if offset not in self._pages:
            self._pages[offset] = page(self._r, offset)
        return self._pages[offset]

    def _reaches(self, rows: Sequence[Json]) -> bool:
        """Down to what is known, or to the end of the log."""
        return len(rows) < _PAGE or int(rows[-1]["id"]) <= self._known

    def _foundation(self) -> int:
        """The offset of the first page that reaches: by doubling, and then by halves."""
        above, below = -1, 0
        while not self._reaches(self._page(below * _PACE)):
            if below >= _FAR:
                raise Misconfigured(
                    f"the delivery log of webhook {self._r.webhook} has the same events at every place.",
                    where=self._r.site,
                    hint="Something before the forum may answer from a cache; or take webhook: out of the"
                    " settings.",
                )
            above, below = below, max(1, 2 * below)
        while below - above > 1:
            middle = (above + below) // 2
            if self._reaches(self._page(middle * _PACE)):
                below = middle
            else:
                above = middle
        return below * _PACE


def page(r: Reading, offset: int) -> list[Json]:
    """Fifty events, newest first."""
    return events(r.client, r.site, r.webhook, offset)


def events(client: Client, site: str, webhook: int | None, offset: int) -> list[Json]:
    """The same of the log of `webhook`; raises Misconfigured where the account may not read it, or there is
    no such webhook."""
    path = f"/admin/api/web_hooks/{webhook}/events.json"
    try:
        rows: list[Json] = client.get(path, offset=offset).get("web_hook_events") or []
    except (Forbidden, NotFound):
        raise Misconfigured(
            f"the delivery log of webhook {webhook} cannot be read.",
            where=site,
            hint="Check webhook: in the settings; only an administrator's key may read the log.",
        ) from None
    return sorted(rows, key=lambda row: -int(row["id"]))


def note_hearing(r: Reading, top: Sequence[Json]) -> None:
    """`top`: the first page."""
    now, kept = r.world.now(), float(r.state.heard.get("kept", 0))
    made = [at for row in top if (at := mapping.moment(row.get("created_at"))) is not None]
    ages = [(now - at).total_seconds() for at in made]
    r.state.heard = {"at": now.isoformat(), "kept": max([kept, *ages])}
