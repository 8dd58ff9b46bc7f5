"""The API's JSON (formatversion 2) as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ..records import (
    FOREVER,
    Contribution,
    ContributionKind,
    Group,
    Member,
    Space,
    Thread,
    ThreadKind,
)
from .client import Client
from .scope import Scope
from .settings import MediaWikiSettings
from .wiki import Wiki

Json = Mapping[str, Any]

USER_PROPS = "groups|implicitgroups|registration|blockinfo"
REVISION_PROPS = "ids|timestamp|flags|user|userid|size|sha1"

_SYSTEM = frozenset(
    {
        "Abuse filter", "Babel AutoCreate", "Conversion script", "Command line script", "Delete page script",
        "FuzzyBot", "Flow talk page manager", "Global rename script", "MediaWiki default",
        "MediaWiki message delivery", "Maintenance script", "Move page script", "New user message",
        "Redirect fixer", "ScriptImporter", "Spam cleanup script", "Template namespace initialisation script",
        "Translation Notification Bot", "Unknown user",
    }
)  # fmt: skip
"""Names that MediaWiki and its extensions reserve for their own doings ($wgReservedUsernames)."""


@dataclass(frozen=True, slots=True)
class Creation:
    """Who began a page, and when; None: not known, or not to be known."""

    author: str | None = None
    at: datetime | None = None


UNKNOWN = Creation()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the mirror remembers of a page for us: its newest revision ('' = not read yet), who began it."""

    latest: str
    creation: Creation

    def __str__(self) -> str:
        at = self.creation.at.isoformat() if self.creation.at is not None else ""
        return f"{self.latest}|{self.creation.author or ''}|{at}"

    @classmethod
    def parse(cls, text: str) -> Stamp:
        latest, _, rest = text.partition("|")
        author, _, at = rest.partition("|")
        return cls(latest, Creation(author or None, datetime.fromisoformat(at) if at else None))


def moment(text: str) -> datetime:
    """`2026-11-21T18:20:12Z`, as all times of the API."""
    return datetime.fromisoformat(text).astimezone(UTC)


class Converter:
    """For one site, within the scope of its settings.

    What the wiki says of itself comes with the first query (`Client.wiki`), so it is looked at late.
    """

    def __init__(self, site: str, settings: MediaWikiSettings, client: Client) -> None:
        self.site = site
        self._settings = settings
        self._client = client

    @property
    def wiki(self) -> Wiki:
        return self._client.wiki

    @cached_property
    def scope(self) -> Scope:
        return Scope.of(self._settings, self.wiki)

    def space(self, number: int) -> Space:
        return Space(site=self.site, id=str(number), name=self.wiki.namespaces[number].label)

    def group(self, name: str) -> Group:
        return Group(site=self.site, id=name, name=name, members=None)

    def member(self, user: Json) -> Member | None:
        """None: no such account, or one that is excluded."""
        if "userid" not in user or user.get("missing") or not self.scope.wants_member(user["name"]):
            return None
        groups = frozenset(user.get("groups", ())) - frozenset(user.get("implicitgroups", ()))
        groups -= {"*", "user", "autoconfirmed"}
        name, temporary = user["name"], "temp" in user.get("groups", ()) or bool(user.get("temp"))
        return Member(
            site=self.site,
            id=str(user["userid"]),
            username=name,
            joined_at=moment(user["registration"]) if user.get("registration") else None,
            admin=not groups.isdisjoint({"sysop", "bureaucrat"}),
            moderator="sysop" in groups,
            bot="bot" in groups or name in _SYSTEM or name.startswith("⧼"),
            staged=temporary,
            suspended_until=_blocked_until(user),
            groups=groups,
        )

    def author(self, revision: Json) -> str | None:
        """Id of the account; None where it is hidden, excluded, or there is none (addresses, imports)."""
        if not revision.get("userid") or not self.scope.wants_member(revision.get("user", "")):
            return None
        return str(revision["userid"])

    def creation(self, revision: Json) -> Creation:
        return Creation(self.author(revision), moment(revision["timestamp"]))

    def contribution(self, page: str, revision: Json, *, current: bool = False) -> Contribution | None:
        """None: by somebody who is excluded. The text only of a page's current revision."""
        if not self.scope.wants_member(revision.get("user", "")):
            return None
        hidden = revision.get("sha1hidden") or revision.get("texthidden")
        return Contribution(
            site=self.site,
            id=str(revision["revid"]),
            thread=page,
            author=self.author(revision),
            created_at=moment(revision["timestamp"]),
            parent=str(revision["parentid"]) if revision.get("parentid") else None,
            size=revision.get("size"),
            sha1=None if hidden else revision.get("sha1"),
            text=text_of(revision) if current and self.scope.text else None,
            kind=ContributionKind.MINOR if revision.get("minor") else ContributionKind.REGULAR,
        )

    def thread(
        self, page: Json, newest: Json, creation: Creation, labels: frozenset[str] | None, latest: str
    ) -> Thread:
        """`latest` goes into the stamp: '' where `newest` may not be the newest revision."""
        number = int(page["ns"])
        return Thread(
            site=self.site,
            id=str(page["pageid"]),
            kind=ThreadKind.TALK if number % 2 else ThreadKind.PAGE,
            space=str(number),
            title=page["title"],
            author=creation.author if creation.author or creation.at is None else "",
            created_at=creation.at,
            last_activity_at=moment(newest["timestamp"]),
            labels=labels,
            stamp=str(Stamp(latest, creation)),
        )


def text_of(revision: Json) -> str | None:
    """The text of the main slot; None where it is hidden or was not asked for."""
    slot = revision.get("slots", {}).get("main", {})
    content = slot.get("content")
    return content if isinstance(content, str) else None


def labels_of(page: Json) -> frozenset[str]:
    """Names of a page's categories, those that its templates bring included."""
    return frozenset(row["title"].partition(":")[2] for row in page.get("categories", ()))


def _blocked_until(user: Json) -> datetime | None:
    """A partial block keeps from some pages only and is not one here."""
    expiry = user.get("blockexpiry")
    if not expiry or user.get("blockpartial"):
        return None
    return FOREVER if expiry in ("infinity", "infinite", "indefinite", "never") else moment(expiry)
