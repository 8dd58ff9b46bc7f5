"""JSON Schema of ordito.yaml, generated from the models of settings, connectors, kinds and facts."""

from __future__ import annotations

from typing import Any

from ..config.base import Model
from ..config.settings import General
from ..connectors.registry import CONNECTORS
from .builtin import KINDS
from .facts import CATALOGUE, PREFIXES, Fact, Subject, names

_AGE = r"^\s*(>=|<=|>|<)\s*\d+\s*(minute|hour|day|week|month|year)s?\s*$"
_NUMBER = r"^\s*(((>=|<=|>|<|=)?\s*-?\d+(\.\d+)?)|(-?\d+(\.\d+)?\s*\.\.\s*-?\d+(\.\d+)?))\s*$"


def settings_schema() -> dict[str, Any]:
    """A schema of draft 2020-12; `$ref`s point into its own `$defs`."""
    defs: dict[str, Any] = {}
    general = _lifted(General.model_json_schema(by_alias=True), defs)
    sites = [_variant(entry.settings(), "connector", name, defs) for name, entry in CONNECTORS.items()]
    policies = [_variant(kind.Parameters, "use", name, defs) for name, kind in KINDS.items()]
    for subject in CATALOGUE:
        defs[f"{subject}_condition"] = _condition(subject)
    properties = {
        **general["properties"],
        "sites": {"type": "object", "additionalProperties": {"anyOf": sites}, "minProperties": 1},
        "policies": {"type": "object", "additionalProperties": {"anyOf": policies}},
    }
    whole: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ordito.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": ["sites"],
        "properties": properties,
        "$defs": defs,
    }
    refined: dict[str, Any] = _refer(whole)
    return refined


def _refer(node: Any) -> Any:
    """Every `x-condition` as a reference to that subject's condition: pydantic cannot know of those."""
    if isinstance(node, dict):
        if "x-condition" in node:
            kept = {key: value for key, value in node.items() if key not in ("type", "x-condition")}
            return {**kept, "$ref": f"#/$defs/{node['x-condition']}_condition"}
        return {key: _refer(value) for key, value in node.items()}
    return [_refer(each) for each in node] if isinstance(node, list) else node


def _lifted(model: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """The model without its own `$defs`, which go into `defs`."""
    defs.update(model.pop("$defs", {}))
    return model


def _variant(model: type[Model], key: str, value: str, defs: dict[str, Any]) -> dict[str, Any]:
    """The model's schema where `key`, the word that chooses it, is `value`."""
    found = _lifted(model.model_json_schema(by_alias=True), defs)
    found["properties"][key] = {"const": value, "description": found["properties"][key]["description"]}
    return found


def _condition(subject: Subject) -> dict[str, Any]:
    reference = {"$ref": f"#/$defs/{subject}_condition"}
    many = {"type": "array", "items": reference, "minItems": 1}
    properties: dict[str, Any] = {name: _test(_fact(subject, name)) for name in names(subject)}
    properties |= {"any": many, "all": many, "not": reference}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _fact(subject: Subject, name: str) -> Fact:
    here = subject
    *prefix, last = name.split(".")
    for step in prefix:
        here = PREFIXES[here][step]
    return CATALOGUE[here][last]


def _test(fact: Fact) -> dict[str, Any]:
    words = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    number: dict[str, Any] = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": _NUMBER}]}
    areas = {"type": "object", "additionalProperties": number, "minProperties": 1}
    tests: dict[str, dict[str, Any]] = {
        "number": number,
        "scores": {"anyOf": [*number["anyOf"], areas]},
        "age": {"type": "string", "pattern": _AGE},
        "boolean": {"type": "boolean"},
        "choice": {
            "anyOf": [
                {"enum": list(fact.choices)},
                {"type": "array", "items": {"enum": list(fact.choices)}, "minItems": 1},
            ]
        },
        "text": {"anyOf": [*words["anyOf"], _mapping({"contains": words, "matches": {"type": "string"}})]},
        "set": {"anyOf": [*words["anyOf"], _mapping({"any": words, "all": words, "none": words})]},
    }
    return {"description": fact.doc, **tests[fact.type]}


def _mapping(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": properties}
