"""What of a forum is kept: `since`, `exclude`, `text`, `messages` of the settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from ..records import Space
from .mapping import moment, tag_names
from .settings import DiscourseSettings

Json = Mapping[str, Any]


class Scope:
    """Answers whether a row may be kept. `hidden_spaces` are ids of excluded categories and everything
    below them; they come from `learn`, or from the cursor."""

    def __init__(self, settings: DiscourseSettings, hidden_spaces: Iterable[str] = ()) -> None:
        excluded = settings.exclude
        since = settings.since
        self.since = None if since is None else datetime.combine(since, time(), UTC)
        self.text = settings.text
        self.messages = settings.messages
        self.hidden_spaces = frozenset(hidden_spaces)
        self.labels = frozenset(name.casefold() for name in excluded.labels)
        self._spaces = frozenset(name.casefold() for name in excluded.spaces)
        self._members = frozenset(name.casefold() for name in excluded.members)

    @property
    def digest(self) -> str:
        """Of all settings that bound what is read."""
        parts = (self.since, sorted(self.labels), sorted(self._spaces), sorted(self._members))
        text = repr((parts, self.text, self.messages))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def whole_topics(self) -> bool:
        """Whether all posts of a topic that is kept are."""
        return self.since is None and not self._members

    def learn(self, spaces: Iterable[Space]) -> None:
        """Find the ids of the excluded categories: named by name, by `parent/name` or by id."""
        by_id = {space.id: space for space in spaces}
        hidden = {space.id for space in by_id.values() if self._names(space, by_id) & self._spaces}
        while more := {s.id for s in by_id.values() if s.parent in hidden} - hidden:
            hidden |= more
        self.hidden_spaces = frozenset(hidden)

    def unmet(self, spaces: Iterable[Space]) -> frozenset[str]:
        """The names of excluded categories, casefolded, that none of these bears."""
        by_id = {space.id: space for space in spaces}
        return self._spaces.difference(*(self._names(space, by_id) for space in by_id.values()))

    def _names(self, space: Space, by_id: Mapping[str, Space]) -> set[str]:
        parent = by_id.get(space.parent or "")
        path = {f"{parent.name}/{space.name}".casefold()} if parent else set()
        return {space.id, space.name.casefold()} | path

    def member(self, username: Any) -> bool:
        return str(username or "").casefold() not in self._members

    def space(self, number: Any) -> bool:
        return number is None or str(number) not in self.hidden_spaces

    def topic(self, row: Json) -> bool:
        """A row of a topic list or a topic's view, as far as lists are read."""
        at = row.get("last_posted_at") or row.get("bumped_at") or row.get("created_at")
        return self.admits(row) and not self._too_old(at)

    def admits(self, row: Json) -> bool:
        """The same of a topic that is asked for by its number, whatever its age."""
        return self.space(row.get("category_id")) and not self.labelled(row)

    def labelled(self, row: Json) -> bool:
        """Whether a topic carries an excluded tag."""
        tags = tag_names(row.get("tags", [])) or frozenset()
        return any(tag.casefold() in self.labels for tag in tags)

    def post(self, row: Json) -> bool:
        """A post; whether its topic is kept is another question."""
        return (
            self.space(row.get("category_id"))
            and self.member(row.get("username"))
            and not self._too_old(row.get("created_at"))
        )

    def all_too_old(self, rows: Sequence[Json]) -> bool:
        """Whether a page has posts, and all of them from before `since`."""
        return bool(rows) and all(self._too_old(row.get("created_at")) for row in rows)

    def _too_old(self, text: Any) -> bool:
        at = moment(text)
        return self.since is not None and at is not None and at < self.since
