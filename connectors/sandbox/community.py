"""The sandbox as its own server: the file, its clock, its journal; people act on it through `as_member`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from ...config.errors import NotFound, ReadOnly
from .schema import FORUM, WIKI, micros, open_file

if TYPE_CHECKING:
    from .forum import ForumMember
    from .wiki import WikiMember

Side = Literal["forum", "wiki"]


class Sandbox:
    """One open sandbox file. Everything that happens is stamped by the clock that is passed in."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self.now = now
        self.db = open_file(path)

    def close(self) -> None:
        self.db.close()

    @overload
    def as_member(self, member: str) -> ForumMember: ...
    @overload
    def as_member(self, member: str, side: Literal["forum"]) -> ForumMember: ...
    @overload
    def as_member(self, member: str, side: Literal["wiki"]) -> WikiMember: ...
    def as_member(self, member: str, side: Side = "forum") -> ForumMember | WikiMember:
        """The member with this id, who can then act. Raises NotFound."""
        from .forum import ForumMember
        from .wiki import WikiMember

        found = self.member(side, member)["id"]
        return ForumMember(self, found) if side == FORUM else WikiMember(self, found)

    # Writing

    @contextmanager
    def writing(self) -> Iterator[int]:
        """One transaction; gives the present moment in microseconds. Raises ReadOnly in that mode."""
        if self.read_only:
            raise ReadOnly("The sandbox is in read-only mode.", hint="Try again later.")
        if self.db.in_transaction:
            yield micros(self.now())
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield micros(self.now())
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def tick(self) -> int:
        """The next change number; only inside `writing`."""
        row = self.db.execute(
            "UPDATE meta SET value = value + 1 WHERE key = 'seq' RETURNING value"
        ).fetchone()
        return int(row[0])

    def last_change(self) -> int:
        return int(self.db.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()[0])

    @property
    def read_only(self) -> bool:
        return self.db.execute("SELECT 1 FROM meta WHERE key = 'read_only'").fetchone() is not None

    def stop_writes(self) -> None:
        """Read-only mode, as during a backup."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES ('read_only', 1)")

    def note(
        self,
        side: Side,
        kind: str,
        item: int,
        field: str,
        value: Any,
        was: Any,
        by: int,
        *,
        present: bool = True,
    ) -> int:
        """Write a change of state into the journal; returns its number."""
        seq = self.tick()
        self.db.execute(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, side, kind, item, field, value, was, present, by, micros(self.now())),
        )
        return seq

    # Reading

    def row(self, sql: str, *values: Any) -> dict[str, Any] | None:
        """The first row as a dictionary by column name."""
        cursor = self.db.execute(sql, values)
        found = cursor.fetchone()
        return None if found is None else dict(zip((c[0] for c in cursor.description), found, strict=True))

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.db.execute(sql, values)
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def member(self, side: Side, id: str | int) -> dict[str, Any]:
        """Raises NotFound."""
        found = self.row("SELECT * FROM member WHERE side = ? AND id = ?", side, number(id))
        return found or self._missing(side, "user", id)

    def member_named(self, side: Side, username: str) -> dict[str, Any] | None:
        return self.row("SELECT * FROM member WHERE side = ? AND username = ? COLLATE NOCASE", side, username)

    def thread(self, side: Side, id: str | int) -> dict[str, Any]:
        """An undeleted thread. Raises NotFound."""
        found = self.row(
            "SELECT * FROM thread WHERE side = ? AND id = ? AND deleted_at IS NULL", side, number(id)
        )
        return found or self._missing(side, "topic" if side == FORUM else "page", id)

    def contribution(self, side: Side, id: str | int) -> dict[str, Any]:
        """An undeleted contribution. Raises NotFound."""
        found = self.row(
            "SELECT * FROM contribution WHERE side = ? AND id = ? AND deleted_at IS NULL", side, number(id)
        )
        return found or self._missing(side, "post" if side == FORUM else "revision", id)

    def group_named(self, side: Side, name: str) -> dict[str, Any]:
        """Raises NotFound."""
        found = self.row("SELECT * FROM usergroup WHERE side = ? AND name = ?", side, name)
        return found or self._missing(side, "group", name)

    def groups_of(self, side: Side, member: str | int) -> frozenset[str]:
        rows = self.db.execute(
            "SELECT g.name FROM membership m JOIN usergroup g ON g.side = m.side AND g.id = m.usergroup"
            " WHERE m.side = ? AND m.member = ?",
            (side, number(member)),
        )
        return frozenset(name for (name,) in rows)

    def account(self, side: Side) -> dict[str, Any]:
        """The account that Ordito itself uses on this side."""
        found = self.member_named(side, "ordito")
        return found or self._missing(side, "user", "ordito")

    def _missing(self, side: str, what: str, id: str | int) -> Any:
        raise NotFound(f"The {side} has no {what} {id}.", hint="It may have been deleted; run `ordito sync`.")

    # People who come without having been there before

    def join(self, side: Side, username: str, *, name: str = "", language: str = "en") -> str:
        """A new account; returns its id."""
        with self.writing() as at:
            id = self.next_id("member", side)
            forum = side == FORUM
            self.db.execute(
                "INSERT INTO member (side, id, username, name, joined_at, last_seen_at, trust_level, title,"
                " language, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (side, id, username, name, at, at if forum else None, 0 if forum else None,
                 "" if forum else None, language, self.tick()),
            )  # fmt: skip
        return str(id)

    def put_into_group(
        self, side: Side, member: str | int, name: str, *, by: int, present: bool = True
    ) -> int | None:
        """Put a member into a group or take them out; None if that changes nothing, else the number in
        the journal. Raises NotFound."""
        group, id = self.group_named(side, name)["id"], self.member(side, member)["id"]
        with self.writing():
            if (name in self.groups_of(side, id)) == present:
                return None
            sql = (
                "INSERT INTO membership VALUES (?, ?, ?)"
                if present
                else "DELETE FROM membership WHERE side = ? AND usergroup = ? AND member = ?"
            )
            self.db.execute(sql, (side, group, id))
            if side == FORUM:
                self.db.execute(
                    "UPDATE usergroup SET seq = ? WHERE side = ? AND id = ?", (self.tick(), side, group)
                )
            else:
                self.touch_member(side, id)
            return self.note(side, "member", id, "group", name, None, by, present=present)

    def touch_member(self, side: Side, id: int) -> None:
        self.db.execute("UPDATE member SET seq = ? WHERE side = ? AND id = ?", (self.tick(), side, id))

    def suspend(self, side: Side, member: str | int, until: datetime) -> None:
        """A suspension (forum) or a block (wiki)."""
        with self.writing():
            self.db.execute(
                "UPDATE member SET suspended_until = ?, seq = ? WHERE side = ? AND id = ?",
                (micros(until), self.tick(), side, number(member)),
            )

    def set_rights(self, side: Side, member: str | int, *, admin: bool, moderator: bool) -> None:
        with self.writing():
            self.db.execute(
                "UPDATE member SET admin = ?, moderator = ?, seq = ? WHERE side = ? AND id = ?",
                (admin, moderator, self.tick(), side, number(member)),
            )

    def next_id(self, table: Literal["member", "thread", "contribution"], side: Side) -> int:
        """The next free id; ids of deleted rows are not used again."""
        sql = {
            "member": "SELECT coalesce(max(id), 0) + 1 FROM member WHERE side = ?",
            "thread": "SELECT coalesce(max(id), 0) + 1 FROM thread WHERE side = ?",
            "contribution": "SELECT coalesce(max(id), 0) + 1 FROM contribution WHERE side = ?",
        }[table]
        return int(self.db.execute(sql, (side,)).fetchone()[0])

    def add_contribution(
        self, side: Side, thread: int, author: int, text: str, *, kind: str = "regular", **values: Any
    ) -> int:
        """Insert the row of a contribution made now; returns its id. Only inside `writing`."""
        id, at = self.next_id("contribution", side), micros(self.now())
        row = {"position": None, "parent": None, "likes": None, "private": 0, "summary": "", **values}
        self.db.execute(
            "INSERT INTO contribution (side, id, thread, author, created_at, updated_at, position, parent,"
            " likes, text, kind, private, summary, editor, seq)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (side, id, thread, author, at, at if side == FORUM else None, row["position"], row["parent"],
             row["likes"], text, kind, row["private"], row["summary"], author, self.tick()),
        )  # fmt: skip
        return id

    def delete_thread(self, side: Side, thread: int) -> None:
        """Mark the thread and all its contributions as deleted. Only inside `writing`."""
        at = micros(self.now())
        self.db.execute(
            "UPDATE thread SET deleted_at = ?, seq = ? WHERE side = ? AND id = ?",
            (at, self.tick(), side, thread),
        )
        rows = self.db.execute(
            "SELECT id FROM contribution WHERE side = ? AND thread = ? AND deleted_at IS NULL", (side, thread)
        ).fetchall()
        for (id,) in rows:
            self.delete_contribution(side, id)

    def delete_contribution(self, side: Side, id: int) -> None:
        """Mark one contribution as deleted. Only inside `writing`."""
        self.db.execute(
            "UPDATE contribution SET deleted_at = ?, seq = ? WHERE side = ? AND id = ?",
            (micros(self.now()), self.tick(), side, id),
        )

    def newest(
        self, side: Side, kind: str, item: int, field: str, value: Any = None
    ) -> dict[str, Any] | None:
        """The journal's last entry about this field (of this element, for a set)."""
        return self.row(
            "SELECT * FROM journal WHERE side = ? AND kind = ? AND item = ? AND field = ?"
            " AND (? IS NULL OR value = ?) ORDER BY seq DESC LIMIT 1",
            side, kind, item, field, value, value,
        )  # fmt: skip


def number(id: str | int) -> int:
    """The integer of an id; one that cannot exist for anything that is not one."""
    text = str(id)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def split_labels(text: str) -> frozenset[str]:
    return frozenset(text.split("\n")) if text else frozenset()


def join_labels(labels: Sequence[str] | frozenset[str] | set[str]) -> str:
    return "\n".join(sorted(set(labels)))


__all__ = ["FORUM", "WIKI", "Sandbox", "Side", "join_labels", "number", "split_labels"]
