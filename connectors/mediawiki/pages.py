"""Reading pages in batches: their current text, categories and, where needed, history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..base import Known
from ..records import Kind, Record, Ref
from .client import Client, Json, Value
from .convert import REVISION_PROPS, UNKNOWN, Converter, Creation, Stamp, labels_of

CURRENT: Mapping[str, Value] = {
    "prop": "info|revisions|categories",
    "rvprop": f"{REVISION_PROPS}|content",
    "rvslots": "main",
    "cllimit": "max",
}
"""A page with its current text. `prop=categories` rather than the links in the text: it holds what readers
see, templates' categories included, in the wiki's own spelling. It may come a moment after the edit, which
`recentchanges` then tells by a row of type `categorize`."""


def stamps_of(known: Known, pages: Iterable[str]) -> dict[str, Stamp]:
    """What the mirror remembers of those of the pages that it holds."""
    return {page: Stamp.parse(stamp) for page, stamp in known.stamps(list(pages)).items()}


def ids_of(pages: Iterable[Json]) -> list[str]:
    return [str(page["pageid"]) for page in pages if "pageid" in page]


@dataclass(slots=True)
class Found:
    """Records for one batch, and what turned out to be gone, with the time where it is known."""

    records: list[Record] = field(default_factory=list)
    gone: list[tuple[Ref, datetime | None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PageReader:
    """Turns pages as `CURRENT` gives them into complete records, asking for what they lack."""

    client: Client
    convert: Converter

    def wanted(self, page: Json) -> bool:
        """Whether the mirror shall hold it: there, no redirect, in a wanted namespace and category."""
        scope = self.convert.scope
        return (
            not page.get("missing")
            and not page.get("redirect")
            and bool(page.get("revisions"))
            and page.get("ns") in scope.namespaces
            and scope.wants_labels(labels_of(page))
        )

    def take(
        self,
        pages: Iterable[Json],
        stamps: Mapping[str, Stamp],
        found: Found,
        times: Mapping[str, datetime] | None = None,
        creations: Mapping[str, Creation] | None = None,
    ) -> None:
        """Add each page with its current revision; those that are not wanted (any more) as gone.

        `stamps`: of those that the mirror holds; `times`: when pages were deleted; `creations`: who began
        pages, where that is known better than by the stamps; all by id.
        """
        for page in pages:
            number = str(page.get("pageid", ""))
            if self.wanted(page):
                creation = (creations or {}).get(number, UNKNOWN)
                if creation.at is None and number in stamps:
                    creation = stamps[number].creation
                self.add(page, creation if creation.at is not None else self.creation(page), found)
            elif number in stamps:
                ref = Ref(self.convert.site, Kind.THREAD, number)
                found.gone.append((ref, (times or {}).get(number)))

    def add(self, page: Json, creation: Creation, found: Found) -> None:
        newest = page["revisions"][0]
        latest = str(newest["revid"])
        found.records.append(self.convert.thread(page, newest, creation, labels_of(page), latest))
        contribution = self.convert.contribution(str(page["pageid"]), newest, current=True)
        if contribution is not None:
            found.records.append(contribution)

    def creation(self, page: Json) -> Creation:
        """Of a page that the mirror does not know; a request where it has more than one revision."""
        newest = page["revisions"][0]
        if not newest.get("parentid"):
            return self.convert.creation(newest)
        if self.convert.scope.since is not None:
            return UNKNOWN
        return first_revision(self.client, self.convert, str(page["pageid"]))

    def history(self, page: str, current: str, found: Found) -> Creation:
        """Add all revisions of a page but the current one, without their texts; who began the page."""
        since, oldest = self.convert.scope.since, UNKNOWN
        for part, _ in self.client.batches(
            pageids=page,
            prop="revisions",
            rvprop=REVISION_PROPS,
            rvlimit="max",
            rvend=since.isoformat() if since is not None else None,
        ):
            for row in part.get("pages", ()):
                revisions = row.get("revisions", ())
                self.older(page, revisions, current, found)
                oldest = self.convert.creation(revisions[-1]) if revisions else oldest
        return oldest if since is None else UNKNOWN

    def older(self, page: str, revisions: Iterable[Json], current: str, found: Found) -> None:
        """Add those of the revisions that are not the current one."""
        for revision in revisions:
            if str(revision["revid"]) != current:
                contribution = self.convert.contribution(page, revision)
                if contribution is not None:
                    found.records.append(contribution)


def first_revision(client: Client, convert: Converter, page: str) -> Creation:
    """Who began a page; one request."""
    answer = client.query(
        pageids=page, prop="revisions", rvprop=REVISION_PROPS, rvdir="newer", rvlimit=1
    )
    revisions = answer["query"]["pages"][0].get("revisions")
    return convert.creation(revisions[0]) if revisions else UNKNOWN
