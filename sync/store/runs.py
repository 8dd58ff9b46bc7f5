"""The runs of the program that changed something, for the history and the health page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, update

from ...config.errors import UsageError
from .store import Store
from .tables import runs
from .times import micros


@dataclass(slots=True)
class Run:
    """What a run will be remembered by; `summary` becomes JSON."""

    exit_code: int = 1
    summary: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def recorded(store: Store, command: str, now: Callable[[], datetime]) -> Iterator[Run]:
    """Record a run: its beginning at once, the rest at its end. A run that was killed has no end; wrong usage
    is no run, as nothing was done."""
    with store.write() as connection:
        row = insert(runs).values(command=command, started_at=micros(now())).returning(runs.c.id)
        number = connection.scalar(row)
    run, this = Run(), runs.c.id == number
    try:
        yield run
    except UsageError:
        with store.write() as connection:
            connection.execute(delete(runs).where(this))
        raise
    except BaseException:
        _end(store, this, run, now())
        raise
    _end(store, this, run, now())


def _end(store: Store, this: ColumnElement[bool], run: Run, at: datetime) -> None:
    told = json.dumps(run.summary, ensure_ascii=False)
    with store.write() as connection:
        connection.execute(
            update(runs).where(this).values(finished_at=micros(at), exit_code=run.exit_code, summary=told)
        )
