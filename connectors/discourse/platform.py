"""All about a forum that needs no connection: words, addresses, escaping."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from ..actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    CloseThread,
    EditText,
    GrantBadge,
    ListThread,
    MoveThread,
    NotifyModerators,
    OpenThread,
    RemoveFromGroup,
    ReopenThread,
    Reply,
    RevokeBadge,
    SendMessage,
    SetLabels,
    SetTitle,
    UnarchiveThread,
    UnlistThread,
)
from ..base import Family, Markup
from ..records import Kind, Ref
from . import markdown
from .settings import DiscourseSettings

VERBS: frozenset[type[Action]] = frozenset(
    {
        SendMessage, Reply, OpenThread, EditText, SetLabels, CloseThread, ReopenThread, ArchiveThread,
        UnarchiveThread, UnlistThread, ListThread, MoveThread, AddToGroup, RemoveFromGroup, GrantBadge,
        RevokeBadge, SetTitle, NotifyModerators,
    }
)  # fmt: skip

_WORDS: Mapping[Kind, str] = {
    Kind.MEMBER: "user",
    Kind.SPACE: "category",
    Kind.THREAD: "topic",
    Kind.CONTRIBUTION: "post",
    Kind.GROUP: "group",
}

_PATHS: tuple[tuple[str, Kind], ...] = (
    (r"/t/(?:[^/]+/)?(\d+)(?:/\d+)?", Kind.THREAD),
    (r"/p/(\d+)(?:/\d+)?", Kind.CONTRIBUTION),
    (r"/posts/(\d+)", Kind.CONTRIBUTION),
    (r"/admin/users/(-?\d+)(?:/[^/]+)?", Kind.MEMBER),
    (r"/c/(?:[^/]+/)*(\d+)(?:/(?:none|all))?(?:/l/\w+)?", Kind.SPACE),
)
"""Addresses that name an item by its number; members' and groups' pages have only names."""


class DiscoursePlatform:
    """See `Platform` in `connectors/base.py`."""

    family: Family = "forum"
    markup: Markup = "markdown"
    verbs = VERBS

    def __init__(self, site: str, settings: DiscourseSettings) -> None:
        self.site = site
        self._base = settings.base
        address = urlsplit(self._base)
        self._host, self._folder = address.netloc.casefold(), address.path

    def words(self, kind: Kind) -> str:
        return _WORDS[kind]

    def url(self, ref: Ref) -> str:
        """Addresses by number lead on to today's title; a member's is the one for staff."""
        match ref.kind:
            case Kind.THREAD:
                return f"{self._base}/t/{ref.id}"
            case Kind.CONTRIBUTION:
                return f"{self._base}/p/{ref.id}"
            case Kind.MEMBER:
                return f"{self._base}/admin/users/{ref.id}"
            case Kind.SPACE:
                return f"{self._base}/c/{ref.id}"
        return ""

    def parse(self, text: str) -> Ref | None:
        try:
            address = urlsplit(text.strip())
        except ValueError:
            return None
        if address.scheme not in ("http", "https") or address.netloc.casefold() != self._host:
            return None
        if not address.path.startswith(self._folder):
            return None
        path = unquote(address.path.removeprefix(self._folder)).rstrip("/").removesuffix(".json")
        for pattern, kind in _PATHS:
            if match := re.fullmatch(pattern, path):
                return Ref(self.site, kind, match[1])
        return None

    def escape(self, text: str) -> str:
        return markdown.escape(text)

    def link(self, label: str, url: str) -> str:
        return markdown.link(label, url)

    def profile(self, member: Ref, username: str) -> str:
        """By name: a forum knows no other address of a profile."""
        return f"{self._base}/u/{quote(username)}"

    def mention(self, username: str) -> str:
        return markdown.mention(username)
