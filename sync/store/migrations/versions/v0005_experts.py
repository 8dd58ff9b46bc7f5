"""What members wrote is weighed from an index alone; their own talk pages are found by title."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TALK = sa.text("kind = 'talk'")


def upgrade() -> None:
    op.create_index(
        "ix_threads_talk", "threads", ["site", "title"], sqlite_where=_TALK, postgresql_where=_TALK
    )
    op.drop_index("ix_contributions_author", "contributions")
    op.create_index(
        "ix_contributions_author", "contributions",
        ["site", "author", "created_at", "kind", "deleted_at", "thread", "id", "likes"],
    )  # fmt: skip
