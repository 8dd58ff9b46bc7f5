"""What loads when, and that every command explains itself."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from ordito.cli import COMMANDS, ordito

HEAVY = (
    "sqlalchemy", "pydantic", "jinja2", "requests", "rich", "alembic", "mwclient", "pydiscourse",
    "rustworkx", "psycopg", "ruamel", "tenacity", "werkzeug", "flask",
)  # fmt: skip


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_the_help_loads_nothing_that_takes_long(argument: str) -> None:
    code = (
        "import sys\nfrom ordito.cli import main\n"
        f"try:\n    main([{argument!r}])\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.rpartition("LOADED")[2].split()
    assert "click" in loaded
    assert [name for name in HEAVY if name in loaded] == []


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
