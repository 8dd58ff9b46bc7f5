"""What a user can do on the wiki side, by the rules of a MediaWiki."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from ...config.errors import Conflict, Filtered, Forbidden, NotFound
from .community import Sandbox, join_labels, number
from .schema import WIKI, micros

NAMESPACES = {
    0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Project", 5: "Project talk", 10: "Template",
    11: "Template talk", 14: "Category", 15: "Category talk",
}  # fmt: skip
_NUMBERS = {name.casefold(): space for space, name in NAMESPACES.items() if name}
_CATEGORY = re.compile(r"\[\[[ _]*category[ _]*:[ _]*([^\]|\n]+?)[ _]*(?:\|[^\]\n]*)?\]\]", re.I)


def full_title(title: str) -> str:
    """The title as the wiki writes it: spaces for underscores, the first letter in upper case."""
    words = " ".join(title.replace("_", " ").split())
    prefix, colon, rest = words.partition(":")
    space = _NUMBERS.get(prefix.strip().casefold()) if colon else None
    if space is None:
        return words[:1].upper() + words[1:]
    rest = rest.strip()
    return f"{NAMESPACES[space]}:{rest[:1].upper()}{rest[1:]}"


def namespace(title: str) -> int:
    prefix, colon, _ = title.partition(":")
    return _NUMBERS.get(prefix.casefold(), 0) if colon else 0


def talk_title(title: str) -> str:
    """The title of the talk page that belongs to the page; a talk page is its own."""
    space = namespace(title)
    if space % 2:
        return title
    bare = title.partition(":")[2] if space else title
    return f"{NAMESPACES[space + 1]}:{bare}"


def categories(text: str) -> frozenset[str]:
    """The categories that the text puts its page into, by their names without the prefix."""
    found = (full_title(name) for name in _CATEGORY.findall(text))
    return frozenset(found)


def with_categories(text: str, add: frozenset[str], remove: frozenset[str]) -> str:
    """The text with category links taken out and added at its end."""

    def kept(match: re.Match[str]) -> str:
        return "" if full_title(match[1]) in remove else match[0]

    left = _CATEGORY.sub(kept, text) if remove else text
    missing = sorted(add - categories(left))
    lines = "".join(f"\n[[Category:{name}]]" for name in missing)
    return re.sub(r"\n{3,}", "\n\n", left).rstrip("\n") + lines


class WikiMember:
    """A user of the wiki who acts now. Conflict, Filtered, Forbidden and NotFound are raised as the wiki
    would refuse; revisions and pages are named by their ids as strings."""

    def __init__(self, sandbox: Sandbox, id: int) -> None:
        self._sandbox = sandbox
        self.id = id

    @property
    def username(self) -> str:
        return str(self._sandbox.member(WIKI, self.id)["username"])

    def has_right(self, *groups: str) -> bool:
        return bool(self._sandbox.groups_of(WIKI, self.id) & set(groups))

    def _may(self, what: str, *groups: str) -> None:
        if not self.has_right(*groups):
            raise Forbidden(
                f"{self.username} may not {what}.",
                hint=f"The account must be in the group {' or '.join(groups)}.",
            )

    def _may_edit(self) -> None:
        me = self._sandbox.member(WIKI, self.id)
        if (me["suspended_until"] or 0) > micros(self._sandbox.now()):
            raise Forbidden(f"{me['username']} is blocked.")

    # Text

    def save(
        self,
        title: str,
        text: str,
        summary: str = "",
        *,
        minor: bool = False,
        base: str | None = None,
        create_only: bool = False,
    ) -> str | None:
        """Save a page and make it if it is missing; returns the revision's id, None for a null edit.

        `base` is the revision that the text was made from: a newer one is a Conflict. `create_only` makes
        an existing page a Conflict.
        """
        self._may_edit()
        box, title = self._sandbox, full_title(title)
        with box.writing() as at:
            page = page_titled(box, title)
            if create_only and page is not None:
                raise Conflict(f"The page '{title}' exists already.")
            if page is None:
                if base is not None:
                    raise Conflict(f"The page '{title}' was deleted meanwhile.")
                page = self._create(title, at)
            return self._revise(page, self._sign(text.rstrip(), at), summary, minor, base)

    def _create(self, title: str, at: int) -> dict[str, Any]:
        box, space = self._sandbox, namespace(title)
        id = box.next_id("thread", WIKI)
        box.db.execute(
            "INSERT INTO thread (side, id, kind, space, title, author, created_at, last_activity_at, seq)"
            " VALUES ('wiki', ?, ?, ?, ?, ?, ?, ?, ?)",
            (id, "talk" if space % 2 else "page", space, title, self.id, at, at, box.tick()),
        )
        return box.thread(WIKI, id)

    def _revise(
        self, page: dict[str, Any], text: str, summary: str, minor: bool, base: str | None
    ) -> str | None:
        box = self._sandbox
        latest = current_revision(box, page["id"])
        if latest is not None:
            if base is not None and latest["id"] != number(base):
                raise Conflict(f"The page '{page['title']}' was edited meanwhile.")
            if latest["text"] == text:
                return None
            box.db.execute(
                "UPDATE contribution SET current = 0, seq = ? WHERE side = 'wiki' AND id = ?",
                (box.tick(), latest["id"]),
            )
        id = box.add_contribution(
            WIKI, page["id"], self.id, text, kind="minor" if minor else "regular", summary=summary,
            parent=latest["id"] if latest else None,
        )  # fmt: skip
        box.db.execute(
            "UPDATE thread SET labels = ?, last_activity_at = ?, seq = ? WHERE side = 'wiki' AND id = ?",
            (join_labels(categories(text)), micros(box.now()), box.tick(), page["id"]),
        )
        return str(id)

    def _sign(self, text: str, at: int) -> str:
        name = self.username
        when = f"{self._sandbox.now():%H:%M, %-d %B %Y} (UTC)"
        return text.replace("~~~~", f"[[User:{name}|{name}]] ([[User talk:{name}|talk]]) {when}")

    def add_section(
        self, title: str, heading: str, text: str, summary: str = "", *, minor: bool = False
    ) -> str:
        """A new section at the end of a page, which is made if it is missing; returns the revision's id."""
        page = page_titled(self._sandbox, full_title(title))
        latest = current_revision(self._sandbox, page["id"]) if page else None
        before = f"{latest['text']}\n\n" if latest and latest["text"] else ""
        section = f"== {heading} ==\n\n{text}" if heading else text
        saved = self.save(
            title, before + section, summary, minor=minor, base=str(latest["id"]) if latest else None
        )
        if saved is None:
            raise Filtered("The section is empty.")
        return saved

    def label(self, page: str, add: frozenset[str], remove: frozenset[str], summary: str = "") -> str | None:
        """Add and remove category links; returns the revision's id, None if nothing changed."""
        found = self._sandbox.thread(WIKI, page)
        latest = latest_revision(self._sandbox, found["id"])
        text = with_categories(latest["text"], add, remove)
        return self.save(found["title"], text, summary, minor=True, base=str(latest["id"]))

    # Pages and people

    def move(self, page: str, title: str) -> int | None:
        """Another title; the page keeps its id, a redirect stays behind. Filtered if the target exists.
        Returns the number in the journal."""
        self._may_edit()
        box, title = self._sandbox, full_title(title)
        with box.writing():
            found = box.thread(WIKI, page)
            if found["title"] == title:
                return None
            self._make_way(title, found["title"])
            space = namespace(title)
            box.db.execute(
                "UPDATE thread SET title = ?, space = ?, kind = ?, seq = ? WHERE side = 'wiki' AND id = ?",
                (title, space, "talk" if space % 2 else "page", box.tick(), found["id"]),
            )
            self.save(found["title"], f"#REDIRECT [[{title}]]", f"moved to {title}")
            return box.note(WIKI, "thread", found["id"], "page_title", title, found["title"], self.id)

    def _make_way(self, title: str, source: str) -> None:
        """A redirect to the source that was never anything else gives way to a move back."""
        box = self._sandbox
        there = page_titled(box, title)
        if there is None:
            return
        latest = latest_revision(box, there["id"])
        if latest["parent"] is not None or latest["text"] != f"#REDIRECT [[{source}]]":
            raise Filtered(f"There is a page '{title}' already.")
        box.delete_thread(WIKI, there["id"])

    def delete_page(self, page: str) -> None:
        self._may("delete pages", "sysop")
        with self._sandbox.writing():
            self._sandbox.delete_thread(WIKI, self._sandbox.thread(WIKI, page)["id"])

    def put_into_group(self, member: str, group: str, *, present: bool = True) -> int | None:
        self._may("change user groups", "bureaucrat")
        return self._sandbox.put_into_group(WIKI, member, group, by=self.id, present=present)

    def block(self, member: str, days: int = 30) -> None:
        self._may("block users", "sysop")
        self._sandbox.suspend(WIKI, member, self._sandbox.now() + timedelta(days=days))

    def refuse_messages(self) -> None:
        """Put {{nobots}} on one's own talk page."""
        title = f"User talk:{self.username}"
        page = page_titled(self._sandbox, title)
        text = latest_revision(self._sandbox, page["id"])["text"] if page else ""
        self.save(title, f"{{{{nobots}}}}\n{text}", "no bots, please")


