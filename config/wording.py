"""pydantic's errors in the words of somebody who edits a YAML file."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from .placed import PlacedError, PlacedErrors
from .words import nearest, suggestion

Path = tuple[str | int, ...]

# type of the error → what should stand there
_SHOULD = {
    "string_type": ("text", "Put it in quotes."),
    "int_type": ("a whole number", ""),
    "int_parsing": ("a whole number", ""),
    "int_from_float": ("a whole number", ""),
    "float_type": ("a number", ""),
    "float_parsing": ("a number", ""),
    "bool_type": ("true or false", ""),
    "list_type": ("a list", "Write [a, b], or one item per line after '- '."),
    "tuple_type": ("a list", "Write [a, b], or one item per line after '- '."),
    "set_type": ("a list", "Write [a, b], or one item per line after '- '."),
    "frozen_set_type": ("a list", "Write [a, b], or one item per line after '- '."),
    "dict_type": ("a mapping", "Write {key: value}, or one key per line, indented."),
    "model_type": ("a mapping", "Write {key: value}, or one key per line, indented."),
    "date_type": ("a date", "Write it as 2020-01-31."),
    "date_parsing": ("a date", "Write it as 2020-01-31."),
    "date_from_datetime_parsing": ("a date", "Write it as 2020-01-31."),
    "date_from_datetime_inexact": ("a date", "Write it as 2020-01-31."),
    "datetime_type": ("a time", "Write it as 2020-01-31T12:00:00Z."),
    "datetime_parsing": ("a time", "Write it as 2020-01-31T12:00:00Z."),
    "datetime_from_date_parsing": ("a time", "Write it as 2020-01-31T12:00:00Z."),
    "timezone_aware": ("a time with its zone", "Write it as 2020-01-31T12:00:00Z."),
}
_LIMITS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error: where (`at_key`: the key itself is wrong), what, and what to do next."""

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False

    def placed(self) -> PlacedError:
        """As an error that a validator can raise about a value that it validates by a model."""
        return PlacedError(self.message, path=self.path, hint=self.hint, at_key=self.at_key)


def wrongs(error: ValidationError, model: type[BaseModel], data: Any) -> list[Wrong]:
    """All errors of one validation, without doubles. `data` is what was validated.

    A key that is missing because it is misspelt is one error, not two.
    """
    details = error.errors(include_url=False, include_input=False)
    misspelt = {
        (*loc[:-1], nearest(str(loc[-1]), known_keys(model, loc[:-1])))
        for loc in (tuple(each["loc"]) for each in details if each["type"] == "extra_forbidden")
    }
    found = [
        wrong
        for detail in details
        if detail["type"] != "missing" or tuple(detail["loc"]) not in misspelt
        for wrong in _translate(detail, model, data)
    ]
    return list(dict.fromkeys(found))


def _translate(detail: Mapping[str, Any], model: type[BaseModel], data: Any) -> Iterator[Wrong]:
    kind, loc, context = detail["type"], tuple(detail["loc"]), detail.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(loc[-1])
        yield Wrong(
            _real(loc[:-1], data) + (key,),
            f"unknown key '{key}'.",
            suggestion(key, known_keys(model, loc[:-1])),
            at_key=True,
        )
    elif kind == "missing":
        yield Wrong(_real(loc[:-1], data), f"'{loc[-1]}' is missing here.")
    elif kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", context["expected"])
        path = _real(loc, data)
        word = _at(data, path)
        yield Wrong(path, f"'{word}' cannot stand here.", suggestion(word, words))
    elif isinstance(context.get("error"), ValueError):
        yield from _raised(context["error"], _real(loc, data))
    else:
        yield Wrong(_real(loc, data), *_plain(kind, detail["msg"], context))


def _raised(error: ValueError, path: Path) -> Iterator[Wrong]:
    """What validators raise: with its own place, or at the value that was validated."""
    if isinstance(error, PlacedErrors):
        for each in error.errors:
            yield from _raised(each, path)
    elif isinstance(error, PlacedError):
        yield Wrong(path + error.path, error.message, error.hint, error.at_key)
    else:
        yield Wrong(path, f"{str(error).rstrip('.')}.")


def _plain(kind: str, message: str, context: Mapping[str, Any]) -> tuple[str, str]:
    if kind in _SHOULD:
        what, hint = _SHOULD[kind]
        return f"should be {what}.", hint
    if kind in _LIMITS:
        return f"should be {_LIMITS[kind].format_map({key: _number(context[key]) for key in context})}.", ""
    if kind in ("too_short", "string_too_short"):
        return "must not be empty." if context["min_length"] == 1 else _sentence(message), ""
    return _sentence(message), ""


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _sentence(message: str) -> str:
    subject, should, rest = message.rstrip(".").partition(" should ")
    return f"should {rest}." if should else f"{subject[:1].lower()}{subject[1:]}."


def _real(loc: Path, data: Any) -> Path:
    """`loc` without the names of union members, which pydantic puts between the keys."""
    path: list[str | int] = []
    for part in loc:
        below = _below(data, part)
        if below:
            data = below[0]
            path.append(part)
    return tuple(path)


def _below(data: Any, part: str | int) -> tuple[Any] | tuple[()]:
    if isinstance(data, dict) and part in data:
        return (data[part],)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return (data[part],)
    return ()


def _at(data: Any, path: Path) -> str:
    for part in path:
        data = data[part]
    return str(data)


def known_keys(annotation: Any, loc: Path) -> list[str]:
    """The keys that the model at `loc` below `annotation` understands."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return known_keys(arguments[0], loc)
    if origin in (Union, types.UnionType):
        # pydantic may name the union's member in `loc`
        tries = [known_keys(option, rest) for option in arguments for rest in (loc, loc[1:] if loc else loc)]
        return list(dict.fromkeys(key for keys in tries for key in keys))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {field.alias or name: field for name, field in annotation.model_fields.items()}
        if not loc:
            return list(fields)
        return known_keys(fields[loc[0]].annotation, loc[1:]) if loc[0] in fields else []
    if arguments and loc:
        item = arguments[-1] if arguments[-1] is not Ellipsis else arguments[0]
        return known_keys(item, loc[1:])
    return []
