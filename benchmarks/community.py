"""Generate a sandbox of any size and say how long it took.

    python -m benchmarks.community FILE [--contributions 1000000] [--members N] [--threads N] [--seed 1]

Members and threads default to a tenth of the contributions. The history ends on a fixed day, so that two
runs make the same file.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import UTC, datetime
from pathlib import Path

from ordito.connectors.sandbox.generate import Sizes, generate

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
"""Where the generated history ends."""


def community(path: Path, contributions: int, *, members: int = 0, threads: int = 0, seed: int = 1) -> Path:
    """A sandbox of this size at `path`; one that is there already is taken for it."""
    if not path.exists():
        sizes = Sizes(
            now=NOW, seed=seed, contributions=contributions, members=members or contributions // 10,
            threads=threads or contributions // 10,
        )  # fmt: skip
        generate(path, sizes)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description="Generate a sandbox.")
    parser.add_argument("file", type=Path)
    for name, default in (("contributions", 1_000_000), ("members", 0), ("threads", 0), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = vars(parser.parse_args())
    path: Path = options.pop("file")
    if path.exists():
        parser.error(f"{path} exists already")
    before = time.perf_counter()
    community(path, **options)
    seconds = time.perf_counter() - before
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = options["contributions"] / seconds
    size = path.stat().st_size / 1e6
    print(f"{seconds:.1f} s, {rate:,.0f} contributions/s, {memory:.0f} MB of memory, file of {size:.0f} MB")


if __name__ == "__main__":
    main()
