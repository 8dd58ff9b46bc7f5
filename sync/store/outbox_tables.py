"""The tables of the outbox: what we propose, decided and did. Nothing deletes rows of these."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from .schema import metadata, serial

plans = Table(
    "plans",
    metadata,
    Column("id", serial, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("policies", Text, nullable=False),  # JSON list
    Column("held", Text, nullable=False, server_default="[]"),  # JSON list of [policy, item, by, reason]
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", serial, primary_key=True),
    Column("policy", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("item", Text, nullable=False),  # reference
    Column("occasion", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("action", Text, nullable=False),  # JSON (connectors.actions)
    Column("because", Text, nullable=False),  # JSON list of {fact, condition, value}
    Column("state", Text, nullable=False),
    Column("plan", serial, ForeignKey("plans.id")),
    Column("after", serial, ForeignKey("proposals.id")),  # the step before
    Column("not_before", BigInteger),  # the earliest time of its being carried out
    Column("lapses_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),  # of the state
    Column("approved_by", Text),
    Column("approved_at", BigInteger),
    Column("edited", Boolean, nullable=False, server_default=text("false")),  # a reviewer rewrote the text
    Column("rearmed", Boolean, nullable=False, server_default=text("false")),
    Column("claimed_by", Text),
    Column("claimed_until", BigInteger),
    Column("error", Text),  # of the last attempt, or why superseded
    sqlite_autoincrement=True,
)
Index(
    "uq_proposals_key",
    proposals.c.policy,
    proposals.c.item,
    proposals.c.occasion,
    proposals.c.step,
    unique=True,
    sqlite_where=text("state NOT IN ('superseded', 'lapsed')"),
)
Index("ix_proposals_state", proposals.c.state, proposals.c.id)
Index("ix_proposals_item", proposals.c.item)
# Counting for the review page, and letting lapse what nobody reviewed, without reading whole rows.
Index("ix_proposals_kinds", proposals.c.state, proposals.c.policy, proposals.c.site, proposals.c.verb)
Index("ix_proposals_lapsing", proposals.c.state, proposals.c.lapses_at)
Index("ix_proposals_after", proposals.c.after)

reviews = Table(
    "reviews",
    metadata,
    Column("id", serial, primary_key=True),
    Column("proposal", serial, ForeignKey("proposals.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("decision", Text, nullable=False),  # a Decision, or settled
    Column("reason", Text, nullable=False),
    Column("bulk", Boolean, nullable=False),
    Column("action_before", Text),  # JSON, where the text was edited
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", serial, primary_key=True),
    Column("proposal", serial, ForeignKey("proposals.id"), nullable=False, index=True),
    Column("doing", Text, nullable=False),  # perform, undo
    Column("by", Text, nullable=False),  # who asked for it: the approver, or who undid
    Column("token", Text, nullable=False),  # of the marker
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("outcome", Text),  # NULL: not known yet; done, not_done, unsettled
    Column("receipt", Text),  # JSON
    Column("error", Text),
    sqlite_autoincrement=True,
)
Index(
    "ix_attempts_open",
    attempts.c.id,
    sqlite_where=text("outcome IS NULL"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("attempt", serial, ForeignKey("attempts.id"), nullable=False),
    Column("site", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("attempt", "site", "member"),
    comment="the contact budget: reserved with the attempt, given back if it was not carried out",
)
Index("ix_contacts_member", contacts.c.site, contacts.c.member, contacts.c.at)

doings = Table(
    "doings",
    metadata,
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("attempt", serial, ForeignKey("attempts.id"), nullable=False),
    PrimaryKeyConstraint("site", "kind", "id"),
    comment="contributions and threads that we made: they never enter a fact but `contacted`",
)

locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # command, user, host, process id: for people
    Column("token", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),  # a lock without a beat for long is stale
)

runs = Table(
    "runs",
    metadata,
    Column("id", serial, primary_key=True),
    Column("command", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("exit_code", Integer),
    Column("summary", Text, nullable=False, server_default="{}"),  # JSON
    sqlite_autoincrement=True,
)

# --- the review page ------------------------------------------------------------------------------------

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", Text, primary_key=True),  # keyed hash of a token that only its holder has
    Column("purpose", Text, nullable=False),  # session, link (once), invitation, answer (used, of the forum)
    Column("name", Text, nullable=False),
    Column("site", Text),  # with member: the account that signed in with the forum
    Column("member", Text),
    Column("parent", Text),  # digest of the invitation that a session came from: it ends with it
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    comment="sessions of the review page, links to it, and answers of the forum that were used",
)
