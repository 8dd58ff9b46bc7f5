"""Bringing a store's tables to this version's, on first use after an upgrade.

Alembic is imported only when there is something to do: on every other start one SELECT is all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from ...config.errors import StoreError
from .migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).with_name("migrations")


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None for an empty database.

    Raises StoreError for a database with tables that are not ours.
    """
    names = inspect(connection).get_table_names()
    if "alembic_version" in names:
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision
    if names:
        raise StoreError(
            "The database holds tables of another program.",
            hint="Name an empty database, or a new file, as 'store' in the settings.",
        )
    return None


def upgrade(
    connection: Connection, *, keep: Callable[[str], None], scripts: Path = SCRIPTS, head: str = HEAD
) -> bool:
    """Make or change the tables up to `head`, within the transaction of the caller; True if anything was.

    `keep` is called with the old revision before existing tables are changed. Raises StoreError where the
    store was made by a newer version of the program.
    """
    current = revision_of(connection)
    if current == head:
        return False
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(connection, scripts)
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None:
        if current not in known:
            raise StoreError(
                f"The store was made by a newer version of Ordito (its tables are of revision {current}).",
                hint="Upgrade Ordito, or name another file as 'store' in the settings.",
            )
        keep(current)
    command.upgrade(config, head)
    return True


def keep_copy(path: Path, revision: str) -> Path:
    """A copy of a SQLite store as it was before an upgrade, beside it; replaced if it is there already."""
    copy = path.with_name(f"{path.name}.before-upgrade-of-{revision}")
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy


def _config(connection: Connection, scripts: Path) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
