"""What it costs to call the program while there is nothing to do.

    python -m benchmarks.start [--repeats 7] [--posts 37000]

`ordito --help` beside a Python that only imports click; `ordito run` and `ordito plan` with the four kinds of
policies on a sandbox that has been synced, planned and not changed since.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .community import community
from .ingest import SETTINGS
from .measure import Figure, Spent, in_turn, middle, ordito, show, spent

POLICIES = """\
policies:
  welcome-newcomers:
    use: welcome
    on: [forum, wiki]
    when: {first_contribution: "< 14 days", posts: ">= 1"}
  recognise-experts:
    use: experts
    on: [forum, wiki]
    areas: labels
    consent: assumed
    give: {badge: Expert}
  archive-stale:
    use: stale
    on: [forum]
    when: {quiet: "> 180 days", waiting_on: [nobody, author]}
    then: [close]
  tag-install-questions:
    use: rule
    for: thread
    on: [forum]
    when: {title: {matches: "(?i)install|setup"}, labels: {none: [installation]}}
    do: [{set_labels: {add: [installation]}}]
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Time of the program when there is nothing to do.")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--posts", type=int, default=37_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sandbox = community(folder / "sandbox.db", options.posts)
        settings = SETTINGS.format(store=folder / "ordito.db", file=sandbox) + POLICIES
        (folder / "ordito.yaml").write_text(settings, encoding="utf-8")
        ordito("sync", cwd=folder)
        ordito("run", cwd=folder)

        def click() -> Spent:
            return spent([sys.executable, "-c", "import click"], cwd=folder)

        def program(*words: str) -> Spent:
            return ordito(*words, cwd=folder)

        runs = in_turn(
            options.repeats, click, lambda: program("--help"), lambda: program("run"),
            lambda: program("sync"), lambda: program("plan", "--dry-run"),
        )  # fmt: skip
    base, shown, run, sync, plan = map(middle, runs)
    return show(
        f"Calling the program; store of {options.posts:,} contributions, nothing new",
        [
            Figure("ordito --help, processor", shown.cpu, "s", base.cpu, "import click", 2),
            Figure("ordito --help, time", shown.seconds, "s", base.seconds, "import click"),
            Figure("ordito run, time", run.seconds, "s", aim=1.5),
            Figure("ordito run, processor", run.cpu, "s"),
            Figure("of it: ordito sync, processor", sync.cpu, "s"),
            Figure("of it: ordito plan --dry-run, processor", plan.cpu, "s"),
            Figure("ordito run, memory", run.memory, "MB"),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
