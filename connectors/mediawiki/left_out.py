"""Reading what exclusions had left out, once they are lifted: pages of categories, and what people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from ..base import Batch, Known
from ..records import Record
from .client import Client, Json
from .convert import REVISION_PROPS, USER_PROPS, Converter, Creation
from .logs import LOG_PROPS, changes_of_rights
from .pages import CURRENT, Found, PageReader, ids_of, stamps_of
from .scan import Scan, State


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of `spaces` that the mirror lacks, with their histories.

    Which category a page is in, lists of pages do not say, and the names of those that were excluded are not
    known any more: so the numbers of all pages are asked for.
    """

    client: Client
    convert: Converter
    known: Known
    spaces: tuple[int, ...]

    def read(self, state: State) -> Iterator[Batch]:
        """`listed` in the state: the histories were read, from the list of all revisions; `continue`: up to
        there."""
        missing = self._missing()
        few = len(missing) <= self._requests_for_the_list()
        if not few and not state.get("listed"):
            for batch in self._histories(frozenset(missing), state):
                yield batch
                state = dict(batch.cursor or {})
        size = self.convert.wiki.pages_per_request
        for start in range(0, len(missing), size):
            yield self._pages(missing[start : start + size], state, one_by_one=not state.get("listed"))

    def _missing(self) -> list[int]:
        """Numbers of pages that the mirror does not hold, or only in part."""
        skipped = Scan(self.client, self.convert, self.known).excluded_pages()
        missing: list[int] = []
        for space in self.spaces:
            for query, _ in self.client.batches(
                list="allpages", apnamespace=space, apfilterredir="nonredirects", aplimit="max"
            ):
                pages = query.get("allpages", ())
                stamps = stamps_of(self.known, ids_of(pages))
                missing += [
                    page["pageid"]
                    for page in pages
                    if page["pageid"] not in skipped
                    and not ((stamp := stamps.get(str(page["pageid"]))) and stamp.latest)
                ]
        return missing

    def _requests_for_the_list(self) -> int:
        wiki = self.convert.wiki
        return ceil(wiki.statistics.get("edits", 0) / wiki.rows_per_request)

    def _histories(self, missing: frozenset[int], state: State) -> Iterator[Batch]:
        scan = Scan(self.client, self.convert, self.known, self.spaces)
        for rows, going_on in scan.all_revisions(state.get("continue")):
            records = scan.from_list([row for row in rows if row["pageid"] in missing])
            after: State = {"continue": going_on} if going_on else {"listed": True}
            yield Batch(records=tuple(records), cursor=after, part="revisions")

    def _pages(self, numbers: list[int], state: State, *, one_by_one: bool) -> Batch:
        """With their current texts; `one_by_one`: with the histories, too, each by a request of its own."""
        reader, found = PageReader(self.client, self.convert), Found()
        pages = self.client.all(**CURRENT, pageids=numbers).get("pages", [])
        creations: dict[str, Creation] = {}
        for page in filter(reader.wanted, pages) if one_by_one else ():
            number, newest = str(page["pageid"]), page["revisions"][0]
            if newest.get("parentid"):
                creations[number] = reader.history(number, str(newest["revid"]), found)
        reader.take(pages, stamps_of(self.known, ids_of(pages)), found, creations=creations)
        return Batch(records=tuple(found.records), gone=tuple(found.gone), cursor=state, part="pages")


@dataclass(frozen=True, slots=True)
class People:
    """The accounts whose names have these seals, and what they wrote. Whoever was renamed since is not found:
    that waits until everything is read again."""

    client: Client
    convert: Converter
    known: Known
    seals: frozenset[str]

    def read(self, state: State) -> Iterator[Batch]:
        """`names` in the state: of those who were found and whose doings are not read yet."""
        if "names" not in state:
            users = list(self._users())
            members = [self.convert.member(user) for user in users]
            state = {"names": [user["name"] for user in users], "ids": [user["userid"] for user in users]}
            yield Batch(records=tuple(m for m in members if m is not None), cursor=state, part="users")
        names, ids = list(state["names"]), list(state["ids"])
        while names:
            yield from self._written(names.pop(0), str(ids.pop(0)), {"names": names, "ids": ids})

    def _users(self) -> Iterator[Json]:
        for query, _ in self.client.batches(list="allusers", auprop=USER_PROPS, aulimit="max"):
            yield from (u for u in query.get("allusers", ()) if self.known.sealed(u["name"]) in self.seals)

    def _written(self, name: str, number: str, after: State) -> Iterator[Batch]:
        """All that one wrote, and how they came to their groups."""
        scope = self.convert.scope
        before: State = {"names": [name, *after["names"]], "ids": [number, *after["ids"]]}
        for query, going_on in self.client.batches(
            list="allrevisions|logevents",
            arvuser=name,
            arvnamespace=scope.namespaces,
            arvdir="newer",
            arvstart=scope.since.isoformat() if scope.since is not None else None,
            arvlimit="max",
            arvprop=REVISION_PROPS,
            letype="rights",
            letitle=f"User:{name}",
            lelimit="max",
            leprop=LOG_PROPS,
        ):
            found = Found()
            found.records += changes_of_rights(self.convert.site, query.get("logevents", ()), {name: number})
            self._revisions(query.get("allrevisions", ()), found)
            state = before if going_on else after
            yield Batch(records=tuple(found.records), gone=tuple(found.gone), cursor=state, part="revisions")

    def _revisions(self, rows: list[Json], found: Found) -> None:
        """Revisions on pages that the mirror holds; the pages themselves where this one began them or was the
        last to edit."""
        stamps = stamps_of(self.known, ids_of(rows))
        again: dict[str, Creation] = {}
        for row in rows:
            stamp = stamps.get(page := str(row["pageid"]))
            for revision in row["revisions"] if stamp is not None else ():
                began = not revision.get("parentid")
                if began or (stamp is not None and str(revision["revid"]) == stamp.latest):
                    again.setdefault(page, Creation())
                if began:
                    again[page] = self.convert.creation(revision)
                found.records += self._contribution(page, revision)
        reader, size = PageReader(self.client, self.convert), self.convert.wiki.pages_per_request
        pages = list(again)
        for start in range(0, len(pages), size):
            asked = self.client.all(**CURRENT, pageids=pages[start : start + size]).get("pages", [])
            reader.take(asked, stamps, found, creations=again)

    def _contribution(self, page: str, revision: Json) -> list[Record]:
        contribution = self.convert.contribution(page, revision)
        return [contribution] if contribution is not None else []
