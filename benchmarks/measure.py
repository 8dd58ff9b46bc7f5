"""What the benchmarks share: processes with their costs, medians, and tables.

Machines differ and are shared with others. So everything that is compared is measured in one run, in turn,
and the tables hold the ratio beside both values; of times, processor time is the one to trust.
"""

from __future__ import annotations

import os
import platform
import resource
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.table import Table

from tests.program import command, environment

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took: seconds on the wall and on the processor, and memory at its peak in MB."""

    seconds: float
    cpu: float
    memory: float
    code: int
    out: str
    err: str


def spent(
    argv: Sequence[str],
    *,
    cwd: Path,
    variables: Mapping[str, str] | None = None,
    limit: float = 3600,
    accept: Sequence[int] = (0,),
) -> Spent:
    """Run a process to its end. Raises TimeoutError after `limit` seconds, RuntimeError where it fails."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=cwd, env=environment(cwd, **(variables or {})), stdin=subprocess.DEVNULL,
            stdout=out, stderr=err,
        )  # fmt: skip
        status, usage, memory = _end(process, began + limit)
        seconds = time.perf_counter() - began
        for stream in (out, err):
            stream.seek(0)
        cpu = usage.ru_utime + usage.ru_stime
        code = process.returncode = os.waitstatus_to_exitcode(status)
        result = Spent(seconds, cpu, memory, code, out.read(), err.read())
    if code not in accept:
        raise RuntimeError(f"{shlex.join(argv)} ended with {code}: {result.err[-2000:]}{result.out[-500:]}")
    return result


def _end(process: subprocess.Popen[bytes], deadline: float) -> tuple[int, resource.struct_rusage, float]:
    """`wait4` tells what this one process took, which `Popen.wait` does not."""
    memory = 0.0
    while True:
        memory = max(memory, _peak(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            return status, usage, memory
        if time.perf_counter() > deadline:
            process.kill()
            _, process.returncode, _ = os.wait4(process.pid, 0)
            raise TimeoutError("a process took longer than it may")
        time.sleep(0.003)


def _peak(pid: int) -> float:
    """The most memory that a process had so far, in MB, as Linux counts it. (`ru_maxrss` of a child begins
    with the memory of the process that started it.)"""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def ordito(*words: str | Path, cwd: Path, limit: float = 3600, **variables: str) -> Spent:
    """The program, as its users run it."""
    return spent(command(*words), cwd=cwd, variables=variables, limit=limit)


def in_turn(repeats: int, *jobs: Callable[[], T]) -> list[list[T]]:
    """The results of each job, done in turn, so that what else the machine does falls on all of them."""
    results: list[list[T]] = [[] for _ in jobs]
    for _ in range(repeats):
        for job, found in zip(jobs, results, strict=True):
            found.append(job())
    return results


def middle(runs: Sequence[Spent]) -> Spent:
    """The medians of what several runs took; text and code are those of the last."""
    last = runs[-1]
    return Spent(
        median(run.seconds for run in runs), median(run.cpu for run in runs),
        median(run.memory for run in runs), last.code, last.out, last.err,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of a table: our value beside the one it is compared with, if any.

    `aim` is the number to reach: of the ratio ours / theirs where there is another value and `ratio` is
    left true, else of our value. `at_least` turns it round.
    """

    what: str
    ours: float
    unit: str
    theirs: float | None = None
    peer: str = ""
    aim: float | None = None
    at_least: bool = False
    ratio: bool = True

    @property
    def measured(self) -> float:
        """What the aim is about."""
        return self.ours / self.theirs if self.theirs and self.ratio else self.ours

    @property
    def reached(self) -> bool | None:
        """None where there is nothing to reach."""
        if self.aim is None:
            return None
        return self.measured >= self.aim if self.at_least else self.measured <= self.aim


def show(title: str, figures: Sequence[Figure]) -> int:
    """Print a table as Markdown; 1 if a number was not reached, as an exit code."""
    table = Table("what", "Ordito", "beside it", "ratio", "to reach", "reached", box=box.MARKDOWN)
    for figure in figures:
        theirs = "" if figure.theirs is None else f"{_number(figure.theirs, figure.unit)} ({figure.peer})"
        ratio = f"{figure.ours / figure.theirs:.3g}" if figure.theirs else ""
        table.add_row(
            figure.what, _number(figure.ours, figure.unit), theirs, ratio, _aim(figure),
            {None: "", True: "yes", False: "NO"}[figure.reached],
        )  # fmt: skip
    print(f"\n{title}\n{_machine()}\n")
    Console(width=200, highlight=False).print(table)
    return int(any(figure.reached is False for figure in figures))


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    sign = "≥" if figure.at_least else "≤"
    if figure.theirs and figure.ratio:
        return f"{sign} {figure.aim:g} ×"
    return f"{sign} {_number(figure.aim, figure.unit)}"


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:.3g}"
    return f"{text} {unit}".strip()


def _machine() -> str:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load}"
