"""Opening, making, upgrading; transactions; errors."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, insert, select

from ordito.config.errors import StoreError
from ordito.sync.store.migrations import HEAD
from ordito.sync.store.store import Store
from ordito.sync.store.tables import gaps, locks, members, meta, metadata
from ordito.sync.store.upgrade import SCRIPTS, keep_copy, revision_of, upgrade

Open = Callable[[str], Store]


def test_the_migrations_make_exactly_the_tables_of_the_program(store: Store) -> None:
    with store.read() as connection:
        # Alembic reads a default of '' on SQLite as another than ours; the next test compares those.
        options = {"compare_type": True, "compare_server_default": store.is_postgres}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_them_in_the_same_words(tmp_path: Path, open_store: Open) -> None:
    """What Alembic's comparison leaves out: partial indices, WITHOUT ROWID, AUTOINCREMENT, defaults."""
    plain = create_engine(f"sqlite:///{tmp_path}/plain.db")
    metadata.create_all(plain)

    def statements(engine: Engine) -> set[str]:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'")
            return {" ".join(row.sql.split()) for row in rows if row.sql}

    assert statements(open_store(f"sqlite:///{tmp_path}/ordito.db").engine) == statements(plain)
    plain.dispose()


def test_the_revision_of_the_program_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_store_keeps_its_name_and_its_secret(store_url: str, open_store: Open) -> None:
    first, second = open_store(store_url), open_store(store_url)
    assert (first.installation, first.secret) == (second.installation, second.secret)
    assert first.installation.isalnum()
    assert len(first.secret) == 32
    assert first.secret.hex() not in repr(first)


