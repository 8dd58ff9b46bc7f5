"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_mirror()
    _make_people()
    _make_outbox()


def _column(name: str, type_: Any, *more: Any, nullable: bool, default: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, *more, nullable=nullable, server_default=default)


def _text(name: str, *more: Any, nullable: bool = False, default: Any = None) -> sa.Column[Any]:
    return _column(name, sa.Text(), *more, nullable=nullable, default=default)


def _flag(name: str, nullable: bool = False, default: Any = None) -> sa.Column[Any]:
    return _column(name, sa.Boolean(), nullable=nullable, default=default)


def _small(name: str, nullable: bool = False) -> sa.Column[Any]:
    return _column(name, sa.SmallInteger(), nullable=nullable, default=None)


def _int(name: str, nullable: bool = False) -> sa.Column[Any]:
    return _column(name, sa.Integer(), nullable=nullable, default=None)


def _big(name: str, nullable: bool = False) -> sa.Column[Any]:
    return _column(name, sa.BigInteger(), nullable=nullable, default=None)


def _serial(name: str, *more: Any, nullable: bool = False) -> sa.Column[Any]:
    type_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return _column(name, type_, *more, nullable=nullable, default=None)


def _partial_index(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )



def _make_mirror() -> None:
    op.create_table(
        "meta",
        _text("key"),
        _text("value"),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
        comment="installation (id), secret (key of digests and of holdouts)",
    )
    op.create_table(
        "checkpoints",
        _text("site"),
        _text("cursor", nullable=True),
        _flag("complete"),
        _big("since", nullable=True),
        _big("first_synced_at", nullable=True),
        _big("synced_at", nullable=True),
        _text("language", default=""),
        _text("account", default=""),
        sa.PrimaryKeyConstraint("site", name="pk_checkpoints"),
    )
    op.create_table(
        "members",
        _text("site"),
        _text("id"),
        _text("username"),
        _text("name"),
        _big("joined_at", nullable=True),
        _big("last_seen_at", nullable=True),
        _small("trust_level", nullable=True),
        _flag("admin"),
        _flag("moderator"),
        _flag("bot"),
        _flag("staged"),
        _big("suspended_until", nullable=True),
        _big("silenced_until", nullable=True),
        _text("title", nullable=True),
        _big("deleted_at", nullable=True),
        _text("scan"),
        sa.PrimaryKeyConstraint("site", "id", name="pk_members"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_username", "members", ["site", "username"])
    op.create_table(
        "spaces",
        _text("site"),
        _text("id"),
        _text("name"),
        _text("parent", nullable=True),
        _flag("restricted"),
        _big("deleted_at", nullable=True),
        _text("scan"),
        sa.PrimaryKeyConstraint("site", "id", name="pk_spaces"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "threads",
        _text("site"),
        _text("id"),
        _text("kind"),
        _text("space", nullable=True),
        _text("title"),
        _text("author", nullable=True),
        _big("created_at", nullable=True),
        _big("last_activity_at", nullable=True),
        _flag("closed", nullable=True),
        _flag("archived", nullable=True),
        _flag("visible", nullable=True),
        _flag("pinned", nullable=True),
        _int("views", nullable=True),
        _int("likes", nullable=True),
        _text("solved_by", nullable=True),
        _text("stamp"),
        _big("deleted_at", nullable=True),
        _text("scan"),
        sa.PrimaryKeyConstraint("site", "id", name="pk_threads"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contributions",
        _text("site"),
        _text("id"),
        _text("thread"),
        _text("author", nullable=True),
        _big("created_at"),
        _big("updated_at", nullable=True),
        _int("position", nullable=True),
        _text("parent", nullable=True),
        _int("parent_position", nullable=True),
        _int("likes", nullable=True),
        _int("size", nullable=True),
        _text("sha1", nullable=True),
        _text("kind"),
        _big("deleted_at", nullable=True),
        _text("scan"),
        sa.PrimaryKeyConstraint("site", "id", name="pk_contributions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contributions_author", "contributions", ["site", "author"])
    _partial_index(
        "ix_contributions_parentless", "contributions", ["site", "parent_position"],
        "parent IS NULL AND parent_position IS NOT NULL",
    )
    op.create_index("ix_contributions_thread", "contributions", ["site", "thread", "position"])
    op.create_table(
        "texts",
        _text("site"),
        _text("contribution"),
        _text("text"),
        sa.PrimaryKeyConstraint("site", "contribution", name="pk_texts"),
        comment="raw text, apart from contributions because facts read those by the million",
    )
    op.create_table(
        "site_groups",
        _text("site"),
        _text("id"),
        _text("name"),
        _flag("members_known"),
        _big("deleted_at", nullable=True),
        _text("scan"),
        sa.PrimaryKeyConstraint("site", "id", name="pk_site_groups"),
    )
    op.create_table(
        "states",
        _text("site"),
        _text("kind"),
        _text("item"),
        _text("field"),
        _text("value"),
        _big("valid_from"),
        _big("valid_to", nullable=True),
        _text("source"),
        sa.PrimaryKeyConstraint("site", "kind", "item", "field", "value", "valid_from", name="pk_states"),
        comment="state that policies depend on, as intervals [valid_from, valid_to); see docs/mirror.md",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_states_value", "states", ["site", "kind", "field", "value"])
    op.create_table(
        "gaps",
        _text("site"),
        _text("kind"),
        _text("what"),
        _big("since", nullable=True),
        _big("found_at"),
        sa.PrimaryKeyConstraint("site", "kind", "what", name="pk_gaps"),
        comment="what the mirror is known to lack; makes the facts that depend on it unknown",
    )


def _make_people() -> None:
    op.create_table(
        "identities",
        _text("site"),
        _text("member"),
        _text("person"),
        _text("state"),
        _text("source"),
        _big("at"),
        sa.PrimaryKeyConstraint("site", "member", "person", name="pk_identities"),
    )
    op.create_table(
        "opt_outs",
        _text("site"),
        _text("member"),
        _text("how"),
        _big("at"),
        _text("evidence", default=""),
        sa.PrimaryKeyConstraint("site", "member", "how", name="pk_opt_outs"),
    )
    op.create_table(
        "consents",
        _text("site"),
        _text("member"),
        _text("about"),
        _text("answer"),
        _big("at"),
        _text("evidence", default=""),
        sa.PrimaryKeyConstraint("site", "member", "about", name="pk_consents"),
    )
    op.create_table(
        "assignments",
        _text("policy"),
        _text("person"),
        _text("arm"),
        _big("at"),
        sa.PrimaryKeyConstraint("policy", "person", name="pk_assignments"),
        comment="who is held out of a policy, to learn whether it helps",
    )
    op.create_table(
        "tombstones",
        _text("site"),
        _text("digest"),
        _big("at"),
        sa.PrimaryKeyConstraint("site", "digest", name="pk_tombstones"),
    )


def _make_outbox() -> None:
    op.create_table(
        "plans",
        _serial("id"),
        _big("created_at"),
        _big("as_of"),
        _text("policies"),
        _text("held", default="[]"),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_table(
        "proposals",
        _serial("id"),
        _text("policy"),
        _text("site"),
        _text("item"),
        _text("occasion"),
        _text("step"),
        _text("verb"),
        _text("action"),
        _text("because"),
        _text("state"),
        _serial("plan", sa.ForeignKey("plans.id", name="fk_proposals_plan"), nullable=True),
        _serial("after", sa.ForeignKey("proposals.id", name="fk_proposals_after"), nullable=True),
        _big("not_before", nullable=True),
        _big("lapses_at", nullable=True),
        _big("created_at"),
        _big("changed_at"),
        _text("approved_by", nullable=True),
        _big("approved_at", nullable=True),
        _flag("edited", default=sa.text("false")),
        _flag("rearmed", default=sa.text("false")),
        _text("claimed_by", nullable=True),
        _big("claimed_until", nullable=True),
        _text("error", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_proposals_item", "proposals", ["item"])
    op.create_index("ix_proposals_after", "proposals", ["after"])
    op.create_index("ix_proposals_state", "proposals", ["state", "id"])
    _partial_index(
        "uq_proposals_key", "proposals", ["policy", "item", "occasion", "step"],
        "state NOT IN ('superseded', 'lapsed')", unique=True,
    )
    op.create_table(
        "reviews",
        _serial("id"),
        _serial("proposal", sa.ForeignKey("proposals.id", name="fk_reviews_proposal")),
        _big("at"),
        _text("by"),
        _text("decision"),
        _text("reason"),
        _flag("bulk"),
        _text("action_before", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reviews_proposal", "reviews", ["proposal"])
    op.create_table(
        "attempts",
        _serial("id"),
        _serial("proposal", sa.ForeignKey("proposals.id", name="fk_attempts_proposal")),
        _text("doing"),
        _text("by"),
        _text("token"),
        _big("started_at"),
        _big("finished_at", nullable=True),
        _text("outcome", nullable=True),
        _text("receipt", nullable=True),
        _text("error", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sqlite_autoincrement=True,
    )
    _partial_index(
        "ix_attempts_open", "attempts", ["id"],
        "outcome IS NULL",
    )
    op.create_index("ix_attempts_proposal", "attempts", ["proposal"])
    op.create_table(
        "contacts",
        _serial("attempt", sa.ForeignKey("attempts.id", name="fk_contacts_attempt")),
        _text("site"),
        _text("member"),
        _big("at"),
        sa.PrimaryKeyConstraint("attempt", "site", "member", name="pk_contacts"),
        comment="the contact budget: reserved with the attempt, given back if it was not carried out",
    )
    op.create_index("ix_contacts_member", "contacts", ["site", "member", "at"])
    op.create_table(
        "doings",
        _text("site"),
        _text("kind"),
        _text("id"),
        _serial("attempt", sa.ForeignKey("attempts.id", name="fk_doings_attempt")),
        sa.PrimaryKeyConstraint("site", "kind", "id", name="pk_doings"),
        comment="contributions and threads that we made: they never enter a fact but `contacted`",
    )
    op.create_table(
        "locks",
        _text("name"),
        _text("holder"),
        _text("token"),
        _big("since"),
        _big("beat_at"),
        sa.PrimaryKeyConstraint("name", name="pk_locks"),
    )
    op.create_table(
        "runs",
        _serial("id"),
        _text("command"),
        _big("started_at"),
        _big("finished_at", nullable=True),
        _int("exit_code", nullable=True),
        _text("summary", default="{}"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_autoincrement=True,
    )
