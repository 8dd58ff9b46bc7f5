"""SIGKILL at random moments of real runs, and two runs at once, on both databases."""

from pathlib import Path

import pytest

from tests.sync.outbox.killing import approve, connectors, count, kill_again_and_again, opened, start


@pytest.fixture
def folder(tmp_path: Path, store_url: str) -> Path:
    """A folder whose runs keep their proposals in the store under test."""
    (tmp_path / "store.url").write_text(store_url)
    return tmp_path


def test_killed_ten_times_nothing_is_lost_and_nothing_happens_twice(folder: Path) -> None:
    """Twenty times with both databases; `benchmarks/kills.py` does it 200 times."""
    result = kill_again_and_again(folder, kills=10, seed=7)
    assert result.working >= 7, "they were killed at work"
    assert set(result.states) == {"applied"}
    assert set(result.done.values()) == {1}
    assert result.open_attempts == 0
    assert result.contacts == 10 * 16, "two thirds of the actions use somebody's budget, once"


def test_two_runs_started_together_do_everything_once(folder: Path) -> None:
    with opened(folder) as store:
        connectors(folder)
        approve(store, 0)
        first, second = start(folder), start(folder)
        with first, second:
            pass
        result = count(folder, store)
    assert sorted((first.returncode, second.returncode)) in ([0, 0], [0, 4])
    assert set(result.states) == {"applied"}
    assert set(result.done.values()) == {1}
