"""Old sections of a talk page to an archive: two pages, the archive saved first, so that nothing is lost.

Killed between the two, the sections stand on both. `find` then says that it was not carried out, and
`perform` goes on from there: it knows its own edit of the archive by the marker. What cannot be carried on,
because somebody wrote in such a section meanwhile, is taken back, or left to a person to say.
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
from ..talk import without
from .editing import Editor, Page, Saved, Text, is_marked, summary_of
from .withdraw import without_section

_LOOK_BACK = 50
"""Of the archive's newest revisions by us; one of them is ours if we were interrupted."""


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
        be edited; nothing is changed then, or what was is brought back."""
        talk, archive = self._pages(action)
        rest = without(talk.text, action.sections)
        if rest is None:
            raise Conflict(f"a section of {talk.title} was changed meanwhile.", where=self.editor.site)
        many = f"{len(action.sections)} section{'' if len(action.sections) == 1 else 's'}"
        first = self._begun(archive, action, marker) or self.editor.save(
            archive, Text(_appended(archive.text, action)), summary_of(f"{many} of [[{talk.title}]]", marker)
        )
        try:
            second = self.editor.save(talk, Text(rest), summary_of(f"{many} to [[{archive.title}]]", marker))
        except (Conflict, Refused) as error:
            self._take_back(first, action, marker, error)
            raise
        return Archived(second, first)

    def _pages(self, action: ArchiveThread) -> tuple[Page, Page]:
        """The talk page and the archive, both of them ours to edit, or neither is touched."""
        pages = self.editor.read(pageids=action.thread), self.editor.read(titles=action.to)
        for page in pages:
            self.editor.check(page)
            if not page.editable:
                raise Filtered(f"{page.title} is protected.", where=self.editor.site, hint="Leave it.")
        return pages

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

    def _take_back(
        self, first: Saved, action: ArchiveThread, marker: Marker, why: ConnectorError
    ) -> None:
        """The archive as it was, because the talk page could not be saved. Raises OutcomeUnknown if that
        does not succeed either: then the sections stand on both pages."""
        try:
            page = self.editor.read(pageids=first.page)
            rest = without_section(
                page.text, self.editor.text_of(first.parent), self.editor.text_of(first.revision)
            )
            if rest is not None:
                words = f"Undo [[Special:Diff/{first.revision}]]"
                self.editor.save(page, Text(rest), summary_of(words, marker))
                return
        except ConnectorError as error:
            why = error
        raise OutcomeUnknown(
            f"the sections are in {first.title}, and could not be taken out again: {why.message}",
            where=self.editor.site,
        )

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
        if without(page.text, action.sections) is None:
            return Unknown(
                f"the sections are in {action.to}, and {page.title} was changed before they were taken out "
                "there; take them out of one of the two"
            )
        return NotDone()

    # Undoing

    def undo(
        self, before: Mapping[str, Any], after: Mapping[str, Any], marker: Marker, since: datetime
    ) -> tuple[Saved, ...]:
        """Both pages as they were, the talk page first. Raises Conflict where somebody changed the sections
        in the archive, or the place where they were, before anything is done."""
        done = {row["pageid"]: row for row in self.editor.own(since) if is_marked(row, marker)}
        there = after["archive"]
        texts: list[tuple[Page, Text]] = []
        if after["page"] not in done:
            texts.append(self._put_back(before, after))
        if there["page"] not in done:
            texts.append(self._taken_out(int(before["archive"]), there))
        words = f"Undo [[Special:Diff/{after['revision']}]]"
        saved = [self.editor.save(page, text, summary_of(words, marker)) for page, text in texts]
        return (*(saved_of(row) for row in done.values()), *saved)

    def _put_back(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Page, Text]:
        page = self._still(after)
        if page.revision == after["revision"]:
            return page, Text(self.editor.text_of(before["revision"]))
        return page, Text("", undo=(after["revision"], before["revision"]))

    def _taken_out(self, parent: int, there: Mapping[str, Any]) -> tuple[Page, Text]:
        page = self._still(there)
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


def _block(action: ArchiveThread) -> str:
    return "\n\n".join(each.strip() for each in action.sections)


def _holds(archive: str, action: ArchiveThread) -> bool:
    return _block(action) in archive


def _appended(archive: str, action: ArchiveThread) -> str:
    above = archive.rstrip() or action.template.strip()
    return f"{above}\n\n{_block(action)}" if above else _block(action)
