"""docs/review.md tells of every key and every command."""

from pathlib import Path

from ordito.policies.review.commands import review
from ordito.policies.review.terminal import HELP

DOCS = (Path(__file__).parents[3] / "docs" / "review.md").read_text(encoding="utf-8")


def test_every_command_is_documented() -> None:
    for name in review.commands:
        assert f"ordito review {name}" in DOCS or f"`{name} ID…`" in DOCS, name


def test_every_option_is_documented() -> None:
    for command in [review, *review.commands.values()]:
        for option in (option for each in command.params for option in each.opts if option.startswith("--")):
            assert option in DOCS, option


def test_every_key_is_documented() -> None:
    for line in HELP.splitlines():
        assert f"| `{line[0]}`" in DOCS, line
