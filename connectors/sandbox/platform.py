"""What is known of a sandbox site without opening it: the words and the markup of the platform it plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import actions
from ..actions import Action
from ..base import Family, Markup, Platform
from ..records import Kind, Ref
from .community import Side
from .schema import FORUM

if TYPE_CHECKING:
    from .settings import SandboxSettings

_BOTH: frozenset[type[Action]] = frozenset({
    actions.SendMessage, actions.Reply, actions.OpenThread, actions.EditText, actions.SetLabels,
    actions.ArchiveThread, actions.UnarchiveThread, actions.MoveThread, actions.AddToGroup,
    actions.RemoveFromGroup,
    actions.NotifyModerators,
})  # fmt: skip
VERBS: dict[str, frozenset[type[Action]]] = {
    "wiki": _BOTH,
    "forum": _BOTH | {
        actions.CloseThread, actions.ReopenThread, actions.UnlistThread,
        actions.ListThread, actions.GrantBadge, actions.RevokeBadge, actions.SetTitle,
    },
}  # fmt: skip


class SandboxPlatform:
    """A side of the sandbox as the platform that it plays: its words, its markup, its form of addresses.
    These end in `.example`, where nothing ever answers."""

    def __init__(self, site: str, settings: SandboxSettings) -> None:
        self.site = site
        self.family: Family = settings.side
        self.verbs = VERBS[settings.side]
        self._played = _played(site, settings.side)
        self.markup: Markup = self._played.markup

    def words(self, kind: Kind) -> str:
        return self._played.words(kind)

    def url(self, ref: Ref) -> str:
        return self._played.url(ref)

    def parse(self, text: str) -> Ref | None:
        return self._played.parse(text)

    def escape(self, text: str) -> str:
        return self._played.escape(text)

    def link(self, label: str, url: str) -> str:
        return self._played.link(label, url)

    def profile(self, member: Ref, username: str) -> str:
        return self._played.profile(member, username)

    def mention(self, username: str) -> str:
        return self._played.mention(username)


def _played(site: str, side: Side) -> Platform:
    base = f"https://{site}.sandbox.example"
    if side == FORUM:
        from ..discourse.platform import DiscoursePlatform
        from ..discourse.settings import DiscourseSettings

        return DiscoursePlatform(site, DiscourseSettings.model_construct(url=base))
    from ..mediawiki.platform import MediaWikiPlatform
    from ..mediawiki.settings import MediaWikiSettings

    return MediaWikiPlatform(site, MediaWikiSettings.model_construct(url=f"{base}/api.php"))
