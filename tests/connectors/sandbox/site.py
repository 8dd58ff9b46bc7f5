"""A side of a small sandbox as the contract suite's site. Its truth is read by SQL of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ordito.connectors.base import Family, World
from ordito.connectors.records import Contribution, ContributionKind, Kind, Member, Ref, Thread, ThreadKind
from ordito.connectors.sandbox.community import Sandbox, Side, split_labels
from ordito.connectors.sandbox.connector import SandboxConnector
from ordito.connectors.sandbox.forum import ForumMember, badges_of
from ordito.connectors.sandbox.generate import Sizes, generate
from ordito.connectors.sandbox.platform import SandboxPlatform
from ordito.connectors.sandbox.schema import moment
from ordito.connectors.sandbox.settings import SandboxSettings
from ordito.connectors.sandbox.wiki import WikiMember, full_title, page_titled, talk_title
from tests.connectors.adapter import Truth, Unsupported


class SandboxSite:
    """People act through `Sandbox.as_member`; every act comes one second after the one before."""

    group = "no-automation"
    badge = "Expert"
    other_space = "3"

    def __init__(self, folder: Path, side: Side, now: datetime) -> None:
        self.name = "club"
        self.family: Family = side
        self._side: Side = side
        self._clock = now
        self._file = folder / "community.db"
        generate(self._file, Sizes(now=now, members=40, threads=40, contributions=120))
        self.sandbox = Sandbox(self._file, self._tick)
        self._settings = SandboxSettings(connector="sandbox", file=str(self._file), side=side, messages=True)
        self.platform = SandboxPlatform(self.name, self._settings)

    def _tick(self) -> datetime:
        self._clock += timedelta(seconds=1)
        return self._clock

    def now(self) -> datetime:
        return self._clock

    def connect(self, **settings: Any) -> SandboxConnector:
        """With the adapter's settings, and these instead of some of them."""
        world = World(now=self._tick, monotonic=lambda: 0.0, sleep=lambda seconds: None)
        return SandboxConnector(self.name, self._settings.model_copy(update=settings), world)

    # The truth

    def truth(self) -> Truth:
        with_text = self.sandbox.rows(
            "SELECT * FROM contribution WHERE side = ? AND deleted_at IS NULL", self._side
        )
        threads = self.sandbox.rows("SELECT * FROM thread WHERE side = ? AND deleted_at IS NULL", self._side)
        members = self.sandbox.rows("SELECT * FROM member WHERE side = ?", self._side)
        return Truth(
            {str(row["id"]): self._member(row) for row in members},
            {str(row["id"]): self._thread(row) for row in threads},
            {str(row["id"]): self._contribution(row) for row in with_text},
        )

    def _member(self, row: dict[str, Any]) -> Member:
        until = row["suspended_until"]
        return Member(
            site=self.name, id=str(row["id"]), username=row["username"], name=row["name"],
            joined_at=moment(row["joined_at"]), trust_level=row["trust_level"], admin=row["admin"] == 1,
            moderator=row["moderator"] == 1, bot=row["bot"] == 1, title=row["title"],
            suspended_until=None if until is None else moment(until),
            groups=self.groups_of(str(row["id"])) if self.family == "wiki" else None,
        )  # fmt: skip

    def _thread(self, row: dict[str, Any]) -> Thread:
        forum = self.family == "forum"
        return Thread(
            site=self.name, id=str(row["id"]), kind=ThreadKind(row["kind"]),
            space=None if row["space"] is None else str(row["space"]), title=row["title"],
            author=str(row["author"]), created_at=moment(row["created_at"]),
            last_activity_at=moment(row["last_activity_at"]), closed=row["closed"] == 1 if forum else None,
            archived=row["archived"] == 1 if forum else None, visible=row["visible"] == 1 if forum else None,
            pinned=row["pinned"] == 1 if forum else None, labels=split_labels(row["labels"]),
            likes=row["likes"], solved_by=str(row["solved_by"] or "") if forum else None,
        )  # fmt: skip

    def _contribution(self, row: dict[str, Any]) -> Contribution:
        source = row["text"].encode()
        wiki = self.family == "wiki"
        return Contribution(
            site=self.name, id=str(row["id"]), thread=str(row["thread"]), author=str(row["author"]),
            created_at=moment(row["created_at"]), position=row["position"], likes=row["likes"],
            parent=None if row["parent"] is None else str(row["parent"]), size=len(source),
            sha1=hashlib.sha1(source, usedforsecurity=False).hexdigest() if wiki else None,
            text=row["text"] if row["current"] else None, kind=ContributionKind(row["kind"]),
        )  # fmt: skip

    # People

    def _as(self, member: str) -> ForumMember:
        if self._side == "wiki":
            raise Unsupported("a wiki has no such act")
        return self.sandbox.as_member(member)

    def _user(self, member: str) -> WikiMember:
        return self.sandbox.as_member(member, "wiki")

    def join(self, username: str) -> str:
        return self.sandbox.join(self._side, username)

    def moderator(self) -> str:
        sql = {
            "forum": "SELECT id FROM member WHERE side = 'forum' AND admin AND username != 'ordito'",
            "wiki": "SELECT m.member AS id FROM membership m JOIN usergroup g ON g.side = m.side"
            " AND g.id = m.usergroup WHERE m.side = 'wiki' AND g.name = 'sysop' ORDER BY m.member",
        }[self._side]
        ours = self.sandbox.account(self._side)["id"]
        return next(str(row["id"]) for row in self.sandbox.rows(sql) if row["id"] != ours)

    def open(self, author: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        if self._side == "forum":
            return self._as(author).open(title, text, "2", labels)
        links = "".join(f"\n[[Category:{label}]]" for label in labels)
        revision = self._user(author).save(title, text + links, create_only=True)
        return str(self.sandbox.contribution("wiki", str(revision))["thread"])

    def contribute(self, author: str, thread: str, text: str) -> str:
        if self._side == "forum":
            return self._as(author).reply(thread, text)
        title = self.state(thread).title
        return str(self._user(author).save(title, f"{self.first_text(thread)}\n\n{text}"))

    def rewrite(self, by: str, thread: str, text: str) -> None:
        if self._side == "forum":
            self._as(by).edit(str(self._first(thread)["id"]), text)
        else:
            self._user(by).save(self.state(thread).title, text)

    def edit(self, by: str, contribution: str, text: str) -> None:
        self._as(by).edit(contribution, text)

    def relabel(self, by: str, thread: str, labels: Sequence[str]) -> None:
        held = self.state(thread).labels or frozenset()
        wanted = frozenset(labels if self._side == "forum" else map(full_title, labels))
        add, remove = wanted - held, held - wanted
        if self._side == "forum":
            self._as(by).label(thread, add, remove)
        else:
            self._user(by).label(thread, add, remove)

    def close(self, by: str, thread: str, closed: bool = True) -> None:
        self._as(by).set_status(thread, "closed", closed)

    def archive(self, by: str, thread: str, archived: bool = True) -> None:
        self._as(by).set_status(thread, "archived", archived)

    def retitle(self, by: str, thread: str, title: str) -> None:
        if self._side == "forum":
            self._as(by).retitle(thread, title)
        else:
            self._user(by).move(thread, title)

    def like(self, by: str, contribution: str) -> None:
        self._as(by).like(contribution)

    def delete_contribution(self, by: str, contribution: str) -> None:
        self._as(by).delete(contribution)

    def delete_thread(self, by: str, thread: str) -> None:
        if self._side == "forum":
            self._as(by).delete_thread(thread)
        else:
            self._user(by).delete_page(thread)

    def suspend(self, by: str, member: str) -> None:
        if self._side == "forum":
            self._as(by).suspend(member)
        else:
            self._user(by).block(member)

    def put_into_group(self, by: str, member: str, group: str) -> None:
        self.sandbox.as_member(by, self._side).put_into_group(member, group)

    def take_from_group(self, by: str, member: str, group: str) -> None:
        self.sandbox.as_member(by, self._side).put_into_group(member, group, present=False)

    def refuse_messages(self, member: str) -> None:
        self.sandbox.as_member(member, self._side).refuse_messages()

    def object(self, by: str) -> Ref | None:
        if self._side == "forum":
            thread = self.open(self.moderator(), "Stop Ordito here", "Reply here and Ordito stops.")
            self.contribute(by, thread, "Please stop.")
            return Ref(self.name, Kind.THREAD, thread)
        self._user(by).save("Project:Ordito/Stop", "Please stop.")
        return Ref(self.name, "title", "Project:Ordito/Stop")

    # What is on the server

    def _first(self, thread: str) -> dict[str, Any]:
        return self._contributions(thread)[0]

    def _contributions(self, thread: str) -> list[dict[str, Any]]:
        return self.sandbox.rows(
            "SELECT * FROM contribution WHERE side = ? AND thread = ? AND deleted_at IS NULL"
            " AND kind != 'small' ORDER BY id",
            self._side, int(thread),
        )  # fmt: skip

    def first_text(self, thread: str) -> str:
        place = 0 if self._side == "forum" else -1
        return str(self._contributions(thread)[place]["text"])

    def received(self, member: str) -> Sequence[str]:
        if self._side == "forum":
            rows = self.sandbox.rows(
                "SELECT c.text FROM contribution c JOIN recipient r ON r.thread = c.thread"
                " WHERE c.side = 'forum' AND r.member = ? AND c.author = ?"
                " AND c.deleted_at IS NULL ORDER BY c.id",
                int(member), self.sandbox.account("forum")["id"],
            )  # fmt: skip
            return [row["text"] for row in rows]
        page = page_titled(self.sandbox, f"User talk:{self.sandbox.member('wiki', member)['username']}")
        text = self.first_text(str(page["id"])) if page else ""
        return (
            [f"== {part}" for part in text.split("== ")[1::2]]
            if text.startswith("== ")
            else [text] * bool(text)
        )

    def texts(self, thread: str) -> Sequence[str]:
        if self._side == "forum":
            return [row["text"] for row in self._contributions(thread)]
        talk = page_titled(self.sandbox, talk_title(self.state(thread).title))
        texts = [self.first_text(thread), self.first_text(str(talk["id"])) if talk else ""]
        return [text for text in texts if text]

    def groups_of(self, member: str) -> frozenset[str]:
        return self.sandbox.groups_of(self._side, member)

    def badges_of(self, member: str) -> frozenset[str]:
        return badges_of(self.sandbox, int(member)) if self._side == "forum" else frozenset()

    def state(self, thread: str) -> Thread:
        return self._thread(self.sandbox.thread(self._side, thread))

    # Rights

    def demote(self) -> None:
        ours = self.sandbox.account(self._side)["id"]
        if self._side == "forum":
            self.sandbox.set_rights("forum", ours, admin=False, moderator=False)
            return
        for group in self.groups_of(str(ours)):
            self.sandbox.put_into_group("wiki", ours, group, by=ours, present=False)

    def stop_writes(self) -> None:
        self.sandbox.stop_writes()
