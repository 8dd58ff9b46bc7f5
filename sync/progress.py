"""What people see while a sync runs: an estimate of what takes long, a moving line on a terminal."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ..connectors.base import Ahead, Batch
from .output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


_LONG, _WORTH = 10, 0.7
"""A sync of more minutes is a long one; what costs less than this part of it is worth a word."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of a reading of more than the news, in requests. `what` is read, where that is not everything once.
    `of_month`: with a `since` of `month_ago`, where that is known. `hint`: how the settings bound it."""

    requests: int
    per_minute: int
    month_ago: date | None = None
    of_month: int | None = None
    since: date | None = None
    what: str = ""
    at_most: bool = False
    hint: str = ""

    @classmethod
    def of(cls, ahead: Ahead, per_minute: int) -> Estimate:
        return cls(
            ahead.requests, per_minute, what=ahead.what, at_most=ahead.at_most, hint=ahead.hint
        )

    @property
    def likely(self) -> tuple[int, bool]:
        """How many requests; whether that is the most it can be."""
        if self.since is None:
            return self.requests, self.at_most
        if self.month_ago is not None and self.since >= self.month_ago and self.of_month is not None:
            return self.of_month, self.at_most
        return self.requests, True

    @property
    def reading(self) -> str:
        """What is read, as a clause."""
        everything = "everything" if self.since is None else f"everything since {self.since}"
        return self.what or f"{everything} is read once"

    def document(self) -> dict[str, Any]:
        """As a part of the JSON document of `sync`."""
        requests, at_most = self.likely
        minutes = round(requests / self.per_minute, 1)
        return {"what": self.reading, "requests": requests, "at_most": at_most, "minutes": minutes}


class Watch(Protocol):
    """Is told how a sync gets on."""

    def estimate(self, site: str, estimate: Estimate) -> None:
        """Much is about to be read: everything, or something beside the news."""

    def resumed(self, site: str) -> None:
        """A first sync that was stopped goes on."""

    def batch(self, site: str, batch: Batch) -> None:
        """A batch was stored."""


class Silence:
    """Nobody watches."""

    def estimate(self, site: str, estimate: Estimate) -> None:
        pass

    def resumed(self, site: str) -> None:
        pass

    def batch(self, site: str, batch: Batch) -> None:
        pass


class Notes(Silence):
    """What is said beforehand, as a line on stderr, and nothing that moves: for logs."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def estimate(self, site: str, estimate: Estimate) -> None:
        self._out.note(estimate_line(site, estimate))

    def resumed(self, site: str) -> None:
        self._out.note(resumed_line(site))


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

    def resumed(self, site: str) -> None:
        self._progress.console.print(resumed_line(site), markup=False)

    def batch(self, site: str, batch: Batch) -> None:
        if site not in self._tasks:
            self._tasks[site] = self._progress.add_task("", total=None, site=site)
        if batch.part:
            total = None if batch.total is None else max(batch.total, batch.done)  # sites count carelessly
            self._progress.update(
                self._tasks[site], description=batch.part, completed=batch.done, total=total
            )


def estimate_line(site: str, estimate: Estimate) -> str:
    """What a reading costs at the pace of the settings, in words; of a long one also what a shorter history
    would cost."""
    requests, at_most = estimate.likely
    line = (
        f"{site}: {estimate.reading}: {'at most ' if at_most else ''}about {requests:,} "
        f"request{'' if requests == 1 else 's'}, "
        f"{_time(requests, estimate.per_minute)} at {estimate.per_minute} a minute. "
        "It can be stopped at any time and goes on from there."
    )
    if estimate.hint:
        line += f" {estimate.hint}"
    month, long = estimate.of_month, requests >= _LONG * estimate.per_minute
    if estimate.since is None and long and month is not None and month < requests * _WORTH:
        line += (
            f" With 'since: {estimate.month_ago}' it would be about {month:,} requests, "
            f"{_time(month, estimate.per_minute)}; what needs the whole history is then unknown."
        )
    return line


def resumed_line(site: str) -> str:
    """What is said instead of an estimate: what is left of it, only the site could tell."""
    return f"{site}: the first sync goes on where it was stopped."


def _time(requests: int, per_minute: int) -> str:
    minutes = requests / per_minute
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {round(minutes)} minute{'s' if round(minutes) != 1 else ''}"
    return f"about {minutes / 60:.1f} hours"
