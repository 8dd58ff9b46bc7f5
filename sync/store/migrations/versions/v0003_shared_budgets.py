"""Budgets of requests that all hosts share, and members who stay excluded whatever they are called later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("backlog", sa.Double(), nullable=False),
        sa.Column("careful", sa.Double(), nullable=False),
        sa.Column("paused", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("budget", name="pk_paces"),
        comment="how fast each site may be asked; used on PostgreSQL, where several hosts share a store",
    )
    op.create_table(
        "left_out",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "digest", name="pk_left_out"),
        comment="who the settings exclude: contributions name their author by the id only",
    )
