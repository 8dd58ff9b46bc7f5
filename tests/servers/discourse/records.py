"""The things a forum consists of. Mutable on purpose: tests read and change them directly."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum


class PostType(IntEnum):
    REGULAR = 1
    MODERATOR = 2
    SMALL = 3
    WHISPER = 4


@dataclass(slots=True)
class User:
    id: int
    username: str
    created_at: datetime
    name: str | None = None
    email: str = ""
    trust_level: int = 1
    admin: bool = False
    moderator: bool = False
    active: bool = True
    staged: bool = False
    title: str | None = None
    locale: str | None = None
    bio_raw: str | None = None
    location: str | None = None
    website: str | None = None
    custom_fields: dict[str, str] = field(default_factory=dict)
    suspended_at: datetime | None = None
    suspended_till: datetime | None = None
    suspend_reason: str | None = None
    silenced_at: datetime | None = None
    silenced_till: datetime | None = None
    silence_reason: str | None = None
    last_seen_at: datetime | None = None
    last_posted_at: datetime | None = None
    last_emailed_at: datetime | None = None
    trust_locked: int | None = None
    allow_private_messages: bool = True
    hide_profile: bool = False
    primary_group_id: int | None = None
    muted_category_ids: set[int] = field(default_factory=set)
    muted_tags: set[str] = field(default_factory=set)
    ignored_users: set[int] = field(default_factory=set)  # their replies are missing from topics
    cleared_pins: set[int] = field(default_factory=set)
    external_id: str | None = None
    days_visited: int = 0
    time_read: int = 0
    posts_read_count: int = 0
    topics_entered: int = 0
    likes_given: int = 0
    profile_views: int = 0
    anonymized: bool = False

    @property
    def staff(self) -> bool:
        return self.admin or self.moderator

    def suspended(self, now: datetime) -> bool:
        return self.suspended_till is not None and self.suspended_till > now

    def silenced(self, now: datetime) -> bool:
        return self.silenced_till is not None and self.silenced_till > now


@dataclass(slots=True)
class Group:
    id: int
    name: str
    created_at: datetime
    automatic: bool = False
    full_name: str | None = None
    title: str | None = None
    bio_raw: str | None = None
    members: dict[int, datetime] = field(default_factory=dict)  # user id: since
    owners: set[int] = field(default_factory=set)
    visibility_level: int = 0
    members_visibility_level: int = 0
    mentionable_level: int = 0
    messageable_level: int = 0
    grant_trust_level: int | None = None
    primary_group: bool = False


@dataclass(slots=True)
class GroupEvent:
    group_id: int
    action: str
    acting_user_id: int
    created_at: datetime
    target_user_id: int | None = None
    subject: str | None = None
    previous: str | None = None
    new: str | None = None


@dataclass(slots=True)
class Category:
    id: int
    name: str
    slug: str
    color: str = "0088CC"
    text_color: str = "FFFFFF"
    parent_id: int | None = None
    position: int = 0
    description: str | None = None
    topic_id: int | None = None  # its "About" topic
    readers: frozenset[str] = frozenset({"everyone"})  # groups that see it
    topic_template: str | None = None

    @property
    def read_restricted(self) -> bool:
        return "everyone" not in self.readers


@dataclass(slots=True)
class Tag:
    id: int
    name: str
    synonym_of: str = ""


@dataclass(slots=True)
class Reader:
    """What the forum remembers of one user in one topic."""

    last_read: int | None = None
    level: int = 1
    posted: bool = False


@dataclass(slots=True)
class Timer:
    id: int
    status_type: str
    execute_at: datetime | None
    user_id: int
    duration_minutes: int | None = None
    based_on_last_post: bool = False
    category_id: int | None = None


@dataclass(slots=True)
class Topic:
    id: int
    title: str
    slug: str
    user_id: int
    created_at: datetime
    bumped_at: datetime
    updated_at: datetime
    category_id: int | None = None
    archetype: str = "regular"
    visible: bool = True
    closed: bool = False
    archived: bool = False
    pinned_at: datetime | None = None
    pinned_globally: bool = False
    pinned_until: datetime | None = None
    tags: list[str] = field(default_factory=list)
    views: int = 0
    deleted_at: datetime | None = None
    deleted_by: int | None = None
    external_id: str | None = None
    featured_link: str | None = None
    solved_by: int | None = None  # id of the accepted post
    solved_at: datetime | None = None
    solver_id: int | None = None  # who accepted
    allowed_users: list[int] = field(default_factory=list)
    allowed_groups: list[int] = field(default_factory=list)
    archived_by: set[int] = field(default_factory=set)  # users whose inbox it left
    timers: dict[str, Timer] = field(default_factory=dict)  # public one and reminder
    posts: list[int] = field(default_factory=list)  # ids in the order of post_number, deleted ones too
    readers: dict[int, Reader] = field(default_factory=dict)
    viewed: set[tuple[int | str, str]] = field(default_factory=set)  # (user or address, day)
    # Kept up to date by Forum.recount:
    posts_count: int = 0
    reply_count: int = 0
    like_count: int = 0
    highest_post_number: int = 0
    highest_staff_post_number: int = 0
    last_posted_at: datetime | None = None
    last_poster_id: int | None = None

    @property
    def private(self) -> bool:
        return self.archetype == "private_message"


@dataclass(slots=True)
class Revision:
    """One row of a post's history: what was before, what came after."""

    number: int
    user_id: int
    created_at: datetime
    before: dict[str, object]
    after: dict[str, object]
    edit_reason: str | None = None
    hidden: bool = False


