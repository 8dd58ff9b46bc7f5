"""The real PostgreSQL does what other tests rely on."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.servers.postgres import Cluster


def test_each_test_gets_an_empty_database_in_utf8(postgres_url: str, postgres: Cluster) -> None:
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
        assert tables == (0,)
        assert connection.execute("select lower('ÉTÉ'), current_setting('server_encoding')").fetchone() == (
            "été",
            "UTF8",
        )
        connection.execute("create table left_behind (id integer)")
    other = postgres.url(postgres.create_database())
    with psycopg.connect(other) as connection:
        assert connection.execute("select to_regclass('left_behind')").fetchone() == (None,)


def test_a_prepared_database_is_copied(postgres_url: str, postgres: Cluster) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("create table prepared as select 7 as number")
        (template,) = connection.execute("select current_database()").fetchone() or ("",)
    with psycopg.connect(postgres.url(postgres.create_database(template))) as connection:
        assert connection.execute("select number from prepared").fetchone() == (7,)


def test_nothing_is_left_of_a_cluster_when_the_tests_are_killed(postgres: Cluster) -> None:
    script = (
        "import sys; from tests.servers.postgres import running_cluster\n"
        "with running_cluster() as cluster:\n"
        "    print(cluster.url('postgres').partition('host=')[2], flush=True); sys.stdin.read()"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tests:
        assert tests.stdout
        folder = Path(tests.stdout.readline().decode().strip())
        server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        tests.kill()
    deadline = time.monotonic() + 20
    while folder.exists() or Path("/proc", str(server)).exists():
        assert time.monotonic() < deadline, "PostgreSQL still runs"
