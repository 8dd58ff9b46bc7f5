"""What a side of a sandbox needs in ordito.yaml."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ...config.model import FileName, PlacedError, SiteSettings


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise PlacedError("should say its time zone.", hint="Write it as 2026-03-01T09:00:00Z.")
    return value


class SandboxSettings(SiteSettings):
    """One side of a made-up community in a file; two sites with the same `file` are its two sides."""

    file: FileName = Field(description="The SQLite file; generated when it does not exist.")
    side: Literal["forum", "wiki"] = Field(description="Which side of the community this site is.")
    seed: int = Field(default=1, description="Another seed makes another community.")
    members: int = Field(default=120, ge=40, le=2_000_000, description="Accounts on both sides together.")
    threads: int = Field(default=400, ge=40, le=2_000_000, description="Topics and pages together.")
    contributions: int = Field(
        default=3000, ge=100, le=20_000_000, description="Posts and revisions together."
    )
    now: Annotated[datetime, AfterValidator(_aware)] | None = Field(
        default=None, description="When the history ends; the time of the generation if it is not said."
    )
    languages: list[Literal["en", "it"]] = Field(
        default=["en", "it"], min_length=1, description="Languages of the members."
    )