def test_the_file_can_be_read_by_its_owner_only(tmp_path: Path, open_store: Open) -> None:
    store = open_store(f"sqlite:///{tmp_path}/ordito.db")
    with store.write() as connection:
        connection.execute(insert(meta), {"key": "k", "value": "v"})
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_opening_a_store_of_this_version_imports_no_alembic(tmp_path: Path, open_store: Open) -> None:
    url = f"sqlite:///{tmp_path}/ordito.db"
    open_store(url)
    program = f"""
import sys
from datetime import UTC, datetime
from ordito.sync.store.store import Store
Store.open({url!r}, now=datetime(2026, 1, 1, tzinfo=UTC)).close()
sys.exit("alembic" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_an_error_leaves_nothing_of_the_transaction(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as connection:
        connection.execute(insert(meta), {"key": "k", "value": "v"})
        raise RuntimeError
    with store.read() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.key == "k")) is None


def test_a_reader_sees_one_state_while_another_writes(store: Store) -> None:
    with store.read() as reader:
        before = reader.execute(select(meta.c.key)).all()
        with store.write() as writer:
            writer.execute(insert(meta), {"key": "k", "value": "v"})
        assert reader.execute(select(meta.c.key)).all() == before


def test_writers_take_turns(store: Store) -> None:
    """Each reads a number and writes it back plus one: none is lost."""
    with store.write() as connection:
        connection.execute(insert(meta), {"key": "count", "value": "0"})

    def add() -> None:
        for _ in range(10):
            with store.write() as connection:
                found = connection.scalar(select(meta.c.value).where(meta.c.key == "count"))
                changed = meta.update().where(meta.c.key == "count").values(value=str(int(found or 0) + 1))
                connection.execute(changed)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.key == "count")) == "30"


def test_two_programs_may_make_the_store_at_once(store_url: str, open_store: Open) -> None:
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(open_store(store_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({store.secret for store in stores}) == 1
    assert len(stores) == 4


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Migrations with one more after the newest."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for path in [*SCRIPTS.glob("env.py"), *SCRIPTS.glob("versions/v*.py")]:
        (folder / path.relative_to(SCRIPTS)).write_text(path.read_text())
    (folder / "versions" / "later.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = 'later', '{HEAD}'\n"
        "def upgrade():\n    op.add_column('gaps', sa.Column('size', sa.Integer()))\n"
    )
    return folder


def test_an_upgrade_keeps_the_old_file_and_all_rows(
    tmp_path: Path, open_store: Open, scripts: Path
) -> None:
    path = tmp_path / "ordito.db"
    store = open_store(f"sqlite:///{path}")
    with store.write() as connection:
        connection.execute(insert(gaps), {"site": "s", "kind": "k", "what": "w", "found_at": 1})
    copies: list[Path] = []
    with store.write() as connection:
        keep = lambda revision: copies.append(keep_copy(path, revision))  # noqa: E731
        assert upgrade(connection, keep=keep, scripts=scripts, head="later")
        assert not upgrade(connection, keep=keep, scripts=scripts, head="later")
    with store.read() as connection:
        assert revision_of(connection) == "later"
        assert connection.exec_driver_sql("SELECT what, size FROM gaps").all() == [("w", None)]
    assert [copy.stat().st_mode & 0o777 for copy in copies] == [0o600]
    with closing(sqlite3.connect(copies[0])) as old:
        assert old.execute("SELECT * FROM gaps").fetchall() == [("s", "k", "w", None, 1)]


def test_after_an_upgrade_the_database_knows_how_much_there_is_of_everything(
    tmp_path: Path, open_store: Open
) -> None:
    """All of it: of a sample of a thousand SQLite concludes that a site has no more rows than that."""
    url = f"sqlite:///{tmp_path}/ordito.db"
    store = open_store(url)
    given = dict.fromkeys(("admin", "moderator", "bot", "staged"), False) | {"name": "", "scan": ""}
    rows = [{"site": "s", "id": str(n), "username": str(n), **given} for n in range(3000)]
    with store.write() as connection:
        connection.execute(insert(members), rows)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
        connection.exec_driver_sql("DROP INDEX ix_threads_talk")
    with open_store(url).read() as connection:
        found = connection.exec_driver_sql("SELECT stat FROM sqlite_stat1 WHERE idx = 'ix_members_username'")
        assert found.scalars().all() == ["3000 3000 1"]


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(store: Store, scripts: Path) -> None:
    later = scripts / "versions" / "later.py"
    later.write_text(later.read_text() + "    raise ZeroDivisionError\n")
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        upgrade(connection, keep=lambda _: None, scripts=scripts, head="later")
    with store.read() as connection:
        assert revision_of(connection) == HEAD
        assert "size" not in connection.exec_driver_sql("SELECT * FROM gaps").keys()  # noqa: SIM118


def test_a_store_of_a_newer_version_is_refused(store_url: str, open_store: Open) -> None:
    with open_store(store_url).write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer version of Ordito"):
        open_store(store_url)


def test_the_database_of_another_program_is_refused(tmp_path: Path, open_store: Open) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE songs (title)")
    with pytest.raises(StoreError, match="another program"):
        open_store(f"sqlite:///{tmp_path}/other.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, open_store: Open) -> None:
    (tmp_path / "letter.txt").write_text("Dear database, " * 200)
    with pytest.raises(StoreError, match="not a database") as caught:
        open_store(f"sqlite:///{tmp_path}/letter.txt")
    assert caught.value.hint


@pytest.mark.parametrize("url", ["", "ordito.db", "sqlite://", "mysql://u@h/d", "postgresql://", "http://x"])
def test_what_is_no_url_of_a_store_is_refused(url: str, open_store: Open) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert "sqlite:///ordito.db" in caught.value.hint


def test_a_folder_that_is_missing_is_named(tmp_path: Path, open_store: Open) -> None:
    with pytest.raises(StoreError, match="missing/ordito.db cannot be opened"):
        open_store(f"sqlite:///{tmp_path}/missing/ordito.db")


def test_a_server_that_does_not_run_is_one_line_without_the_password(
    tmp_path: Path, open_store: Open
) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(f"postgresql://me:geheim@/ordito?host={tmp_path}")
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "?." not in caught.value.message, "the server's own question is the end of the sentence"


def test_times_and_flags_come_back_as_they_went(store: Store) -> None:
    row = {"name": "run", "holder": "h", "token": "t", "since": 2**60, "beat_at": -1}
    with store.write() as connection:
        connection.execute(insert(locks), row)
    with store.read() as connection:
        assert connection.execute(select(locks)).mappings().one() == row
