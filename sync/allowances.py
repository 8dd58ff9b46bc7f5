"""One budget per site for all processes of a machine: a small file for each, taken in turns.

With PostgreSQL a row of the store takes the place of the file (`store/paces.py`), for all hosts together.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..connectors.base import World
from ..connectors.pacing import Allowance, Allowances, Bucket, Budget, Pace

_SIZE = 160
"""Bytes of a file, whatever it says: written over in one go, so that a killed process leaves it whole."""

_TRIES, _PAUSE = 400, 0.005
"""Nobody keeps a file for longer than some microseconds, unless it was stopped in the middle of that."""


def shared_by_machine(world: World, folders: Sequence[Path], warn: Callable[[str], None]) -> Allowances:
    """Budgets in the first of the folders that can be used; `warn` hears, once, if that is not the first."""
    said: set[str] = set()

    def tell(line: str) -> None:
        if line not in said:
            said.add(line)
            warn(line)

    def allowance(budget: Budget) -> Allowance:
        own = Bucket(budget, world.monotonic)
        faults: list[OSError] = []
        for folder in folders:
            file = _File(folder / f"{budget.digest}.pace", world, budget)
            try:
                file.change(lambda pace: pace)
            except OSError as error:
                faults.append(error)
            else:
                if faults:
                    tell(_kept_elsewhere(folders[0], faults[0], folder))
                return FileAllowance(file, own, tell)
        tell(_not_shared(faults[-1] if faults else OSError("there is no folder for it")))
        return own

    return allowance


def _kept_elsewhere(wanted: Path, fault: OSError, folder: Path) -> str:
    return (
        f"The pace of requests cannot be kept in {wanted}: {fault.strerror or fault}. It is kept in {folder},"
        " for runs with this store only. Let this user write to the former, or set ORDITO_STATE to a folder"
        " that all runs may write to."
    )


def _not_shared(fault: OSError) -> str:
    return (
        f"The pace of requests is not shared with other runs of Ordito: {fault}. "
        "Set ORDITO_STATE to a folder that can be written."
    )


class FileAllowance:
    """An `Allowance` in a file; when that fails, of this process alone."""

    def __init__(self, file: _File, own: Bucket, warn: Callable[[str], None]) -> None:
        self._file = file
        self._own = own
        self._warn = warn
        self._failed = False

    def take(self, patience: float) -> float:
        waits: list[float] = []
        budget = self._file.budget

        def change(pace: Pace) -> Pace:
            waits.append(pace.wait(budget))
            return pace if waits[0] > patience else pace.take(budget)

        return self._own.take(patience) if self._change(change) is None else waits[0]

    def paused(self) -> float:
        pace = self._change(lambda pace: pace)
        return self._own.paused() if pace is None else pace.paused

    def slow_down(self) -> None:
        self._own.slow_down()
        self._change(lambda pace: pace.slow_down(self._file.budget))

    def hold(self, seconds: float) -> None:
        self._own.hold(seconds)
        self._change(lambda pace: pace.hold(self._file.budget, seconds))

    def _change(self, change: Callable[[Pace], Pace]) -> Pace | None:
        """What the file says then; None where it cannot be used any more."""
        if self._failed:
            return None
        try:
            return self._file.change(change)
        except OSError as error:
            self._failed = True
            self._warn(_not_shared(error))
            return None


class _File:
    """A budget's pace in a file for its owner, or for the group that may write to its folder, by the clock
    on the wall.

    That clock may be set back: then no time has passed since the last use, and no more comes of it.
    """

    def __init__(self, path: Path, world: World, budget: Budget) -> None:
        self.budget = budget
        self._path = path
        self._world = world

    def change(self, change: Callable[[Pace], Pace]) -> Pace:
        """Raises OSError."""
        with self._alone() as file:
            content = os.pread(file, _SIZE, 0)
            if not content and self._path.parent.stat().st_mode & stat.S_IWGRP:
                os.fchmod(file, 0o660)  # a folder that a group shares, whatever the umask
            pace = change(self._read(content))
            numbers = json.dumps([pace.at, pace.backlog, pace.careful, pace.paused])
            os.pwrite(file, numbers.ljust(_SIZE - 1).encode() + b"\n", 0)
        return pace

    def _read(self, content: bytes) -> Pace:
        now = self._world.now().timestamp()
        if not content:
            return Pace(now)
        try:
            return Pace.restored(json.loads(content), self.budget, now)
        except (ValueError, TypeError):
            return Pace.spent(now, self.budget)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        with suppress(FileExistsError):
            self._path.parent.mkdir(mode=0o700, parents=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self._path, flags, 0o600)
        try:
            self._lock(file)
            yield file
        finally:
            os.close(file)  # which gives the lock back

    def _lock(self, file: int) -> None:
        for _ in range(_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            self._world.sleep(_PAUSE)
        raise OSError(f"another process keeps {self._path}")
