"""The sandbox's file: one SQLite database that holds a forum side and a wiki side.

Times are integer microseconds since 1970 (UTC). Ids count from 1 on each side, so the same id may stand for
two different members, as on two real servers. Every row carries `seq`, the number of its last change,
unique within its table and growing over the whole file: what changed since N is `seq > N`.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ...config.errors import Misconfigured

FORUM: Final = "forum"
WIKI: Final = "wiki"
FORMAT: Final = "1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE member (
    side TEXT NOT NULL, id INTEGER NOT NULL, username TEXT NOT NULL, name TEXT NOT NULL DEFAULT '',
    joined_at INTEGER, last_seen_at INTEGER, trust_level INTEGER,
    admin INTEGER NOT NULL DEFAULT 0, moderator INTEGER NOT NULL DEFAULT 0, bot INTEGER NOT NULL DEFAULT 0,
    suspended_until INTEGER, silenced_until INTEGER, title TEXT,
    language TEXT NOT NULL DEFAULT '', accepts INTEGER NOT NULL DEFAULT 1,
    seq INTEGER NOT NULL, PRIMARY KEY (side, id));
CREATE TABLE space (
    side TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, parent INTEGER,
    restricted INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL, PRIMARY KEY (side, id));
CREATE TABLE usergroup (
    side TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, automatic INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL, PRIMARY KEY (side, id));
CREATE TABLE membership (
    side TEXT NOT NULL, usergroup INTEGER NOT NULL, member INTEGER NOT NULL,
    PRIMARY KEY (side, usergroup, member)) WITHOUT ROWID;
CREATE TABLE badge (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE badge_grant (badge INTEGER NOT NULL, member INTEGER NOT NULL,
    PRIMARY KEY (badge, member)) WITHOUT ROWID;
CREATE TABLE thread (
    side TEXT NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, space INTEGER, title TEXT NOT NULL,
    author INTEGER, created_at INTEGER NOT NULL, last_activity_at INTEGER NOT NULL,
    closed INTEGER, archived INTEGER, visible INTEGER, pinned INTEGER, labels TEXT NOT NULL DEFAULT '',
    views INTEGER, likes INTEGER, solved_by INTEGER, deleted_at INTEGER,
    seq INTEGER NOT NULL, PRIMARY KEY (side, id));
CREATE TABLE recipient (thread INTEGER NOT NULL, member INTEGER NOT NULL,
    PRIMARY KEY (thread, member)) WITHOUT ROWID;
CREATE TABLE contribution (
    side TEXT NOT NULL, id INTEGER NOT NULL, thread INTEGER NOT NULL, author INTEGER,
    created_at INTEGER NOT NULL, updated_at INTEGER, position INTEGER, parent INTEGER, likes INTEGER,
    text TEXT NOT NULL, kind TEXT NOT NULL, current INTEGER NOT NULL DEFAULT 1,
    private INTEGER NOT NULL DEFAULT 0, summary TEXT NOT NULL DEFAULT '', editor INTEGER, deleted_at INTEGER,
    seq INTEGER NOT NULL, PRIMARY KEY (side, id));
CREATE TABLE liking (contribution INTEGER NOT NULL, member INTEGER NOT NULL,
    PRIMARY KEY (contribution, member)) WITHOUT ROWID;
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, side TEXT NOT NULL, kind TEXT NOT NULL, item INTEGER NOT NULL,
    field TEXT NOT NULL, value, was, present INTEGER NOT NULL DEFAULT 1, by INTEGER, at INTEGER NOT NULL);
"""
"""`contribution.current`: the latest revision of a page (always 1 on the forum); `private`: in a private
message. `journal` is the platform's record of changed states, edits of posts and renamings; for a set
(label, group, badge) `value` is the element and `present` says whether it came or went."""

INDEXES = """
CREATE INDEX member_seq ON member (side, seq);
CREATE INDEX member_username ON member (side, username COLLATE NOCASE);
CREATE INDEX thread_seq ON thread (side, seq);
CREATE INDEX thread_title ON thread (side, title);
CREATE INDEX thread_author ON thread (side, author);
CREATE INDEX contribution_seq ON contribution (side, seq);
CREATE INDEX contribution_thread ON contribution (side, thread);
CREATE INDEX contribution_author ON contribution (side, author);
CREATE INDEX journal_item ON journal (side, kind, item, field);
"""
"""Made after the rows of a generated community, which is several times faster than before them."""


def micros(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970; exact to the microsecond until 2106, and later
    for whole seconds."""
    return datetime.fromtimestamp(at / 1e6, UTC)


def moment_or_none(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def open_file(path: Path) -> sqlite3.Connection:
    """Open an existing sandbox. Raises Misconfigured if the file is missing or is something else."""
    if not path.is_file():
        raise Misconfigured(f"There is no sandbox at {path}.", hint="Check `file` of the site.")
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        found = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        if found is None or found[0] != FORMAT:
            raise sqlite3.DatabaseError("another format")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise Misconfigured(
            f"{path} is not a sandbox of this version ({error}).",
            hint="Name another `file`; the community is generated when it does not exist.",
        ) from error
    return connection
