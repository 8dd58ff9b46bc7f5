"""What all parts of the reading share: the connection, the scope, and how rows become records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ...config.errors import Forbidden, NotFound
from ..base import Batch, Known, World
from ..records import Kind, Member, Record, Ref, Thread, ThreadKind
from . import mapping
from .client import Client, Json
from .dialect import topic_rows
from .query import Address
from .scope import Scope
from .stamps import Stamp
from .state import State
from .topic import CHUNK, TopicView, last_posts, read_topic

ROUND = timedelta(days=30)
"""Within so long, and one sweep more, every post is read again: the most that an edit may stay unseen
which neither bumps its topic nor is told by a webhook."""


@dataclass
class Reading:
    """One run of `changes`: the state is written to as the reading goes on, and copied into each batch."""

    site: str
    client: Client
    world: World
    scope: Scope
    state: State
    known: Known
    sweep: timedelta
    webhook: int | None = None
    explorer: Address | None = None
    posts: int = 0
    """How many posts the forum says that it has, if it was asked just now."""
    refused: set[str] = field(init=False)
    """Topics with an excluded tag."""
    groups: list[Json] = field(default_factory=list)
    """The groups that the forum names, if they were read in this run."""

    def __post_init__(self) -> None:
        self.refused = set(self.state.refused)

    def batch(
        self,
        records: Iterable[Record] = (),
        part: str = "",
        done: int = 0,
        total: int | None = None,
        gone: Sequence[Ref] = (),
        ended: Sequence[Kind] = (),
    ) -> Batch:
        """A batch with the cursor as the state is now."""
        return Batch(
            records=tuple(records),
            cursor=self.state.cursor(),
            gone=tuple((ref, None) for ref in gone),
            scan=self.state.scan,
            ended=tuple(ended),
            part=part,
            done=done,
            total=total,
        )

    @property
    def since_last_sweep(self) -> timedelta:
        """How long the sweep under way comes after the one before; by the settings, or later."""
        if not self.state.swept_before:
            return self.sweep
        began, before = map(datetime.fromisoformat, (self.state.swept, self.state.swept_before))
        return max(self.sweep, began - before)

    @property
    def share_of_round(self) -> float:
        """How much of a round of the rolling re-read the sweep under way does."""
        return 1.0 if self.state.behind else self.since_last_sweep / ROUND

    @property
    def told_by_query(self) -> bool:
        """Whether Data Explorer has told everything since the last sweep."""
        return self.explorer is not None and self.state.asked >= (self.state.swept_before or "Z")

    @property
    def sweep_due(self) -> bool:
        """Whether a sweep comes at the end of this run."""
        swept = datetime.fromisoformat(self.state.swept)
        return self.state.behind or self.world.now() - swept >= self.sweep

    # --- topics

    def kept_rows(self, rows: Iterable[Json]) -> list[Json]:
        """Rows that the scope keeps. Those with an excluded tag are remembered: no post shows its tags."""
        kept = []
        for row in rows:
            if self.scope.topic(row):
                kept.append(row)
            elif self.scope.labelled(row):
                self._refuse(str(row["id"]))
        return kept

    def _refuse(self, number: str) -> None:
        if number not in self.refused:
            self.refused.add(number)
            if self.state.job:
                self.state.refused.append(number)

    def thread(
        self, row: Json, names: Mapping[str, str], old: Stamp | None, posts_of: Stamp | None = None
    ) -> Thread:
        """A row as a record. `old` is the stamp of the mirror's copy: only it knows the accepted post.
        The new stamp is the row's; `posts_of` gives the part about posts where those were not read."""
        author = mapping.author(row)
        if author is not None and not self.scope.member(names.get(author)):
            author = None
        stamp = Stamp.of(row)
        solved: str | None = None
        if "has_accepted_answer" in row:
            solved = ""
            if row["has_accepted_answer"]:
                solved = (old.solved if old else "") or None
        if posts_of is not None:
            stamp = replace(posts_of, state=stamp.state)
        elif old is not None and old.whole and stamp.same_posts(old):
            stamp = replace(stamp, whole=True)
        stamp = replace(stamp, solved=solved or "")
        return mapping.thread(self.site, row, author=author, stamp=str(stamp), solved_by=solved)

    def stamps(self, rows: Iterable[Json]) -> dict[str, Stamp | None]:
        """The stamps of the mirror's copies of these rows; topics that it lacks are left out."""
        stored = self.known.stamps([str(row["id"]) for row in rows])
        return {number: Stamp.parse(text) for number, text in stored.items()}

    def whole_topic(self, row: Json, names: Mapping[str, str], old: Stamp | None) -> Batch:
        """A topic of a list, read with all its posts; posts that the mirror has and it lacks are gone."""
        number = str(row["id"])
        try:
            view = read_topic(self.client, number, posts=int(row.get("posts_count") or 0))
        except (Forbidden, NotFound):
            return self.batch(gone=(Ref(self.site, Kind.THREAD, number),), part="posts")
        # Counted anew: a post deleted since the list was read, and recovered later, would not show.
        row = {**row, "posts_count": view.topic.get("posts_count", row.get("posts_count"))}
        stamp = replace(Stamp.of(row), whole=True)
        record = self.thread(row, names, old, posts_of=stamp)
        if view.solved_by is not None:
            stamp = replace(stamp, solved=view.solved_by)
            record = replace(record, solved_by=view.solved_by, stamp=str(stamp))
        return self.with_posts(record, view)

    def notes_of(self, number: str) -> list[Record]:
        """What the small actions at the end of a topic report."""
        try:
            view = self.client.get(f"/t/{number}.json", include_raw="true")
            posts = last_posts(self.client, view, CHUNK)
        except (Forbidden, NotFound):
            return []
        return [change for post in posts for change in self.change(post)]

    def with_posts(self, record: Thread, view: TopicView) -> Batch:
        """A topic read with all its posts; those that the mirror has and it lacks are deleted, or moved
        elsewhere. A small action that the mirror has was told before."""
        held = self.known.contribution_ids(record.id)
        there = {str(post["id"]) for post in view.posts}
        news = [change for post in view.posts if str(post["id"]) not in held for change in self.change(post)]
        gone = [Ref(self.site, Kind.CONTRIBUTION, i) for i in sorted(held - there, key=int)]
        part = "messages" if record.kind == ThreadKind.MESSAGE else "posts"
        return self.batch([record, *self.posts_of(view), *news], part, gone=gone)

    def posts_of(self, view: TopicView) -> list[Record]:
        """The posts of a topic that is kept."""
        category = view.topic.get("category_id")
        posts = ({"category_id": category, **post} for post in view.posts)
        return self.contributions([post for post in posts if self.scope.post(post)])

    # --- posts

    def change(self, post: Json) -> list[Record]:
        """What a small action reports."""
        change = mapping.change(self.site, post)
        return [] if change is None else [change]

    def contributions(self, posts: Sequence[Json]) -> list[Record]:
        records: list[Record] = [mapping.contribution(self.site, p, text=self.scope.text) for p in posts]
        if self.state.no_members:
            records += self._members(posts)
        return records

    def _members(self, posts: Sequence[Json]) -> list[Record]:
        """All that posts tell of their authors, where the list of users is closed to us."""
        seen: dict[str, Member] = {}
        for post in posts:
            if post.get("user_id") is not None:
                user = {**post, "id": post["user_id"], "title": post.get("user_title"), "created_at": None}
                seen[str(post["user_id"])] = mapping.member(self.site, user)
        return list(seen.values())

    def page(
        self, rows: Sequence[Json], *, private: bool = False, news_above: int | None = None
    ) -> list[Record]:
        """A page of a list of posts: those to be kept, and threads that the mirror does not have yet. Small
        actions with ids above `news_above` are news."""
        posts = [post for post in rows if self.scope.post(post)]
        numbers = list(dict.fromkeys(str(post["topic_id"]) for post in posts))
        stored = self.known.stamps(numbers)
        if self.scope.labels and not private and news_above is not None:
            # What is older was judged when it came; a tag taken off since shows in the sweep.
            told = {*stored, *(str(post["topic_id"]) for post in posts if int(post["id"]) > news_above)}
            numbers = [number for number in numbers if number in told]
            posts = [post for post in posts if str(post["topic_id"]) in told]
        threads = self._unknown([n for n in numbers if n not in stored], posts, private)
        posts = [post for post in posts if str(post["topic_id"]) not in self.refused]
        threads |= self._bare(posts, stored, private)
        threads |= self._solved(posts, stored)
        news = [p for p in posts if news_above is not None and int(p["id"]) > news_above]
        changes = [change for post in news for change in self.change(post)]
        return [*threads.values(), *self.contributions(posts), *changes]

    def _unknown(self, numbers: list[str], posts: Sequence[Json], private: bool) -> dict[str, Thread]:
        """Threads that no list has shown so far. Their rows are asked for only where tags decide whether
        they are kept; else what a post tells of its topic is enough for now."""
        numbers = [n for n in numbers if n not in self.refused]
        if not self.scope.labels or private or not numbers:
            first = {str(post["topic_id"]): post for post in reversed(posts)}
            return {number: self._from_post(first[number], private) for number in numbers}
        found: dict[str, Thread] = {}
        for row, names in topic_rows(self.client, numbers):
            if self.kept_rows([row]):
                found[str(row["id"])] = self.thread(row, names, None, posts_of=NOTHING_READ)
        for number in (n for n in numbers if n not in found and n not in self.refused):
            try:
                view = read_topic(self.client, number)
            except (Forbidden, NotFound):
                self._refuse(number)
                continue
            if not self.kept_rows([view.topic]):
                self._refuse(number)
            else:
                found[number] = mapping.thread(self.site, view.topic, author=view.author)
        return found

    def _bare(self, posts: Sequence[Json], stored: Mapping[str, str], private: bool) -> dict[str, Thread]:
        """Threads known from a later post only, whose first post, met now, tells who opened them when."""
        return {
            str(post["topic_id"]): self._from_post(post, private)
            for post in posts
            if post.get("post_number") == 1 and stored.get(str(post["topic_id"])) == ""
        }

    def _from_post(self, post: Json, private: bool) -> Thread:
        first = post.get("post_number") == 1
        category, user = post.get("category_id"), post.get("user_id")
        return Thread(
            site=self.site,
            id=str(post["topic_id"]),
            kind=ThreadKind.MESSAGE if private else ThreadKind.TOPIC,
            space=None if category is None else str(category),
            title=str(post.get("topic_title") or ""),
            author=str(user) if first and user is not None else None,
            created_at=mapping.moment(post["created_at"]) if first else None,
            labels=None,
        )

    def _solved(self, posts: Sequence[Json], stored: Mapping[str, str]) -> dict[str, Thread]:
        """Threads whose accepted answer is on this page, and was not known to be it."""
        found = {}
        for post in posts:
            number, answer = str(post["topic_id"]), str(post["id"])
            old = Stamp.parse(stored.get(number, ""))
            if post.get("accepted_answer") and old is not None and old.solved != answer:
                stamp = str(replace(old, solved=answer))
                found[number] = replace(self._from_post(post, False), solved_by=answer, stamp=stamp)
        return found


NOTHING_READ = Stamp(state="", posts=0, highest=0, likes=0, bumped="", last="")
"""Stands for posts that were not read: the next comparison of rows reads them."""
