"""What people see while a sync runs: an estimate before a first one, a moving line on a terminal."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from ..connectors.base import Batch
from .output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


_LONG, _WORTH = 10, 0.7
"""A sync of more minutes is a long one; what costs less than this part of it is worth a word."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of a first sync, in requests. `of_month`: with a `since` of `month_ago`, where that is known."""

    requests: int
    per_minute: int
    month_ago: date
    of_month: int | None = None
    since: date | None = None


class Watch(Protocol):
    """Is told how a sync gets on."""

    def estimate(self, site: str, estimate: Estimate) -> None:
        """Everything is about to be read."""

    def batch(self, site: str, batch: Batch) -> None:
        """A batch was stored."""


class Silence:
    """Nobody watches."""

    def estimate(self, site: str, estimate: Estimate) -> None:
        pass

    def batch(self, site: str, batch: Batch) -> None:
        pass


class Notes(Silence):
    """The estimate as a line on stderr, and nothing that moves: for logs."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def estimate(self, site: str, estimate: Estimate) -> None:
        self._out.note(estimate_line(site, estimate))


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

    def estimate(self, site: str, estimate: Estimate) -> None:
        self._progress.console.print(estimate_line(site, estimate), markup=False)

    def batch(self, site: str, batch: Batch) -> None:
        if site not in self._tasks:
            self._tasks[site] = self._progress.add_task("", total=None, site=site)
        if batch.part:
            self._progress.update(
                self._tasks[site], description=batch.part, completed=batch.done, total=batch.total
            )


def estimate_line(site: str, estimate: Estimate) -> str:
    """What a first sync costs at the pace of the settings, in words; of a long one also what a shorter
    history would cost."""
    requests, since = estimate.requests, estimate.since
    known = since is None
    if since is not None and since >= estimate.month_ago and estimate.of_month is not None:
        requests, known = estimate.of_month, True
    what = "everything" if since is None else f"everything since {since}"
    line = (
        f"{site}: {what} is read once: {'' if known else 'at most '}about {requests:,} requests, "
        f"{_time(requests, estimate.per_minute)} at {estimate.per_minute} a minute. "
        "It can be stopped at any time and goes on from there."
    )
    month, long = estimate.of_month, requests >= _LONG * estimate.per_minute
    if since is None and long and month is not None and month < requests * _WORTH:
        line += (
            f" With 'since: {estimate.month_ago}' it would be about {month:,} requests, "
            f"{_time(month, estimate.per_minute)}; what needs the whole history is then unknown."
        )
    return line


def _time(requests: int, per_minute: int) -> str:
    minutes = requests / per_minute
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {round(minutes)} minute{'s' if round(minutes) != 1 else ''}"
    return f"about {minutes / 60:.1f} hours"
