"""`ordito facts`, `ordito policies` and `ordito schema`: the reference, made from the code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..sync.context import App


@click.command()
@click.pass_obj
def facts(app: App) -> int:
    """The facts that conditions can use."""
    from .facts import CATALOGUE, PREFIXES

    rows = [
        {"subject": subject, "fact": fact.name, "type": fact.type, "on": list(fact.on), "past": fact.past,
         "choices": list(fact.choices), "meaning": fact.doc}
        for subject, found in CATALOGUE.items()
        for fact in found.values()
    ]  # fmt: skip
    app.out.document({"facts": rows})
    for subject, found in CATALOGUE.items():
        app.out.say(f"About a {subject}:")
        cells = [
            [f.name, f.type, "" if len(f.on) == 2 else f"{f.on[0]} only", f.doc] for f in found.values()
        ]
        app.out.table(["Fact", "Type", "Where", "Meaning"], cells)
        for prefix, other in PREFIXES[subject].items():
            app.out.say(f"Also {prefix}.…: every fact about its {prefix}, a {other}.")
        app.out.say()
    return 0


@click.command()
@click.pass_obj
def policies(app: App) -> int:
    """The kinds of policies and their keys."""
    from .builtin import KINDS

    kinds = {name: (kind.summary, _keys(kind.Parameters)) for name, kind in KINDS.items()}
    app.out.document(
        {"kinds": [{"use": name, "summary": text, "keys": keys} for name, (text, keys) in kinds.items()]}
    )
    for name, (text, keys) in kinds.items():
        app.out.say(f"use: {name}")
        app.out.say(f"  {text}")
        app.out.table(["Key", "Default", "Meaning"], [[k["key"], k["default"], k["meaning"]] for k in keys])
        app.out.say()
    return 0


@click.command()
@click.pass_obj
def schema(app: App) -> int:
    """JSON Schema of ordito.yaml, for editors."""
    from .schema import settings_schema

    # The schema is the document; it has no place for our own `format`.
    print(json.dumps(settings_schema(), indent=2, ensure_ascii=False))
    return 0


def _keys(model: type[BaseModel]) -> list[dict[str, str]]:
    """Every key with its default as it would stand in the settings; '' for none."""
    defaults = json.loads(model.model_construct().model_dump_json(by_alias=True, exclude_none=True))
    keys = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        default = "required" if field.is_required() else _written(defaults.get(key))
        keys.append({"key": key, "default": default, "meaning": field.description or ""})
    return keys


def _written(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace('"', "")
