"""The verbs that write text on the wiki side: performed, found again by their summary, taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ...config.errors import Conflict, Filtered, Refused
from ..actions import (
    Action,
    ArchiveThread,
    EditText,
    NotifyModerators,
    OpenThread,
    Reply,
    SendMessage,
    SetLabels,
    UnarchiveThread,
)
from ..base import Found, Marker, NotDone, Receipt
from ..mediawiki.wikitext import objection
from ..mediawiki.writing.withdraw import without_section
from ..records import Kind, Ref
from .archiving import Archiving
from .community import Sandbox, split_labels
from .editing import edited
from .platform import SandboxPlatform
from .schema import WIKI, micros
from .wiki import (
    WikiMember,
    current_revision,
    full_title,
    latest_revision,
    page_titled,
    talk_title,
    with_categories,
)


class WikiVerbs:
    """Text verbs of our account on the wiki side."""

    def __init__(self, sandbox: Sandbox, platform: SandboxPlatform, actor: WikiMember) -> None:
        self._sandbox, self._platform, self._actor = sandbox, platform, actor
        self._site = platform.site
        self._archiving = Archiving(sandbox, actor, self._site)

    def perform(self, action: Action, marker: Marker) -> Receipt:
        summary = _summary(marker)
        with self._sandbox.writing():
            match action:
                case SendMessage():
                    return self._message(action, summary)
                case Reply():
                    title = talk_title(self._sandbox.thread(WIKI, action.thread)["title"])
                    return self._section(action.verb, title, action.subject, action.text, summary)
                case NotifyModerators():
                    title = full_title(action.page or "Project talk:Ordito")
                    return self._section(action.verb, title, action.subject, action.text, summary)
                case OpenThread():
                    return self._open(action, summary)
                case EditText():
                    return self._edit(action, summary)
                case SetLabels():
                    return self._saved(action.verb, self._labelled(action, summary))
                case ArchiveThread(to=archive) if archive:
                    return self._both(action.verb, *self._archiving.perform(action, summary))
                case ArchiveThread():
                    return self._saved(action.verb, self._archived(action, summary))
                case UnarchiveThread():
                    return self._saved(action.verb, self._unarchived(action, summary))
                case _:
                    raise Refused(f"The wiki side cannot do '{action.verb}'.", where=self._site)

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        """Our revision with the marker in its summary, on whatever page, deleted ones too; an action that
        changed nothing has left no mark and counts as not done."""
        revisions = self._sandbox.rows(
            "SELECT * FROM contribution WHERE side = 'wiki' AND author = ? AND created_at >= ?"
            " AND instr(summary, ?) ORDER BY id",
            self._actor.id, micros(since), f"[{marker.token}]",
        )  # fmt: skip
        if not revisions:
            return NotDone()
        if isinstance(action, ArchiveThread) and action.to:
            archive, talk = revisions[:2]
            return self._both(action.verb, talk, archive)
        return self._receipt(action.verb, revisions[0])

    def undo(self, receipt: Receipt) -> Receipt:
        """Sections are taken out while they stand as they were written; other edits are reverted while
        theirs is the latest revision. Raises Conflict otherwise."""
        after = receipt.after or {}
        if not after.get("revision"):
            raise Refused("Nothing was changed, so there is nothing to undo.", where=self._site)
        with self._sandbox.writing():
            if "archive" in after:
                done = self._archiving.undo(receipt.before or {}, after)
                return self._receipt(f"undo_{receipt.verb}", done)
            page = self._sandbox.thread(WIKI, str(after["page"]))
            latest = latest_revision(self._sandbox, page["id"])
            text = self._text_before(receipt, latest)
            if text is None:
                self._actor.delete_page(str(page["id"]))
                return Receipt(
                    site=self._site, verb=f"undo_{receipt.verb}", at=self._sandbox.now(), before=after
                )
            self._actor.save(page["title"], text, "taken back", minor=True, base=str(latest["id"]))
            return self._receipt(f"undo_{receipt.verb}", latest_revision(self._sandbox, page["id"]))

    # How each is done

    def _message(self, action: SendMessage, summary: str) -> Receipt:
        username = self._sandbox.member(WIKI, action.to[0])["username"]
        title = f"User talk:{username}"
        return self._section(action.verb, title, action.subject, action.text, summary, action.type)

    def _latest(self, title: str, kind: str = "") -> dict[str, Any] | None:
        """The latest revision of a page that we mean to edit, None where there is no page. Raises Filtered
        where a template on it keeps us away; `kind` is the type of a message."""
        page = page_titled(self._sandbox, title)
        latest = current_revision(self._sandbox, page["id"]) if page else None
        against = objection(latest["text"], self._actor.username, kind) if latest else ""
        if against:
            raise Filtered(f"{title} carries {against}.", where=self._site, hint="Leave it to its people.")
        return latest

    def _section(
        self, verb: str, title: str, heading: str, text: str, summary: str, kind: str = ""
    ) -> Receipt:
        self._latest(title, kind)
        signed = text if "~~~~" in text else f"{text.rstrip()} ~~~~"
        revision = self._actor.add_section(title, heading, signed, summary)
        return self._receipt(verb, self._sandbox.contribution(WIKI, revision))

    def _open(self, action: OpenThread, summary: str) -> Receipt:
        labels = "".join(f"\n[[Category:{label}]]" for label in action.labels)
        revision = self._actor.save(action.title, action.text + labels, summary, create_only=True)
        return self._receipt(action.verb, self._sandbox.contribution(WIKI, str(revision)))

    def _edit(self, action: EditText, summary: str) -> Receipt:
        if action.contribution is not None:
            raise Refused("A revision cannot be edited, only its page.", where=self._site)
        title = full_title(action.title or "")
        if action.thread is not None:
            title = self._sandbox.thread(WIKI, action.thread)["title"]
        latest = self._latest(title)
        new = edited(latest["text"] if latest else None, action)
        words = f"{action.summary} {summary}".strip()
        revision = self._actor.save(
            title, new, words, minor=action.minor, base=str(latest["id"]) if latest else None
        )
        return self._saved(action.verb, revision)

    def _labelled(self, action: SetLabels, summary: str) -> str | None:
        add, remove = _titles(action.add), _titles(action.remove)
        page = self._sandbox.thread(WIKI, action.thread)
        self._latest(page["title"])
        held = split_labels(page["labels"])
        if add <= held and not remove & held:
            return None
        return self._actor.label(action.thread, add, remove, summary)

    def _archived(self, action: ArchiveThread, summary: str) -> str | None:
        page, text, template = self._page(action)
        if text.startswith(template):
            return None
        text = with_categories(f"{template}\n{text}", _titles(action.labels), frozenset())
        return self._save(page, text, summary)

    def _unarchived(self, action: UnarchiveThread, summary: str) -> str | None:
        page, text, template = self._page(action)
        if not text.startswith(template):
            return None
        return self._save(page, text.removeprefix(template).lstrip("\n"), summary)

    def _page(self, action: ArchiveThread | UnarchiveThread) -> tuple[dict[str, Any], str, str]:
        """The page, its text, and the template that is put there or taken away."""
        page = self._sandbox.thread(WIKI, action.thread)
        latest = self._latest(page["title"])
        if not action.template.strip():
            raise Refused("Archiving a page needs a template.", where=self._site, hint="Name one: '{{Old}}'.")
        return page, str(latest["text"]) if latest else "", action.template.strip()

    def _save(self, page: dict[str, Any], text: str, summary: str) -> str | None:
        base = latest_revision(self._sandbox, page["id"])["id"]
        return self._actor.save(page["title"], text, summary, base=str(base))

    # Receipts

    def _saved(self, verb: str, revision: str | None) -> Receipt:
        if revision is None:
            return Receipt(
                site=self._site, verb=verb, at=self._sandbox.now(), before={}, after={}, attribution="unknown"
            )
        return self._receipt(verb, self._sandbox.contribution(WIKI, revision))

    def _receipt(self, verb: str, revision: dict[str, Any]) -> Receipt:
        ref = Ref(self._site, Kind.CONTRIBUTION, str(revision["id"]))
        parent = self._before(revision)
        made: tuple[Ref, ...] = (ref,)
        if parent is None:
            made = (Ref(self._site, Kind.THREAD, str(revision["thread"])), ref)
        return Receipt(
            site=self._site, verb=verb, at=self._sandbox.now(), made=made, url=self._platform.url(ref),
            before={"text": None if parent is None else parent["text"]},
            after={"page": str(revision["thread"]), "revision": ref.id, "text": revision["text"]},
        )  # fmt: skip

    def _both(self, verb: str, talk: dict[str, Any], archive: dict[str, Any]) -> Receipt:
        """What moving sections left on two pages."""
        first, second = self._receipt(verb, talk), self._receipt(verb, archive)
        return replace(
            first,
            made=(*first.made, *second.made),
            before={**(first.before or {}), "archive": (second.before or {})["text"]},
            after={**(first.after or {}), "archive": second.after},
        )

    def _before(self, revision: dict[str, Any]) -> dict[str, Any] | None:
        if revision["parent"] is None:
            return None
        return self._sandbox.row(
            "SELECT * FROM contribution WHERE side = 'wiki' AND id = ?", revision["parent"]
        )

    def _text_before(self, receipt: Receipt, latest: dict[str, Any]) -> str | None:
        """What the page shall say again; None = it shall not be there."""
        after, before = receipt.after or {}, (receipt.before or {}).get("text")
        if str(latest["id"]) == after["revision"]:
            return None if before is None else str(before)
        if receipt.verb in _SECTIONS:
            text = without_section(latest["text"], str(before or ""), str(after["text"]))
            if text is not None:
                return text
        raise Conflict(
            "Somebody has edited the page since.", where=self._site, hint="Leave it, or take it back by hand."
        )


_SECTIONS = frozenset({"send_message", "reply", "notify_moderators"})


def _titles(labels: Iterable[str]) -> frozenset[str]:
    return frozenset(full_title(label) for label in labels)


def _summary(marker: Marker) -> str:
    return f"{marker.note} [{marker.token}]".strip()
