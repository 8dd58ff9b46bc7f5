"""The cursor: how far a forum was read, small and plain enough to be stored with every batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import uuid4

VERSION = 1

_REMEMBERED = 5000
"""Topics of which a cursor remembers something: it is stored with every batch and should be small."""


@dataclass(slots=True)
class State:
    """Where the reading stands. `job`: `full` or `sweep` while one is under way, with its `phase` and the
    position `at` within it; '' between them.

    The watermarks say what the runs between sweeps need not read again: `post` the highest post id,
    `private` that of private messages, `bumped` the newest `bumped_at` of a topic row, `joined` the newest
    member (`created_at`), `mail` the newest activity in our own messages, `event` the newest delivery of
    the webhook.
    """

    settings: str = ""
    """Digest of the settings that bound what is read, by which it is seen whether they are the same."""
    bounds: dict[str, Any] = field(default_factory=dict)
    """What they let through, as `Bounds` writes it; settings that let through no more go on from here."""
    job: str = ""
    phase: str = ""
    at: dict[str, Any] = field(default_factory=dict)
    scan: str = ""
    post: int = 0
    private: int = 0
    bumped: str = ""
    joined: str = ""
    mail: str = ""
    event: int = 0
    heard: dict[str, Any] = field(default_factory=dict)
    """`at`: when the log of events was read to its end; `kept`: seconds for which it keeps them at least."""
    deaf: str = ""
    """When the log did not go back to the reading before: of what came before that, edits may be missing
    until a round of the rolling re-read has begun later, and ended."""
    behind: bool = False
    """Such a round, of all posts, is due with a sweep."""
    flags: dict[str, str] = field(default_factory=dict)
    """Of topics, the states as of the events that were dealt with, while there are more."""
    told_all: bool = False
    """In the last full pass Data Explorer told everything since the forum began."""
    abouts: list[int] = field(default_factory=list)
    """The topics that describe categories: no list shows them."""
    explored: dict[str, Any] = field(default_factory=dict)
    """Up to where the query of Data Explorer was read."""
    asked: str = ""
    """When it was last asked for all that it tells."""
    swept: str = ""
    """When the last full pass or sweep began: no state of a topic or member is older than that."""
    swept_before: str = ""
    """When the one before began."""
    down: dict[str, Any] = field(default_factory=dict)
    """A descent through new posts that was interrupted: `below`, `top` and how the forum pages."""
    rows_due: bool = False
    """New posts were handed over, the rows of their topics not yet."""
    rolled: int = 0
    """The rolling re-read goes on with posts below this id; 0: with the newest."""
    round: str = ""
    """When the running round of the rolling re-read began, and"""
    round_before: str = ""
    """the one before: no edit of a post is missed that is older than this."""
    unlisted_apart: bool = False
    """The forum leaves unlisted topics out of its list of posts."""
    paged: str = ""
    """What fifty of make a page of posts, as a page has shown it: `posts` or `ids`."""
    fresh: dict[str, list[Any]] = field(default_factory=dict)
    """By topic, how many new posts were handed over, and when the newest were written; until its row is."""
    rows: dict[str, Any] = field(default_factory=dict)
    """A reading of the topics with new activity that was interrupted: the `page`, and the `newest` of all."""
    refused: list[str] = field(default_factory=list)
    """Topics that carry an excluded tag, as far as the running job has met them; no post tells."""
    posts: int = 0
    """How many posts the forum said that it has when the full pass began; 0: nobody asked."""
    topics: int = 0
    """How many rows of topics the last pass has seen."""
    counted: int = 0
    """With the row at this place the next sweep goes on to compare how many posts topics say they have."""
    by_topic: bool = False
    """Reading topic by topic takes fewer requests than the list of posts."""
    no_members: bool = False
    """The forum does not let us read its list of users."""
    hidden_spaces: list[str] = field(default_factory=list)
    logged: dict[str, str] = field(default_factory=dict)
    """By group, a digest of its members as of when its log was read last."""
    badges: dict[str, list[Any]] = field(default_factory=dict)
    """By badge, its name, how often it was granted when its holders were read last, and whether somebody may
    hold it several times."""
    admins: list[str] = field(default_factory=list)
    moderators: list[str] = field(default_factory=list)

    def cursor(self) -> dict[str, Any]:
        kept = {key: value for key, value in asdict(self).items() if value}
        if "fresh" in kept:
            kept["fresh"] = dict(islice(self.fresh.items(), _REMEMBERED))
        if "refused" in kept:
            kept["refused"] = self.refused[:_REMEMBERED]
        return {"version": VERSION, **kept}

    @classmethod
    def load(cls, cursor: Mapping[str, Any] | None) -> State | None:
        """None if there is no cursor, or one of another form."""
        if cursor is None or cursor.get("version") != VERSION:
            return None
        known = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in cursor.items() if key in known})

    def holds_on(self, badge: str) -> bool:
        """Whether somebody who lost a grant of this badge may still hold it by another one."""
        return any(name == badge and several for name, _, several in self.badges.values())

    def begin(self, job: str, phase: str, now: datetime) -> None:
        """Start a full pass or a sweep."""
        self.job, self.phase, self.at = job, phase, {}
        self.scan = f"{job}-{uuid4().hex[:12]}"
        self.swept_before, self.swept = self.swept, now.isoformat()
        if job == "full":
            self.told_all = False
        if job == "full" or not self.round:
            self.round = self.round_before = now.isoformat()
            self.rolled, self.behind = 0, False

    def fall_behind(self, now: datetime) -> None:
        """The log of events has a gap: read all posts again, with a sweep."""
        self.deaf = self.round = now.isoformat()
        self.rolled, self.behind = 0, True

    def enter(self, phase: str) -> None:
        self.phase, self.at = phase, {}

    def finish(self) -> None:
        self.job = self.phase = self.scan = ""
        self.at = {}
        self.refused = []
