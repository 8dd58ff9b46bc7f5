"""The sandbox's rows as records: what changed since a change number, and single items afresh."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..base import Batch, Cursor
from ..records import (
    Change,
    Contribution,
    ContributionKind,
    Group,
    Kind,
    Member,
    Record,
    Ref,
    Space,
    Thread,
    ThreadKind,
)
from .community import Sandbox, Side, number, split_labels
from .schema import FORUM, WIKI, micros, moment, moment_or_none
from .wiki import full_title, page_titled

BATCH = 1000
Row = tuple[Any, ...]
Gone = tuple[Ref, Any]

_MEMBER = (
    "SELECT seq, id, username, name, joined_at, last_seen_at, trust_level, admin, moderator, bot,"
    " suspended_until, silenced_until, title FROM member"
)
_THREAD = (
    "SELECT seq, id, kind, space, title, author, created_at, last_activity_at, closed, archived, visible,"
    " pinned, labels, views, likes, solved_by, deleted_at FROM thread"
)
_CONTRIBUTION = (
    "SELECT seq, id, thread, author, created_at, updated_at, position, parent, likes, text, kind, current,"
    " private, deleted_at FROM contribution"
)
_SPACE = "SELECT seq, id, name, parent, restricted FROM space"
_GROUP = "SELECT seq, id, name, automatic FROM usergroup"
_CHANGE = "SELECT seq, kind, item, field, value, present, at FROM journal"
_SINCE = " WHERE side = ? AND seq > ? AND seq <= ?"
_PAGE = " ORDER BY seq LIMIT ?"
_SPOKEN_IN = " WHERE side = ? AND id IN (SELECT thread FROM contribution WHERE side = ? AND author = ?)"
_ONE = " WHERE side = ? AND id = ?"
_FIELDS = frozenset({"closed", "archived", "visible", "label", "group", "trust_level", "title", "space"})
_KINDS = {kind.value: kind for kind in ContributionKind}
_THREAD_KINDS = {kind.value: kind for kind in ThreadKind}


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    rows: str
    count: str
    read: Callable[[Reader, Row], Record | Gone | None]


class Reader:
    """Reads one side for the account that Ordito uses there.

    `messages`: all private messages, else only those that the account itself began. `since`: threads with
    no activity from then on, and contributions from before, are left out; None = nothing is.
    """

    def __init__(
        self, sandbox: Sandbox, site: str, side: Side, *, messages: bool, since: datetime | None = None
    ) -> None:
        self._sandbox, self._site, self._side, self._messages = sandbox, site, side, messages
        self._since = 0 if since is None else micros(since)
        self._ours: int = sandbox.account(side)["id"]
        self.requests = 0
        """Pages of rows that were read."""

    # Changes

    def changes(self, cursor: Cursor | None) -> Iterator[Batch]:
        """The cursor is `{"since": N}` between passes; within one it names the part, the last row read
        and the pass's end, so that rows that change meanwhile are left to the next pass."""
        state = dict(cursor or {"since": 0})
        while True:
            upto = state.get("upto") or self._sandbox.last_change()
            if upto <= state["since"] and "part" not in state:
                return
            yield from self._pass(state["since"], upto, state.get("part", PARTS[0].name), state.get("after"))
            state = {"since": upto}

    def _pass(self, since: int, upto: int, first: str, after: int | None) -> Iterator[Batch]:
        names = [part.name for part in PARTS]
        for part in PARTS[names.index(first) :]:
            yield from self._part(part, since, upto, since if after is None else after)
            after = None

    def _part(self, part: _Part, since: int, upto: int, last: int) -> Iterator[Batch]:
        """The rows of one kind; the last part always ends with a batch, whose cursor ends the pass."""
        total = self._count(part, since, upto)
        left = self._count(part, last, upto)
        ended = False
        while not ended:
            self.requests += 1
            rows = self._sandbox.db.execute(
                part.rows + _SINCE + _PAGE, (self._side, last, upto, BATCH)
            ).fetchall()
            ended = len(rows) < BATCH
            last, left = rows[-1][0] if rows else last, left - len(rows)
            cursor: Cursor = {"since": since, "upto": upto, "part": part.name, "after": last}
            if ended and part is PARTS[-1]:
                cursor = {"since": upto}
            if rows or "part" not in cursor:
                records, gone = self._records(part, rows)
                yield Batch(
                    records=records, gone=gone, cursor=cursor, part=part.name, done=total - left, total=total
                )

    def _count(self, part: _Part, after: int, upto: int) -> int:
        found = self._sandbox.db.execute(part.count + _SINCE, (self._side, after, upto))
        return int(found.fetchone()[0])

    def _records(self, part: _Part, rows: list[Row]) -> tuple[tuple[Record, ...], tuple[Gone, ...]]:
        found = [part.read(self, row) for row in rows]
        return (
            tuple(item for item in found if item is not None and not isinstance(item, tuple)),
            tuple(item for item in found if isinstance(item, tuple)),
        )

    # Single items

    def fetch(self, ref: Ref) -> Batch | None:
        """The item and everything its facts need; None if it is gone or not visible."""
        self.requests += 1
        if ref.kind == Kind.MEMBER:
            return self._about_member(number(ref.id))
        if ref.kind == Kind.CONTRIBUTION:
            row = self._one(_CONTRIBUTION, ref.id)
            item = None if row is None else self.contribution(row)
            return self._about_thread(item.thread) if isinstance(item, Contribution) else None
        if ref.kind == Kind.THREAD:
            return self._about_thread(ref.id)
        if ref.kind == "title":
            page = page_titled(self._sandbox, full_title(ref.id)) if self._side == WIKI else None
            return None if page is None else self._about_thread(page["id"])
        row = self._one(_GROUP if ref.kind == Kind.GROUP else _SPACE, ref.id)
        if row is None:
            return None
        return Batch(records=(self.group(row) if ref.kind == Kind.GROUP else self.space(row),))

    def _one(self, sql: str, id: str | int) -> Row | None:
        row: Row | None = self._sandbox.db.execute(sql + _ONE, (self._side, number(id))).fetchone()
        return row

    def _about_thread(self, id: str | int) -> Batch | None:
        row = self._one(_THREAD, id)
        thread = None if row is None else self.thread(row)
        if not isinstance(thread, Thread):
            return None
        records = self._contributions(" WHERE side = ? AND thread = ? ORDER BY id", thread.id)
        members = {c.author for c in records if isinstance(c, Contribution)} | {thread.author}
        people = [self._member_record(m) for m in sorted(m for m in members if m is not None)]
        return Batch(records=(*people, thread, *records))

    def _about_member(self, id: int) -> Batch | None:
        """The member, the groups, the threads begun by them with all replies, and their own words."""
        if self._one(_MEMBER, id) is None:
            return None
        groups = self._sandbox.db.execute(_GROUP + " WHERE side = ? ORDER BY id", (self._side,)).fetchall()
        me = self._member_record(str(id))
        records: dict[Ref, Record] = {me.ref: me}
        for group in map(self.group, groups):
            records[group.ref] = group
        rows = self._sandbox.db.execute(_THREAD + _SPOKEN_IN, (self._side, self._side, id))
        threads = [t for t in map(self.thread, rows.fetchall()) if isinstance(t, Thread)]
        for thread in threads:
            records[thread.ref] = thread
        words = self._contributions(" WHERE side = ? AND author = ? ORDER BY id", id)
        for thread in threads:
            if thread.author == str(id):
                words += self._contributions(" WHERE side = ? AND thread = ? ORDER BY id", thread.id)
        for word in words:
            records[word.ref] = word
        return Batch(records=tuple(records.values()))

    def _contributions(self, where: str, id: str | int) -> list[Contribution]:
        rows = self._sandbox.db.execute(_CONTRIBUTION + where, (self._side, number(id))).fetchall()
        return [c for c in map(self.contribution, rows) if isinstance(c, Contribution)]

    def _member_record(self, id: str) -> Member:
        row = self._one(_MEMBER, id)
        assert row is not None  # noqa: S101 (accounts are never deleted)
        return self.member(row)

    # Rows to records

    def member(self, row: Row) -> Member:
        _, id, username, name, joined, seen, trust, admin, moderator, bot, suspended, silenced, title = row
        return Member(
            site=self._site, id=str(id), username=username, name=name, joined_at=moment_or_none(joined),
            last_seen_at=moment_or_none(seen), trust_level=trust, admin=bool(admin),
            moderator=bool(moderator), bot=bool(bot), suspended_until=moment_or_none(suspended),
            silenced_until=moment_or_none(silenced), title=title,
            groups=None if self._side == FORUM else self._sandbox.groups_of(WIKI, id),
        )  # fmt: skip

    def space(self, row: Row) -> Space:
        _, id, name, parent, restricted = row
        return Space(
            site=self._site, id=str(id), name=name, parent=None if parent is None else str(parent),
            restricted=bool(restricted),
        )  # fmt: skip

    def group(self, row: Row) -> Group:
        _, id, name, automatic = row
        members = None
        if self._side == FORUM and not automatic:
            found = self._sandbox.db.execute(
                "SELECT member FROM membership WHERE side = 'forum' AND usergroup = ?", (id,)
            )
            members = frozenset(str(member) for (member,) in found)
        return Group(site=self._site, id=str(id), name=name, members=members)

    def thread(self, row: Row) -> Thread | Gone | None:
        (_, id, kind, space, title, author, created, active, closed, archived, visible, pinned, labels, views,
         likes, solved, deleted) = row  # fmt: skip
        if deleted is not None:
            return Ref(self._site, Kind.THREAD, str(id)), moment(deleted)
        if active < self._since or (kind == "message" and not self._messages and author != self._ours):
            return None
        return Thread(
            site=self._site, id=str(id), kind=_THREAD_KINDS[kind],
            space=None if space is None else str(space), title=title,
            author=None if author is None else str(author), created_at=moment(created),
            last_activity_at=moment(active), closed=_flag(closed), archived=_flag(archived),
            visible=_flag(visible), pinned=_flag(pinned), labels=split_labels(labels), views=views,
            likes=likes, solved_by=None if solved is None else str(solved) if solved else "",
        )  # fmt: skip

    def contribution(self, row: Row) -> Contribution | Gone | None:
        (_, id, thread, author, created, updated, position, parent, likes, text, kind, current, private,
         deleted) = row  # fmt: skip
        if deleted is not None:
            return Ref(self._site, Kind.CONTRIBUTION, str(id)), moment(deleted)
        if created < self._since or (private and not self._messages and not self._is_ours(thread)):
            return None
        at = moment(created)
        return Contribution(
            site=self._site, id=str(id), thread=str(thread), author=None if author is None else str(author),
            created_at=at, updated_at=at if updated == created else moment_or_none(updated),
            position=position, parent=None if parent is None else str(parent), likes=likes,
            size=len(text) if text.isascii() else len(text.encode()),
            sha1=_sha1(text) if self._side == WIKI else None, text=text if current else None,
            kind=_KINDS[kind],
        )  # fmt: skip

    def _is_ours(self, thread: int) -> bool:
        found = self._sandbox.db.execute(
            "SELECT 1 FROM thread WHERE side = 'forum' AND id = ? AND author = ?", (thread, self._ours)
        )
        return found.fetchone() is not None

    def change(self, row: Row) -> Change | None:
        _, kind, item, field, value, present, at = row
        if field not in _FIELDS:
            return None
        typed = bool(value) if field in ("closed", "archived", "visible") else value
        return Change(
            site=self._site,
            kind=Kind(kind),
            id=str(item),
            field=field,
            value=typed,
            at=moment(at),
            on=bool(present),
        )

    def counts(self) -> Mapping[str, int]:
        """Members, threads and contributions that are not deleted and that this account reads."""
        all_messages, since = int(self._messages), self._since
        return {
            "members": self._number("SELECT count(*) FROM member WHERE side = ?", self._side),
            "threads": self._number(
                "SELECT count(*) FROM thread WHERE side = ? AND deleted_at IS NULL"
                " AND last_activity_at >= ? AND (kind != 'message' OR ? OR author = ?)",
                self._side, since, all_messages, self._ours,
            ),
            "contributions": self._number(
                "SELECT count(*) FROM contribution c WHERE side = ? AND deleted_at IS NULL"
                " AND created_at >= ? AND (NOT private OR ? OR EXISTS"
                " (SELECT 1 FROM thread t WHERE t.side = c.side AND t.id = c.thread AND t.author = ?))",
                self._side, since, all_messages, self._ours,
            ),
        }  # fmt: skip

    def _number(self, sql: str, *values: Any) -> int:
        return int(self._sandbox.db.execute(sql, values).fetchone()[0])


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


PARTS = (
    _Part("members", _MEMBER, "SELECT count(*) FROM member", Reader.member),
    _Part("spaces", _SPACE, "SELECT count(*) FROM space", Reader.space),
    _Part("groups", _GROUP, "SELECT count(*) FROM usergroup", Reader.group),
    _Part("threads", _THREAD, "SELECT count(*) FROM thread", Reader.thread),
    _Part("contributions", _CONTRIBUTION, "SELECT count(*) FROM contribution", Reader.contribution),
    _Part("changes", _CHANGE, "SELECT count(*) FROM journal", Reader.change),
)
"""The order in which a pass reads, so that what a record names has been read before it."""
