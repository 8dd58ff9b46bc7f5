"""How fast a sync brings a sandbox into SQLite, beside a plain `executemany` of the very same rows.

    python -m benchmarks.ingest [--contributions 37000 1000000] [--repeats 3] [--keep FOLDER]

`plain` puts the rows that the sync has stored, read from its store a thousand at a time, into an empty file
with the same tables and indexes; `bare` into tables without keys and indexes. Both are processes of their
own, as the sync is. `--keep` names a folder for the sandboxes, which take minutes to generate.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from .community import community
from .measure import ROOT, Figure, Spent, in_turn, middle, ordito, show, spent

SETTINGS = """\
store: sqlite:///{store}
sites:
  forum: {{connector: sandbox, file: {file}, side: forum}}
  wiki: {{connector: sandbox, file: {file}, side: wiki}}
"""
TABLES = ("members", "spaces", "threads", "contributions", "texts", "site_groups", "states")
_BATCH = 1000
MEMORY = 150


def write_settings(folder: Path, sandbox: Path) -> Path:
    """Settings for both sides of a sandbox; where their store will be."""
    store = folder / "ordito.db"
    (folder / "ordito.yaml").write_text(SETTINGS.format(store=store, file=sandbox), encoding="utf-8")
    return store


def copy(source: Path, target: Path, *, bare: bool) -> None:
    """The peer: what the benchmark's own process calls."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as rows, closing(sqlite3.connect(target)) as new:
        new.execute("PRAGMA journal_mode = WAL")
        new.execute("PRAGMA synchronous = NORMAL")
        for name in TABLES:
            columns = [column for _, column, *_ in rows.execute(f"PRAGMA table_info({name})")]
            for statement in [f"CREATE TABLE {name} ({', '.join(columns)})"] if bare else _schema(rows, name):
                new.execute(statement)
            insert = f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})"
            found = rows.execute(f"SELECT * FROM {name}")
            while batch := found.fetchmany(_BATCH):
                with new:
                    new.executemany(insert, batch)


def _schema(rows: sqlite3.Connection, table: str) -> list[str]:
    found = rows.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC", (table,)
    )
    return [sql for (sql,) in found]


def stored_rows(store: Path) -> int:
    with closing(sqlite3.connect(store)) as db:
        return sum(int(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]) for name in TABLES)


def compare(sandbox: Path, contributions: int, repeats: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = write_settings(folder, sandbox)

        def sync() -> Spent:
            for left in folder.glob("ordito.db*"):
                left.unlink()
            return ordito("sync", cwd=folder)

        def plain(how: str) -> Spent:
            argv = [sys.executable, "-m", "benchmarks.ingest", how, str(store), str(folder / "plain.db")]
            return spent(argv, cwd=folder, variables={"PYTHONPATH": str(ROOT)})

        runs = in_turn(repeats, sync, lambda: plain("--plain"), lambda: plain("--bare"))
        ours, indexed, bare = map(middle, runs)
        rows = stored_rows(store)
    return show(
        f"Sandbox of {contributions:,} contributions into SQLite: {rows:,} rows",
        [
            Figure("rows per second", rows / ours.seconds, "", rows / indexed.seconds, "plain", 0.35, True),
            Figure("rows per second of processor", rows / ours.cpu, "", rows / indexed.cpu, "plain"),
            Figure("rows per second of processor", rows / ours.cpu, "", rows / bare.cpu, "bare"),
            Figure("seconds", ours.seconds, "s", indexed.seconds, "plain"),
            Figure("processor", ours.cpu, "s", indexed.cpu, "plain"),
            Figure("memory", ours.memory, "MB", aim=MEMORY),
        ],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Rows per second of a sync into SQLite, and its memory.")
    parser.add_argument("--contributions", type=int, nargs="+", default=[37_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the sandboxes stay")
    for how in ("plain", "bare"):
        parser.add_argument(f"--{how}", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain or options.bare:
        copy(*(options.plain or options.bare), bare=bool(options.bare))
        return 0
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        folder: Path = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for number in options.contributions:
            sandbox = community(folder.resolve() / f"{number}.db", number)
            missed |= compare(sandbox, number, options.repeats)
    return missed


if __name__ == "__main__":
    sys.exit(main())
