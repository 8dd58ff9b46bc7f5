"""Talk pages by their titles: before somebody is named or written to, their own one is looked at."""

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
