"""The stamp of a thread: what a row of the topic list showed when the thread was last read.

It goes to the mirror as an opaque string and comes back when rows are compared (`Known.stamps`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .mapping import tag_names

_FORM = "1"
_WHOLE = "whole"
FLAGS = ("closed", "archived", "visible")
"""States whose changes the forum notes in the topic itself."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """`state`: a digest of title, category, tags and flags, and the first letters of those of `FLAGS` that
    are set. The next five tell whether posts came, went or changed. `solved`: id of the accepted post, which
    only posts tell, never a list; '' = unknown. `whole`: the topic was read by itself, with what lists of
    posts leave out, and what has come since was handed over."""

    state: str
    posts: int
    highest: int
    likes: int
    bumped: str
    last: str
    solved: str = ""
    whole: bool = False

    def __str__(self) -> str:
        parts = (_FORM, self.state, self.posts, self.highest, self.likes, self.bumped, self.last, self.solved)
        return "|".join([*map(str, parts), *([_WHOLE] if self.whole else [])])

    @classmethod
    def parse(cls, text: str) -> Stamp | None:
        """None for a stamp of another form, or none at all."""
        parts, whole = text.split("|"), False
        if len(parts) == 9:
            whole = parts.pop() == _WHOLE
        if len(parts) != 8 or parts[0] != _FORM:
            return None
        try:
            posts, highest, likes = map(int, parts[2:5])
        except ValueError:
            return None
        bumped, last, solved = parts[5:]
        return cls(parts[1], posts, highest, likes, bumped, last, solved, whole)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Stamp:
        """From a row of a topic list."""
        state = (
            row.get("title"),
            row.get("category_id"),
            sorted(tag_names(row.get("tags", [])) or ()),
            *(bool(row.get(key)) for key in ("closed", "archived", "visible", "pinned", "pinned_globally")),
            row.get("has_accepted_answer"),
        )
        flags = "".join(name[0] for name in FLAGS if row.get(name))
        return cls(
            state=f"{hashlib.blake2b(repr(state).encode(), digest_size=6).hexdigest()}.{flags}",
            posts=int(row.get("posts_count") or 0),
            highest=int(row.get("highest_post_number") or 0),
            likes=int(row.get("like_count") or 0),
            bumped=str(row.get("bumped_at") or ""),
            last=str(row.get("last_posted_at") or ""),
        )

    @property
    def flags(self) -> str | None:
        """Those that are set, by their first letters; None in a stamp of before they were in it."""
        _, known, flags = self.state.partition(".")
        return flags if known else None

    def flipped(self, old: Stamp) -> frozenset[str]:
        """The first letters of those of `FLAGS` that are others than they were, as far as the older stamp
        knows."""
        return frozenset() if old.flags is None else frozenset(self.flags or "") ^ frozenset(old.flags)

    def same_posts(self, other: Stamp) -> bool:
        """Whether nothing has happened to the posts between the two, as far as a list shows."""
        mine, others = (replace(one, state="", solved="", whole=False) for one in (self, other))
        return mine == others
