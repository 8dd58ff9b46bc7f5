"""The first read of a wiki: everything, in the fewest requests, to be gone on with after any batch.

Order: accounts, the log of rights, the list of all revisions by date (without texts; it tells who began
each page), then every page with its current text, which completes what the list began. The time is taken
before all that; `recent.py` goes on from there, so that nothing that changes meanwhile is lost.

The same is done again from time to time (`reread` in the settings), because some things leave no public
trace: what an oversighter suppresses (revisions, pages, accounts), and categories that a changed template
brings. The mirror keeps what it has then, and of pages that it knows only the current text is read. A part of
it is done for namespaces that are added to the settings later (`adding.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Batch, Cursor, Known
from ..records import Kind, Record
from .client import Client, Json
from .convert import REVISION_PROPS, UNKNOWN, USER_PROPS, Converter, Creation, Stamp, moment
from .extent import Extent
from .logs import changes_of_rights, names_in
from .pages import CURRENT, Found, PageReader, ids_of, stamps_of
from .recent import start_of_recent
from .scope import CATEGORY

State = dict[str, Any]

def again(cursor: Cursor) -> State:
    """The beginning of reading everything again. The time stays the mirror's: what the logs tell since is
    read after it."""
    kept = {key: cursor[key] for key in ("time", "scanned", "extent", "seen") if key in cursor}
    return {"phase": "users", **kept, "again": True}


@dataclass(frozen=True, slots=True)
class Scan:
    """One enumeration; its state between batches is the cursor. `part`: only of these namespaces, of which
    the mirror lacks something; it is not asked then what it holds too much."""

    client: Client
    convert: Converter
    known: Known
    part: tuple[int, ...] = ()

    @property
    def _namespaces(self) -> tuple[int, ...]:
        return self.part or self.convert.scope.namespaces

    @property
    def pages(self) -> PageReader:
        return PageReader(self.client, self.convert)

    def run(self, cursor: Cursor | None) -> Iterator[Batch]:
        """From the cursor (None: the beginning) to the end; the last cursor is one of `recent.py`."""
        state: State = dict(cursor) if cursor is not None else {"phase": "users"}
        if "continue" in state or state["phase"] != "users":
            state.setdefault("scan", state["time"])  # a cursor of before readings had names of their own
        phases = {
            "users": self._users, "rights": self._rights, "revisions": self._revisions, "pages": self._pages
        }  # fmt: skip
        while (phase := phases.get(state["phase"])) is not None:
            for batch in phase(state):
                yield batch
                state = dict(batch.cursor or {})

    def _users(self, state: State) -> Iterator[Batch]:
        for query, going_on in self.client.batches(
            state.get("continue"), list="allusers", auprop=USER_PROPS, aulimit="max"
        ):
            records: list[Record] = []
            ended: tuple[Kind, ...] = ()
            if "scan" not in state:
                now = query["curtimestamp"]
                extent = Extent.of(self.convert.scope, self.known).document()
                state = {"time": now, **state, "scan": now, "extent": extent}
                records += [self.convert.space(number) for number in self.convert.scope.namespaces]
                records += [self.convert.group(name) for name in self.convert.wiki.groups]
                ended = (Kind.SPACE, Kind.GROUP)
            users = query.get("allusers", ())
            records += [m for user in users if (m := self.convert.member(user)) is not None]
            done = state.get("done", 0) + len(users)
            state = _next(state, going_on, "revisions" if state.get("again") else "rights", len(users))
            ended += () if going_on else (Kind.MEMBER,)
            yield self._batch(state, records, "users", ended, done)

    def _rights(self, state: State) -> Iterator[Batch]:
        for query, going_on in self.client.batches(
            state.get("continue"),
            list="logevents",
            letype="rights",
            ledir="newer",
            lelimit="max",
            leprop="ids|type|title|timestamp|details",
        ):
            rows = query.get("logevents", [])
            ids = {user["name"]: str(user["userid"]) for user in self._named(names_in(rows))}
            records = changes_of_rights(self.convert.site, rows, ids)
            state = _next(state, going_on, "revisions", len(rows))
            yield self._batch(state, records, "rights")

    def _named(self, names: list[str]) -> Iterator[Json]:
        size = self.convert.wiki.pages_per_request
        for start in range(0, len(names), size):
            answer = self.client.query(list="users", ususers=names[start : start + size])
            yield from (u for u in answer["query"]["users"] if "userid" in u)

    def _revisions(self, state: State) -> Iterator[Batch]:
        skipped = self.excluded_pages()
        for listed, going_on in self.all_revisions(state.get("continue")):
            rows = [row for row in listed if row["pageid"] not in skipped]
            told = self._of_known_pages if state.get("again") else self.from_list
            records, count = told(rows), sum(len(row["revisions"]) for row in rows)
            if self.convert.scope.since is None:  # then a namespace without revisions is one without pages
                state = {**state, "spaces": sorted({*state.get("spaces", ()), *(row["ns"] for row in rows)})}
            done = state.get("done", 0) + count
            state = _next(state, going_on, "pages", count)
            yield self._batch(state, records, "revisions", done=done)

    def all_revisions(self, start: Json | None) -> Iterator[tuple[list[Json], Json]]:
        """The revisions by date, by page within each answer, and the `continue` that follows it."""
        since = self.convert.scope.since
        for query, going_on in self.client.batches(
            start,
            list="allrevisions",
            arvnamespace=self._namespaces,
            arvdir="newer",
            arvstart=since.isoformat() if since is not None else None,
            arvlimit="max",
            arvprop=REVISION_PROPS,
        ):
            yield query.get("allrevisions", []), going_on

    def from_list(self, rows: list[Json]) -> list[Record]:
        """Revisions without text, and pages seen for the first time, to be completed by `_pages`."""
        stamps = stamps_of(self.known, {str(row["pageid"]) for row in rows})
        records: list[Record] = []
        for row in rows:
            page = str(row["pageid"])
            stamp = stamps.get(page)
            for revision in row["revisions"]:
                began = not revision.get("parentid")
                if stamp is None or (began and not stamp.latest and stamp.creation.at is None):
                    creation = self.convert.creation(revision) if began else UNKNOWN
                    records.append(self.convert.thread(row, revision, creation, None, ""))
                    stamp = stamps[page] = Stamp("", creation)
                contribution = self.convert.contribution(page, revision)
                if contribution is not None:
                    records.append(contribution)
        return records

    def _of_known_pages(self, rows: list[Json]) -> list[Record]:
        """Revisions of pages that the mirror has, but for the current ones, which `_pages` reads."""
        stamps = stamps_of(self.known, {str(row["pageid"]) for row in rows})
        records: list[Record] = []
        for row in rows:
            stamp = stamps.get(page := str(row["pageid"]))
            for revision in row["revisions"] if stamp is not None else ():
                if stamp is not None and self._was_hidden(revision, stamp):
                    creation = Creation(None, stamp.creation.at)
                    records.append(self.convert.thread(row, revision, creation, None, stamp.latest))
                if stamp is not None and str(revision["revid"]) != stamp.latest:
                    contribution = self.convert.contribution(page, revision)
                    records += [contribution] if contribution is not None else []
        return records

    def _was_hidden(self, revision: Json, stamp: Stamp) -> bool:
        """Whether this revision began the page, and who wrote it is not to be known any more."""
        began = not revision.get("parentid") and stamp.creation.at == moment(revision["timestamp"])
        return began and stamp.creation.author is not None and self.convert.author(revision) is None

    def excluded_pages(self) -> frozenset[int]:
        """The pages in excluded categories: the list of revisions does not say what is in them."""
        category = self.convert.wiki.namespaces[CATEGORY].name
        return frozenset(
            row["pageid"]
            for label in sorted(self.convert.scope.labels)
            for query, _ in self.client.batches(
                list="categorymembers", cmtitle=f"{category}:{label}", cmprop="ids", cmlimit="max"
            )
            for row in query.get("categorymembers", ())
        )

    def _pages(self, state: State) -> Iterator[Batch]:
        """One namespace; the state after its last batch names the next one, or `recent.py`'s beginning.

        The list of revisions told of redirects as of pages. Which ones they are, the same requests tell, ten
        times as many of them as of pages with their texts.
        """
        wanted = self._namespaces
        spaces = [n for n in wanted if n in state.get("spaces", wanted)] or wanted[:1]
        space = state.get("space", spaces[0] if spaces else 0)
        following = next((n for n in spaces if n > space), None)
        for query, going_on in self.client.batches(
            state.get("continue"),
            **CURRENT,
            generator="allpages",
            gapnamespace=space,
            gapfilterredir="nonredirects",
            gaplimit=self.convert.wiki.pages_per_request,
            list="allpages",
            apnamespace=space,
            apfilterredir="redirects",
            aplimit="max",
        ):
            pages, found = query.get("pages", []), Found()
            pages += [{**redirect, "redirect": True} for redirect in query.get("allpages", ())]
            stamps = stamps_of(self.known, ids_of(pages))
            begun = self._of_unknown_pages(pages, stamps, found) if state.get("again") else None
            self.pages.take(pages, stamps, found, creations=begun)
            ended = not going_on and following is None
            if going_on or following is not None:
                after = _next(state, going_on, "pages", len(pages))
                state = {**after, "space": space if going_on else following}
            total = self.convert.wiki.statistics.get("pages")
            yield Batch(
                records=tuple(found.records),
                gone=tuple(found.gone),
                cursor=end_of(state) if ended else state,
                scan=_name(state),
                ended=(Kind.THREAD, Kind.CONTRIBUTION) if ended and not self.part else (),
                part="pages",
                done=state.get("done", 0),
                total=total,
            )

    def _of_unknown_pages(
        self, pages: list[Json], stamps: Mapping[str, Stamp], found: Found
    ) -> dict[str, Creation]:
        """Adds all revisions of those of the pages that the mirror lacks; who began them."""
        return {
            number: self.pages.history(number, str(page["revisions"][0]["revid"]), found)
            for page in filter(self.pages.wanted, pages)
            if (number := str(page["pageid"])) not in stamps
        }

    def _batch(
        self, state: State, records: Iterable[Record], part: str, ended: tuple[Kind, ...] = (), done: int = 0
    ) -> Batch:
        of = {"users": "users", "revisions": "edits"}.get(part, "")
        return Batch(
            records=tuple(records),
            cursor=state,
            scan=_name(state),
            ended=ended,
            part=part,
            done=done,
            total=self.convert.wiki.statistics.get(of),
        )


def end_of(state: State) -> State:
    """The cursor after the last batch."""
    return start_of_recent(state["time"], state["scan"], state.get("extent"), state.get("seen"))


def _name(state: State) -> str:
    """Of the reading: what it does not meet is gone. A second one may begin in the second of the first. ''
    where only a part is read."""
    return f"{state['scan']} again" if state.get("again") else str(state["scan"])


def _next(state: State, going_on: Json, phase: str, count: int) -> State:
    """The state after a batch of `count` items: more of the same, or the next phase."""
    if going_on:
        return {**state, "continue": going_on, "done": state.get("done", 0) + count}
    rest = {key: value for key, value in state.items() if key not in ("continue", "done", "space")}
    return {**rest, "phase": phase}
