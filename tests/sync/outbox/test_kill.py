"""SIGKILL at random moments of real runs, and two runs at once."""

from pathlib import Path

from tests.sync.outbox.killing import (
    approve,
    connectors,
    count,
    kill_again_and_again,
    opened,
    start,
)


def test_killed_twenty_times_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    result = kill_again_and_again(tmp_path, kills=20, seed=7)
    assert result.working >= 15, "they were killed at work"
    assert set(result.states) == {"applied"}
    assert set(result.done.values()) == {1}
    assert result.open_attempts == 0
    assert result.contacts == sum(2 * 8 for _ in range(20))


def test_two_runs_started_together_do_everything_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        connectors(tmp_path)
        approve(store, 0)
        first, second = start(tmp_path), start(tmp_path)
        with first, second:
            pass
        result = count(tmp_path, store)
    assert sorted((first.returncode, second.returncode)) in ([0, 0], [0, 4])
    assert set(result.states) == {"applied"}
    assert set(result.done.values()) == {1}
