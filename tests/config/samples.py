"""Connectors and kinds to load settings with, and the settings of the design as text."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from ordito.config.model import (
    DurationField,
    Model,
    Percent,
    PlacedError,
    PlacedErrors,
    PolicySettings,
    RefText,
    Secret,
    SiteSettings,
    Url,
)


class ForumSettings(SiteSettings):
    url: Url
    username: str
    api_key: Secret
    webhook: int | None = None
    sweep: DurationField | None = None


class WikiSettings(SiteSettings):
    url: Url
    username: str
    password: Secret
    namespaces: list[int] = [0, 1, 2, 3, 4, 5]
    edits_per_minute: int = Field(default=6, ge=1)


class Send(Model):
    message: str
    to: list[Literal["greeters", "author"]] = Field(default=[], alias="with")


class Welcome(PolicySettings):
    when: dict[str, Any] = {}
    after: DurationField | None = None
    send: Send
    holdout: Percent = 0.0
    directory: RefText | None = None

    @field_validator("when")
    @classmethod
    def _facts(cls, value: dict[str, Any]) -> dict[str, Any]:
        unknown = [key for key in value if key not in ("posts", "joined")]
        errors = [PlacedError(f"unknown fact '{k}'.", path=(k,), hint="Look.", at_key=True) for k in unknown]
        if errors:
            raise PlacedErrors(errors)
        return value


CONNECTORS: dict[str, type[SiteSettings]] = {"discourse": ForumSettings, "mediawiki": WikiSettings}
KINDS: dict[str, type[PolicySettings]] = {"welcome": Welcome}

KEY = "0f3aSECRETc9d2"
ENVIRON = {"ORDITO_FORUM_KEY": KEY}

SITES = """\
sites:
  forum:
    connector: discourse
    url: https://forum.example.org/
    username: ordito
    api_key: {env: ORDITO_FORUM_KEY}
"""

FULL = """\
store: sqlite:///ordito.db
language: en
contact: admin@example.org
sites:
  forum:
    connector: discourse
    url: https://forum.example.org
    username: ordito
    api_key: {env: ORDITO_FORUM_KEY}
    requests_per_minute: 30
    webhook: 3
    sweep: 1 day
    since: 2020-01-01
    exclude: {spaces: [Lounge], labels: [private]}
    text: true
    messages: false
  wiki:
    connector: mediawiki
    url: https://wiki.example.org/api.php
    username: Ordito@cron
    password: {file: wiki-password}
    namespaces: [0, 1, 2, 3, 4, 5]
    edits_per_minute: 6
identities: {username: suggest, file: people.yaml}
constitution:
  mode: {earn: {reviews: 40, accepted: 97.5%}}
  limits: {per_run: 50, per_policy: 20, share: 5%}
  contact: {messages: 1, per: 7 days}
  quiet_hours: {from: "20:00", to: "08:00", timezone: Europe/Rome}
  never: {members: [], groups: [staff], spaces: [], labels: [keep]}
  opt_out: {group: no-automation, phrase: "STOP"}
  stop: wiki:title:Project:Ordito/Stop
  undo_window: 10 minutes
  expire: 7 days
policies:
  welcome-newcomers:
    use: welcome
    on: [forum]
    when: {joined: "< 14 days", posts: ">= 1"}
    after: 6 hours
    send: {message: welcome, with: [greeters]}
    holdout: 0%
    mode: propose
"""
