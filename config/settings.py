"""The settings: everything in `ordito.yaml`, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from .base import Model
from .durations import Duration
from .errors import Misconfigured
from .fields import DurationField, FileName, HeaderText, Language, Percent, RefText, SiteName, Url
from .mode import PROPOSE, ModeField
from .model import PolicySettings, SiteSettings
from .placed import PlacedError
from .secret import Secret
from .words import nearest

_STORES = ("sqlite:", "postgresql:", "postgresql+psycopg:")
_STORE_HINT = "Write sqlite:///ordito.db or postgresql://host/database."


def _store(value: str) -> str:
    if not value.startswith(_STORES):
        raise PlacedError("a store is a SQLite file or a PostgreSQL database.", hint=_STORE_HINT)
    if re.search(r"//[^/@]*:[^/]*@|[?&](password|passfile)=", value):
        hint = "Write store: {env: ORDITO_STORE}, or leave the password to ~/.pgpass or PGPASSWORD."
        raise PlacedError("a password must not stand in the settings.", hint=hint)
    if value.startswith("sqlite:") and not re.fullmatch(r"sqlite:///.+", value):
        raise PlacedError("a SQLite store needs a file.", hint=_STORE_HINT)
    return value


def _store_or_secret(value: object, info: ValidationInfo) -> str | Secret:
    if isinstance(value, str):
        return _store(value)
    return Secret.read(value, info)


def _clock(value: object) -> time:
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
    if match is None:
        raise PlacedError("should be a time of day.", hint="Write it as \"20:00\".")
    return time(int(match[1]), int(match[2]))


Clock = Annotated[
    time,
    PlainValidator(_clock),
    PlainSerializer(lambda moment: f"{moment:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$"}),
]
"""A time of day, written "20:00"."""


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        known = available_timezones()
        cities = {zone.rpartition("/")[2]: zone for zone in sorted(known, reverse=True)}
        best = nearest(value, known) or cities.get(nearest(value, cities) or "")
        hint = f"Did you mean '{best}'?" if best else "Write one such as Europe/Rome or UTC."
        raise PlacedError(f"there is no time zone '{value}'.", hint=hint) from None
    return value


class Identities(Model):
    """How one person's accounts on several sites find each other."""

    username: Literal["suggest", "off"] = Field(
        default="suggest", description="Propose equal user names to an admin, or not at all."
    )
    file: FileName | None = Field(default=None, description="YAML file of accounts known to belong together.")


class Limits(Model):
    """The most that one run may do."""

    per_run: int = Field(default=50, ge=0, description="Actions of all policies together.")
    per_policy: int = Field(default=20, ge=0, description="Actions of one policy.")
    share: Percent = Field(default=0.05, description="Of the items a policy looks at, at least 1.")


class Contact(Model):
    """The most that one person hears from us: all policies, all sites."""

    messages: int = Field(default=1, ge=0, description="Messages and everything else that notifies.")
    per: DurationField = Field(default=Duration(7, "day"), description="In any span of this length.")


class QuietHours(Model):
    """When nothing is carried out that notifies people."""

    start: Clock = Field(alias="from", description="Beginning, a time of day.")
    end: Clock = Field(alias="to", description="End; earlier than the beginning = on the next day.")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(description="Such as Europe/Rome.")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Never(Model):
    """Whom and what no policy ever acts upon, by name."""

    members: list[str] = Field(default=[], description="User names.")
    groups: list[str] = Field(default=["staff"], description="Members of these groups.")
    spaces: list[str] = Field(default=[], description="Threads in these categories or namespaces.")
    labels: list[str] = Field(default=["keep"], description="Threads with these tags or categories.")


class OptOut(Model):
    """How people stop us."""

    group: str | None = Field(default="no-automation", description="Members of this group are left alone.")
    phrase: str = Field(default="STOP", min_length=1, description="First line of a reply to us.")


class Constitution(Model):
    """Limits that no policy can exceed."""

    mode: ModeField = Field(default=PROPOSE, description="Ceiling: off < propose < earn < auto.")
    limits: Limits = Field(default=Limits(), description="The most that one run may do.")
    contact: Contact = Field(default=Contact(), description="The most that one person hears from us.")
    quiet_hours: QuietHours | None = Field(default=None, description="When nobody is notified.")
    never: Never = Field(default=Never(), description="Whom and what no policy ever acts upon.")
    opt_out: OptOut = Field(default=OptOut(), description="How people stop us.")
    stop: RefText | None = Field(default=None, description="Page or topic where anybody halts everything.")
    undo_window: DurationField = Field(
        default=Duration(10, "minute"), description="Between an approval and its being carried out."
    )
    expire: DurationField = Field(
        default=Duration(7, "day"), description="After this an unreviewed proposal lapses."
    )


