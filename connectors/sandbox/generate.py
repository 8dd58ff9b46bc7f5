"""Write a generated community into a new file, contribution by contribution in the order of time.

Threads overlap in time, so their next contributions wait in a heap; memory is bounded by the threads that
are alive at one moment, whatever the size of the community.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from heapq import heappop, heappush, heapreplace
from pathlib import Path
from random import Random
from typing import Any

from .areas import AREAS
from .community import join_labels
from .people import HOUR, People, Person, Sizes
from .schema import FORMAT, FORUM, INDEXES, TABLES, WIKI
from .stories import Stories, Story
from .texts import Texts
from .wiki import NAMESPACES

__all__ = ["Sizes", "generate"]

_CHUNK = 5000
_ENDINGS = {"close": "closed", "archive": "archived"}
"""Roles that leave a small post, and the states that they bring about."""
BADGES = ("Expert", "Helper", "First answer")
CATEGORIES = ("General", *(area.name for area in AREAS), "Introductions", "Site feedback", "Staff")
FORUM_GROUPS = ("staff", "moderators", "greeters", "no-automation", *(
    f"experts-{area.name.lower().replace(' ', '-')}" for area in AREAS
))  # fmt: skip
TRUST_GROUPS = tuple(f"trust_level_{n}" for n in range(5))
WIKI_GROUPS = ("sysop", "bureaucrat", "bot", "autopatrolled", "no-automation")


def generate(path: Path, sizes: Sizes) -> None:
    """Make the file with a community of these sizes; nothing is left behind if that is interrupted."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    connection = sqlite3.connect(part, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(TABLES)
        connection.execute("BEGIN")
        _Writer(connection, sizes).write()
        connection.execute("COMMIT")
        connection.executescript(INDEXES)
    finally:
        connection.close()
    part.chmod(0o600)
    part.rename(path)


