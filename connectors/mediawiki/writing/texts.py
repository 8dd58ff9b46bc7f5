"""What each verb saves: from a page as it is to the text that it shall have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ....config.errors import Conflict, Filtered, NotFound, Refused
from ...actions import (
    ArchiveThread,
    EditText,
    NotifyModerators,
    OpenThread,
    Reply,
    SendMessage,
    SetLabels,
    UnarchiveThread,
)
from ..convert import labels_of
from ..people import People
from ..scope import CATEGORY
from ..wiki import Wiki
from ..wikitext import CategoryLinks, between, has_template, section
from .editing import Editor, Page, Text

TextAction = (
    SendMessage | Reply | NotifyModerators | OpenThread | EditText | SetLabels | ArchiveThread
    | UnarchiveThread
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """What to save on which page. `text` None: the page is already as it shall be."""

    page: Page
    text: Text | None
    words: str
    """For the edit summary."""
    receipt: Mapping[str, Any] = field(default_factory=dict)
    """What `undo` needs to know beyond the revisions."""


@dataclass(frozen=True, slots=True)
class Drafts:
    editor: Editor
    people: People

    def of(self, action: TextAction) -> Draft:
        """Reads the page concerned. Raises Conflict, NotFound, Filtered, Refused."""
        match action:
            case SendMessage():
                return self._message(action)
            case Reply():
                return self._reply(action)
            case NotifyModerators():
                return self._notice(action)
            case OpenThread():
                return self._new_page(action)
            case EditText():
                return self._edit(action)
            case SetLabels():
                return self._labels(action)
            case ArchiveThread():
                return self._archive(action)
            case UnarchiveThread():
                return self._unarchive(action)

    @property
    def _wiki(self) -> Wiki:
        return self.editor.client.wiki

    # Sections

    def _message(self, action: SendMessage) -> Draft:
        page = self.editor.read(titles=f"User talk:{self.people.name(action.to[0])}")
        self.editor.check(page, action.type)
        return self._section(page, action.subject, action.text)

    def _reply(self, action: Reply) -> Draft:
        page = self.editor.read(pageids=action.thread)
        talk = page if page.namespace % 2 else self.editor.read(titles=page.talk)
        self.editor.check(talk)
        return self._section(talk, action.subject, action.text)

    def _notice(self, action: NotifyModerators) -> Draft:
        if not action.page:
            raise Refused(
                "no page is named for notices.", where=action.site, hint="Name one in the policy: page: …"
            )
        page = self.editor.read(titles=action.page)
        self.editor.check(page)
        return self._section(page, action.subject, action.text)

    def _section(self, page: Page, heading: str, text: str) -> Draft:
        """Signed, and never minor nor marked as a bot's: it is meant to be noticed."""
        heading = heading or self.editor.client.account()
        signed = text.rstrip() if "~~~~" in text else f"{text.rstrip()}\n~~~~"
        words = f"/* {heading.replace('*/', '')} */"
        return Draft(page, Text(signed, heading=heading, bot=False), words, {"section": True})

    # Pages

    def _new_page(self, action: OpenThread) -> Draft:
        title = action.title
        if action.space and action.space.isdecimal() and int(action.space) in self._wiki.namespaces:
            prefix = self._wiki.namespaces[int(action.space)].name
            named = self._wiki.namespace(title.partition(":")[0]) if ":" in title else None
            if prefix and (named is None or named.id != int(action.space)):
                title = f"{prefix}:{title}"
        page = self.editor.read(titles=title)
        if page.exists:
            raise Conflict(f"{page.title} exists already.", where=action.site)
        text = self._links.change(action.text, action.labels, ())
        return Draft(page, Text(text), "", {"opened": True})

    def _edit(self, action: EditText) -> Draft:
        if action.contribution is not None:
            raise Refused("a revision cannot be edited, only its page.", where=action.site)
        which = {"pageids": action.thread} if action.thread is not None else {"titles": action.title}
        page = self.editor.read(**which)
        self.editor.check(page)
        if action.expected is None and page.exists and action.markers is None:
            raise Conflict(f"{page.title} exists already.", where=action.site)
        if action.expected and not page.exists:
            raise Conflict(f"{page.title} is not there any more.", where=action.site)
        text = self._edited(action, page)
        return Draft(page, self._unless_same(page, text, action.minor), action.summary)

    def _edited(self, action: EditText, page: Page) -> str:
        """The page's text with the part named replaced, if that part is what the author of this saw."""
        if action.markers is not None:
            part, block = between(page.text, action.markers), "\n" + action.text.strip("\n") + "\n"
            if part is None:
                self._compare(action, "")
                return _appended(page, action.markers, block)
            if action.expected is None:
                raise Conflict(f"{page.title} has such a block already.", where=action.site)
            self._compare(action, page.text[part.start : part.end])
            return f"{page.text[: part.start]}{block}{page.text[part.end :]}"
        start, end = 0, len(page.text)
        if action.section is not None:
            found = section(page.text, action.section)
            if found is None:
                raise NotFound(f"{page.title} has no section '{action.section}'.", where=action.site)
            start, end = found.start, found.end
        self._compare(action, page.text[start:end])
        return f"{page.text[:start]}{_joined(action, page, start, end)}{page.text[end:]}"

    def _compare(self, action: EditText, there: str) -> None:
        if (action.expected or "").strip() != there.strip():
            raise Conflict(f"{action.item} was changed meanwhile.", where=action.site)

    def _labels(self, action: SetLabels) -> Draft:
        page = self.editor.read(pageids=action.thread)
        self.editor.check(page)
        links = self._links
        text = links.change(page.text, action.add, action.remove)
        self._check_removed(page, links.tidy(action.remove), links.of(text))
        words = ", ".join([f"+{name}" for name in action.add] + [f"−{name}" for name in action.remove])
        return Draft(page, self._unless_same(page, text), words)

    @property
    def _links(self) -> CategoryLinks:
        category = self._wiki.namespaces[CATEGORY]
        return CategoryLinks(category.name, category.names, self._wiki.first_letter)

    def _check_removed(self, page: Page, removed: list[str], left: frozenset[str]) -> None:
        """Raises Filtered where a template puts the page into a category that shall go: that is not ours
        to change. Asks the wiki only about categories that the page's text did not name."""
        stay = [name for name in removed if name in left]
        unnamed = [name for name in removed if name not in self._links.of(page.text)]
        if unnamed:
            asked = [f"{self._links.word}:{name}" for name in unnamed]
            pages = self.editor.client.query(
                pageids=page.id, prop="categories", clcategories=asked, cllimit="max"
            )["query"]["pages"]
            stay += labels_of(pages[0])
        if stay:
            raise Filtered(
                f"{page.title} is in {', '.join(stay)} by a template.",
                where=self.editor.site,
                hint="Change the template, or its use on the page, by hand.",
            )

    def _archive(self, action: ArchiveThread) -> Draft:
        page = self.editor.read(pageids=action.thread)
        self.editor.check(page)
        block = _block(action)
        text = page.text if has_template(page.text, block) else f"{block}\n{page.text}"
        return Draft(page, self._unless_same(page, self._links.change(text, action.labels, ())), "")

    def _unarchive(self, action: UnarchiveThread) -> Draft:
        page = self.editor.read(pageids=action.thread)
        self.editor.check(page)
        block = _block(action)
        if not has_template(page.text, block):
            return Draft(page, None, "")
        if not page.text.startswith(block):
            raise Conflict(f"the template on {page.title} was changed or moved.", where=action.site)
        return Draft(page, Text(page.text.removeprefix(block).lstrip("\n")), "")

    def _unless_same(self, page: Page, text: str, minor: bool = False) -> Text | None:
        """Trailing white space is no difference: MediaWiki drops it."""
        same = page.exists and text.rstrip() == page.text.rstrip()
        return None if same else Text(text, minor=minor)


def _appended(page: Page, markers: tuple[str, str], text: str) -> str:
    block = f"{markers[0]}{text}{markers[1]}"
    before = page.text.rstrip("\n")
    return f"{before}\n\n{block}" if before else block


def _joined(action: EditText, page: Page, start: int, end: int) -> str:
    """A section's new text ends as the old one did, so that the next heading keeps its line."""
    if action.section is None or end == len(page.text):
        return action.text
    old = page.text[start:end]
    return action.text.rstrip("\n") + (old[len(old.rstrip("\n")) :] or "\n")


def _block(action: ArchiveThread | UnarchiveThread) -> str:
    if not action.template.strip():
        raise Refused(
            "no template is named for the archive.", where=action.site, hint="Name one: '{{Archived}}'."
        )
    return action.template.strip()


