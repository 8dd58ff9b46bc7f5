"""Keys and passwords: named in the settings, never written there, shown nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from .base import Context
from .errors import Misconfigured
from .placed import PlacedError

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_FORMS = "Write {env: NAME_OF_A_VARIABLE} or {file: /path/of/a/file}; the value itself never stands here."


class Secret:
    """A value from an environment variable or a file. Its repr, str and JSON name only the source."""

    __slots__ = ("_value", "fault", "file", "variable")

    def __init__(
        self, *, variable: str = "", file: Path | None = None, value: str | None = None, fault: str = ""
    ) -> None:
        self.variable = variable
        self.file = file
        self.fault = fault
        """Why there is no value; '' if there is one."""
        self._value = None if fault else value

    @classmethod
    def of(cls, value: str) -> Self:
        """A secret that was not read from settings."""
        return cls(value=value)

    def reveal(self) -> str:
        """The value. Raises Misconfigured, naming the variable or file, if there is none."""
        if self._value is None:
            raise Misconfigured(f"{self.fault}.", hint=self.hint)
        return self._value

    @property
    def hint(self) -> str:
        """How to supply the value."""
        if self.variable:
            return f"Set it before the command: export {self.variable}=…"
        return "Write the value, alone, into that file and let this account read it."

    def source(self) -> dict[str, str]:
        """As it stands in the settings: `{"env": NAME}` or `{"file": PATH}`."""
        return {"env": self.variable} if self.variable else {"file": str(self.file or "")}

    def __repr__(self) -> str:
        return f"Secret({self.variable or self.file or 'given'})"

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not written anywhere")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.variable, self.file, self._value) == (
            other.variable, other.file, other._value,
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.variable, self.file))

    @classmethod
    def from_variable(cls, name: str, environ: Mapping[str, str]) -> Self:
        """The variable's value without the white space around it; see `fault`."""
        value = environ.get(name, "").strip()
        return cls(variable=name, value=value, fault=_unfit(value, f"environment variable {name}"))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The file's text without the white space around it; see `fault`."""
        try:
            value = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            return cls(file=path, fault=f"file {path} cannot be read ({error.strerror or error})")
        except ValueError:
            return cls(file=path, fault=f"file {path} is not text in UTF-8")
        return cls(file=path, value=value, fault=_unfit(value, f"file {path}"))

    @classmethod
    def read(cls, value: object, info: ValidationInfo) -> Self:
        """From `{env: NAME}` or `{file: PATH}`. Raises PlacedError.

        No message here may quote what was written: it may be the secret.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise _refused("a secret must not stand in the settings.")
        if len(value) != 1 or not isinstance(text := next(iter(value.values())), str):
            raise _refused("a secret has one key, env or file.")
        context = info.context if isinstance(info.context, Context) else Context()
        match next(iter(value)):
            case "env":
                if _VARIABLE.fullmatch(text) is None:
                    raise _refused("env takes the name of an environment variable, in capitals.")
                return cls.from_variable(text, context.environ)
            case "file":
                return cls.from_file(context.folder / text)
        raise _refused("a secret has one key, env or file.")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls.read, serialization=core_schema.plain_serializer_function_ser_schema(Secret.source)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        text = {"type": "string"}
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {"env": {**text, "pattern": f"^{_VARIABLE.pattern}$"}, "file": text},
            "minProperties": 1,
            "maxProperties": 1,
        }


def _unfit(value: str, source: str) -> str:
    if not value:
        return f"{source} is not set or empty"
    if not value.isprintable():
        return f"{source} contains line breaks or control characters"
    return ""


def _refused(message: str) -> PlacedError:
    return PlacedError(message, hint=_FORMS)
