"""One run at a time, and no lock outlives its holder for long."""

import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ordito.config.errors import LockHeld
from ordito.sync.locks import STALE, Holder, run_lock
from ordito.sync.store.store import Store
from ordito.sync.store.tables import locks
from ordito.sync.store.times import moment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = Holder("apply", "anna", "web1", "web1/pid:[1]", 4242)
BOB = Holder("run", "bob", "web2", "web2/pid:[1]", 17)


def at(moment_: datetime = NOW) -> datetime:
    return moment_


def test_the_second_run_is_told_who_is_at_work_and_since_when(store: Store) -> None:
    with run_lock(store, ANNA, at), pytest.raises(LockHeld) as caught, run_lock(store, BOB, at):
        pass
    assert caught.value.message == (
        "Another run is at work: ordito apply by anna on web1 (process 4242), since 2026-03-01 12:00 UTC."
    )
    assert caught.value.exit_code == 4


def test_the_lock_is_free_again_however_the_run_ended(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), run_lock(store, ANNA, at):
        raise KeyboardInterrupt
    with run_lock(store, BOB, at) as lock:
        assert lock.killed_after is None


def test_a_lock_without_a_heartbeat_is_taken_over_from_another_host(store: Store) -> None:
    with run_lock(store, ANNA, at) as lost:
        with pytest.raises(LockHeld), run_lock(store, BOB, lambda: NOW + STALE):
            pass
        later = NOW + STALE + timedelta(seconds=1)
        with run_lock(store, BOB, lambda: later) as lock:
            assert lock.killed_after == NOW
            with store.write() as conn:
                lock.ensure(conn)
            with pytest.raises(LockHeld, match="lost its lock to ordito run by bob"), store.write() as conn:
                lost.ensure(conn)
            lost.beat()
            with store.read() as conn:
                assert moment(conn.execute(select(locks.c.beat_at)).scalar_one()) == later
    with store.read() as conn:
        assert conn.execute(select(locks)).all() == []


def test_a_heartbeat_keeps_the_lock(store: Store) -> None:
    clock = [NOW]
    with run_lock(store, ANNA, lambda: clock[0]) as lock:
        clock[0] = NOW + timedelta(hours=1)
        lock.beat()
        with pytest.raises(LockHeld), run_lock(store, BOB, lambda: clock[0]):
            pass


def test_the_heart_beats_by_itself(store: Store) -> None:
    beaten = threading.Event()
    calls: list[int] = []

    def now() -> datetime:
        calls.append(1)
        if len(calls) > 2:
            beaten.set()
        return NOW + timedelta(seconds=len(calls))

    with run_lock(store, ANNA, now, beat_every=0.001):
        assert beaten.wait(30)
    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())


def test_a_lock_whose_process_is_dead_is_taken_over_at_once_on_the_same_machine(store: Store) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = Holder.here("apply", "anna")
    dead = replace(here, pid=ended.pid)
    with run_lock(store, dead, at), run_lock(store, here, at) as lock:
        assert lock.killed_after == NOW


def test_a_process_id_says_nothing_about_another_machine_or_container(store: Store) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = Holder.here("apply", "anna")
    elsewhere = replace(here, pid=ended.pid, machine=here.machine + "x")
    with run_lock(store, elsewhere, at), pytest.raises(LockHeld), run_lock(store, here, at):
        pass


def test_of_many_who_start_together_one_gets_the_lock(store: Store) -> None:
    start, done = threading.Barrier(8), threading.Barrier(8)
    got: list[int] = []

    def try_it(number: int) -> None:
        start.wait()
        try:
            with run_lock(store, replace(ANNA, pid=number), at):
                got.append(number)
                done.wait()
        except LockHeld:
            done.wait()

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
