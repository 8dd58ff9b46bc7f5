"""What the settings add to what a mirror holds already: texts, categories and users that were left out,
namespaces. Only that is read, and as a first sync would read it: many pages with one request.

Until a step is done, the extent in the cursor says that it is not. A step that was stopped goes on where it
was, or begins again where that takes few requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import ceil

from ..base import Ahead, Batch, Cursor, Known
from .client import Client
from .convert import Converter
from .extent import Extent
from .left_out import Pages, People
from .scan import Scan, State

Step = tuple[str, Callable[[State], Iterator[Batch]], Extent]
"""Its name, the reading from a state, whose batches carry the state after them, and the extent after it."""


@dataclass(frozen=True, slots=True)
class Adding:
    """One use for one sync."""

    client: Client
    convert: Converter
    known: Known

    def run(self, cursor: Cursor) -> Iterator[Batch]:
        """From a cursor of `recent.py` to one with the extent of the settings."""
        now = Extent.of(self.convert.scope, self.known)
        held = Extent.load(cursor["extent"]).within(now)
        under_way = cursor.get("adding", {})
        cursor = {key: value for key, value in cursor.items() if key != "adding"}
        cursor["extent"] = held.document()
        aim = blake2b(repr(now.document()).encode(), digest_size=8).hexdigest()
        if held != now and under_way.get("aim") != aim:
            under_way = {"aim": aim}
            yield Batch(cursor={**cursor, "adding": under_way}, ahead=self._ahead(held, now))
        for name, reading, after in self._steps(held, now):
            for batch in reading(under_way.get("at", {}) if under_way.get("step") == name else {}):
                at = {"aim": aim, "step": name, "at": batch.cursor}
                yield replace(batch, cursor={**cursor, "adding": at})
            cursor["extent"] = after.document()
            yield Batch(cursor={**cursor, "adding": {"aim": aim}})
        yield Batch(cursor={**cursor, "extent": now.document()})

    def _steps(self, held: Extent, now: Extent) -> Iterator[Step]:
        """Pages that the mirror lacks come first: any other step would take the one text that it reads of
        them for all that there is."""
        spaces, added = tuple(sorted(held.namespaces)), tuple(sorted(now.namespaces - held.namespaces))
        if held.labels != now.labels:
            held = replace(held, labels=now.labels)
            yield "labels", Pages(self.client, self.convert, self.known, spaces).read, held
        if now.text and not held.text:
            held = replace(held, text=True)
            yield "text", lambda at: self._scan(spaces, at or {"phase": "pages"}), held
        if added:
            held = replace(held, namespaces=now.namespaces)
            yield "namespaces", lambda at: self._namespaces(added, at), held
        if lifted := held.members - now.members:
            yield "members", People(self.client, self.convert, self.known, lifted).read, now

    def _namespaces(self, added: tuple[int, ...], at: State) -> Iterator[Batch]:
        if not at:
            spaces = tuple(self.convert.space(number) for number in added)
            at = {"phase": "revisions"}
            yield Batch(records=spaces, cursor=at)
        yield from self._scan(added, at)

    def _scan(self, spaces: tuple[int, ...], at: State) -> Iterator[Batch]:
        if spaces:
            yield from Scan(self.client, self.convert, self.known, spaces).run({"time": "", "scan": "", **at})

    def _ahead(self, held: Extent, now: Extent) -> Ahead:
        """What there is to read, and the most that it can take, by the wiki's own counts."""
        wiki, parts, requests = self.convert.wiki, [], 0
        count, rows, size = wiki.statistics.get, wiki.rows_per_request, wiki.pages_per_request
        pages, edits = ceil(count("pages", 0) / size), ceil(count("edits", 0) / rows)
        spaces, added = len(held.namespaces), now.namespaces - held.namespaces
        if now.text and not held.text:
            parts.append("texts")
            requests += spaces + pages
        if held.labels - now.labels:
            parts.append("pages in categories that are no longer excluded")
            requests += spaces + len(now.labels) + ceil(count("pages", 0) / rows) + edits + pages
        if added:
            names = [wiki.namespaces[number].label for number in sorted(added)]
            parts.append(f"the namespace{'s' if len(names) > 1 else ''} {', '.join(names)}")
            requests += len(added) + len(now.labels) + max(1, edits) + pages
        if lifted := held.members - now.members:
            parts.append(f"{len(lifted)} user{'s' if len(lifted) > 1 else ''} no longer excluded")
            requests += max(1, ceil(count("users", 0) / rows)) + len(lifted) * 2 + edits + pages
        what = f"what the settings add is read: {', '.join(parts)}"
        requests += self.client.sent + 1  # with what was sent, and what has changed
        return Ahead(what=what, requests=requests, at_most=True)
