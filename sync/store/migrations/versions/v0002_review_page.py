"""The review page: who is signed in, the links that let people in, and quick counts of what waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("member", sa.Text(), nullable=True),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_ins"),
        comment="sessions of the review page, links to it, and answers of the forum that were used",
    )
    op.create_index("ix_proposals_kinds", "proposals", ["state", "policy", "site", "verb"])
    op.create_index("ix_proposals_lapsing", "proposals", ["state", "lapses_at"])
