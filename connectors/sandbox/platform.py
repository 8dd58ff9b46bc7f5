"""What is known of a sandbox site without opening it: the words and the markup of the platform it plays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .. import actions
from ..actions import Action
from ..base import Family, Markup
from ..mediawiki import escaping as wikitext
from ..records import Kind, Ref
from .schema import FORUM

if TYPE_CHECKING:
    from .settings import SandboxSettings

_WORDS = {
    "forum": {
        Kind.MEMBER: "user", Kind.SPACE: "category", Kind.THREAD: "topic", Kind.CONTRIBUTION: "post",
        Kind.GROUP: "group",
    },
    "wiki": {
        Kind.MEMBER: "user", Kind.SPACE: "namespace", Kind.THREAD: "page", Kind.CONTRIBUTION: "revision",
        Kind.GROUP: "user group",
    },
}  # fmt: skip
_PATHS = {
    "forum": {Kind.MEMBER: "u", Kind.SPACE: "c", Kind.THREAD: "t", Kind.CONTRIBUTION: "p", Kind.GROUP: "g"},
    "wiki": {
        Kind.MEMBER: "user", Kind.SPACE: "space", Kind.THREAD: "page", Kind.CONTRIBUTION: "revision",
        Kind.GROUP: "group",
    },
}  # fmt: skip
_TEXT_VERBS: frozenset[type[Action]] = frozenset({
    actions.SendMessage, actions.Reply, actions.OpenThread, actions.EditText, actions.SetLabels,
    actions.ArchiveThread, actions.MoveThread, actions.AddToGroup, actions.RemoveFromGroup,
    actions.NotifyModerators,
})  # fmt: skip
VERBS: dict[str, frozenset[type[Action]]] = {
    "wiki": _TEXT_VERBS,
    "forum": _TEXT_VERBS | {
        actions.CloseThread, actions.ReopenThread, actions.UnarchiveThread, actions.UnlistThread,
        actions.ListThread, actions.GrantBadge, actions.RevokeBadge, actions.SetTitle,
    },
}  # fmt: skip


class SandboxPlatform:
    """A side of the sandbox as a platform. Its addresses end in `.example`, where nothing ever answers."""

    def __init__(self, site: str, settings: SandboxSettings) -> None:
        self.site = site
        self.family: Family = settings.side
        self.markup: Markup = "markdown" if settings.side == FORUM else "wikitext"
        self.verbs = VERBS[settings.side]
        self._base = f"https://{site}.sandbox.example"

    def words(self, kind: Kind) -> str:
        return _WORDS[self.family][kind]

    def url(self, ref: Ref) -> str:
        if ref.site != self.site or ref.kind not in _PATHS[self.family]:
            return ""
        return f"{self._base}/{_PATHS[self.family][Kind(ref.kind)]}/{ref.id}"

    def parse(self, text: str) -> Ref | None:
        try:
            parts = urlsplit(text.strip())
        except ValueError:
            return None
        match = re.fullmatch(r"/(\w+)/([0-9]+)/?", parts.path)
        if f"{parts.scheme}://{parts.netloc}" != self._base or match is None:
            return None
        kinds = {path: kind for kind, path in _PATHS[self.family].items()}
        return Ref(self.site, kinds[match[1]], match[2]) if match[1] in kinds else None

    def escape(self, text: str) -> str:
        if self.family == FORUM:
            from ..discourse import markup as markdown

            return markdown.escape(text)
        return wikitext.escape(text)

    def link(self, label: str, url: str) -> str:
        if self.family == FORUM:
            from ..discourse import markup as markdown

            return markdown.link(label, url)
        return wikitext.link(label, url)

    def mention(self, username: str) -> str:
        if self.family == FORUM:
            from ..discourse import markup as markdown

            return markdown.mention(username)
        name = wikitext.escape(username)
        return f"[[User:{name}|{name}]]"
