"""Sections of a talk page to an archive, on the wiki side: both pages in one transaction, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...config.errors import Conflict, Filtered
from ..actions import ArchiveThread
from ..mediawiki.talk import without
from ..mediawiki.wikitext import objection
from ..mediawiki.writing.withdraw import without_section
from .community import Sandbox
from .schema import WIKI
from .wiki import WikiMember, current_revision, full_title, latest_revision, page_titled

Row = dict[str, Any]


class Archiving:
    """As our account. Errors are raised as the real wiki would refuse."""

    def __init__(self, sandbox: Sandbox, actor: WikiMember, site: str) -> None:
        self._sandbox, self._actor, self._site = sandbox, actor, site

    def perform(self, action: ArchiveThread, summary: str) -> tuple[Row, Row]:
        """The revisions of the talk page and of the archive."""
        title, archive = self._sandbox.thread(WIKI, action.thread)["title"], full_title(action.to)
        talk, before = self._latest(title), self._latest(archive)
        rest = without(talk["text"] if talk else "", action.sections)
        if talk is None or rest is None:
            raise Conflict(f"A section of {title} was changed meanwhile.", where=self._site)
        block = "\n\n".join(each.strip() for each in action.sections)
        above = (before["text"] if before else "").rstrip() or action.template.strip()
        self._save(archive, f"{above}\n\n{block}" if above else block, summary)
        self._save(title, rest, summary)
        return self._now(title), self._now(archive)

    def undo(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Row:
        """Both as they were, unless somebody changed the talk page or the sections in the archive."""
        there = after["archive"]
        talk, archive = (self._sandbox.thread(WIKI, str(page["page"])) for page in (after, there))
        latest = latest_revision(self._sandbox, talk["id"])
        rest = without_section(
            latest_revision(self._sandbox, archive["id"])["text"], before["archive"] or "", there["text"]
        )
        if str(latest["id"]) != after["revision"] or rest is None:
            raise Conflict("Somebody has edited one of the pages since.", where=self._site)
        self._save(talk["title"], before["text"], "taken back")
        self._save(archive["title"], rest, "taken back")
        return self._now(talk["title"])

    def _latest(self, title: str) -> Row | None:
        page = page_titled(self._sandbox, title)
        latest = current_revision(self._sandbox, page["id"]) if page else None
        if latest and (against := objection(latest["text"], self._actor.username)):
            raise Filtered(f"{title} carries {against}.", where=self._site, hint="Leave it to its people.")
        return latest

    def _save(self, title: str, text: str, summary: str) -> None:
        page = page_titled(self._sandbox, title)
        base = str(latest_revision(self._sandbox, page["id"])["id"]) if page else None
        self._actor.save(title, text, summary, base=base)

    def _now(self, title: str) -> Row:
        page = page_titled(self._sandbox, title)
        assert page is not None  # noqa: S101 (it was saved just now)
        return latest_revision(self._sandbox, page["id"])
