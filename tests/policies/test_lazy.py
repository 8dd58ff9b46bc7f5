"""What loads when, and that every command explains itself."""

from __future__ import annotations

import importlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from ordito.cli import COMMANDS, ordito
from ordito.connectors.sandbox.generate import Sizes, generate
from tests.program import run

HEAVY = (
    "sqlalchemy", "pydantic", "jinja2", "requests", "rich", "alembic", "mwclient", "pydiscourse",
    "rustworkx", "psycopg", "ruamel", "tenacity", "werkzeug", "flask",
)  # fmt: skip


NOT_FOR_A_RUN = (
    "alembic", "flask", "werkzeug", "jinja2", "rich", "rustworkx", "markdown_it", "matplotlib", "numpy",
    "psycopg", "sqlalchemy.dialects.postgresql", "requests", "mwclient", "pydiscourse", "tenacity",
)  # fmt: skip
"""What making tables, pages, messages and requests takes, a named table of another database, and tools."""

SETTINGS = """\
store: sqlite:///ordito.db
sites:
  forum: {connector: sandbox, file: sandbox.db, side: forum}
  wiki: {connector: sandbox, file: sandbox.db, side: wiki}
policies:
  welcome-newcomers: {use: welcome, on: [forum, wiki], when: {first_contribution: "< 14 days"}}
  recognise-experts:
    {use: experts, on: [forum, wiki], areas: labels, consent: assumed, give: {badge: Expert}}
  archive-stale: {use: stale, on: [forum], when: {quiet: "> 180 days"}, then: [close]}
  tag: {use: rule, for: thread, on: [forum], when: {likes: 0}, do: [{set_labels: {add: [open]}}]}
"""


def _loaded(*arguments: str, cwd: Path | None = None) -> set[str]:
    """The modules that the program has loaded when it has done what it was called for."""
    code = (
        "import sys\nfrom ordito.cli import main\n"
        f"try:\n    main([*{arguments!r}])\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=cwd)
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_help_loads_nothing_that_takes_long(argument: str) -> None:
    loaded = _loaded(argument)
    assert "click" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_a_run_with_nothing_new_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """It is called every few minutes, and half of what it takes is loading."""
    sizes = Sizes(now=datetime(2026, 3, 1, tzinfo=UTC), contributions=300, members=40, threads=40)
    generate(tmp_path / "sandbox.db", sizes)
    (tmp_path / "ordito.yaml").write_text(SETTINGS, encoding="utf-8")
    _loaded("run", cwd=tmp_path)
    for command in ("sync", "run"):
        loaded = _loaded(command, cwd=tmp_path)
        assert "sqlalchemy" in loaded
        assert [name for name in NOT_FOR_A_RUN if name in loaded] == [], command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_named_and_helped_as_the_list_says(name: str) -> None:
    module, attribute, short = COMMANDS[name]
    command = getattr(importlib.import_module(f"ordito.{module}"), attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.get_short_help_str(limit=200) == short
    assert command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_says_what_it_is_for(name: str) -> None:
    command = ordito.get_command(click.Context(ordito), name)
    assert command is not None
    for each in (command, *getattr(command, "commands", {}).values()):
        assert each.help, each.name
        for option in each.params:
            if isinstance(option, click.Option):
                assert option.help, (each.name, option.name)


def test_an_unknown_command_names_the_nearest() -> None:
    with pytest.raises(click.UsageError, match="Did you mean 'plan'"):
        ordito.main(["plam"], standalone_mode=False)


@pytest.mark.parametrize("mistyped", [("plam",), ("plan", "--dry"), ("plan", "wlcome")])
def test_wrong_usage_is_one_kind_of_error_whoever_finds_it(mistyped: tuple[str, ...], tmp_path: Path) -> None:
    settings = tmp_path / "ordito.yaml"
    settings.write_text("sites:\n  forum: {connector: sandbox, side: forum, file: s.db}\n", encoding="utf-8")
    ended = run("--json", "--config", settings, *mistyped, cwd=tmp_path)
    assert (ended.code, ended.document["error"]["kind"]) == (2, "usage-error")
