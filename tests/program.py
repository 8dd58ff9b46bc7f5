"""The program as its users run it: a process of its own.

`ORDITO_PROGRAM` names the executable to test, for instance one that was installed from a wheel into an
environment of its own; without it, the package of the environment that runs the tests.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def command(*arguments: str | Path) -> list[str]:
    """The command line that runs the program with these arguments."""
    named = os.environ.get("ORDITO_PROGRAM")
    return [*([named] if named else [sys.executable, "-m", "ordito"]), *map(str, arguments)]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """A clean environment with these variables on top: nothing of who runs the tests gets in."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    # For `make coverage`: the program's processes are measured too.
    kept |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {**kept, "HOME": str(home), **variables}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` printed."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def run(
    *arguments: str | Path,
    cwd: Path,
    variables: Mapping[str, str] | None = None,
    typed: str = "",
    timeout: float = 300,
) -> Outcome:
    """Run the program to its end in `cwd`, which is its home too; `typed` is what it reads from stdin."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(cwd, **(variables or {})),
        input=typed,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
