"""What the mirror holds, alike for every platform.

Ids are strings as the platform gives them and survive renaming; names are never keys. Times are aware
UTC datetimes. A field that the platform does not have is `None` = *unknown*, never zero or false; an
empty string or set means that it is known to be empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from ..config.errors import UsageError

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""An end that never comes: an indefinite block or suspension."""


class Kind(StrEnum):
    """The kinds of records; their values are the middle part of a reference."""

    MEMBER = "member"
    SPACE = "space"
    THREAD = "thread"
    CONTRIBUTION = "contribution"
    GROUP = "group"


class ThreadKind(StrEnum):
    TOPIC = "topic"
    MESSAGE = "message"
    PAGE = "page"
    TALK = "talk"


class ContributionKind(StrEnum):
    """`small`: a note of the platform about a change of state; `whisper`: seen by staff only."""

    REGULAR = "regular"
    MODERATOR = "moderator"
    SMALL = "small"
    WHISPER = "whisper"
    MINOR = "minor"


_REF = re.compile(r"([a-z][a-z0-9_-]*):(member|space|thread|contribution|group|title):(.+)", re.S)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A reference `site:kind:id`; of kind `title` (wikis) the id is a page's full title."""

    site: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.site}:{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read `site:kind:id`. Raises UsageError for anything else."""
        match = _REF.fullmatch(text.strip())
        if match is None:
            raise UsageError(
                f"'{text}' is not a reference.", hint="Write site:kind:id, for example forum:thread:123."
            )
        return cls(*match.groups())


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account. `suspended_until` is also a wiki block; `staged` an account made by e-mail only."""

    site: str
    id: str
    username: str
    name: str = ""
    joined_at: datetime | None = None
    last_seen_at: datetime | None = None
    trust_level: int | None = None
    admin: bool = False
    moderator: bool = False
    bot: bool = False
    staged: bool = False
    suspended_until: datetime | None = None
    silenced_until: datetime | None = None
    title: str | None = None
    groups: frozenset[str] | None = None
    """Names of the groups; None where memberships come as Group records instead."""
    deleted_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.site, Kind.MEMBER, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A category or a namespace; `restricted` = not readable by everybody who may read the site."""

    site: str
    id: str
    name: str
    parent: str | None = None
    restricted: bool = False
    deleted_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.site, Kind.SPACE, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A topic, private message, page or talk page."""

    site: str
    id: str
    kind: ThreadKind
    space: str | None
    title: str
    author: str | None = None
    """'' = hidden by the platform, or nobody with an account; None = not told here."""
    created_at: datetime | None = None
    last_activity_at: datetime | None = None
    closed: bool | None = None
    archived: bool | None = None
    visible: bool | None = None
    pinned: bool | None = None
    labels: frozenset[str] | None = frozenset()
    views: int | None = None
    likes: int | None = None
    solved_by: str | None = None
    """Id of the contribution accepted as the answer; '' = none accepted; None = unknown."""
    stamp: str = ""
    """Opaque digest of all that the platform's list shows of it; two equal stamps = nothing to read."""
    deleted_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.site, Kind.THREAD, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A post or a revision. `text` is raw source; for older revisions of a page only size and sha1."""

    site: str
    id: str
    thread: str
    author: str | None
    """None: hidden by the platform, or not signed in (addresses are never stored)."""
    created_at: datetime
    updated_at: datetime | None = None
    position: int | None = None
    """Post number on a forum; on a wiki None."""
    parent: str | None = None
    """Id of the contribution that this one answers; on a wiki the revision before."""
    parent_position: int | None = None
    """Instead of `parent`, where the platform names only the position in the thread and that contribution
    may not have been read yet: the store looks its id up by (thread, position) once both are there."""
    likes: int | None = None
    size: int | None = None
    """Length of the text in bytes."""
    sha1: str | None = None
    text: str | None = None
    kind: ContributionKind = ContributionKind.REGULAR
    unlisted: bool = field(default=False, compare=False)
    """The platform's lists may leave it out, so that a mirror need not have it; not stored."""
    deleted_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.site, Kind.CONTRIBUTION, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group and the ids of its members; `members` None = not read (automatic or hidden groups)."""

    site: str
    id: str
    name: str
    members: frozenset[str] | None = None
    deleted_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.site, Kind.GROUP, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A badge and all who hold it. A forum's only; people are given it, it is no state of theirs."""

    site: str
    id: str
    name: str
    holders: Mapping[str, datetime]
    """Ids of the members, each with the time at which it was granted (the first time, if several)."""
    deleted_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.site, "badge", self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The platform's own record that a state changed at a time: `field` as in the store's intervals.

    `field` is one of closed, archived, visible, label, group, badge, trust_level, title, space; for the
    sets `label`, `group` and `badge` the value is the element and `on` says whether it came or went.
    """

    site: str
    kind: Kind
    id: str
    field: str
    value: str | int | bool | None
    at: datetime
    on: bool = True


Record = Member | Space | Thread | Contribution | Group | Badge | Change

