"""What connectors and policy kinds build their settings on."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from .base import Context, Model
from .fields import DurationField, FileName, HeaderText, Language, Percent, RefText, SiteName, Url
from .mode import PROPOSE, Earn, Mode, ModeField
from .placed import PlacedError, PlacedErrors
from .secret import Secret

__all__ = [
    "Context", "DurationField", "Earn", "Exclude", "FileName", "HeaderText", "Language", "Mode", "ModeField",
    "Model", "Percent", "PlacedError", "PlacedErrors", "PolicySettings", "RefText", "Secret", "SiteName",
    "SiteSettings", "Url",
]  # fmt: skip


class Exclude(Model):
    """What of a site is never stored, logged or acted upon, by name."""

    spaces: list[str] = Field(default=[], description="Categories or namespaces.")
    labels: list[str] = Field(default=[], description="Tags, or categories of pages.")
    members: list[str] = Field(default=[], description="User names.")


class SiteSettings(Model):
    """What the settings of every site have; each connector adds its own keys."""

    connector: str = Field(description="The kind of platform: discourse, mediawiki or sandbox.")
    language: Language | None = Field(
        default=None, description="Language of messages to members whose own is unknown."
    )
    since: date | None = Field(default=None, description="Nothing older than this day is read.")
    exclude: Exclude = Field(default=Exclude(), description="What is never stored, logged or acted upon.")
    text: bool = Field(default=True, description="Keep the text of contributions in the mirror.")
    messages: bool = Field(default=False, description="Read private messages between members, too.")
    requests_per_minute: int = Field(default=30, ge=1, description="The pace of all requests together.")

    @property
    def spaces_read(self) -> frozenset[str] | None:
        """Ids of the only spaces that are read; None: all that are not excluded."""
        return None


class PolicySettings(Model):
    """What the settings of every policy have; each kind adds its own keys."""

    use: str = Field(description="The kind of policy; 'ordito policies' lists them.")
    on: list[SiteName] = Field(min_length=1, description="The sites that it looks after.")
    mode: ModeField = Field(
        default=PROPOSE, description="off, propose, auto, or {earn: {reviews: 30, accepted: 95%}}."
    )
