"""What a wiki needs in ordito.yaml."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from ...config.durations import Duration
from ...config.model import PlacedError, SiteSettings, Url
from ...config.secret import Secret


def _api(value: str) -> str:
    if not value.endswith("api.php"):
        raise PlacedError(
            "should be the address of the wiki's api.php.",
            hint="The page Special:Version of the wiki shows it, at the end.",
        )
    return value


def _namespaces(value: list[int]) -> list[int]:
    if any(number < 0 for number in value):
        raise PlacedError("namespaces with negative numbers have no pages.", hint="Remove them.")
    return list(dict.fromkeys(value))


NEVER = "never"


def _reread(value: object) -> Duration | None:
    """None: never."""
    if value is None or value == NEVER:
        return None
    hint = f"Write a number and a unit, such as '30 days', or '{NEVER}'."
    try:
        span = value if isinstance(value, Duration) else Duration.parse(str(value))
    except ValueError:
        raise PlacedError(f"'{value}' is neither a duration nor '{NEVER}'.", hint=hint) from None
    now = datetime(2000, 1, 1, tzinfo=UTC)
    if span.after(now) - now < timedelta(days=1):
        raise PlacedError("should be a day at least: it takes as much as a first sync.", hint=hint)
    return span


_DURATION = r"^\s*\d+\s*(minute|hour|day|week|month|year)s?\s*$"
RereadField = Annotated[
    Duration | None,
    PlainValidator(_reread),
    PlainSerializer(lambda span: NEVER if span is None else str(span)),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _DURATION}, {"const": NEVER}]}),
]


class MediaWikiSettings(SiteSettings):
    """One wiki and our account there."""

    url: Annotated[Url, AfterValidator(_api)] = Field(description="Address of the wiki's api.php.")
    username: str = Field(
        min_length=1, description="Bot password's name, such as Ordito@cron (Special:BotPasswords)."
    )
    password: Secret = Field(description="Bot password.")
    namespaces: Annotated[list[int], AfterValidator(_namespaces)] = Field(
        default=[0, 1, 2, 3, 4, 5], min_length=1, description="Numbers of the namespaces that are read."
    )
    reread: RereadField = Field(
        default=Duration(30, "day"),
        description="How often everything is read again, for what a wiki hides without a trace; or 'never'.",
    )
    edits_per_minute: int = Field(default=6, ge=1, le=600, description="The pace of edits.")
    trial: int | None = Field(
        default=None, ge=1, description="Stop for good after so many edits, as a wiki's bot policy asks."
    )

    @property
    def spaces_read(self) -> frozenset[str]:
        return frozenset(map(str, self.namespaces))
