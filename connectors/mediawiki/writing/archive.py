"""Old sections of a talk page to an archive: two pages, the archive saved first, so that nothing is lost.

Killed between the two, the sections stand on both. `find` then says that it was not carried out, and
`perform` goes on from there: it knows its own edit of the archive by the marker. What cannot be carried on,
because the talk page was protected, or somebody wrote in such a section meanwhile, is taken back, or left to
a person to say. What somebody took out of the talk page meanwhile stays in the archive, where alone it is.
An archive that was made for it is deleted again, or left empty where we may not delete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ....config.errors import Conflict, ConnectorError, Filtered, NotFound, OutcomeUnknown, Refused
from ...actions import ArchiveThread
from ...base import Marker, NotDone, Unknown
from ..client import Json
from ..talk import still_there, without
from .editing import Editor, Page, Saved, Text, is_marked, summary_of
from .withdraw import without_section

_LOOK_BACK = 50
"""Of the archive's newest revisions by us; one of them is ours if we were interrupted."""

_BY_HAND = "Take them out of that page or of the talk page by hand."


@dataclass(frozen=True, slots=True)
class Archived:
    """What both edits left."""

    talk: Saved
    archive: Saved


@dataclass(frozen=True, slots=True)
class TalkArchive:
    editor: Editor

    def perform(self, action: ArchiveThread, marker: Marker) -> Archived:
        """Raises Conflict where a section was changed meanwhile, Filtered where one of the pages is not to
        be edited; nothing is changed then, or what was is brought back. OutcomeUnknown where it cannot be."""
        archive = self.editor.read(titles=action.to)
        first = self._begun(archive, action, marker)
        try:
            talk, rest = self._rest(action)
            if first is None:
                self._require_ours(archive)
                words = f"{_many(action)} of [[{talk.title}]]"
                whole = Text(_appended(archive.text, action))
                first = self.editor.save(archive, whole, summary_of(words, marker))
            words = f"{_many(action)} to [[{archive.title}]]"
            second = self.editor.save(talk, Text(rest), summary_of(words, marker))
        except (Conflict, Refused) as error:
            if first is not None:
                self._give_up(first, action, marker, error)
            raise
        return Archived(second, first)

    def take_back(self, action: ArchiveThread, marker: Marker) -> None:
        """Where an earlier try was interrupted between the two saves, the archive as it was; nothing happens
        elsewhere. Raises Conflict where a person has to do it; TryLater, OutcomeUnknown."""
        archive = self.editor.read(titles=action.to)
        try:
            first = self._begun(archive, action, marker)
        except Conflict:  # the sections there are not ours
            return
        if first is None:
            return
        try:
            self._take_back(first, action, marker)
        except (Conflict, Refused) as error:
            raise Conflict(_left(first, error), where=self.editor.site, hint=_BY_HAND) from None

    def _rest(self, action: ArchiveThread) -> tuple[Page, str]:
        """The talk page, and what of it stays."""
        talk = self.editor.read(pageids=action.thread)
        self._require_ours(talk)
        rest = without(talk.text, action.sections)
        if rest is None:
            raise Conflict(f"a section of {talk.title} was changed meanwhile.", where=self.editor.site)
        return talk, rest

    def _require_ours(self, page: Page) -> None:
        self.editor.check(page)
        if not page.editable:
            raise Filtered(f"{page.title} is protected.", where=self.editor.site, hint="Leave it.")

    def _begun(self, archive: Page, action: ArchiveThread, marker: Marker) -> Saved | None:
        """Our edit of the archive, where an earlier try was interrupted after it."""
        if not archive.exists or not _holds(archive.text, action):
            return None
        answer = self.editor.client.query(
            pageids=archive.id, prop="revisions", rvprop="ids|comment", rvlimit=_LOOK_BACK,
            rvuser=self.editor.client.account(),
        )  # fmt: skip
        rows: list[Json] = answer["query"]["pages"][0].get("revisions", [])
        row = next((row for row in rows if is_marked(row, marker)), None)
        if row is None:
            raise Conflict(f"{archive.title} has these sections already.", where=self.editor.site)
        return Saved(archive.id, archive.title, int(row["revid"]), int(row.get("parentid", 0)))

    def _give_up(self, first: Saved, action: ArchiveThread, marker: Marker, why: ConnectorError) -> None:
        """The archive as it was, because the talk page could not be saved. Raises OutcomeUnknown if that
        does not succeed either: then the sections stand on both pages."""
        try:
            self._take_back(first, action, marker)
        except ConnectorError as error:
            raise OutcomeUnknown(_left(first, error), where=self.editor.site) from why

    def _take_back(self, first: Saved, action: ArchiveThread, marker: Marker) -> None:
        """The archive as it was; but what the talk page has no more stays: it would be nowhere then."""
        there = self._still_there(action)
        if not any(there):
            return
        if not all(there):
            raise Conflict("some of them are not on the talk page any more.", where=self.editor.site)
        page = self.editor.read(pageids=first.page)
        old, new = self.editor.text_of(first.parent), self.editor.text_of(first.revision)
        rest = without_section(page.text, old, new)
        if rest is None:
            raise Conflict("they were changed.", where=self.editor.site)
        self._restore(page, Text(rest), first, f"Undo [[Special:Diff/{first.revision}]]", marker)

    def _still_there(self, action: ArchiveThread) -> list[bool]:
        try:
            return still_there(self.editor.read(pageids=action.thread).text, action.sections)
        except Refused:  # deleted, or its text is hidden
            return [False]

    def _restore(
        self, page: Page, text: Text, made: Saved, words: str, marker: Marker
    ) -> Saved | None:
        """The archive without our sections: a page that we made, and nobody touched since, goes again where
        our account may delete."""
        ours = made.parent == 0 and page.revision == made.revision
        if ours and "delete" in self.editor.client.wiki.rights:
            reason = summary_of(words, marker)
            self.editor.client.write("delete", pageid=page.id, reason=reason, watchlist="nochange")
            return None
        return self.editor.save(page, text, summary_of(words, marker))

    # Finding

    def find(
        self, action: ArchiveThread, marker: Marker, since: datetime
    ) -> Archived | NotDone | Unknown | None:
        """None: nothing of it is found. NotDone: only the archive was saved, and it can be carried on."""
        rows = [row for row in self.editor.own(since) if is_marked(row, marker)]
        talk = [row for row in rows if str(row["pageid"]) == action.thread]
        archive = [row for row in rows if str(row["pageid"]) != action.thread]
        if talk and archive:
            return Archived(saved_of(talk[0]), saved_of(archive[-1]))
        if not archive or not _holds(self.editor.read(titles=action.to).text, action):
            return None
        page = self.editor.read(pageids=action.thread)
        why = "was changed" if without(page.text, action.sections) is None else ""
        if not page.editable and not self.editor.read(titles=action.to).editable:
            why = "was protected, and so was the archive,"
        if why:
            return Unknown(
                f"the sections are in {action.to}, and {page.title} {why} before they were taken out "
                "there; take them out of one of the two"
            )
        return NotDone(f"half of it was done: the sections are in {action.to} already.")

    # Undoing

    def undo(
        self, before: Mapping[str, Any], after: Mapping[str, Any], marker: Marker, since: datetime
    ) -> tuple[tuple[Saved, ...], str]:
        """Both pages as they were, the talk page first; the edits, and what is left for somebody else to do.

        Raises Conflict where somebody changed the sections in the archive, or the place where they were,
        before anything is done.
        """
        done = {row["pageid"]: row for row in self.editor.own(since) if is_marked(row, marker)}
        there, made = after["archive"], int(before["archive"]) == 0
        back = None if after["page"] in done else self._put_back(before, after)
        out = None if there["page"] in done else self._taken_out(int(before["archive"]), there)
        words = f"Undo [[Special:Diff/{after['revision']}]]"
        saved: list[Saved | None] = [saved_of(row) for row in done.values()]
        if back is not None:
            saved.append(self.editor.save(*back, summary_of(words, marker)))
        if out is not None:
            kept = Saved(there["page"], there["title"], there["revision"], int(before["archive"]))
            saved.append(self._restore(*out, kept, words, marker))
        edits = tuple(each for each in saved if each is not None)
        empties = made and any(each.page == there["page"] for each in edits)
        return edits, self._emptied(there) if empties else ""

    def _emptied(self, there: Mapping[str, Any]) -> str:
        """What to say of an archive that we made and could not delete."""
        page = self.editor.read(pageids=there["page"])
        return f"{page.title} is empty now; our account may not delete it." if not page.text else ""

    def _put_back(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Page, Text]:
        page = self._still(after)
        if page.revision == after["revision"]:
            return page, Text(self.editor.text_of(before["revision"]))
        return page, Text("", undo=(after["revision"], before["revision"]))

    def _taken_out(self, parent: int, there: Mapping[str, Any]) -> tuple[Page, Text] | None:
        """None: the archive was made for it, and somebody has deleted it."""
        try:
            page = self._still(there)
        except Conflict:
            if parent == 0:
                return None
            raise
        old, new = self.editor.text_of(parent), self.editor.text_of(there["revision"])
        rest = without_section(page.text, old, new)
        if rest is None:
            raise Conflict(f"the sections in {page.title} were changed since.", where=self.editor.site)
        return page, Text(rest)

    def _still(self, left: Mapping[str, Any]) -> Page:
        try:
            return self.editor.read(pageids=left["page"])
        except NotFound:
            raise Conflict(f"{left['title']} was deleted since.", where=self.editor.site) from None


def saved_of(row: Json) -> Saved:
    """A revision as `list=usercontribs` tells of it."""
    return Saved(int(row["pageid"]), row["title"], int(row["revid"]), int(row.get("parentid", 0)))


def _left(first: Saved, why: ConnectorError) -> str:
    return f"the sections are in {first.title}, and could not be taken out again: {why.message}"


def _many(action: ArchiveThread) -> str:
    return f"{len(action.sections)} section{'' if len(action.sections) == 1 else 's'}"


def _block(action: ArchiveThread) -> str:
    return "\n\n".join(each.strip() for each in action.sections)


def _holds(archive: str, action: ArchiveThread) -> bool:
    return _block(action) in archive


def _appended(archive: str, action: ArchiveThread) -> str:
    above = archive.rstrip() or action.template.strip()
    return f"{above}\n\n{_block(action)}" if above else _block(action)
