"""Performing, finding and undoing, for every verb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args

from ....config.errors import Conflict, Forbidden, NotFound, Refused
from ...actions import Action, AddToGroup, ArchiveThread, EditText, MoveThread, OpenThread, RemoveFromGroup
from ...base import Found, Marker, NotDone, Receipt, Unknown, World
from ...records import Kind, Ref
from ..client import Json
from ..people import People
from ..platform import MediaWikiPlatform
from .archive import Archived, TalkArchive, saved_of
from .editing import Editor, Page, Saved, Text, summary_of
from .state import Change, Moves, Rights
from .texts import Draft, Drafts, TextAction
from .withdraw import without_section


@dataclass(frozen=True, slots=True)
class Verbs:
    editor: Editor
    people: People
    platform: MediaWikiPlatform
    world: World

    def perform(self, action: Action, marker: Marker) -> Receipt:
        """See `Connector.perform`."""
        if isinstance(action, MoveThread):
            return self._changed(action, Moves(self.editor).perform(action, marker))
        if isinstance(action, AddToGroup | RemoveFromGroup):
            return self._changed(action, Rights(self.editor, self.people).perform(action, marker))
        if isinstance(action, ArchiveThread) and action.to:
            return self._archived(action, TalkArchive(self.editor).perform(action, marker))
        if not isinstance(action, get_args(TextAction)):
            raise Refused(f"a wiki knows no {action.verb}.", where=action.site)
        draft = Drafts(self.editor, self.people).of(action)
        if draft.text is None:
            return self._as_it_was(action, draft.page)
        return self._save(action, draft, draft.text, marker)

    def _save(self, action: Action, draft: Draft, text: Text, marker: Marker) -> Receipt:
        try:
            saved = self.editor.save(draft.page, text, summary_of(draft.words, marker))
        except Conflict:
            # MediaWiki takes the same new section, sent twice, for a conflict: look whether ours is there.
            if text.heading is not None and (row := self._ours(marker, self.world.now())) is not None:
                return self._saved(action, saved_of(row), draft.receipt)
            raise
        if saved.revision == 0:
            return self._as_it_was(action, draft.page)
        return self._saved(action, saved, draft.receipt)

    # Finding

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        """See `Connector.find`. Waits until a request of that time cannot be at work any more."""
        found = self._look(action, marker, since)
        if isinstance(found, NotDone) and self.editor.let_it_land(since):
            found = self._look(action, marker, since)
        return found

    def _look(self, action: Action, marker: Marker, since: datetime) -> Found:
        change: Change | None = None
        if isinstance(action, MoveThread):
            change = Moves(self.editor).find(action, marker, since)
        elif isinstance(action, AddToGroup | RemoveFromGroup):
            change = Rights(self.editor, self.people).find(action, marker, since)
        elif isinstance(action, ArchiveThread) and action.to:
            return self._look_at_both(action, marker, since)
        elif (row := self._ours(marker, since)) is not None:
            return self._saved(action, saved_of(row), _extras(action))
        else:
            return self._hidden(action, since)
        return NotDone() if change is None else self._changed(action, change)

    def _look_at_both(self, action: ArchiveThread, marker: Marker, since: datetime) -> Found:
        found = TalkArchive(self.editor).find(action, marker, since)
        if isinstance(found, Archived):
            return self._archived(action, found)
        return self._hidden(action, since) if found is None else found

    def _ours(self, marker: Marker, since: datetime) -> Json | None:
        return self.editor.marked(self.editor.own(since), marker)

    def _hidden(self, action: Action, since: datetime) -> Found:
        """Our revision is not listed: not made, unless it went with a page deleted since."""
        try:
            title = self._title(action)
        except NotFound:
            return Unknown("the page is not there any more, and what we did there would be hidden with it")
        if title and self.editor.deleted_since(title, since):
            return Unknown(f"{title} was deleted since, and what we did there would be hidden with it")
        return NotDone()

    def _title(self, action: Action) -> str:
        """The title of the page that the action would have edited."""
        match action.verb:
            case "send_message":
                return f"User talk:{self.people.name(action.item.id)}"
            case "reply":
                return self.editor.read(pageids=action.item.id).talk
            case "notify_moderators":
                return getattr(action, "page", "")
        if action.item.kind == "title":
            return action.item.id
        return self.editor.read(pageids=action.item.id).title

    # Undoing

    def undo(self, receipt: Receipt, marker: Marker) -> Receipt:
        """See `Connector.undo`."""
        after = receipt.after
        if after is not None and "undone" in after:
            raise Refused("an undo is not undone; plan the action again.", where=receipt.site)
        if receipt.attribution == "unknown" or receipt.before is None or after is None:
            raise Refused("it was perhaps not our doing.", where=receipt.site, hint="Undo it by hand.")
        before = receipt.before
        if "moved_to" in after:
            Moves(self.editor).undo(dict(before), dict(after), marker, receipt.at)
        elif "group" in after:
            Rights(self.editor, self.people).undo(dict(before), dict(after), marker, receipt.at)
        elif "archive" in after:
            saved, left = TalkArchive(self.editor).undo(before, after, marker, receipt.at)
            return replace(self._undone(receipt, after, saved), note=left)
        else:
            return self._undo_edit_once(receipt, before, after, marker)
        return self._undone(receipt, after, ())

    def _undo_edit_once(
        self, receipt: Receipt, before: Mapping[str, Any], after: Mapping[str, Any], marker: Marker
    ) -> Receipt:
        try:
            return self._undo_edit(receipt, before, after, marker)
        except Conflict:
            # What somebody changed since may be what an undo did whose answer was lost.
            if "opened" in after and self.editor.marked(self.editor.logged("delete", receipt.at), marker):
                return self._undone(receipt, after, ())
            later = (row for row in self.editor.own(receipt.at) if row["revid"] > after["revision"])
            if (row := self.editor.marked(later, marker)) is None:
                raise
            return self._undone(receipt, after, (saved_of(row),))

    def _undo_edit(
        self, receipt: Receipt, before: Mapping[str, Any], after: Mapping[str, Any], marker: Marker
    ) -> Receipt:
        try:
            page = self.editor.read(pageids=after["page"])
        except NotFound:
            raise Conflict("the page was deleted since.", where=receipt.site) from None
        if after.get("section"):
            text = self._withdrawn(page, before, after)
        elif page.revision != after["revision"]:
            raise Conflict(f"{page.title} was edited since.", where=receipt.site)
        elif before["revision"] == 0 and after.get("opened"):
            return self._delete(receipt, page, marker)
        else:
            text = Text(self.editor.text_of(before["revision"]))
        words = f"Undo [[Special:Diff/{after['revision']}]]"
        saved = self.editor.save(page, text, summary_of(words, marker))
        return self._undone(receipt, after, (saved,))

    def _withdrawn(self, page: Page, before: Mapping[str, Any], after: Mapping[str, Any]) -> Text:
        """The page without our section; quietly, where the account may edit a talk page without notice."""
        old, new = self.editor.text_of(before["revision"]), self.editor.text_of(after["revision"])
        rest = without_section(page.text, old, new)
        if rest is None:
            raise Conflict(f"our section on {page.title} was answered or changed.", where=self.editor.site)
        return Text(rest, minor="nominornewtalk" in self.editor.client.wiki.rights)

    def _delete(self, receipt: Receipt, page: Page, marker: Marker) -> Receipt:
        if "delete" not in self.editor.client.wiki.rights:
            raise Forbidden(
                f"the account may not delete {page.title}.", where=receipt.site, hint="Ask an administrator."
            )
        self.editor.client.write(
            "delete", pageid=page.id, reason=summary_of("", marker), watchlist="nochange"
        )
        return self._undone(receipt, receipt.after or {}, ())

    # Receipts

    def _saved(self, action: Action, saved: Saved, extras: Mapping[str, Any]) -> Receipt:
        made: tuple[Ref, ...] = (Ref(action.site, Kind.CONTRIBUTION, str(saved.revision)),)
        if saved.parent == 0:
            made += (Ref(action.site, Kind.THREAD, str(saved.page)),)
        return Receipt(
            site=action.site,
            verb=action.verb,
            at=self.world.now(),
            made=made,
            url=self.platform.url(made[0]),
            before={"revision": saved.parent},
            after={"page": saved.page, "title": saved.title, "revision": saved.revision, **extras},
        )

    def _archived(self, action: ArchiveThread, done: Archived) -> Receipt:
        """Both edits in one receipt; `url` shows what was taken out."""
        receipt, kept = self._saved(action, done.talk, {}), self._saved(action, done.archive, {})
        return replace(
            receipt,
            made=(*receipt.made, *kept.made),
            before={**(receipt.before or {}), "archive": done.archive.parent},
            after={**(receipt.after or {}), "archive": kept.after},
        )

    def _changed(self, action: Action, change: Change) -> Receipt:
        return Receipt(
            site=action.site,
            verb=action.verb,
            at=self.world.now(),
            url=self.platform.url(action.item),
            before=change.before,
            after=change.after,
            attribution="ours" if change.ours else "unknown",
        )

    def _as_it_was(self, action: Action, page: Page) -> Receipt:
        """The page was already as wanted: done, and perhaps by somebody else."""
        after = {"page": page.id, "title": page.title, "revision": page.revision}
        return self._changed(action, Change(None, after, ours=False))

    def _undone(self, receipt: Receipt, after: Mapping[str, Any], saved: tuple[Saved, ...]) -> Receipt:
        made = tuple(Ref(receipt.site, Kind.CONTRIBUTION, str(s.revision)) for s in saved if s.revision)
        return Receipt(
            site=receipt.site,
            verb=receipt.verb,
            at=self.world.now(),
            made=made,
            url=receipt.url,
            before=None,
            after={**after, "undone": True},
        )


def _extras(action: Action) -> dict[str, Any]:
    """What the receipt of such an action says beyond the revisions."""
    if isinstance(action, OpenThread):
        return {"opened": True}
    if isinstance(action, EditText) or action.verb in ("set_labels", "archive_thread", "unarchive_thread"):
        return {}
    return {"section": True}
