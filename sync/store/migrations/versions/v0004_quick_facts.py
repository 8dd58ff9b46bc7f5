"""Quick facts: who wrote first and last, and what is private, answered from an index alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MESSAGES = sa.text("kind = 'message'")


def upgrade() -> None:
    op.create_index("ix_threads_author", "threads", ["site", "author"])
    op.create_index(
        "ix_threads_messages", "threads", ["site", "id"], sqlite_where=_MESSAGES, postgresql_where=_MESSAGES
    )
    op.create_index(
        "ix_contributions_order", "contributions",
        ["site", "thread", "created_at", "position", "id", "author", "kind", "deleted_at", "likes"],
    )  # fmt: skip
    op.drop_index("ix_contributions_author", "contributions")
    op.create_index(
        "ix_contributions_author", "contributions",
        ["site", "author", "created_at", "kind", "deleted_at", "thread", "id"],
    )  # fmt: skip