class _Writer:
    def __init__(self, connection: sqlite3.Connection, sizes: Sizes) -> None:
        self._db, self._sizes = connection, sizes
        self._rng = Random(sizes.seed)  # noqa: S311 (a made-up community, no secrets)
        self._people = People(sizes, self._rng)
        self._texts = Texts(self._people, self._rng)
        self._ids = {FORUM: 0, WIKI: 0}
        self._seq = 0
        self._threads: list[tuple[Any, ...]] = []
        self._contributions: list[tuple[Any, ...]] = []
        self._thread_ids = {FORUM: 0, WIKI: 0}

    def write(self) -> None:
        """Threads that are alive wait in a heap for their next contribution."""
        alive: list[tuple[int, int, Story]] = []
        for n, story in enumerate(Stories(self._sizes, self._people, self._rng)):
            while alive and alive[0][0] < story.times[0]:
                self._contribute(alive)
            heappush(alive, (story.times[0], n, story))
        while alive:
            self._contribute(alive)
        self._flush()
        self._structure()
        self._accounts()
        self._db.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("format", FORMAT), ("seq", self._seq), ("seed", self._sizes.seed), ("now", self._sizes.end)],
        )

    def _contribute(self, alive: list[tuple[int, int, Story]]) -> None:
        """Write the earliest contribution that waits, and let its thread wait for the next one."""
        at, n, story = alive[0]
        index = len(story.ids)
        if index == 0:
            self._thread_ids[story.side] += 1
            story.id = self._thread_ids[story.side]
            self._texts.begin(story)
        if story.side == FORUM:
            self._post(story, index, at)
        else:
            self._revision(story, index, at)
        if index + 1 < len(story.times):
            heapreplace(alive, (story.times[index + 1], n, story))
        else:
            heappop(alive)
            self._finish(story)

    def _tick(self) -> int:
        self._seq += 1
        return self._seq

    def _add(self, story: Story, author: int, at: int, row: tuple[Any, ...]) -> None:
        self._ids[story.side] += 1
        id = self._ids[story.side]
        story.ids.append(id)
        story.authors.append(author)
        self._contributions.append((story.side, id, story.id, author, at, *row, author, self._tick()))
        if len(self._contributions) >= _CHUNK:
            self._flush()

    # The forum

    def _post(self, story: Story, index: int, at: int) -> None:
        rng, role = self._rng, story.roles[index]
        author = self._speaker(story, role, at)
        small = role in _ENDINGS
        likes = 0 if small else int(rng.expovariate(1.2 if index == story.accepted else 2.5))
        story.likes += likes
        person = self._people.forum[author - 1]
        if not small and at > person.last_seen:
            person.last_seen = at
        self._add(story, author, at, (
            at, index + 1, self._parent(story, role), likes, self._texts.post(story, role),
            "small" if small else "regular", 1, int(story.kind == "message"), "",
        ))  # fmt: skip

    def _speaker(self, story: Story, role: str, at: int) -> int:
        if role in ("question", "hello", "follow_up", "thanks"):
            return story.author
        if story.kind == "message":
            return story.opened_for
        pools = self._people
        if role in _ENDINGS:
            pool = pools.staff
        elif role == "welcome":
            pool = pools.greeters
        else:
            pool = pools.answerers[story.area, story.language]
        for _ in range(4):
            id = pool.draw(at, self._rng)
            if id is not None and id != story.author:
                return id
        id = pools.staff.draw(at, self._rng)
        return 1 if id is None else id

    def _parent(self, story: Story, role: str) -> int | None:
        if not story.ids or role in _ENDINGS:
            return None
        if role in ("follow_up", "thanks", "ask_back") or self._rng.random() < 0.3:
            return story.ids[-1] if len(story.ids) > 1 else None
        return None

    # The wiki

    def _revision(self, story: Story, index: int, at: int) -> None:
        rng, role = self._rng, story.roles[index]
        author = story.author if index == 0 else self._people.editors.draw(at, rng) or story.author
        username = self._people.wiki[author - 1].username
        text = self._texts.page(story, role, username, at)
        minor = role == "paragraph" and index > 0 and rng.random() < 0.25
        last = index + 1 == len(story.times)
        self._add(story, author, at, (
            None, None, story.ids[-1] if story.ids else None, None, text, "minor" if minor else "regular",
            int(last), 0, "/* " + role + " */",
        ))  # fmt: skip

    # Threads

    def _finish(self, story: Story) -> None:
        spoken = [i for i, role in enumerate(story.roles) if role not in _ENDINGS]
        last = story.times[spoken[-1]]
        state = self._forum_state(story, spoken) if story.side == FORUM else (None,) * 7
        closed, archived, visible, pinned, views, likes, solved_by = state
        self._threads.append((
            story.side, story.id, story.kind, None if story.kind == "message" else story.space, story.title,
            story.authors[0], story.times[0], last, closed, archived, visible, pinned,
            join_labels(story.labels), views, likes, solved_by, None, self._tick(),
        ))  # fmt: skip
        if story.kind == "message":
            self._db.execute("INSERT INTO recipient VALUES (?, ?)", (story.id, story.opened_for))
        if story.roles[-1] in _ENDINGS:
            field = _ENDINGS[story.roles[-1]]
            self._db.execute(
                "INSERT INTO journal VALUES (?, 'forum', 'thread', ?, ?, 1, 0, 1, ?, ?)",
                (self._tick(), story.id, field, story.authors[-1], story.times[-1]),
            )

    def _forum_state(self, story: Story, spoken: list[int]) -> tuple[Any, ...]:
        accepted = 0 if story.accepted < 0 else story.ids[story.accepted]
        views = len(spoken) * self._rng.randrange(8, 60)
        ending = story.roles[-1]
        return (ending == "close", ending == "archive", 1, story.pinned, views, story.likes, accepted)

    def _flush(self) -> None:
        self._db.executemany(
            "INSERT INTO contribution (side, id, thread, author, created_at, updated_at, position, parent,"
            " likes, text, kind, current, private, summary, editor, seq)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            self._contributions,
        )
        self._db.executemany("INSERT INTO thread VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", self._threads)
        self._contributions.clear()
        self._threads.clear()

    # Everything else

    def _structure(self) -> None:
        spaces = [
            (FORUM, i, name, None, int(name == "Staff"), self._tick()) for i, name in enumerate(CATEGORIES, 1)
        ]
        spaces += [(WIKI, i, name, None, 0, self._tick()) for i, name in NAMESPACES.items()]
        self._db.executemany("INSERT INTO space VALUES (?, ?, ?, ?, ?, ?)", spaces)
        groups = [(FORUM, i, name, 0, self._tick()) for i, name in enumerate(FORUM_GROUPS, 41)]
        groups += [(FORUM, 10 + i, name, 1, self._tick()) for i, name in enumerate(TRUST_GROUPS)]
        groups += [(WIKI, i, name, 0, self._tick()) for i, name in enumerate(WIKI_GROUPS, 1)]
        self._db.executemany("INSERT INTO usergroup VALUES (?, ?, ?, ?, ?)", groups)
        self._db.executemany("INSERT INTO badge VALUES (?, ?)", list(enumerate(BADGES, 101)))
        ids = {(side, name): id for side, id, name, _, _ in groups}
        rows = [(side, ids[side, name], member) for side, name, member in self._memberships()]
        self._db.executemany("INSERT INTO membership VALUES (?, ?, ?)", rows)

    def _memberships(self) -> Iterator[tuple[str, str, int]]:
        ids = self._people.ids
        for id in ids(FORUM, "admin", "moderator"):
            yield FORUM, "staff", id
        for id in ids(FORUM, "moderator"):
            yield FORUM, "moderators", id
        for id in ids(FORUM, "greeter"):
            yield FORUM, "greeters", id
        for id in ids(FORUM, "regular")[-1:]:
            yield FORUM, "no-automation", id
        for id in ids(WIKI, "admin", "moderator"):
            yield WIKI, "sysop", id
            yield WIKI, "bureaucrat", id
        for id in ids(WIKI, "bot"):
            yield WIKI, "bot", id
            yield WIKI, "bureaucrat", id
            yield WIKI, "sysop", id

    def _accounts(self) -> None:
        rows = [self._account(FORUM, id, p) for id, p in enumerate(self._people.forum, 1)]
        rows += [self._account(WIKI, id, p) for id, p in enumerate(self._people.wiki, 1)]
        self._db.executemany("INSERT INTO member VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)

    def _account(self, side: str, id: int, person: Person) -> tuple[Any, ...]:
        forum, end = side == FORUM, self._sizes.end
        ours = person.username.lower() == "ordito"
        return (
            side, id, person.username, person.name, person.joined,
            min(person.last_seen, end) if forum else None,
            person.trust_level if forum else None, forum and (person.role == "admin" or ours),
            forum and (person.role == "moderator" or ours), person.role == "bot",
            end + 700 * HOUR if person.role == "suspended" else None, None, "" if forum else None,
            person.language, int(person.accepts or ours), self._tick(),
        )  # fmt: skip
