"""Budgets that several processes share: in a file, and in a row of PostgreSQL."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ordito.config.errors import RateLimited
from ordito.connectors.base import World
from ordito.connectors.http import PoliteSession
from ordito.connectors.pacing import Budget
from ordito.sync.allowances import FileAllowance, shared_by_machine
from ordito.sync.store.paces import RowAllowance
from ordito.sync.store.store import Store

BUDGET = Budget("requests https://forum.test", 60, burst=10)
NEVER = 1e9


class Clock:
    """The time, which only sleeping moves; `set` is for clocks that people set."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def world(self) -> World:
        start = datetime(2026, 3, 1, tzinfo=UTC)
        return World(
            now=lambda: start + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


Process = Callable[[], FileAllowance]


@pytest.fixture
def process(tmp_path: Path, clock: Clock) -> Process:
    """What one more process would have."""

    def process() -> FileAllowance:
        found = shared_by_machine(clock.world(), [tmp_path / "state"], pytest.fail)(BUDGET)
        assert isinstance(found, FileAllowance)
        return found

    return process


def the_file(folder: Path) -> Path:
    (path,) = (folder / "state").iterdir()
    return path


def test_processes_take_turns_from_one_budget(process: Process) -> None:
    one, other = process(), process()
    waits = [asked.take(NEVER) for _ in range(6) for asked in (one, other)]
    assert waits == pytest.approx([0.0] * 10 + [1.0, 2.0], abs=1e-5)


def test_what_the_site_tells_one_holds_for_the_others(process: Process, clock: Clock) -> None:
    told, other = process(), process()
    told.slow_down()
    told.hold(60)
    assert other.paused() == pytest.approx(60)
    assert other.take(NEVER) == pytest.approx(60, abs=1e-5)
    clock.seconds += 61
    assert [process().take(NEVER) for _ in range(2)] == pytest.approx([1.0, 3.0], abs=1e-5)  # halved


def test_a_request_that_waits_its_turn_notices_a_pause_that_another_process_is_told(
    process: Process, clock: Clock
) -> None:
    other = process()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.seconds += seconds
        if len(slept) == 1:
            other.hold(60)

    session = PoliteSession("forum", world=clock.world())
    session._world = World(now=session._world.now, monotonic=session._world.monotonic, sleep=sleep)
    mine = process()
    for _ in range(10):
        mine.take(NEVER)
    session.await_turn(mine)
    assert slept == pytest.approx([1.0, 60.0], abs=1e-4)
    assert session.statistics["waited"] == pytest.approx(61, abs=1e-4)


def test_nobody_asks_a_site_that_wants_a_pause_too_long_to_wait_for(process: Process, clock: Clock) -> None:
    process().hold(900)
    session = PoliteSession("forum", world=clock.world())
    with pytest.raises(RateLimited) as caught:
        session.await_turn(process())
    assert caught.value.until == clock.world().now() + timedelta(seconds=900)
    assert session.statistics["waited"] == 0


def test_the_file_is_for_its_owner_and_names_nothing(process: Process, tmp_path: Path) -> None:
    process().take(NEVER)
    path = the_file(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "forum" not in path.name + path.read_text()


def test_in_a_folder_that_a_group_shares_the_file_is_the_groups(process: Process, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o2770)
    process().take(NEVER)
    assert the_file(tmp_path).stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize("content", ["", "nonsense", "[1, 2]", "[0, 1e300, 0, 0]", "\0" * 160, "[" * 9000])
def test_a_file_that_was_spoilt_is_mended_and_gives_no_burst(
    process: Process, tmp_path: Path, content: str
) -> None:
    mine = process()
    mine.take(NEVER)
    the_file(tmp_path).write_text(content)
    waits = [mine.take(NEVER) for _ in range(3)]
    assert waits == pytest.approx([0.0, 0.0, 0.0] if not content else [1.0, 2.0, 3.0], abs=1e-5)


def test_a_file_that_was_removed_is_made_anew(process: Process, tmp_path: Path) -> None:
    mine = process()
    the_file(tmp_path).unlink()
    (tmp_path / "state").rmdir()
    assert mine.take(NEVER) == 0
    assert the_file(tmp_path).exists()


def test_a_clock_that_was_set_back_neither_stops_nor_speeds_anybody(process: Process, clock: Clock) -> None:
    mine = process()
    clock.seconds = 7200.0
    for _ in range(12):
        mine.take(NEVER)
    clock.seconds = 0.0
    assert mine.take(NEVER) == pytest.approx(3.0, abs=1e-5)
    clock.seconds = 4.0
    assert mine.take(NEVER) == pytest.approx(0.0, abs=1e-5)


def test_without_a_folder_to_share_each_process_has_its_own_budget_and_says_so(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    allowances = shared_by_machine(clock.world(), [tmp_path / "file" / "state"], said.append)
    assert [allowances(BUDGET).take(NEVER) for _ in range(2)] == [0, 0]
    (line,) = said
    assert "not shared" in line
    assert "Set ORDITO_STATE" in line


def test_where_the_folder_cannot_be_written_it_is_said_once_which_one_takes_its_place(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    wanted, beside = tmp_path / "file" / "state", tmp_path / "state"
    allowances = shared_by_machine(clock.world(), [wanted, beside], said.append)
    assert all(isinstance(allowances(Budget(name, 60)), FileAllowance) for name in ("one", "another"))
    (line,) = said
    assert line.startswith(f"The pace of requests cannot be kept in {wanted}: Not a directory. ")
    assert str(beside) in line
    assert "set ORDITO_STATE" in line


def test_a_folder_that_is_lost_on_the_way_is_said_once(tmp_path: Path, clock: Clock) -> None:
    said: list[str] = []
    mine = shared_by_machine(clock.world(), [tmp_path / "state"], said.append)(BUDGET)
    path = the_file(tmp_path)
    path.unlink()
    path.mkdir()
    assert [mine.take(NEVER) for _ in range(11)] == pytest.approx([0.0] * 10 + [1.0])
    assert len(said) == 1


def test_a_process_that_was_stopped_with_the_file_in_hand_stops_no_other(
    tmp_path: Path, clock: Clock
) -> None:
    said: list[str] = []
    mine = shared_by_machine(clock.world(), [tmp_path / "state"], said.append)(BUDGET)
    with the_file(tmp_path).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert mine.take(NEVER) == 0
    assert "another process keeps" in said[0]
    assert clock.seconds == pytest.approx(2)


# --- PostgreSQL


@pytest.fixture
def hosts(copied_postgres_url: str, open_store: Callable[[str], Store]) -> list[Store]:
    return [open_store(copied_postgres_url) for _ in range(2)]


def test_hosts_take_turns_from_one_budget(hosts: list[Store]) -> None:
    hourly = Budget("requests https://forum.test", 1, burst=3)  # so slow that the test's own time is nothing
    waits = [RowAllowance(host, hourly).take(NEVER) for _ in range(3) for host in hosts]
    assert waits[:3] == [0, 0, 0]
    assert [round(wait, -1) for wait in waits[3:]] == [60, 120, 180]


def test_hosts_that_begin_at_once_share_one_row(hosts: list[Store]) -> None:
    slow = Budget("requests https://forum.test", 1, burst=3)
    together = threading.Barrier(2)

    def take(host: Store) -> list[float]:
        mine = RowAllowance(host, slow)
        together.wait()
        return [mine.take(NEVER) for _ in range(4)]

    with ThreadPoolExecutor(2) as pool:
        waits = sorted(wait for taken in pool.map(take, hosts) for wait in taken)
    assert [round(wait / 60) for wait in waits] == [0, 0, 0, 1, 2, 3, 4, 5]


def test_what_the_site_tells_one_host_holds_for_the_others(hosts: list[Store]) -> None:
    mine, other = (RowAllowance(host, BUDGET) for host in hosts)
    mine.slow_down()
    mine.hold(1800)
    assert 1700 < other.paused() <= 1800
    assert other.take(60) > 60
    assert RowAllowance(hosts[1], Budget("another", 60)).take(NEVER) == 0


def test_a_writer_at_work_keeps_nobody_from_asking(hosts: list[Store]) -> None:
    with hosts[0].write():
        assert RowAllowance(hosts[1], BUDGET).take(NEVER) == 0


# --- two real processes

_ASK = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from ordito.connectors.base import World
from ordito.connectors.http import PoliteSession
from ordito.sync.allowances import shared_by_machine
url, folder, number = sys.argv[1:]
world = World(lambda: datetime.now(UTC), time.monotonic, time.sleep)
shared = shared_by_machine(world, [Path(folder)], sys.exit)
world = World(world.now, world.monotonic, world.sleep, allowances=shared)
session = PoliteSession("forum", world=world, url=url, requests_per_minute=600)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(number)):
    session.get(url)
"""


class _Counter(BaseHTTPRequestHandler):
    """Notes when it was asked."""

    asked: list[float]

    def do_GET(self) -> None:  # noqa: N802 (the base class names it)
        self.asked.append(time.monotonic())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the base class has it)
        pass


@pytest.fixture
def counted() -> Iterator[tuple[str, list[float]]]:
    """The address of a server, and when it was asked."""
    asked: list[float] = []
    handler = type("Handler", (_Counter,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()
        thread.join()


def test_two_processes_together_never_ask_faster_than_one_may(
    counted: tuple[str, list[float]], tmp_path: Path
) -> None:
    """Whatever the load: a request may come late, none before its turn. Ten are free, then ten a second."""
    url, asked = counted
    environment = {**os.environ, "HOME": str(tmp_path)}
    command = [sys.executable, "-c", _ASK, url, str(tmp_path / "state"), "20"]
    both = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]
    try:
        for one in both:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        start = time.monotonic()
        for one in both:
            one.communicate("go\n", timeout=120)
    finally:
        for one in both:
            one.kill()
            one.wait()
    assert [one.returncode for one in both] == [0, 0]
    assert len(asked) == 40
    for number, moment in enumerate(sorted(asked), 1):
        assert number <= 10 + (moment - start) * 10 + 1e-3
