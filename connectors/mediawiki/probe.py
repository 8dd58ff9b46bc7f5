"""Who we are on a wiki, what we may do there, and what should be mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

from ..actions import (
    Action,
    AddToGroup,
    ArchiveThread,
    EditText,
    MoveThread,
    NotifyModerators,
    OpenThread,
    RemoveFromGroup,
    Reply,
    SendMessage,
    SetLabels,
    UnarchiveThread,
)
from ..base import Finding, Health
from .settings import MediaWikiSettings
from .wiki import Wiki

NEEDS: Mapping[type[Action], frozenset[str]] = {
    SendMessage: frozenset({"edit", "createtalk"}),
    Reply: frozenset({"edit", "createtalk"}),
    NotifyModerators: frozenset({"edit", "createpage", "createtalk"}),
    OpenThread: frozenset({"edit", "createpage"}),
    EditText: frozenset({"edit"}),
    SetLabels: frozenset({"edit"}),
    ArchiveThread: frozenset({"edit"}),
    UnarchiveThread: frozenset({"edit"}),
    MoveThread: frozenset({"move"}),
    AddToGroup: frozenset(),
    RemoveFromGroup: frozenset(),
}
"""What each verb needs of the account's rights (Special:ListGroupRights, Special:ListGrants). Groups are
apart: there the wiki says itself whom the account may put where."""

_TOO_MUCH = {
    "delete": "delete pages", "block": "block people", "protect": "protect pages",
    "editinterface": "edit the interface", "editsitejs": "edit the site's scripts",
    "suppressrevision": "suppress revisions", "import": "import pages",
}  # fmt: skip


def health(wiki: Wiki, settings: MediaWikiSettings, site: str) -> Health:
    """From what the wiki said with the first query: no request of its own."""
    can = _can(wiki)
    return Health(
        account=wiki.user,
        account_id=str(wiki.user_id),
        version=wiki.version,
        can=can if not wiki.blocked_by else frozenset(),
        counts={
            "members": wiki.statistics.get("users", 0),
            "threads": wiki.statistics.get("pages", 0),
            "contributions": wiki.statistics.get("edits", 0),
        },
        requests=estimate(wiki, len(settings.namespaces)),
        groups=frozenset(wiki.groups),
        badges=frozenset(),
        read_only=wiki.read_only,
        language=wiki.language,
        findings=tuple(_findings(wiki, settings, can)),
    )


def _can(wiki: Wiki) -> frozenset[type[Action]]:
    can = {verb for verb, rights in NEEDS.items() if rights <= wiki.rights}
    if not wiki.may_add:
        can.discard(AddToGroup)
    if not wiki.may_remove:
        can.discard(RemoveFromGroup)
    return frozenset(can)


def estimate(wiki: Wiki, namespaces: int) -> int:
    """Requests of a first sync by the wiki's own counts: sign-in, rights, users, revisions, pages."""
    return 3 + requests_of_scan(wiki, namespaces)


def requests_of_scan(wiki: Wiki, namespaces: int) -> int:
    """Of reading everything once."""
    count = wiki.statistics.get
    rows, pages = wiki.rows_per_request, wiki.pages_per_request
    return (
        max(1, ceil(count("users", 0) / rows))
        + max(1, ceil(count("edits", 0) / rows))
        + namespaces
        + ceil(count("pages", 0) / pages)
    )


def _findings(
    wiki: Wiki, settings: MediaWikiSettings, can: frozenset[type[Action]]
) -> Iterator[Finding]:
    grants = "Edit the bot password on Special:BotPasswords."
    if wiki.blocked_by:
        yield Finding("error", f"The account is blocked by {wiki.blocked_by}.", "Ask them before all else.")
    if wiki.read_only:
        yield Finding("warning", "The wiki takes no edits at the moment.", "Applying has to wait.")
    if "@" not in settings.username:
        yield Finding(
            "warning",
            "The account's main password is used: it gives away all its rights.",
            "Make a bot password on Special:BotPasswords and name it here (Account@label).",
        )
    lacking = sorted(
        {right for verb in (SendMessage, EditText) for right in NEEDS[verb] - wiki.rights}
    )
    if lacking:
        yield Finding(
            "warning",
            f"The account may not {', '.join(lacking)}.",
            f"{grants} Tick 'Edit existing pages' and 'Create, edit, and move pages'.",
        )
    if MoveThread not in can:
        yield Finding("ok", "The account may not move pages; no policy can.", grants)
    if AddToGroup not in can:
        yield Finding(
            "ok",
            "The account may not put people into groups.",
            "Only policies that give groups need it: $wgAddGroups['bot'] in the wiki's LocalSettings.php.",
        )
    if "bot" not in wiki.rights:
        yield Finding(
            "warning",
            "The account has no bot flag: the wiki limits its reading and its edits fill recent changes.",
            "Ask the wiki's bureaucrats for it, and tick 'High-volume editing' for the bot password.",
        )
    more = [words for right, words in _TOO_MUCH.items() if right in wiki.rights]
    if more:
        hint = f"{grants} Untick what is not needed."
        yield Finding("warning", f"The account may also {', '.join(more)}.", hint)
    for name in settings.exclude.spaces:
        if wiki.namespace(name) is None:
            yield Finding("error", f"There is no namespace '{name}' to exclude.", "Correct exclude.spaces.")
    for number in settings.namespaces:
        if number not in wiki.namespaces:
            yield Finding("error", f"There is no namespace {number}.", "Correct namespaces in the settings.")
    window = wiki.limits.get("edit", {}).get("user")
    if window and settings.edits_per_minute * window["seconds"] > window["hits"] * 60:
        yield Finding(
            "warning",
            f"The wiki allows {window['hits']} edits in {window['seconds']} s; we would make more.",
            "Lower edits_per_minute.",
        )
