"""What planning costs on ten times as much.

    python -m benchmarks.growth [--contributions 1000000] [--times 10] [--repeats 3] [--keep FOLDER]

A community ten times as large as a sandbox of a million contributions would take half an hour to generate and
to sync. So its store is made of ten copies of the smaller one's rows beside each other: other members, other
threads and other contributions on the same two sites, in the same spaces and with the same labels. All
distributions (posts a thread, threads a member, who answers whom) stay as they are; experts of one area
compete with ten times as many. What is compared is the evaluation: processor time of a dry run of the four
kinds, without that of a plan on an empty store.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from .measure import Figure, in_turn, middle, ordito, show
from .plan import synced

_IDS = {
    "members": ("id", "username"),
    "threads": ("id", "author", "solved_by"),
    "contributions": ("id", "thread", "author", "parent"),
    "texts": ("contribution",),
    "states": ("item",),
}
"""The columns by which rows are told apart, and which lead from one to another."""


def grown(folder: Path, contributions: int, times: int) -> Path:
    """A folder with settings and a store that holds so many copies of a sandbox of this size."""
    small = synced(folder, contributions)
    place = folder.resolve() / f"store-{contributions}x{times}"
    if (place / "grown").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    settings = (small / "ordito.yaml").read_text(encoding="utf-8")
    moved = settings.replace(str(small / "ordito.db"), str(place / "ordito.db"))
    (place / "ordito.yaml").write_text(moved, encoding="utf-8")
    with closing(sqlite3.connect(small / "ordito.db")) as old, closing(_target(place)) as new:
        old.backup(new)
        _multiply(new, times)
    (place / "grown").touch()
    return place


def _target(place: Path) -> sqlite3.Connection:
    db = sqlite3.connect(place / "ordito.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -500000")
    return db


def _multiply(db: sqlite3.Connection, times: int) -> None:
    """Indexes are put aside meanwhile; at the end the database counts what it holds, as after a sync."""
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    indexes = [
        (name, sql)
        for name, table, kind, sql in db.execute("SELECT name, tbl_name, type, sql FROM sqlite_master")
        if kind == "index" and sql and table in _IDS
    ]
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    for name, ids in _IDS.items():
        columns = [column for _, column, *_ in db.execute(f"PRAGMA table_info({name})")]
        primary = "site, " + ("kind, item, field" if name == "states" else ids[0])
        db.execute(f"CREATE TEMPORARY TABLE original AS SELECT * FROM {name} ORDER BY {primary}")
        for copy in range(1, times):
            # Ids begin with the number of their copy, and so come into the table in its own order.
            asked = [_copied(name, column, copy) for column in columns]
            db.execute(f"INSERT INTO {name} SELECT {', '.join(asked)} FROM original")
        db.execute("DROP TABLE original")
    for _, sql in indexes:
        db.execute(sql)
    db.execute("ANALYZE")
    db.execute("PRAGMA journal_mode = WAL")


def _copied(table: str, column: str, copy: int) -> str:
    """What a column holds in a copy. The title of a talk page has the name of its user in it."""
    if (table, column) == ("threads", "title"):
        at = "instr(title, ':')"
        named = f"substr(title, 1, {at}) || 'copy{copy}-' || substr(title, {at} + 1)"
        return f"CASE WHEN space = '3' THEN {named} ELSE title END"
    if column in _IDS[table]:
        return f"CASE WHEN {column} = '' THEN '' ELSE 'copy{copy}-' || {column} END"
    return column


def main() -> int:
    parser = argparse.ArgumentParser(description="Time of a plan on ten times as much.")
    parser.add_argument("--contributions", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where sandboxes and stores stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder: Path = options.keep or Path(name)
        small = synced(folder, options.contributions)
        large = grown(folder, options.contributions, options.times)
        empty = Path(name) / "empty"
        empty.mkdir()
        settings = (small / "ordito.yaml").read_text(encoding="utf-8")
        moved = settings.replace(str(small / "ordito.db"), str(empty / "ordito.db"))
        (empty / "ordito.yaml").write_text(moved, encoding="utf-8")
        runs = in_turn(
            options.repeats,
            *(lambda place=place: ordito("plan", "--dry-run", cwd=place) for place in (empty, small, large)),
        )
    start, one, many = map(middle, runs)
    before, after = one.cpu - start.cpu, many.cpu - start.cpu
    return show(
        f"A plan with four kinds; {options.contributions:,} contributions, and {options.times} times as many",
        [
            Figure("evaluation, processor", after, "s", before, "once", 1.1 * options.times),
            Figure("memory", many.memory, "MB", one.memory, "once"),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
