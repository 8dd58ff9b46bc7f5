"""What a member can do on the forum side, by the rules of a Discourse forum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal

from ...config.errors import Conflict, Filtered, Forbidden
from .community import Sandbox, join_labels, number, split_labels
from .schema import FORUM, micros

Status = Literal["closed", "archived", "visible"]
_STATUS_SQL = {
    "closed": "UPDATE thread SET closed = ?, seq = ? WHERE side = 'forum' AND id = ?",
    "archived": "UPDATE thread SET archived = ?, seq = ? WHERE side = 'forum' AND id = ?",
    "visible": "UPDATE thread SET visible = ?, seq = ? WHERE side = 'forum' AND id = ?",
}


class ForumMember:
    """A member of the forum who acts now. Ids are strings; Forbidden, Filtered, NotFound and Conflict are
    raised as the forum would refuse."""

    def __init__(self, sandbox: Sandbox, id: int) -> None:
        self._sandbox = sandbox
        self.id = id

    @property
    def _me(self) -> dict[str, Any]:
        return self._sandbox.member(FORUM, self.id)

    def _may_speak(self) -> None:
        at, me = micros(self._sandbox.now()), self._me
        if max(me["suspended_until"] or 0, me["silenced_until"] or 0) > at:
            raise Forbidden(f"{me['username']} is suspended or silenced.")

    def _staff_only(self, what: str) -> None:
        me = self._me
        if not (me["admin"] or me["moderator"]):
            raise Forbidden(f"{me['username']} may not {what}.", hint="The account must be a moderator.")

    def _admin_only(self, what: str) -> None:
        me = self._me
        if not me["admin"]:
            raise Forbidden(f"{me['username']} may not {what}.", hint="The account must be an admin.")

    # Text

    def open(self, title: str, text: str, space: str | None = None, labels: Sequence[str] = ()) -> str:
        """A new topic; returns its id."""
        return self._open("topic", title, text, space=space, labels=labels)

    def write(self, to: Sequence[str], title: str, text: str) -> str:
        """A private message; returns the thread's id. Filtered if a recipient does not take messages."""
        for member in (self._sandbox.member(FORUM, id) for id in to):
            if not member["accepts"]:
                raise Filtered(f"{member['username']} does not take private messages.")
        return self.notify(to, title, text)

    def notify(self, to: Sequence[str], title: str, text: str) -> str:
        """A message to the members of a group, who cannot refuse it."""
        members = [self._sandbox.member(FORUM, id) for id in to]
        thread = self._open("message", title, text)
        with self._sandbox.writing():
            self._sandbox.db.executemany(
                "INSERT OR IGNORE INTO recipient VALUES (?, ?)", [(int(thread), m["id"]) for m in members]
            )
        return thread

    def _open(
        self, kind: str, title: str, text: str, *, space: str | None = None, labels: Iterable[str] = ()
    ) -> str:
        self._may_speak()
        if not text.strip() or not title.strip():
            raise Filtered("A topic needs a title and a text.")
        box = self._sandbox
        with box.writing() as at:
            thread = box.next_id("thread", FORUM)
            category = None if kind == "message" else number(space or "1")
            box.db.execute(
                "INSERT INTO thread (side, id, kind, space, title, author, created_at, last_activity_at,"
                " closed, archived, visible, pinned, labels, views, likes, solved_by, seq)"
                " VALUES ('forum', ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, 0, ?, 0, 0, 0, ?)",
                (thread, kind, category, title, self.id, at, at, join_labels(set(labels)), box.tick()),
            )
            box.add_contribution(
                FORUM, thread, self.id, text, position=1, likes=0, private=int(kind == "message")
            )
            self._seen_now(at)
        return str(thread)

    def reply(self, thread: str, text: str, parent: str | None = None, *, bump: bool = True) -> str:
        """A post in the thread, answering the contribution `parent`; returns its id. Without `bump` the
        thread does not move up in the lists."""
        self._may_speak()
        box = self._sandbox
        found = box.thread(FORUM, thread)
        if (found["closed"] or found["archived"]) and not (self._me["admin"] or self._me["moderator"]):
            raise Filtered(f"Topic {thread} is closed.")
        if not text.strip():
            raise Filtered("A post needs a text.")
        with box.writing() as at:
            post = self._post(found, text, parent=None if parent is None else number(parent))
            box.db.execute(
                "UPDATE thread SET last_activity_at = ?, seq = ? WHERE side = 'forum' AND id = ?",
                (at if bump else found["last_activity_at"], box.tick(), found["id"]),
            )
            self._seen_now(at)
        return str(post)

    def _post(
        self, thread: dict[str, Any], text: str, *, kind: str = "regular", parent: int | None = None
    ) -> int:
        box = self._sandbox
        last = box.db.execute(
            "SELECT coalesce(max(position), 0) FROM contribution WHERE side = 'forum' AND thread = ?",
            (thread["id"],),
        ).fetchone()[0]
        return box.add_contribution(
            FORUM, thread["id"], self.id, text, kind=kind, position=last + 1, parent=parent, likes=0,
            private=int(thread["kind"] == "message"),
        )  # fmt: skip

    def _seen_now(self, at: int) -> None:
        box = self._sandbox
        box.db.execute(
            "UPDATE member SET last_seen_at = ?, seq = ? WHERE side = 'forum' AND id = ?",
            (at, box.tick(), self.id),
        )

    def edit(self, contribution: str, text: str, expected: str | None = None) -> int:
        """Replace the text of a post, an other person's as staff; returns the number in the journal.
        Conflict if the text is not `expected`."""
        box = self._sandbox
        with box.writing() as at:
            post = box.contribution(FORUM, contribution)
            if post["author"] != self.id:
                self._staff_only("edit other people's posts")
            if expected is not None and post["text"] != expected:
                raise Conflict(f"Post {contribution} was edited meanwhile.")
            box.db.execute(
                "UPDATE contribution SET text = ?, updated_at = ?, editor = ?, seq = ?"
                " WHERE side = 'forum' AND id = ?",
                (text, at, self.id, box.tick(), post["id"]),
            )
            return box.note(FORUM, "contribution", post["id"], "text", text, post["text"], self.id)

    def retitle(self, thread: str, title: str) -> None:
        box = self._sandbox
        with box.writing():
            found = box.thread(FORUM, thread)
            if found["author"] != self.id:
                self._staff_only("rename topics")
            box.db.execute(
                "UPDATE thread SET title = ?, seq = ? WHERE side = 'forum' AND id = ?",
                (title, box.tick(), found["id"]),
            )

    def delete(self, contribution: str) -> None:
        """Delete a post; the first one takes its topic with it."""
        box = self._sandbox
        with box.writing():
            post = box.contribution(FORUM, contribution)
            if post["author"] != self.id:
                self._staff_only("delete other people's posts")
            if post["position"] == 1:
                box.delete_thread(FORUM, post["thread"])
            else:
                box.delete_contribution(FORUM, post["id"])
                self._settle_activity(post["thread"])

    def _settle_activity(self, thread: int) -> None:
        box = self._sandbox
        box.db.execute(
            "UPDATE thread SET seq = ?, last_activity_at = (SELECT max(created_at) FROM contribution"
            " WHERE side = 'forum' AND thread = ? AND deleted_at IS NULL AND kind != 'small')"
            " WHERE side = 'forum' AND id = ?",
            (box.tick(), thread, thread),
        )

    def delete_thread(self, thread: str) -> None:
        self._staff_only("delete topics")
        with self._sandbox.writing():
            self._sandbox.delete_thread(FORUM, self._sandbox.thread(FORUM, thread)["id"])

    def like(self, contribution: str) -> None:
        """Once per member and post; Filtered the second time and for one's own posts."""
        box = self._sandbox
        with box.writing():
            post = box.contribution(FORUM, contribution)
            known = box.row("SELECT 1 FROM liking WHERE contribution = ? AND member = ?", post["id"], self.id)
            if known or post["author"] == self.id:
                raise Filtered("A post can be liked once, by somebody else than its author.")
            box.db.execute("INSERT INTO liking VALUES (?, ?)", (post["id"], self.id))
            box.db.execute(
                "UPDATE contribution SET likes = likes + 1, seq = ? WHERE side = 'forum' AND id = ?",
                (box.tick(), post["id"]),
            )
            box.db.execute(
                "UPDATE thread SET likes = likes + 1, seq = ? WHERE side = 'forum' AND id = ?",
                (box.tick(), post["thread"]),
            )

    def accept(self, contribution: str) -> None:
        """Mark the post as the answer, as the author of the topic or as staff."""
        box = self._sandbox
        with box.writing():
            post = box.contribution(FORUM, contribution)
            if box.thread(FORUM, post["thread"])["author"] != self.id:
                self._staff_only("accept answers to other people's questions")
            box.db.execute(
                "UPDATE thread SET solved_by = ?, seq = ? WHERE side = 'forum' AND id = ?",
                (post["id"], box.tick(), post["thread"]),
            )

    # State; each returns its number in the journal, None if it held already

    def close(self, thread: str) -> int | None:
        return self.set_status(thread, "closed", True)

    def reopen(self, thread: str) -> int | None:
        return self.set_status(thread, "closed", False)

    def archive(self, thread: str) -> int | None:
        return self.set_status(thread, "archived", True)

    def set_status(self, thread: str, field: Status, value: bool) -> int | None:
        """Close, archive, unlist or the contrary; leaves a small post in the topic, as Discourse does."""
        self._staff_only("change the state of topics")
        box = self._sandbox
        with box.writing():
            found = box.thread(FORUM, thread)
            if bool(found[field]) == value:
                return None
            box.db.execute(_STATUS_SQL[field], (value, box.tick(), found["id"]))
            self._post(found, "", kind="small")
            return box.note(FORUM, "thread", found["id"], field, int(value), found[field], self.id)

    def label(self, thread: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> list[int]:
        """Add and remove tags, as the topic's author or as staff."""
        box, entries = self._sandbox, []
        with box.writing():
            found = box.thread(FORUM, thread)
            if found["author"] != self.id:
                self._staff_only("tag other people's topics")
            before = split_labels(found["labels"])
            after = (before | set(add)) - set(remove)
            if after != before:
                box.db.execute(
                    "UPDATE thread SET labels = ?, seq = ? WHERE side = 'forum' AND id = ?",
                    (join_labels(after), box.tick(), found["id"]),
                )
            for tag in sorted(before ^ after):
                present = tag in after
                entries.append(
                    box.note(FORUM, "thread", found["id"], "label", tag, None, self.id, present=present)
                )
        return entries

    def move(self, thread: str, space: str) -> int | None:
        """Into another category. Filtered if there is no such category."""
        self._staff_only("move topics")
        box = self._sandbox
        with box.writing():
            found = box.thread(FORUM, thread)
            if not box.row("SELECT 1 FROM space WHERE side = 'forum' AND id = ?", number(space)):
                raise Filtered(f"There is no category {space}.")
            if found["space"] == number(space):
                return None
            box.db.execute(
                "UPDATE thread SET space = ?, seq = ? WHERE side = 'forum' AND id = ?",
                (number(space), box.tick(), found["id"]),
            )
            return box.note(
                FORUM, "thread", found["id"], "space", str(number(space)), str(found["space"]), self.id
            )

    # People

    def put_into_group(self, member: str, group: str, *, present: bool = True) -> int | None:
        self._admin_only("change groups")
        return self._sandbox.put_into_group(FORUM, member, group, by=self.id, present=present)

    def set_title(self, member: str, title: str) -> int | None:
        self._admin_only("give titles")
        box = self._sandbox
        with box.writing():
            found = box.member(FORUM, member)
            if found["title"] == title:
                return None
            box.db.execute(
                "UPDATE member SET title = ?, seq = ? WHERE side = 'forum' AND id = ?",
                (title, box.tick(), found["id"]),
            )
            return box.note(FORUM, "member", found["id"], "title", title, found["title"], self.id)

    def set_trust_level(self, member: str, level: int) -> None:
        self._staff_only("change trust levels")
        box = self._sandbox
        with box.writing():
            found = box.member(FORUM, member)
            box.db.execute(
                "UPDATE member SET trust_level = ?, seq = ? WHERE side = 'forum' AND id = ?",
                (level, box.tick(), found["id"]),
            )
            box.note(FORUM, "member", found["id"], "trust_level", level, found["trust_level"], self.id)

    def give_badge(self, member: str, badge: str, *, present: bool = True) -> int | None:
        """Grant or revoke. Filtered if there is no such badge."""
        self._admin_only("grant badges")
        box = self._sandbox
        with box.writing():
            found = box.member(FORUM, member)
            row = box.row("SELECT id FROM badge WHERE name = ?", badge)
            if row is None:
                raise Filtered(f"There is no badge '{badge}'.")
            if (badge in badges_of(box, found["id"])) == present:
                return None
            sql = (
                "INSERT INTO badge_grant VALUES (?, ?)"
                if present
                else "DELETE FROM badge_grant WHERE badge = ? AND member = ?"
            )
            box.db.execute(sql, (row["id"], found["id"]))
            return box.note(FORUM, "member", found["id"], "badge", badge, None, self.id, present=present)

    def refuse_messages(self) -> None:
        """Switch "allow private messages" off in one's own preferences."""
        box = self._sandbox
        with box.writing():
            box.db.execute(
                "UPDATE member SET accepts = 0, seq = ? WHERE side = 'forum' AND id = ?",
                (box.tick(), self.id),
            )

    def suspend(self, member: str, days: int = 30) -> None:
        self._staff_only("suspend members")
        self._sandbox.suspend(FORUM, member, self._sandbox.now() + timedelta(days=days))


def badges_of(sandbox: Sandbox, member: int) -> frozenset[str]:
    rows = sandbox.db.execute(
        "SELECT b.name FROM badge_grant g JOIN badge b ON b.id = g.badge WHERE g.member = ?", (member,)
    )
    return frozenset(name for (name,) in rows)
