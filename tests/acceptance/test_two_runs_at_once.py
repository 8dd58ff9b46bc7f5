"""Two runs started together on one store, by two crontabs or on two hosts: one works, the other goes away."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.acceptance.test_never_twice_on_a_forum import SETTINGS, WRITES, Place, community
from tests.program import environment
from tests.servers.discourse import DiscourseServer
from tests.servers.proxy import Fault, Proxy


@dataclass(kw_only=True)
class AnyStore(Place):
    """Asks the program for what the store holds, whatever its database."""

    def states(self) -> dict[int, str]:
        listed = self.document("review", "list", "--state", "all", "--limit", 100)["proposals"]
        return {each["id"]: each["state"] for each in listed}


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    """Everything is approved, on either database."""
    url = "sqlite:///ordito.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    forum = community(datetime.now(UTC))
    with DiscourseServer(forum) as server, Proxy(server.url) as proxy:
        settings = SETTINGS.format(url=proxy.url).replace("sqlite:///ordito.db", url)
        (tmp_path / "ordito.yaml").write_text(settings, encoding="utf-8")
        there = AnyStore(
            folder=tmp_path, variables={"FORUM_KEY": server.api_key}, forum=forum, proxy=proxy
        )
        there.approve_all()
        yield there


def test_the_second_of_two_runs_goes_away_silently_and_everything_is_done_once(place: AnyStore) -> None:
    held = place.proxy.add(Fault("hold", WRITES["set_labels"], taken="after"))
    runs = [place.start("run"), place.start("run")]
    loser = _first_to_end(runs)
    assert runs[1 - loser].poll() is None, "the other one is at work"
    assert held.reached.wait(60)
    late = place.ordito("run")
    held.release()
    ended = [run.communicate() for run in runs]
    assert (runs[loser].returncode, runs[1 - loser].returncode) == (4, 0)
    assert ended[loser] == ("", "")
    assert (late.code, late.out, late.err) == (4, "", "")
    place.assert_all_done_once()


@dataclass(kw_only=True)
class TwoHosts(AnyStore):
    """Processes that take themselves to run on several hosts, on one PostgreSQL store."""

    url: str

    def on(self, host: str, *words: str) -> subprocess.Popen[str]:
        code = f"import socket; socket.gethostname = lambda: {host!r}; from ordito.cli import main; main()"
        return subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=self.folder,
            env=environment(self.folder, **self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pass_(self, minutes: float) -> None:
        """Let time go by for what the store remembers of attempts and of the lock."""
        later = {"later": int(minutes * 60_000_000)}
        engine = create_engine(self.url.replace("postgresql://", "postgresql+psycopg://", 1))
        with engine.begin() as store:
            for column in ("started_at", "finished_at"):
                store.execute(text(f"UPDATE attempts SET {column} = {column} - :later"), later)
            store.execute(text("UPDATE locks SET since = since - :later, beat_at = beat_at - :later"), later)
        engine.dispose()


@pytest.fixture
def hosts(tmp_path: Path, postgres_url: str) -> Iterator[TwoHosts]:
    forum = community(datetime.now(UTC))
    with DiscourseServer(forum) as server, Proxy(server.url) as proxy:
        settings = SETTINGS.format(url=proxy.url).replace("sqlite:///ordito.db", postgres_url)
        (tmp_path / "ordito.yaml").write_text(settings, encoding="utf-8")
        variables = {"FORUM_KEY": server.api_key}
        there = TwoHosts(folder=tmp_path, variables=variables, forum=forum, proxy=proxy, url=postgres_url)
        there.approve_all()
        yield there


def test_of_two_hosts_only_one_acts(hosts: TwoHosts) -> None:
    held = hosts.proxy.add(Fault("hold", WRITES["set_labels"], taken="after"))
    runs = [hosts.on("web1", "apply"), hosts.on("web2", "apply")]
    loser = _first_to_end(runs)
    assert held.reached.wait(60)
    held.release()
    ended = [run.communicate() for run in runs]
    assert (runs[loser].returncode, runs[1 - loser].returncode) == (4, 0)
    assert f"on web{2 - loser} (process " in ended[loser][1], "who is at work is named"
    hosts.assert_all_done_once()


def test_a_host_that_died_is_waited_for_and_then_replaced(hosts: TwoHosts) -> None:
    """From another host nobody can tell whether a process is gone; five minutes without a sign of life do."""
    held = hosts.proxy.add(Fault("hold", WRITES["send_message"], taken="before"))
    with hosts.on("web1", "apply") as died:
        assert held.reached.wait(60)
        died.send_signal(signal.SIGKILL)
    held.release()
    with hosts.on("web2", "apply") as early:
        _, told = early.communicate()
    assert (early.returncode, "on web1 (process " in told) == (4, True)
    hosts.pass_(minutes=6)
    with hosts.on("web2", "apply") as late:
        out, told = late.communicate()
    assert late.returncode == 0, (out, told)
    hosts.assert_all_done_once()


def _first_to_end(runs: list[subprocess.Popen[str]]) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for number, run in enumerate(runs):
            if run.poll() is not None:
                return number
        time.sleep(0.01)
    raise AssertionError("both went on")
