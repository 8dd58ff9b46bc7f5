"""Read a MediaWiki export file (https://www.mediawiki.org/wiki/Help:Export) as a history."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree  # noqa: S405  (a file that the person at the keyboard names)

from tests.servers.mediawiki.history import Edit, History, Person

_FIRST_OWN_NAMESPACE = 100
_BEFORE_THE_FIRST_EDIT = timedelta(hours=1)


def read_export(path: Path, newest: datetime | None = None) -> History:
    """All pages, revisions and contributors of the file (`.xml` or `.xml.gz`), with their ids.

    `newest` moves all times by one constant, so that the last revision falls there. Contributors become
    accounts that registered shortly before their first edit in the file; nobody can sign in as one of them.
    """
    edits: list[Edit] = []
    ids: dict[str, int] = {}
    namespaces: dict[int, str] = {}
    for page in _pages(path):
        title, number = page.findtext("{*}title", ""), int(page.findtext("{*}ns", "0"))
        if number >= _FIRST_OWN_NAMESPACE:
            namespaces[number] = title.partition(":")[0]
        for revision in page.iterfind("{*}revision"):
            edits.append(_edit(page, revision, number, title.partition(":")[2] if number else title))
            name = revision.findtext("{*}contributor/{*}username")
            if name:
                ids[name] = max(int(revision.findtext("{*}contributor/{*}id", "0")), ids.get(name, 0))
    edits.sort(key=lambda edit: (edit.at, edit.revision_id))
    if newest is not None and edits:
        shift = newest - edits[-1].at
        edits = [replace(edit, at=edit.at + shift) for edit in edits]
    return History(_people(edits, ids), edits, namespaces, whole=True)


def _pages(path: Path) -> Iterator[ElementTree.Element]:
    opener = gzip.open if path.suffix == ".gz" else Path.open
    with opener(path, "rb") as file:
        for _, element in ElementTree.iterparse(file):  # noqa: S314  (see the import)
            if element.tag.endswith("}page"):
                yield element
                element.clear()


def _edit(page: ElementTree.Element, revision: ElementTree.Element, namespace: int, title: str) -> Edit:
    contributor = "{*}contributor/{*}"
    return Edit(
        namespace=namespace,
        title=title,
        at=datetime.fromisoformat(revision.findtext("{*}timestamp", "")).astimezone(UTC),
        by=revision.findtext(f"{contributor}username") or revision.findtext(f"{contributor}ip") or "Unknown",
        text=revision.findtext("{*}text") or "",
        comment=revision.findtext("{*}comment") or "",
        minor=revision.find("{*}minor") is not None,
        page_id=int(page.findtext("{*}id", "0")),
        revision_id=int(revision.findtext("{*}id", "0")),
    )


def _people(edits: list[Edit], ids: dict[str, int]) -> list[Person]:
    """The named contributors in the order of their first edits; who has no id in the file gets a new one."""
    first: dict[str, datetime] = {}
    for edit in edits:
        if edit.by in ids:
            first.setdefault(edit.by, edit.at)
    beyond = max(ids.values(), default=0)
    people: list[Person] = []
    for name, at in first.items():
        if not ids[name]:
            beyond += 1
        people.append(Person(name, at - _BEFORE_THE_FIRST_EDIT, ids[name] or beyond))
    return people
