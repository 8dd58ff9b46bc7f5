"""The state of one forum: everything it holds, and the look-ups that keep answers fast."""

from __future__ import annotations

import itertools
import threading
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .dialect import DIALECTS, Dialect
from .explorer import StoredQuery
from .hooks import Hooks
from .limits import Window
from .records import (
    ApiKey,
    Badge,
    Category,
    Grant,
    Group,
    GroupEvent,
    Post,
    PostType,
    StaffAction,
    Tag,
    Topic,
    User,
)
from .seed import SYSTEM, seed
from .settings import Settings
from .text import cook, cook_simply, slugify

if TYPE_CHECKING:
    from .memo import Memory


class Ids:
    """The next id of each kind; tests may set one to make ids meet."""

    def __init__(self) -> None:
        self._last: dict[str, int] = defaultdict(int)

    def __getitem__(self, kind: str) -> int:
        self._last[kind] += 1
        return self._last[kind]

    def seen(self, kind: str, number: int) -> None:
        """Never give `number` or a lower one again."""
        self._last[kind] = max(self._last[kind], number)

    def last(self, kind: str) -> int:
        return self._last[kind]


class Forum:
    """A site. A new one has the automatic groups, four categories, three accounts and no topics."""

    def __init__(self, clock: Clock | None = None, dialect: Dialect | str = "2021") -> None:
        self.clock = clock or Clock(datetime(2026, 1, 5, 12, 0, tzinfo=UTC))
        self.dialect = DIALECTS[dialect] if isinstance(dialect, str) else dialect
        self.settings = Settings()
        self.lock = threading.RLock()
        self.ids = Ids()
        self.hooks = Hooks(self)
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.categories: dict[int, Category] = {}
        self.topics: dict[int, Topic] = {}
        self.posts: dict[int, Post] = {}
        self.tags: dict[str, Tag] = {}
        self.badges: dict[int, Badge] = {}
        self.grants: dict[int, Grant] = {}
        self.keys: dict[str, ApiKey] = {}
        self.group_log: list[GroupEvent] = []
        self.staff_log: list[StaffAction] = []
        self.pending: list[dict[str, Any]] = []  # posts waiting for approval
        self.rejected: list[dict[str, Any]] = []  # and those that a moderator turned down
        self.queries: dict[int, StoredQuery] = {}  # of Data Explorer
        self.other_log: list[StaffAction] = []  # what the log for staff does not show: automatic promotions
        self.likes_taken_back: list[tuple[int, int, datetime, datetime]] = []  # post, user, given, taken
        self.users_changed: dict[int, datetime] = {}  # their updated_at, where it is not created_at
        self.recent_raw: dict[tuple[int, str], datetime] = {}  # for the check of repeated posts
        self.last_made: dict[tuple[int, str], int] = {}  # (user id, kind): second of the last post, topic
        self.prints = Window(3600)
        self.searches = Window(60)
        self.memo: dict[str, Memory] = {}  # answers to posts made through the API
        self.next_secret: str | None = None
        self.post_ids: list[int] = []  # ascending
        self._names: dict[str, int] = {}  # lower-case username: id
        self._emails: dict[str, int] = {}
        self._group_names: dict[str, int] = {}
        self._by_user: dict[int, list[int]] = defaultdict(list)  # user id: post ids
        seed(self)

    # --- adding, with indexes

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        self.ids.seen("user", user.id)
        self._names[user.username.lower()] = user.id
        if user.email:
            self._emails[user.email.lower()] = user.id
        self.assign_automatic_groups(user)
        return user

    def assign_automatic_groups(self, user: User) -> None:
        """Membership of the groups that follow from role and trust level."""
        wanted: set[str] = set()
        if user.id > 0:  # system and discobot are in none of them
            wanted |= {f"trust_level_{n}" for n in range(user.trust_level + 1)}
            wanted |= {"admins"} if user.admin else set()
            wanted |= {"moderators"} if user.moderator else set()
            wanted |= {"staff"} if user.staff else set()
        for group in self.groups.values():
            if not group.automatic or group.id == 0:
                continue
            if group.name in wanted:
                group.members.setdefault(user.id, self.clock())
            else:
                group.members.pop(user.id, None)

    def alias(self, name: str, user: User) -> None:
        """Let a second name lead to a user (loaded data may call the system account differently)."""
        self._names.setdefault(name, user.id)

    def reindex_user(self, user: User, old_name: str, old_email: str) -> None:
        self._names.pop(old_name.lower(), None)
        self._emails.pop(old_email.lower(), None)
        self._names[user.username.lower()] = user.id
        if user.email:
            self._emails[user.email.lower()] = user.id

    def drop_user(self, user: User) -> None:
        self.reindex_user(user, user.username, user.email)
        self._names.pop(user.username.lower(), None)
        self._emails.pop(user.email.lower(), None)
        del self.users[user.id]
        for group in self.groups.values():
            group.members.pop(user.id, None)
            group.owners.discard(user.id)

    def add_group(self, group: Group) -> Group:
        self.groups[group.id] = group
        self.ids.seen("group", group.id)
        self._group_names[group.name.lower()] = group.id
        return group

    def new_group(self, name: str, **more: Any) -> Group:
        """A group that people may join; `more` are fields of Group."""
        return self.add_group(Group(self.ids["group"], name, self.clock(), **more))

    def new_user(self, username: str, **more: Any) -> User:
        """An active account; `more` are fields of User."""
        more.setdefault("name", username.capitalize())
        more.setdefault("email", f"{username}@example.com")
        return self.add_user(User(self.ids["user"], username, more.pop("created_at", self.clock()), **more))

    def new_category(self, name: str, **more: Any) -> Category:
        """A category without an About topic; `more` are fields of Category."""
        number = self.ids["category"]
        return self.add_category(Category(number, name, slugify(name), position=len(self.categories), **more))

    def add_about_topic(self, category: Category) -> Topic:
        """The pinned topic that describes a category."""
        now = self.clock.tick()
        title = f"About the {category.name} category"
        topic = self.add_topic(
            Topic(self.ids["topic"], title, slugify(title), SYSTEM, now, now, now, category.id, pinned_at=now)
        )
        raw = f"(Replace this first paragraph with a brief description of your new category {category.name}.)"
        self.add_post(Post(self.ids["post"], topic.id, SYSTEM, 1, raw, now, now, last_version_at=now))
        self.recount(topic)
        category.topic_id = topic.id
        return topic

    def drop_group(self, group: Group) -> None:
        del self.groups[group.id]
        del self._group_names[group.name.lower()]

    def add_category(self, category: Category) -> Category:
        self.categories[category.id] = category
        self.ids.seen("category", category.id)
        return category

    def add_topic(self, topic: Topic) -> Topic:
        self.topics[topic.id] = topic
        self.ids.seen("topic", topic.id)
        for tag in topic.tags:
            self.tag(tag)
        return topic

    def add_post(self, post: Post) -> Post:
        """Also appends to the topic; call `recount` afterwards (once for many posts)."""
        self.posts[post.id] = post
        self.ids.seen("post", post.id)
        if not self.post_ids or post.id > self.post_ids[-1]:
            self.post_ids.append(post.id)
        else:
            insort(self.post_ids, post.id)
        self._by_user[post.user_id].append(post.id)
        numbers = self.topics[post.topic_id].posts
        numbers.append(post.id)
        if len(numbers) > 1 and self.posts[numbers[-2]].post_number > post.post_number:
            numbers.sort(key=lambda number: self.posts[number].post_number)
        return post

    def change_author(self, post: Post, user_id: int) -> None:
        self._by_user[post.user_id].remove(post.id)
        post.user_id = user_id
        self._by_user[user_id].append(post.id)

    def tag(self, name: str) -> Tag:
        """The tag of this name, made if it is new."""
        if name not in self.tags:
            self.tags[name] = Tag(self.ids["tag"], name)
        return self.tags[name]

    def new_secret(self) -> str:
        """A made-up API key; tests may say which by `next_secret`."""
        made, self.next_secret = self.next_secret, None
        return made or f"{self.ids['secret']:08x}" + "5e" * 28

    def add_key(self, key: str, user: User | None = None, description: str = "", **more: Any) -> ApiKey:
        owner = user.id if user else None
        self.keys[key] = ApiKey(self.ids["key"], key, owner, self.clock(), description, **more)
        return self.keys[key]

    # --- looking up

    def user(self, name: str) -> User | None:
        number = self._names.get(name.lower())
        return None if number is None else self.users[number]

    def user_by_email(self, email: str) -> User | None:
        number = self._emails.get(email.lower())
        return None if number is None else self.users[number]

    @property
    def system(self) -> User:
        return self.users[SYSTEM]

    def group(self, name: str) -> Group | None:
        number = self._group_names.get(name.lower())
        return None if number is None else self.groups[number]

    def groups_of(self, user: User) -> list[Group]:
        return [g for g in self.groups.values() if user.id in g.members]

    def group_names_of(self, user: User | None) -> set[str]:
        if user is None:
            return {"everyone"}
        return {"everyone", *(g.name for g in self.groups.values() if user.id in g.members)}

    def posts_of(self, topic: Topic) -> Iterator[Post]:
        return (self.posts[number] for number in topic.posts)

    def posts_by(self, user: User) -> Iterator[Post]:
        return (self.posts[number] for number in self._by_user.get(user.id, ()))

    def replies_by(self, user: User) -> int:
        """What Discourse calls a user's post_count: public replies, no first posts."""
        return sum(1 for p in self.posts_by(user) if self._counted(p) and p.post_number > 1)

    def _counted(self, post: Post) -> bool:
        regular = post.post_type == PostType.REGULAR and post.deleted_at is None
        return regular and not self.topics[post.topic_id].private

    def first_post(self, topic: Topic) -> Post:
        return self.posts[topic.posts[0]]

    def subcategories(self, category: Category) -> list[Category]:
        return [c for c in self.categories.values() if c.parent_id == category.id]

    def mention(self, name: str) -> str:
        """HTML for a mention: users and groups are linked, other names are marked only."""
        if self.user(name):
            return f'<a class="mention" href="/u/{name.lower()}">@{name}</a>'
        group = self.group(name)
        if group and group.id:
            return f'<a class="mention-group" href="/groups/{name.lower()}">@{name}</a>'
        return f'<span class="mention">@{name}</span>'

    def cooked(self, post: Post) -> str:
        if post.cooked is None:
            if post.post_type == PostType.SMALL and not post.raw:
                post.cooked = ""
            else:
                post.cooked = cook_simply(post.raw) if post.simple else cook(post.raw, self.mention)
        return post.cooked

    # --- keeping counts

    def recount(self, topic: Topic) -> None:
        """Bring the topic's counters in line with its posts."""
        live = [p for p in self.posts_of(topic) if p.deleted_at is None]
        public = [p for p in live if p.post_type != PostType.WHISPER]
        replies: dict[int, int] = defaultdict(int)
        for post in live:
            if post.reply_to is not None:
                replies[post.reply_to] += 1
        for post in live:
            post.reply_count = replies.get(post.post_number, 0)
        small = self.dialect.counts_small_actions
        counted = [p for p in public if small or p.post_type != PostType.SMALL]
        topic.posts_count = len(counted)
        topic.reply_count = sum(1 for p in counted if p.reply_to is not None)
        topic.like_count = sum(p.like_count for p in live)
        numbers = [p.post_number for p in public or self.posts_of(topic)]
        topic.highest_post_number = max(numbers, default=0)
        topic.highest_staff_post_number = max([topic.highest_post_number, *(p.post_number for p in live)])
        topic.last_posted_at = counted[-1].created_at if counted else None
        if counted:
            topic.last_poster_id = counted[-1].user_id

    def log_staff(self, action: str, by: User, **about: Any) -> None:
        self.staff_log.append(StaffAction(self.ids["staff"], action, by.id, self.clock(), **about))

    def promote(self, user: User, level: int) -> None:
        """What the forum does by itself when somebody has earned it: staff find it in no log."""
        old, user.trust_level = user.trust_level, level
        self.assign_automatic_groups(user)
        self.users_changed[user.id] = self.clock.tick()
        self.other_log.append(
            StaffAction(
                self.ids["staff"], "auto_trust_level_change", SYSTEM, self.clock(), target_user_id=user.id,
                previous=str(old), new=str(level),
            )
        )  # fmt: skip

    def log_group(self, group: Group, action: str, by: User, **about: Any) -> None:
        self.group_log.append(GroupEvent(group.id, action, by.id, self.clock(), **about))

    def categories_below(self, number: int) -> set[int]:
        """The category and its sub-categories."""
        below = {number}
        below.update(c.id for c in self.categories.values() if c.parent_id == number)
        return below

    def topic_counts(self) -> dict[int, int]:
        """Visible topics in each category, without its About topic."""
        abouts = {c.topic_id for c in self.categories.values()}
        counts: dict[int, int] = defaultdict(int)
        for topic in self.topics.values():
            live = topic.deleted_at is None and topic.visible and topic.id not in abouts
            if live and topic.category_id is not None:
                counts[topic.category_id] += 1
        return counts

    def tag_counts(self, topics: Iterable[Topic] | None = None) -> dict[str, int]:
        counts = dict.fromkeys(self.tags, 0)
        for topic in self.topics.values() if topics is None else topics:
            if topic.deleted_at is None and not topic.private:
                for name in topic.tags:
                    counts[name] = counts.get(name, 0) + 1
        return counts

    def page(self, rows: list[Any], number: int, size: int) -> list[Any]:
        return list(itertools.islice(rows, number * size, (number + 1) * size))

    def since(self, days: float) -> datetime:
        return self.clock() - timedelta(days=days)