def page_titled(sandbox: Sandbox, title: str) -> dict[str, Any] | None:
    """The undeleted page with this full title."""
    return sandbox.row("SELECT * FROM thread WHERE side = 'wiki' AND title = ? AND deleted_at IS NULL", title)


def current_revision(sandbox: Sandbox, page: int) -> dict[str, Any] | None:
    return sandbox.row(
        "SELECT * FROM contribution WHERE side = 'wiki' AND thread = ? AND deleted_at IS NULL"
        " ORDER BY id DESC LIMIT 1",
        page,
    )


def latest_revision(sandbox: Sandbox, page: int) -> dict[str, Any]:
    """As `current_revision`; raises NotFound."""
    found = current_revision(sandbox, page)
    if found is None:
        raise NotFound(
            f"The page {page} has no revision.", hint="It may have been deleted; run `ordito sync`."
        )
    return found


def incoming(sandbox: Sandbox, title: str, most: int) -> int:
    """How many pages of content link to the page by its title, counted up to `most`."""
    return len(
        sandbox.rows(
            "SELECT 1 FROM contribution c JOIN thread t ON t.side = c.side AND t.id = c.thread"
            " WHERE c.side = 'wiki' AND c.current = 1 AND c.deleted_at IS NULL AND t.deleted_at IS NULL"
            " AND t.space % 2 = 0 AND t.space != 2 AND t.title != ?"
            " AND (instr(c.text, ?) OR instr(c.text, ?) OR instr(c.text, ?)) LIMIT ?",
            title, f"[[{title}]]", f"[[{title}|", f"[[{title}#", most,
        )
    )  # fmt: skip
