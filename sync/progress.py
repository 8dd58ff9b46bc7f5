"""What people see while a sync runs: an estimate before a first one, a moving line on a terminal."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from ..connectors.base import Batch
from .output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Watch(Protocol):
    """Is told how a sync gets on."""

    def estimate(self, site: str, requests: int, per_minute: int) -> None:
        """Everything is about to be read, in about so many requests."""

    def batch(self, site: str, batch: Batch) -> None:
        """A batch was stored."""


class Silence:
    """Nobody watches."""

    def estimate(self, site: str, requests: int, per_minute: int) -> None:
        pass

    def batch(self, site: str, batch: Batch) -> None:
        pass


class Notes(Silence):
    """The estimate as a line on stderr, and nothing that moves: for logs."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def estimate(self, site: str, requests: int, per_minute: int) -> None:
        self._out.note(estimate_line(site, requests, per_minute))


class Moving(AbstractContextManager["Moving"]):
    """A line for each site on the terminal."""

    def __init__(self, out: Output) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress: Progress = Progress(
            TextColumn("{task.fields[site]}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=out.console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._out = out

    def __enter__(self) -> Moving:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def estimate(self, site: str, requests: int, per_minute: int) -> None:
        self._progress.console.print(estimate_line(site, requests, per_minute), markup=False)

    def batch(self, site: str, batch: Batch) -> None:
        if site not in self._tasks:
            self._tasks[site] = self._progress.add_task("", total=None, site=site)
        if batch.part:
            self._progress.update(
                self._tasks[site], description=batch.part, completed=batch.done, total=batch.total
            )


def estimate_line(site: str, requests: int, per_minute: int) -> str:
    """`requests` at the pace of the settings, in words."""
    minutes = requests / per_minute
    if minutes < 1:
        time = "less than a minute"
    elif minutes < 90:
        time = f"about {round(minutes)} minute{'s' if round(minutes) != 1 else ''}"
    else:
        time = f"about {minutes / 60:.1f} hours"
    return (
        f"{site}: everything is read once: about {requests:,} requests, {time} at {per_minute} a minute. "
        "It can be stopped at any time and goes on from there."
    )
