"""From rows of recent changes and logs to records: reads again what they concern, each page once.

Of an edited page: its current text, and the revisions in between as the rows describe them; the mirror itself
forgets the text of the one that was current before. All revisions are read again where the log says that they
changed (restored, imported, merged, hidden) or where the chain of parents has a gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..base import Batch, Cursor, Known
from ..records import Kind, Record, Ref
from .client import Client, Json, Value
from .convert import USER_PROPS, Converter, Creation, Stamp
from .logs import Told, changes_of_rights, changes_of_space, tell
from .pages import CURRENT, Found, PageReader, ids_of, stamps_of


@dataclass(slots=True)
class Rows:
    """One answer's worth: edits (with `pageid`, otherwise like `prop=revisions`), log entries, and the
    pages whose categories changed."""

    edits: list[Json] = field(default_factory=list)
    logs: list[Json] = field(default_factory=list)
    categorized: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Changed:
    """One use for one answer."""

    client: Client
    convert: Converter
    known: Known
    first: bool = True
    last: bool = True
    """Where several answers tell what changed, one that follows may hold later edits of the same pages."""
    _users: deque[dict[str, Value]] = field(default_factory=deque)
    """Questions for accounts, to travel with other requests."""
    _ids: dict[str, str] = field(default_factory=dict)
    """Of accounts, by name."""

    def read(self, rows: Rows, cursor: Cursor) -> Iterator[Batch]:
        """Batches that all carry `cursor`: they can be read again."""
        told = tell(rows.logs)
        edits = self._by_page(rows.edits)
        stamps = stamps_of(self.known, {*edits, *told.pages, *rows.categorized})
        self._ask_for_users(rows.edits, told)
        again = self._again(edits, told, rows, stamps)
        size = self.convert.wiki.pages_per_request
        for start in range(0, len(again), size):
            found = Found()
            self._pages_again(again[start : start + size], edits, told, stamps, found)
            yield _batch(found, cursor)
        found = Found()
        self._titles(told, found)
        self._held(edits, set(again), stamps, found)
        while self._users:
            self._accounts(self.client.query(**self._users.popleft())["query"], found)
        found.records += changes_of_rights(self.convert.site, rows.logs, self._ids)
        found.records += [
            change for change in changes_of_space(self.convert.site, rows.logs) if change.id in stamps
        ]
        if found.records or found.gone:
            yield _batch(found, cursor)

    @property
    def _pages(self) -> PageReader:
        return PageReader(self.client, self.convert)

    def _by_page(self, rows: Iterable[Json]) -> dict[str, dict[str, Json]]:
        """Page → revision → row."""
        edits: dict[str, dict[str, Json]] = {}
        for row in rows:
            edits.setdefault(str(row["pageid"]), {})[str(row["revid"])] = row
        return edits

    def _ask_for_users(self, edits: Iterable[Json], told: Told) -> None:
        """Authors too: accounts can come without a log entry, and it costs nothing beside other questions."""
        ids = sorted({str(row["userid"]) for row in edits if row.get("userid")} | told.ids, key=int)
        size = self.convert.wiki.pages_per_request
        asked: list[tuple[str, list[str]]] = [("ususerids", ids), ("ususers", sorted(told.names))]
        for key, values in asked:
            for start in range(0, len(values), size):
                part = values[start : start + size]
                self._users.append({"list": "users", "usprop": USER_PROPS, key: part})

    def _again(
        self, edits: Mapping[str, Mapping[str, Json]], told: Told, rows: Rows, stamps: Mapping[str, Stamp]
    ) -> list[str]:
        """The pages to read: with an edit that the mirror has not read, or that the logs name."""
        pages = rows.categorized & stamps.keys()
        wanted = self.convert.scope.namespaces
        for page, revisions in edits.items():
            stamp = stamps.get(page)
            if stamp is not None:
                if max(map(int, revisions)) > int(stamp.latest or 0):
                    pages.add(page)
            elif any(row["ns"] in wanted for row in revisions.values()):
                pages.add(page)
        for row in rows.logs:
            page = str(row.get("logpage") or "")
            spaces = {row.get("ns"), row.get("params", {}).get("target_ns")}
            if page in told.pages and (page in stamps or not spaces.isdisjoint(wanted)):
                pages.add(page)
        return sorted(pages, key=int)

    def _pages_again(
        self,
        ids: list[str],
        edits: Mapping[str, Mapping[str, Json]],
        told: Told,
        stamps: Mapping[str, Stamp],
        found: Found,
    ) -> None:
        query = self.client.all(**CURRENT, pageids=ids, **(self._users.popleft() if self._users else {}))
        self._accounts(query, found)
        pages = query.get("pages", [])
        creations = self._creations(edits, stamps)
        for page in filter(self._pages.wanted, pages):
            number, newest = str(page["pageid"]), page["revisions"][0]
            latest, rows = str(newest["revid"]), edits.get(number, {})
            before = stamps[number].latest if number in stamps else ""
            # Where more rows follow, `_held` looks at what they tell when they are there; of what the log
            # does to a page, no row need tell.
            if not self.last and number not in told.pages:
                newest = _newest(rows) if rows else {}
            if number in told.rewritten or not self._complete(number, newest, rows, before):
                creations[number] = self._pages.history(number, latest, found)
            else:
                self._pages.older(number, rows.values(), latest, found)
        self._pages.take(pages, stamps, found, told.deleted, creations)

    def _creations(
        self, edits: Mapping[str, Mapping[str, Json]], stamps: Mapping[str, Stamp]
    ) -> dict[str, Creation]:
        """Who began those of the pages that the mirror does not know and that began among the rows."""
        return {
            page: self.convert.creation(row)
            for page, rows in edits.items()
            for row in rows.values()
            if not row.get("parentid") and (page not in stamps or stamps[page].creation.at is None)
        }

    def _complete(self, page: str, newest: Json, rows: Mapping[str, Json], before: str) -> bool:
        """Whether the rows lead from this revision back to one that the mirror holds and they do not tell of:
        what lies before such a one it may have read without what came in between."""
        held = self.known.contribution_ids(page)
        revision = newest
        while parent := str(revision.get("parentid") or ""):
            if parent not in rows:
                return parent in held or parent == before
            revision = rows[parent]
        return True

    def _titles(self, told: Told, found: Found) -> None:
        """Pages that the log names by title only, with all their revisions."""
        wanted, size = self.convert.scope.namespaces, self.convert.wiki.pages_per_request
        titles = sorted(title for title, space in told.titles.items() if space in wanted)
        for start in range(0, len(titles), size):
            pages = self.client.all(**CURRENT, titles=titles[start : start + size]).get("pages", [])
            creations = {
                number: self._pages.history(number, str(page["revisions"][0]["revid"]), found)
                for page in filter(self._pages.wanted, pages)
                if (number := str(page["pageid"]))
            }
            stamps = stamps_of(self.known, ids_of(pages))
            self._pages.take(pages, stamps, found, creations=creations)

    def _held(
        self,
        edits: Mapping[str, Mapping[str, Json]],
        again: set[str],
        stamps: Mapping[str, Stamp],
        found: Found,
    ) -> None:
        """Rows of pages whose current revision the mirror had read already, perhaps not what lies between."""
        for page, rows in edits.items():
            if page not in stamps or page in again:
                continue
            if self.first or self._complete(page, _newest(rows), rows, ""):
                self._pages.older(page, rows.values(), stamps[page].latest, found)
            else:
                self._pages.history(page, stamps[page].latest, found)

    def _accounts(self, query: Json, found: Found) -> None:
        records: list[Record] = []
        for user in query.get("users", ()):
            if user.get("missing") and "userid" in user:
                found.gone.append((Ref(self.convert.site, Kind.MEMBER, str(user["userid"])), None))
            elif (member := self.convert.member(user)) is not None:
                records.append(member)
                self._ids[member.username] = member.id
        found.records[:0] = records


def _newest(rows: Mapping[str, Json]) -> Json:
    return rows[max(rows, key=int)]


def _batch(found: Found, cursor: Cursor) -> Batch:
    return Batch(records=tuple(found.records), gone=tuple(found.gone), cursor=cursor, part="changes")
