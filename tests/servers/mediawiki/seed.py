"""Write a history straight into the SQLite file of a wiki that no server runs on.

Thousands of revisions a second; MediaWiki's own import is far slower and fills no list of recent changes.
The tables are those of MediaWiki 1.39 (https://www.mediawiki.org/wiki/Manual:Database_layout). Afterwards the
API shows the same as if people had made the edits: pages, revisions, recent changes, the logs of new pages
and of new accounts, edit counts. Links and categories want `refreshLinks.php`.
"""

import hashlib
import random
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from tests.servers.mediawiki.history import Edit, History, Person

_USER_NAMESPACE = 2
_LOCALHOST = "127.0.0.1"


def seed(database: Path, history: History) -> None:
    """Add `history` to the wiki in `database`. Raises ValueError where the tables are of another version."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        if not db.execute("select 1 from sqlite_master where name = 'revision_comment_temp'").fetchone():
            raise ValueError("seeding knows the tables of MediaWiki 1.39; this wiki has others")
        db.execute("pragma synchronous = off")
        db.execute("begin immediate")
        if history.whole:
            _empty(db, beyond=max((person.id or 0 for person in history.people), default=0))
        writer = _Writer(db)
        for person in history.people:
            writer.add_person(person)
        for edit in history.edits:
            writer.add_edit(edit)
        writer.finish()
        db.execute("commit")


def _empty(db: sqlite3.Connection, beyond: int) -> None:
    """Remove every page, and move the accounts that exist to ids greater than `beyond`."""
    for table in ("page", "revision", "revision_comment_temp", "slots", "content", "text"):
        db.execute(f"delete from {table}")
    for table in ("recentchanges", "logging", "ip_changes"):
        db.execute(f"delete from {table}")
    db.execute("update user set user_editcount = 0")
    for table, column in (
        ("user", "user_id"),
        ("actor", "actor_user"),
        ("user_groups", "ug_user"),
        ("user_properties", "up_user"),
        ("bot_passwords", "bp_user"),
    ):
        # By way of negative numbers, so that no new id meets an old one on the way.
        db.execute(f"update {table} set {column} = -({column} + ?) where {column} > 0", (beyond,))
        db.execute(f"update {table} set {column} = -{column} where {column} < 0")


@dataclass(slots=True)
class _Page:
    id: int
    latest: int
    size: int


class _Writer:
    """Adds people and edits to an open transaction; `finish()` brings the totals up to date."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._random = random.Random(7)  # page_random serves Special:Random only; the same every time
        self._users: dict[str, int] = dict(db.execute("select user_name, user_id from user"))
        self._actors: dict[str, int] = dict(db.execute("select actor_name, actor_id from actor"))
        self._comments: dict[str, int] = dict(db.execute("select comment_text, comment_id from comment"))
        self._pages = {
            (namespace, title): _Page(*rest)
            for namespace, title, *rest in db.execute(
                "select page_namespace, page_title, page_id, page_latest, page_len from page"
            )
        }
        self._model = self._one("select model_id from content_models where model_name = 'wikitext'")
        self._role = self._one("select role_id from slot_roles where role_name = 'main'")
        self._edit_counts: dict[int, int] = {}

    def add_person(self, person: Person) -> None:
        """An account, with the entry in the log of new accounts that its registration leaves."""
        at = _timestamp(person.registered)
        password = _password_hash(person.password) if person.password is not None else ""
        user = self._insert(
            "user",
            user_id=person.id,
            user_name=person.name,
            user_password=password,
            user_newpassword="",
            user_email="",
            user_touched=at,
            user_token=hashlib.sha256(person.name.encode()).hexdigest()[:32],
            user_registration=at,
            user_editcount=0,
        )
        self._users[person.name] = user
        actor = self._actors[person.name] = self._insert("actor", actor_user=user, actor_name=person.name)
        for group in person.groups:
            self._insert("user_groups", ug_user=user, ug_group=group)
        title = person.name.replace(" ", "_")
        parameters = f'a:1:{{s:9:"4::userid";i:{user};}}'
        self._log(at, actor, ("newusers", "create"), (_USER_NAMESPACE, title), 0, parameters, shown=True)

    def add_edit(self, edit: Edit) -> None:
        """A revision with its text, its place in its page, and its entry among the recent changes."""
        raw = edit.text.encode()
        at, digest = _timestamp(edit.at), _base36_sha1(raw)
        actor, comment = self._actor(edit.by), self._comment(edit.comment)
        place = (edit.namespace, edit.title.replace(" ", "_"))
        page = self._pages.get(place)
        new = page is None
        if page is None:
            page = self._pages[place] = self._add_page(place, at, edit.page_id)
        revision = self._insert(
            "revision",
            rev_id=edit.revision_id,
            rev_page=page.id,
            rev_actor=actor,
            rev_timestamp=at,
            rev_minor_edit=int(edit.minor),
            rev_len=len(raw),
            rev_parent_id=page.latest,
            rev_sha1=digest,
        )
        self._insert("revision_comment_temp", revcomment_rev=revision, revcomment_comment_id=comment)
        self._add_text(revision, edit.text, len(raw), digest)
        self._insert(
            "recentchanges",
            **self._change(at, actor, place, comment),
            rc_minor=int(edit.minor),
            rc_bot=int(edit.bot),
            rc_new=int(new),
            rc_cur_id=page.id,
            rc_this_oldid=revision,
            rc_last_oldid=page.latest,
            rc_type=int(new),
            rc_source="mw.new" if new else "mw.edit",
            rc_old_len=page.size,
            rc_new_len=len(raw),
            rc_log_action="",
            rc_params="",
        )
        if new:
            parameters = f'a:1:{{s:17:"associated_rev_id";i:{revision};}}'
            self._log(at, actor, ("create", "create"), place, page.id, parameters)
        self._count(edit.by, revision, at)
        page.latest, page.size = revision, len(raw)
        self._db.execute(
            "update page set page_latest = ?, page_len = ?, page_touched = ?, page_is_new = ?,"
            " page_is_redirect = ? where page_id = ?",
            (revision, len(raw), at, int(new), int(edit.text[:9].upper() == "#REDIRECT"), page.id),
        )

    def finish(self) -> None:
        """Edit counts of people and of the site."""
        counts = [(count, user) for user, count in self._edit_counts.items()]
        self._db.executemany("update user set user_editcount = user_editcount + ? where user_id = ?", counts)
        self._db.execute(
            "update site_stats set ss_total_edits = (select count(*) from revision),"
            " ss_total_pages = (select count(*) from page), ss_users = (select count(*) from user)"
        )

    def _add_page(self, place: tuple[int, str], at: str, wanted: int | None) -> _Page:
        page = self._insert(
            "page",
            page_id=wanted,
            page_namespace=place[0],
            page_title=place[1],
            page_is_new=1,
            page_random=self._random.random(),
            page_touched=at,
            page_latest=0,
            page_len=0,
            page_content_model="wikitext",
        )
        return _Page(page, latest=0, size=0)

    def _add_text(self, revision: int, text: str, size: int, digest: str) -> None:
        stored = self._insert("text", old_text=text, old_flags="utf-8")
        content = self._insert(
            "content",
            content_size=size,
            content_sha1=digest,
            content_model=self._model,
            content_address=f"tt:{stored}",
        )
        self._insert(
            "slots",
            slot_revision_id=revision,
            slot_role_id=self._role,
            slot_content_id=content,
            slot_origin=revision,
        )

    def _log(
        self,
        at: str,
        actor: int,
        kind: tuple[str, str],
        place: tuple[int, str],
        page: int,
        parameters: str,
        shown: bool = False,
    ) -> None:
        """An entry in a log; `shown` if MediaWiki lists that kind among the recent changes as well."""
        comment = self._comment("")
        entry = self._insert(
            "logging",
            log_type=kind[0],
            log_action=kind[1],
            log_timestamp=at,
            log_actor=actor,
            log_namespace=place[0],
            log_title=place[1],
            log_page=page,
            log_comment_id=comment,
            log_params=parameters,
        )
        if shown:
            self._insert(
                "recentchanges",
                **self._change(at, actor, place, comment),
                rc_type=3,
                rc_source="mw.log",
                rc_logid=entry,
                rc_log_type=kind[0],
                rc_log_action=kind[1],
                rc_params=parameters,
            )

    def _count(self, by: str, revision: int, at: str) -> None:
        if by in self._users:
            user = self._users[by]
            self._edit_counts[user] = self._edit_counts.get(user, 0) + 1
        elif address := _address(by):
            self._insert("ip_changes", ipc_rev_id=revision, ipc_rev_timestamp=at, ipc_hex=_hex(address))

    def _actor(self, name: str) -> int:
        if name not in self._actors:
            self._actors[name] = self._insert("actor", actor_name=name)
        return self._actors[name]

    def _comment(self, text: str) -> int:
        if text not in self._comments:
            self._comments[text] = self._insert(
                "comment", comment_hash=_comment_hash(text.encode()), comment_text=text
            )
        return self._comments[text]

    def _change(self, at: str, actor: int, place: tuple[int, str], comment: int) -> dict[str, int | str]:
        return {
            "rc_timestamp": at,
            "rc_actor": actor,
            "rc_namespace": place[0],
            "rc_title": place[1],
            "rc_comment_id": comment,
            "rc_ip": _LOCALHOST,
        }

    def _one(self, query: str) -> int:
        (value,) = self._db.execute(query).fetchone()
        return int(value)

    def _insert(self, table: str, **columns: int | float | str | None) -> int:
        """Insert a row and return its id. A str goes in as text, which is what PHP stores too."""
        marks = ", ".join("?" * len(columns))
        statement = f"insert into {table} ({', '.join(columns)}) values ({marks})"
        row: Sequence[int | float | str | None] = list(columns.values())
        return self._db.execute(statement, row).lastrowid or 0


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")


def _password_hash(password: str, salt: str = "abcdef01") -> str:
    """MediaWiki's type B: md5(salt-md5(password)). Weak and quick, which is what tests want."""
    inner = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    outer = hashlib.md5(f"{salt}-{inner}".encode(), usedforsecurity=False).hexdigest()
    return f":B:{salt}:{outer}"


def _base36_sha1(raw: bytes) -> str:
    """SHA-1 the way rev_sha1 holds it: base 36, 31 digits."""
    number, digits = int(hashlib.sha1(raw, usedforsecurity=False).hexdigest(), 16), ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits.rjust(31, "0")


def _comment_hash(text: bytes) -> int:
    """CommentStore::hash: CRC-32 of the text and of no data, as a signed number."""
    value = zlib.crc32(text) ^ zlib.crc32(b"")
    return value - (1 << 32) if value >= 1 << 31 else value


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _hex(address: IPv4Address | IPv6Address) -> str:
    """IPUtils::toHex."""
    return f"{int(address):08X}" if address.version == 4 else f"v6-{int(address):032X}"
