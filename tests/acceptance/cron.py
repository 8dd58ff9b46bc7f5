"""Running `ordito apply` as cron would, again and again, without waiting for the hours in between."""

import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.program import Outcome, command, environment, run

_LATER = 15 * 60
"""Seconds by which the store is made older between two runs: longer than anything may be in flight."""


@dataclass(kw_only=True)
class House:
    """A folder with settings; `variables` are the secrets that they name."""

    folder: Path
    variables: Mapping[str, str]
    outcomes: list[Outcome] = field(default_factory=list)

    def ordito(self, *words: str | int) -> Outcome:
        return run(*map(str, words), cwd=self.folder, variables=self.variables)

    def document(self, *words: str | int) -> dict[str, Any]:
        done = self.ordito("--json", *words)
        assert done.code == 0, (words, done.code, done.err, done.out[-2000:])
        return done.document

    def approve_all(self) -> list[dict[str, Any]]:
        """Sync, plan, and approve all that was planned."""
        self.document("sync")
        planned: list[dict[str, Any]] = self.document("plan")["proposals"]
        self.document("review", "approve", *(each["id"] for each in planned))
        return planned

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command(*words),
            cwd=self.folder,
            env=environment(self.folder, **self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def apply(self) -> Outcome:
        """One run to its end; one that would wait for a site is killed instead, which nothing may mind."""
        process = self.start("--json", "apply")
        with process:
            assert process.stderr is not None and process.stdout is not None
            told: list[str] = []
            out: list[str] = []
            document = process.stdout
            reader = threading.Thread(target=lambda: out.append(document.read()), daemon=True)
            reader.start()  # a long document fills its pipe, which the other one must not wait for
            for line in process.stderr:
                told.append(line)
                if line.startswith("waiting "):
                    process.send_signal(signal.SIGKILL)
            reader.join()
        outcome = Outcome(process.returncode, "".join(out), "".join(told))
        assert "Traceback" not in outcome.err, outcome.err
        self.outcomes.append(outcome)
        return outcome

    def apply_until_done(self, most: int = 8) -> list[Outcome]:
        """As cron does, until nothing is left to do; between two runs a quarter of an hour goes by."""
        first = len(self.outcomes)
        for _ in range(most):
            outcome = self.apply()
            if outcome.code >= 0 and not self.pending():
                return self.outcomes[first:]
            self.age()
        raise AssertionError((self.states(), [(o.code, o.out, o.err) for o in self.outcomes[first:]]))

    def kill_when(self, condition: Callable[[], object], *words: str) -> None:
        """Start a run and kill it as soon as the condition, which may wait, comes back."""
        with self.start(*(words or ("--json", "apply"))) as process:
            condition()
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL

    def kill_after(self, seconds: float, *words: str) -> bool:
        """Start a run and kill it after so long; whether it was still at work."""
        with self.start(*(words or ("--json", "apply"))) as process:
            timer = threading.Timer(seconds, process.send_signal, (signal.SIGKILL,))
            timer.start()
            process.communicate()
            timer.cancel()
        return process.returncode == -signal.SIGKILL

    def age(self) -> None:
        """Let a quarter of an hour go by for what the store remembers of attempts and of the lock; the pauses
        that a site asked for are over, however long they are."""
        for column in ("started_at", "finished_at"):
            self._write(f"UPDATE attempts SET {column} = {column} - :later")
        self._write("UPDATE locks SET since = since - :later, beat_at = beat_at - :later")
        for pace in (self.folder / ".local/state/ordito").glob("*.pace"):
            pace.unlink()

    def states(self) -> dict[int, str]:
        """Every proposal's state."""
        with closing(sqlite3.connect(self.folder / "ordito.db")) as store:
            return dict(store.execute("SELECT id, state FROM proposals"))

    def undo(self) -> tuple[str, ...]:
        """The words that undo all that is not undone yet."""
        return ("--json", "undo", *(str(id_) for id_, state in self.states().items() if state == "applied"))

    def undo_until_done(self, most: int = 8) -> None:
        """As somebody who types it again after it was killed."""
        for _ in range(most):
            if "applied" not in self.states().values():
                return
            done = self.ordito(*self.undo())
            assert done.code == 0 and "Traceback" not in done.err, (done.code, done.out, done.err)
            self.age()
        raise AssertionError(self.states())

    def pending(self) -> list[int]:
        """What is approved and not done, or begun."""
        return [number for number, state in self.states().items() if state in ("approved", "applying")]

    def _write(self, statement: str) -> None:
        with closing(sqlite3.connect(self.folder / "ordito.db")) as store, store:
            store.execute(statement, {"later": _LATER * 1_000_000})
