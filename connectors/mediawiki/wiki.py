"""What a wiki says of itself, and what our account may do there."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIKI_QUERY: Mapping[str, Any] = {
    "meta": "siteinfo|userinfo",
    "siprop": "general|namespaces|namespacealiases|usergroups|statistics",
    "uiprop": "rights|ratelimits|blockinfo|changeablegroups",
}

MAIN = "Main"
"""What the nameless main namespace is called here."""

_EVERYBODY = frozenset({"*", "user", "autoconfirmed", "temp", "named"})
"""Groups that MediaWiki puts accounts into by itself."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """`name` in the wiki's language; `canonical` in English; `aliases` are further names."""

    id: int
    name: str
    canonical: str
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.name or MAIN

    @property
    def names(self) -> frozenset[str]:
        named = {fold(name) for name in (self.name, self.canonical, *self.aliases)}
        return frozenset(named | ({fold(MAIN), fold(f"({MAIN})")} if self.id == 0 else set()))


@dataclass(frozen=True, slots=True)
class Wiki:
    """Learned with the first query of a connection."""

    version: str
    language: str
    read_only: bool
    first_letter: bool
    """Titles begin with a capital, whatever was typed."""
    namespaces: Mapping[int, Namespace]
    groups: tuple[str, ...]
    """Those that somebody has to put accounts into."""
    statistics: Mapping[str, int]
    user: str
    """Our account; '' where we are a mere visitor (whose name would be an address)."""
    user_id: int
    rights: frozenset[str]
    windows: Mapping[str, int]
    """Seconds over which the wiki counts our doings, by kind, where it does."""
    limits: Mapping[str, Mapping[str, Any]]
    may_add: frozenset[str]
    """Groups that our account may put people into; a bot password may where $wgAddGroups says so."""
    may_remove: frozenset[str]
    blocked_by: str

    @staticmethod
    def told(query: Mapping[str, Any]) -> bool:
        """Whether an answer holds all that WIKI_QUERY asks for."""
        return {"userinfo", *WIKI_QUERY["siprop"].split("|")} <= query.keys()

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> Wiki:
        """From the answer to WIKI_QUERY, formatversion 2."""
        general, user = query["general"], query["userinfo"]
        limits, changeable = user.get("ratelimits") or {}, user.get("changeablegroups") or {}
        return cls(
            version=general.get("generator", ""),
            language=general.get("lang", ""),
            read_only=bool(general.get("readonly")),
            first_letter=general.get("case") == "first-letter",
            namespaces=_namespaces(query),
            groups=tuple(g["name"] for g in query.get("usergroups", ()) if g["name"] not in _EVERYBODY),
            statistics={k: v for k, v in query.get("statistics", {}).items() if isinstance(v, int)},
            user="" if user.get("anon") else user["name"],
            user_id=int(user["id"]),
            rights=frozenset(user.get("rights", ())),
            windows={
                kind: max(limit["seconds"] for limit in by.values()) for kind, by in limits.items() if by
            },
            limits=limits,
            may_add=frozenset(changeable.get("add", ())),
            may_remove=frozenset(changeable.get("remove", ())),
            blocked_by=str(user.get("blockedby", "")) if not user.get("blockpartial") else "",
        )

    @property
    def pages_per_request(self) -> int:
        """How many pages with text, or names of users, one request may ask for."""
        return 500 if "apihighlimits" in self.rights else 50

    @property
    def rows_per_request(self) -> int:
        """How many rows a list gives in one answer."""
        return 5000 if "apihighlimits" in self.rights else 500

    def namespace(self, name: str) -> Namespace | None:
        """By any of its names, or by its number."""
        folded = fold(name)
        for namespace in self.namespaces.values():
            if folded in namespace.names or name.strip() == str(namespace.id):
                return namespace
        return None


def _namespaces(query: Mapping[str, Any]) -> dict[int, Namespace]:
    aliases: dict[int, list[str]] = {}
    for row in query.get("namespacealiases", ()):
        aliases.setdefault(int(row["id"]), []).append(row["alias"])
    return {
        int(row["id"]): Namespace(
            int(row["id"]), row.get("name", ""), row.get("canonical", ""), tuple(aliases.get(row["id"], ()))
        )
        for row in query["namespaces"].values()
    }


def fold(name: str) -> str:
    """A name of a namespace as MediaWiki compares it: without regard to case, _ is a space."""
    return unicodedata.normalize("NFC", name).replace("_", " ").strip().casefold()


def tidy(name: str, *, capital: bool = True) -> str:
    """A user name or title as MediaWiki stores it: NFC, single spaces; the first letter a capital, except
    in titles of wikis that tell `iPhone` from `IPhone` ($wgCapitalLinks)."""
    text = " ".join(unicodedata.normalize("NFC", name).replace("_", " ").split())
    return text[:1].upper() + text[1:] if capital else text
