"""What a Discourse forum has in `sites:`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from ...config.durations import Duration
from ...config.model import DurationField, Secret, SiteSettings, Url


def _account_name(name: str) -> str:
    if not name.isascii() or not name.isprintable() or not name.strip():
        raise ValueError("the account's name goes into a header: use an account with a plain ASCII name")
    return name.strip()


def _query_address(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+/\d+", text):
        raise ValueError("the number of a query is expected, such as 12, or group/12")
    return text


QueryAddress = Annotated[int, Field(ge=1)] | Annotated[str, AfterValidator(_query_address)]


class DiscourseSettings(SiteSettings):
    """A forum, the account that acts there, and how closely invisible changes are followed."""

    url: Url = Field(description="Address of the forum, with its path if it has one.")
    username: Annotated[str, AfterValidator(_account_name)] = Field(
        description="The account that reads and acts."
    )
    api_key: Secret = Field(description="Its API key; bind it to this one account.")
    webhook: int | None = Field(
        default=None, ge=1, description="Number of a webhook whose delivery log tells of changes."
    )
    data_explorer: QueryAddress | None = Field(
        default=None,
        description="Number of Ordito's query in Data Explorer, or group/number where it is shared with one.",
    )
    sweep: DurationField = Field(
        default=Duration(1, "day"),
        description="How often topics and members are compared with the mirror.",
    )

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return str(self.url).rstrip("/")
