"""How far the mirror of each site has come."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from ...connectors.base import Cursor
from .rows import upsert
from .tables import checkpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One row of `checkpoints`; times in microseconds."""

    site: str
    cursor: Cursor | None = None
    complete: bool = False
    since: int | None = None
    first_synced_at: int | None = None
    synced_at: int | None = None
    language: str = ""
    account: str = ""

    @classmethod
    def load(cls, connection: Connection, site: str) -> Checkpoint | None:
        row = connection.execute(select(checkpoints).where(checkpoints.c.site == site)).mappings().first()
        if row is None:
            return None
        cursor = None if row["cursor"] is None else json.loads(row["cursor"])
        return cls(**{**row, "cursor": cursor})

    def save(self, connection: Connection) -> None:
        cursor = None if self.cursor is None else json.dumps(self.cursor, sort_keys=True)
        row = {**asdict(self), "cursor": cursor}
        upsert(connection, checkpoints, [tuple(row[column.name] for column in checkpoints.columns)])
