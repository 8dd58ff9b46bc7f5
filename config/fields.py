"""Types of values that occur in many places of the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from .base import Context
from .durations import Duration
from .placed import PlacedError
from .words import suggestion

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_REF = re.compile(r"([a-z][a-z0-9-]*):(member|space|thread|contribution|group|title):(\S.*)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ADDRESS = "Write it as https://forum.example.org."


def _duration(value: object) -> Duration:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise PlacedError("should be a duration.", hint="Write a number and a unit: '14 days'.")
    try:
        return Duration.parse(value)
    except ValueError:
        hint = "Write a number and a unit (minutes, hours, days, weeks, months, years): '14 days'."
        raise PlacedError(f"'{value}' is not a duration.", hint=hint) from None


DurationField = Annotated[
    Duration,
    PlainValidator(_duration),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+\s*(minute|hour|day|week|month|year)s?\s*$"}),
]
"""A `Duration` written `14 days`."""


def _percent(value: object) -> float:
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*%\s*", value)):
        share = float(match[1]) / 100
        if share <= 1:
            return share
        raise PlacedError("should lie between 0% and 100%.")
    raise PlacedError("should be a percentage.", hint="Write a number and the sign: '5%'.")


Percent = Annotated[
    float,
    PlainValidator(_percent),
    PlainSerializer(lambda share: f"{share * 100:g}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,3}(\.\d+)?\s*%\s*$"}),
]
"""A share from 0 to 1, written `5%`."""


def check_name(value: str) -> str:
    """`value` if it may name a site or a policy. Raises PlacedError, with a name that may."""
    if _NAME.fullmatch(value) is None:
        better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-0123456789")
        hint = f"Write '{better}'." if better else "Use a-z, 0-9 and -, beginning with a letter."
        raise PlacedError(f"'{value}' cannot be a name.", hint=hint, at_key=True)
    return value


def _site_name(value: str, info: ValidationInfo) -> str:
    context = info.context
    if isinstance(context, Context) and context.sites is not None and value not in context.sites:
        raise PlacedError(f"there is no site '{value}'.", hint=suggestion(value, sorted(context.sites)))
    return value


SiteName = Annotated[str, AfterValidator(_site_name)]
"""The key of a site in the settings."""


def _ref_text(value: str, info: ValidationInfo) -> str:
    match = _REF.fullmatch(value.strip())
    if match is None:
        hint = "Write site:kind:id, such as forum:thread:123 or wiki:title:Project:Ordito/Stop."
        raise PlacedError(f"'{value}' is not a reference.", hint=hint)
    _site_name(match[1], info)
    return value.strip()


RefText = Annotated[str, AfterValidator(_ref_text)]
"""A reference `site:kind:id` to something on one of the sites, as text."""


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 (raises ValueError for a port that is none)
    except ValueError:
        raise PlacedError("should be an address.", hint=_ADDRESS) from None
    if "@" in parts.netloc:
        raise PlacedError("an address must not contain a user or a password.", hint=_ADDRESS)
    if parts.scheme not in ("http", "https") or not parts.hostname or not value.isprintable():
        raise PlacedError("should be an address.", hint=_ADDRESS)
    if " " in value or parts.query or parts.fragment:
        raise PlacedError("an address must not contain blanks, ? or #.", hint=_ADDRESS)
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(_url)]
"""An http(s) address without credentials, query and trailing slash."""


def _beside(value: str, info: ValidationInfo) -> str:
    if not value or "\0" in value:
        raise PlacedError("should be the path of a file.")
    folder = info.context.folder if isinstance(info.context, Context) else Path()
    return str(folder / value)


FileName = Annotated[str, AfterValidator(_beside)]
"""A path; a relative one starts from the folder of the settings."""


def _language(value: str) -> str:
    if _LANGUAGE.fullmatch(value) is None:
        raise PlacedError(f"'{value}' is not a language.", hint="Write a tag such as en, it or pt-BR.")
    return value


Language = Annotated[str, AfterValidator(_language)]
"""A language tag: `en`, `it`, `pt-BR`."""


def _one_line(value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise PlacedError("should be one line of plain ASCII.", hint="An e-mail address or a URL will do.")
    return value


HeaderText = Annotated[str, AfterValidator(_one_line)]
"""Text that can stand in an HTTP header."""
