"""The documentation says what the program does: its examples load, and it leaves out no key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from ordito.config.loader import read
from ordito.config.settings import General
from ordito.config.templates import TEMPLATES
from ordito.config.tree import parse
from ordito.connectors.registry import CONNECTORS
from ordito.policies.builtin import KINDS
from ordito.policies.builtin.verbs import _VERBS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("README.md")])

SITES: dict[str, Any] = {
    "forum": {"connector": "sandbox", "file": "sandbox.db", "side": "forum"},
    "wiki": {"connector": "sandbox", "file": "sandbox.db", "side": "wiki"},
}
RULE = {"use": "rule", "for": "member", "on": ["forum"], "do": [{"set_title": {"title": "x"}}]}


def examples() -> Iterator[Any]:
    """Every block marked as YAML, with the page and the line where it stands."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^```yaml[^\n]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            line = text[: match.start()].count("\n") + 1
            yield pytest.param(match[1], id=f"{page.name}:{line}")


def whole(fragment: dict[str, Any]) -> dict[str, Any]:
    """Settings around an example: of a condition a rule, of policies the sites, of sites nothing."""
    if fragment.keys() <= {"when", "except"}:
        fragment = {"example": {**RULE, **fragment}}
    if all(isinstance(value, dict) and "use" in value for value in fragment.values()):
        fragment = {"policies": fragment}
    return {"sites": SITES, **fragment}


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_in_the_documentation_is_valid(example: str) -> None:
    tree = parse(example, "example")
    assert tree.faults == []
    read(
        example if "sites" in tree.data else json.dumps(whole(tree.data)),
        "example",
        Path("/nowhere"),
        {},
        {name: kind.Parameters for name, kind in KINDS.items()},
        {name: entry.settings() for name, entry in CONNECTORS.items()},
    )


def keys(annotation: Any) -> Iterator[str]:
    """Every key of a model and of the models in it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield field.alias or name
            yield from keys(field.annotation)
    else:
        for argument in get_args(annotation):
            yield from keys(argument)


def test_the_reference_of_the_settings_names_every_key() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    coded = set(re.findall(r"[\w-]+", " ".join(inline)))
    models: list[Any] = [General, *(entry.settings() for entry in CONNECTORS.values())]
    models += [kind.Parameters for kind in KINDS.values()]
    known = {key for model in models for key in keys(model)}
    known |= {"sites", "policies", *KINDS, *CONNECTORS, *_VERBS}
    assert known - coded == set()


def test_the_reference_of_the_messages_names_every_template_and_variable() -> None:
    text = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    for name, template in TEMPLATES.items():
        _, found, rest = text.partition(f"**`{name}`**: {template.purpose}\n")
        assert found, name
        table = rest.partition("\n\n**")[0]
        for variable, says in template.variables.items():
            assert f"| `{variable}`{'°' if says.optional else ''} | {says.meaning} |" in table
