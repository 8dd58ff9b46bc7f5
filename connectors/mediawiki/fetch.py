"""One item, fresh, with what its facts need."""

from __future__ import annotations

from dataclasses import dataclass

from ..base import Batch
from ..records import Contribution, Kind, Ref
from .client import Client, Json, Value
from .convert import REVISION_PROPS, USER_PROPS, Converter, moment, text_of
from .pages import CURRENT, Found, PageReader, first_revision

_NEWEST = 20
"""So many of a member's contributions are read fresh."""


@dataclass(frozen=True, slots=True)
class Fetch:
    client: Client
    convert: Converter

    def one(self, ref: Ref) -> Batch | None:
        """None: there is no such thing, it is not visible to us, or the settings leave it out."""
        if ref.kind == "title":
            return self._page(titles=[ref.id])
        if ref.kind == Kind.GROUP:
            groups = self.convert.wiki.groups
            return Batch(records=(self.convert.group(ref.id),)) if ref.id in groups else None
        if not ref.id.isdecimal():
            return None
        if ref.kind == Kind.THREAD:
            return self._page(pageids=ref.id)
        if ref.kind == Kind.CONTRIBUTION:
            return self._contribution(ref.id)
        if ref.kind == Kind.MEMBER:
            return self._member(ref.id)
        wanted = int(ref.id) in self.convert.scope.namespaces
        return Batch(records=(self.convert.space(int(ref.id)),)) if wanted else None

    @property
    def _pages(self) -> PageReader:
        return PageReader(self.client, self.convert)

    def _page(self, **which: Value) -> Batch | None:
        pages = self.client.all(**CURRENT, **which).get("pages", [])
        if not pages or not self._pages.wanted(pages[0]):
            return None
        found = Found()
        self._with_history(pages[0], found)
        return Batch(records=tuple(found.records))

    def _with_history(self, page: Json, found: Found) -> None:
        """The page and its newest revisions, as many as one answer holds; the last one began it."""
        number, newest = str(page["pageid"]), page["revisions"][0]
        if not newest.get("parentid"):
            self._pages.add(page, self.convert.creation(newest), found)
            return
        answer = self.client.query(
            pageids=number, prop="revisions", rvprop=REVISION_PROPS, rvlimit="max"
        )
        revisions = answer["query"]["pages"][0].get("revisions", [])
        if answer.get("continue") or not revisions:
            creation = first_revision(self.client, self.convert, number)
        else:
            creation = self.convert.creation(revisions[-1])
        since = self.convert.scope.since
        if since is not None:
            revisions = [row for row in revisions if moment(row["timestamp"]) >= since]
        self._pages.add(page, creation, found)
        self._pages.older(number, revisions, str(newest["revid"]), found)

    def _contribution(self, revision: str) -> Batch | None:
        """The revision with its page, whose facts it shares."""
        contributions = self._revisions([revision])
        batch = self._page(pageids=contributions[0].thread) if contributions else None
        if batch is None or revision in {r.id for r in batch.records if isinstance(r, Contribution)}:
            return batch
        return Batch(records=(*batch.records, *contributions))

    def _revisions(self, ids: list[str]) -> list[Contribution]:
        """Those of these revisions that are wanted, the current ones with their texts."""
        found: list[Contribution] = []
        for page in self.client.all(**CURRENT, revids=ids).get("pages", ()):
            if not self._pages.wanted(page):
                continue
            for row in page["revisions"]:
                current = row["revid"] == page["lastrevid"]
                contribution = self.convert.contribution(str(page["pageid"]), row, current=current)
                if contribution is not None:
                    found.append(contribution)
        return found

    def _member(self, member: str) -> Batch | None:
        """The account, its newest contributions, and its talk page, where others may have written."""
        query = self.client.query(
            list="users|usercontribs",
            ususerids=member,
            usprop=USER_PROPS,
            ucuserids=member,
            ucprop="ids",
            uclimit=_NEWEST,
        )["query"]
        record = self.convert.member(query["users"][0]) if query.get("users") else None
        if record is None:
            return None
        rows = query.get("usercontribs", ())
        written = self._revisions([str(row["revid"]) for row in rows]) if rows else []
        talk = self._page(titles=[f"User talk:{record.username}"])
        return Batch(records=(record, *written, *(talk.records if talk is not None else ())))


def current_text(page: Json) -> str:
    """The text of a page as CURRENT gives it; '' where there is none."""
    revisions = page.get("revisions")
    return (text_of(revisions[0]) or "") if revisions else ""