@dataclass(slots=True)
class Post:
    id: int
    topic_id: int
    user_id: int
    post_number: int
    raw: str
    created_at: datetime
    updated_at: datetime
    post_type: int = PostType.REGULAR
    version: int = 1
    last_version_at: datetime | None = None
    last_editor_id: int | None = None
    reply_to: int | None = None  # post number
    reply_count: int = 0
    quote_count: int = 0
    likes: dict[int, datetime] = field(default_factory=dict)  # user id: when
    likes_by_unknown: int = 0  # likes of loaded data, whose givers are not known
    flags: dict[tuple[int, int], datetime] = field(default_factory=dict)  # (user id, type): when
    reads: int = 0
    score: float = 0
    hidden: bool = False
    wiki: bool = False
    locked: bool = False
    deleted_at: datetime | None = None
    deleted_by: int | None = None
    user_deleted: bool = False
    edit_reason: str | None = None
    action_code: str | None = None
    action_code_who: str | None = None
    first_of_author: bool = False  # shown with a notice to members from trust level 2 on, for two weeks
    revisions: list[Revision] = field(default_factory=list)
    simple: bool = False  # loaded text, cooked without Markdown for speed
    no_bump: bool = False
    cooked: str | None = None  # made when first asked for

    @property
    def like_count(self) -> int:
        return len(self.likes) + self.likes_by_unknown


@dataclass(slots=True)
class Badge:
    id: int
    name: str
    description: str = ""
    badge_type_id: int = 3
    grouping_id: int = 5
    multiple_grant: bool = False
    allow_title: bool = False
    system: bool = False
    enabled: bool = True
    listable: bool = True
    icon: str = "fa-certificate"

    @property
    def manually_grantable(self) -> bool:
        return self.enabled and not self.system


@dataclass(slots=True)
class Grant:
    """A badge that somebody holds."""

    id: int
    badge_id: int
    user_id: int
    granted_by: int
    granted_at: datetime
    post_id: int | None = None


@dataclass(slots=True)
class ApiKey:
    id: int
    key: str
    user_id: int | None  # None: may act as anybody
    created_at: datetime
    description: str = ""
    revoked_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    last_used_at: datetime | None = None


@dataclass(slots=True)
class StaffAction:
    id: int
    action: str
    acting_user_id: int
    created_at: datetime
    target_user_id: int | None = None
    subject: str | None = None
    details: str | None = None
    context: str | None = None
    previous: str | None = None
    new: str | None = None
    topic_id: int | None = None
    post_id: int | None = None
    category_id: int | None = None
