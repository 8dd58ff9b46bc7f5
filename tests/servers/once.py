"""Making something costly once for all the processes that run the tests."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that all xdist workers of one run have in common; without xdist, the run's own."""
    own = factory.getbasetemp()
    return own.parent if own.name.startswith("popen-gw") else own


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, filled by the first process that asks; the others wait for it.

    `make` fills a folder beside it that takes its name only when it is complete, so that a process that was
    killed half way leaves nothing that could pass for finished.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
