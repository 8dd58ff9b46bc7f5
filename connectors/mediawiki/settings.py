"""What a wiki needs in ordito.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

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
    edits_per_minute: int = Field(default=6, ge=1, le=600, description="The pace of edits.")
    trial: int | None = Field(
        default=None, ge=1, description="Stop for good after so many edits, as a wiki's bot policy asks."
    )
