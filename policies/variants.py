"""Several settings of one policy side by side: `--vary when.quiet="90 days,180 days"`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from pydantic import ValidationError

from ..config.errors import UsageError
from ..config.model import PolicySettings
from ..config.placed import PlacedError, PlacedErrors
from ..config.words import suggestion
from .kind import Kind

_MOST = 12
_UNITS = {"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}
_OPERATOR = re.compile(r"\s*(>=|<=|>|<)\s*")


def variants(kind: Kind, vary: Sequence[str]) -> list[tuple[Mapping[str, str], Kind]]:
    """The policy with every combination of the values; as it is written if nothing varies.

    Raises UsageError for a key that it has not, for a value that does not fit, and for too many.
    """
    if not vary:
        return [({}, kind)]
    document = kind.parameters.model_dump(mode="json", by_alias=True, exclude_unset=True)
    whole = kind.parameters.model_dump(mode="json", by_alias=True)
    chosen = [_read(text, whole) for text in vary]
    many = 1
    for _, values in chosen:
        many *= len(values)
    if many > _MOST:
        raise UsageError(f"That makes {many} combinations; at most {_MOST} are shown side by side.")
    found: list[tuple[Mapping[str, str], Kind]] = []
    for combination in product(*(values for _, values in chosen)):
        given = json.loads(json.dumps(document))
        shown = {}
        for (path, _), value in zip(chosen, combination, strict=True):
            _put(given, whole, path, value)
            shown[".".join(path)] = _plain(value)
        found.append((shown, type(kind)(kind.policy, _parameters(kind, given, shown), kind.tools)))
    return found


def spaced(text: str) -> str:
    """`90d` → `90 days`, and the same within `> 90d`."""
    return re.sub(r"(\d+)\s*([hdwmy])\b", lambda match: f"{match[1]} {_UNITS[match[2]]}", text)


def _read(text: str, whole: Mapping[str, Any]) -> tuple[tuple[str, ...], list[Any]]:
    """The path of the key, and the values as they stand in settings."""
    key, equals, rest = text.partition("=")
    values = [each.strip() for each in re.split(r",(?![^\[]*\])", rest) if each.strip()]
    if not equals or not values:
        hint = "Write --vary when.quiet='90 days,180 days'."
        raise UsageError(f"'{text}' does not say what varies.", hint=hint)
    path = tuple(part.strip() for part in key.split("."))
    if path[0] not in whole and path[0] in (whole.get("when") or {}):
        path = ("when", *path)
    if path[0] not in whole or path[0] in ("use", "on", "mode"):
        words = [*(name for name in whole if name not in ("use", "on", "mode")), *(whole.get("when") or {})]
        raise UsageError(f"The policy has no key '{key}' that could vary.", hint=suggestion(path[0], words))
    present = _at(whole, path)
    return path, [_value(each, present) for each in values]


def _value(text: str, present: Any) -> Any:
    """As a setting of that place: `180d` keeps the comparison of what stands there now."""
    if text.startswith("["):
        return [each.strip() for each in text.strip("[]").split(",")]
    if isinstance(present, bool) or text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+", text) and not isinstance(present, str):
        return int(text)
    text = spaced(text)
    operator = _OPERATOR.match(present) if isinstance(present, str) else None
    if operator and not _OPERATOR.match(text) and ".." not in text:
        return f"{operator[1]} {text}"
    return [text] if isinstance(present, list) else text


def _at(document: Any, path: Sequence[str]) -> Any:
    for part in path:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document


def _put(given: dict[str, Any], whole: Mapping[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a key; what stands beside it stays, defaults too."""
    *above, last = path
    place: Any = given
    for depth, part in enumerate(above, 1):
        if not isinstance(place.get(part), dict):
            place[part] = dict(_at(whole, path[:depth]) or {})
        place = place[part]
    place[last] = value


def _parameters(kind: Kind, given: Mapping[str, Any], shown: Mapping[str, str]) -> PolicySettings:
    words = ", ".join(f"{key}={value}" for key, value in shown.items())
    try:
        return type(kind).Parameters.model_validate_json(json.dumps(given))
    except (PlacedError, PlacedErrors) as error:
        raise UsageError(f"{words}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        inner = first.get("ctx", {}).get("error")
        raise UsageError(f"{words}: {inner or first['msg']}") from None


def _plain(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