def _address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 65536 and value.isprintable()):
        raise PlacedError("should be a host and a port.", hint="Write it as 127.0.0.1:8480.")
    return value


class ReviewPage(Model):
    """The review page: where it is, and who may sign in to it."""

    url: Url | None = Field(
        default=None, description="Address under which moderators reach it; a proxy there speaks HTTPS."
    )
    listen: Annotated[str, AfterValidator(_address)] = Field(
        default="127.0.0.1:8480", description="Host and port on which 'ordito serve' listens."
    )
    site: SiteName | None = Field(default=None, description="The Discourse forum that people sign in with.")
    secret: Secret | None = Field(default=None, description="Its DiscourseConnect provider secret.")
    groups: list[str] = Field(
        default=[], description="Groups of the forum that may review, besides its moderators and admins."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.site is None) != (self.secret is None):
            missing = "site" if self.site is None else "secret"
            hint = "Signing in with the forum needs both, 'site' and 'secret'; without them there are links."
            raise PlacedError(f"'{missing}' is missing here.", hint=hint)
        return self


class General(Model):
    """All of the settings but `sites` and `policies`, whose models depend on connectors and kinds."""

    store: Annotated[
        str | Secret,
        PlainValidator(_store_or_secret),
        PlainSerializer(lambda store: store.source() if isinstance(store, Secret) else store),
        WithJsonSchema({"type": ["string", "object"]}),
    ] = Field(default="sqlite:///ordito.db", description="Where the mirror and the proposals are kept.")
    language: Language = Field(default="en", description="Language of messages where no other is known.")
    contact: HeaderText | None = Field(
        default=None, description="Address or URL that the sites' admins see in their logs (User-Agent)."
    )
    identities: Identities = Field(default=Identities(), description="One person, several accounts.")
    constitution: Constitution = Field(default=Constitution(), description="No policy can exceed it.")
    review: ReviewPage = Field(default=ReviewPage(), description="The moderators' page.")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `ordito.yaml` says. `path` is the file as it was named; `folder`, absolute, is what relative
    paths in it start from."""

    path: str
    folder: Path
    general: General
    sites: Mapping[str, SiteSettings]
    policies: Mapping[str, PolicySettings] = field(default_factory=dict)
    places: Mapping[tuple[str | int, ...], tuple[int, int]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """Line and column of each key that is written in the file."""

    def where(self, *path: str | int) -> str:
        """`ordito.yaml:14:7`, the place of a key or of the closest one around it that is written."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.places:
                line, column = self.places[path[:end]]
                return f"{self.path}:{line}:{column}"
        return self.path

    @property
    def language(self) -> str:
        return self.general.language

    @property
    def contact(self) -> str | None:
        return self.general.contact

    @property
    def identities(self) -> Identities:
        return self.general.identities

    @property
    def constitution(self) -> Constitution:
        return self.general.constitution

    @property
    def review(self) -> ReviewPage:
        return self.general.review

    @property
    def store(self) -> str | Secret:
        return self.general.store

    @property
    def store_url(self) -> str:
        """The store's URL with an absolute path. Raises Misconfigured where it is a secret that is missing
        or is not the URL of a store."""
        url = self.store.reveal() if isinstance(self.store, Secret) else self.store
        if not url.startswith(_STORES):
            raise Misconfigured("the store's URL is not one of a store.", hint=_STORE_HINT)
        if not url.startswith("sqlite:///"):
            return url
        return f"sqlite:///{self.folder / url.removeprefix('sqlite:///')}"

    def to_dict(self) -> dict[str, Any]:
        """A JSON document of everything, defaults included; of secrets it has the sources only."""
        document = self.general.model_dump(mode="json", by_alias=True)
        for section, models in (("sites", self.sites), ("policies", self.policies)):
            document[section] = {
                name: model.model_dump(mode="json", by_alias=True) for name, model in models.items()
            }
        return document
