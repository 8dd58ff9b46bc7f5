"""All tables. Times are integer microseconds since 1970 UTC (`times.py`); NULL in a fact is *unknown*.

Three groups: the mirror (what the platforms hold), people and consent, and, in a module of its own, the
outbox (what we propose, decide and did). A sync writes only to the first.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from .outbox_tables import attempts, contacts, doings, locks, plans, proposals, reviews, runs, sign_ins
from .schema import metadata

__all__ = [
    "assignments",
    "attempts",
    "checkpoints",
    "consents",
    "contacts",
    "contributions",
    "doings",
    "gaps",
    "identities",
    "left_out",
    "locks",
    "members",
    "meta",
    "metadata",
    "opt_outs",
    "paces",
    "plans",
    "proposals",
    "reviews",
    "runs",
    "sign_ins",
    "site_groups",
    "spaces",
    "states",
    "texts",
    "threads",
    "tombstones",
]

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="installation (id), secret (key of digests and of holdouts)",
)

# --- the mirror -----------------------------------------------------------------------------------------

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("site", Text, primary_key=True),
    Column("cursor", Text),  # JSON; NULL: nothing read yet
    Column("complete", Boolean, nullable=False),  # a first read was finished once
    Column("since", BigInteger),  # the history before is not mirrored
    Column("first_synced_at", BigInteger),
    Column("synced_at", BigInteger),  # when the last complete sync began: the mirror is true up to then
    Column("language", Text, nullable=False, server_default=""),  # of the site, as it says itself
    Column("account", Text, nullable=False, server_default=""),  # member id of our own account there
)

members = Table(
    "members",
    metadata,
    Column("site", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("joined_at", BigInteger),
    Column("last_seen_at", BigInteger),
    Column("trust_level", SmallInteger),
    Column("admin", Boolean, nullable=False),
    Column("moderator", Boolean, nullable=False),
    Column("bot", Boolean, nullable=False),
    Column("staged", Boolean, nullable=False),
    Column("suspended_until", BigInteger),
    Column("silenced_until", BigInteger),
    Column("title", Text),
    Column("deleted_at", BigInteger),
    Column("scan", Text, nullable=False),
    PrimaryKeyConstraint("site", "id"),
    sqlite_with_rowid=False,
)
Index("ix_members_username", members.c.site, members.c.username)

spaces = Table(
    "spaces",
    metadata,
    Column("site", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent", Text),
    Column("restricted", Boolean, nullable=False),
    Column("deleted_at", BigInteger),
    Column("scan", Text, nullable=False),
    PrimaryKeyConstraint("site", "id"),
    sqlite_with_rowid=False,
)

threads = Table(
    "threads",
    metadata,
    Column("site", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("space", Text),
    Column("title", Text, nullable=False),
    Column("author", Text),
    Column("created_at", BigInteger),
    Column("last_activity_at", BigInteger),
    Column("closed", Boolean),
    Column("archived", Boolean),
    Column("visible", Boolean),
    Column("pinned", Boolean),
    Column("views", Integer),
    Column("likes", Integer),
    Column("solved_by", Text),
    Column("stamp", Text, nullable=False),
    Column("deleted_at", BigInteger),
    Column("scan", Text, nullable=False),
    PrimaryKeyConstraint("site", "id"),
    sqlite_with_rowid=False,
)
Index("ix_threads_author", threads.c.site, threads.c.author)
Index(
    "ix_threads_messages",  # what is private never counts, so every fact asks for these
    threads.c.site,
    threads.c.id,
    sqlite_where=text("kind = 'message'"),
)
Index(
    "ix_threads_talk",  # people's own talk pages are found by their titles
    threads.c.site,
    threads.c.title,
    sqlite_where=text("kind = 'talk'"),
)

contributions = Table(
    "contributions",
    metadata,
    Column("site", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("author", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger),
    Column("position", Integer),
    Column("parent", Text),
    Column("parent_position", Integer),  # until `parent` is found by it (`connectors.records`)
    Column("likes", Integer),
    Column("size", Integer),
    Column("sha1", Text),
    Column("kind", Text, nullable=False),
    Column("deleted_at", BigInteger),
    Column("scan", Text, nullable=False),
    PrimaryKeyConstraint("site", "id"),
    sqlite_with_rowid=False,
)
Index("ix_contributions_thread", contributions.c.site, contributions.c.thread, contributions.c.position)
# Facts ask of a thread or a member which of their contributions was the first or the last, and how many there
# are; these two answer without a look at the row, and a look into the past costs no more than one at today.
Index(
    "ix_contributions_order",
    *(
        contributions.c[name]
        for name in (
            "site", "thread", "created_at", "position", "id", "author", "kind", "deleted_at", "likes"
        )
    ),
)  # fmt: skip
Index(
    "ix_contributions_author",
    *(
        contributions.c[name]
        for name in ("site", "author", "created_at", "kind", "deleted_at", "thread", "id", "likes")
    ),
)
Index(
    "ix_contributions_parentless",
    contributions.c.site,
    contributions.c.parent_position,
    sqlite_where=text("parent IS NULL AND parent_position IS NOT NULL"),
)

texts = Table(
    "texts",
    metadata,
    Column("site", Text, nullable=False),
    Column("contribution", Text, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("site", "contribution"),
    comment="raw text, apart from contributions because facts read those by the million",
)

site_groups = Table(
    "site_groups",
    metadata,
    Column("site", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("members_known", Boolean, nullable=False),
    Column("deleted_at", BigInteger),
    Column("scan", Text, nullable=False),
    PrimaryKeyConstraint("site", "id"),
)

# Sparse: one value that never changed is in its item's row only (see `states.py` for how to ask as of T).
states = Table(
    "states",
    metadata,
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),  # member or thread
    Column("item", Text, nullable=False),
    Column("field", Text, nullable=False),  # closed archived visible space label group trust_level title
    Column("value", Text, nullable=False),  # true/false, a number, a name; sets: one row an element
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger),  # NULL: still so
    Column("source", Text, nullable=False),  # of valid_from: platform, observed, assumed
    PrimaryKeyConstraint("site", "kind", "item", "field", "value", "valid_from"),
    comment="state that policies depend on, as intervals [valid_from, valid_to); see docs/mirror.md",
    sqlite_with_rowid=False,
)
Index("ix_states_value", states.c.site, states.c.kind, states.c.field, states.c.value)

gaps = Table(
    "gaps",
    metadata,
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("since", BigInteger),
    Column("found_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "kind", "what"),
    comment="what the mirror is known to lack; makes the facts that depend on it unknown",
)

paces = Table(
    "paces",
    metadata,
    Column("budget", Text, primary_key=True),  # digest of its name
    Column("at", Double, nullable=False),  # seconds on the database's clock; the others after that
    Column("backlog", Double, nullable=False),
    Column("careful", Double, nullable=False),
    Column("paused", Double, nullable=False),
    comment="how fast each site may be asked; used on PostgreSQL, where several hosts share a store",
)

# --- people and consent ---------------------------------------------------------------------------------

identities = Table(
    "identities",
    metadata,
    Column("site", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("person", Text, nullable=False),  # accounts with the same person belong together
    Column("state", Text, nullable=False),  # suggested, linked, refused
    Column("source", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "member", "person"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("site", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("how", Text, nullable=False),  # group, phrase, nobots, setting, forgotten, admin
    Column("at", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False, server_default=""),  # reference of the reply or page
    PrimaryKeyConstraint("site", "member", "how"),
)

consents = Table(
    "consents",
    metadata,
    Column("site", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("about", Text, nullable=False),  # policy id
    Column("answer", Text, nullable=False),  # yes, no
    Column("at", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("site", "member", "about"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("policy", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("arm", Text, nullable=False),  # treated, held out
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("policy", "person"),
    comment="who is held out of a policy, to learn whether it helps",
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("site", Text, nullable=False),
    Column("digest", Text, nullable=False),  # keyed hash of a member id: forgotten, and stays forgotten
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site", "digest"),
)

left_out = Table(
    "left_out",
    metadata,
    Column("site", Text, nullable=False),
    Column("digest", Text, nullable=False),  # keyed hash of the member's id
    Column("name", Text, nullable=False),  # and of the name by which the settings exclude them
    PrimaryKeyConstraint("site", "digest"),
    comment="who the settings exclude: contributions name their author by the id only",
)
