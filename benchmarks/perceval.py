"""Perceval (https://github.com/chaoss/grimoirelab-perceval), the peer for reading.

It is GPL and no dependency of Ordito: for a benchmark it goes into an environment of its own, which
`--perceval FOLDER` keeps for the next time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from .measure import Spent, spent

VERSION = "1.6.1"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--perceval", type=Path, metavar="FOLDER",
        help=f"environment with Perceval {VERSION}, made if it is missing (default: a temporary one)",
    )  # fmt: skip


def program(folder: Path) -> Path:
    """Its executable in the environment `folder`, which is made if it is missing."""
    executable = folder.resolve() / "bin" / "perceval"
    if not executable.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(executable.with_name("pip")), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"perceval=={VERSION}"], check=True)
    return executable


def fetch(executable: Path, cwd: Path, *words: str, since: datetime | None = None, limit: float) -> Spent:
    """Everything, or what changed since then; `out` has one line of JSON for each item."""
    date = ["--from-date", since.isoformat()] if since else []
    argv = [str(executable), *words, "--no-archive", "--json-line", *date]
    return spent(argv, cwd=cwd, limit=limit)
