"""Who we are on a wiki, what we may do there, and what should be mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from .client import Client  # and with it all that requests take

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


_SAMPLE = 500
"""Of the newest revisions, to see which namespaces have pages, and about how many."""

_ALWAYS = 5
"""Requests of any first sync: two to sign in, who we are, the log of rights, what has changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What an estimate needs beside the wiki's own counts. `pages` by namespace, as far as the newest
    revisions tell; `whole`: there are no others."""

    pages: Mapping[int, int]
    whole: bool
    rights: bool
    """Somebody was put into a group, or taken out of one."""


def sample(client: Client, settings: MediaWikiSettings) -> Sample:
    """Travels with the first query of a connection."""
    answer = client.query(
        list="allrevisions|logevents",
        arvnamespace=settings.namespaces,
        arvlimit=_SAMPLE,
        arvprop="ids",
        letype="rights",
        lelimit=1,
        leprop="ids",
    )
    query = answer.get("query", {})
    pages = {row["pageid"]: int(row["ns"]) for row in query.get("allrevisions", ())}
    whole = "arvcontinue" not in answer.get("continue", {})
    return Sample(Counter(pages.values()), whole, bool(query.get("logevents")))


def health(wiki: Wiki, settings: MediaWikiSettings, site: str, sample: Sample) -> Health:
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
        requests=_ALWAYS + sample.rights + requests_of_scan(wiki, _by_sample(wiki, sample)),
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


def _by_sample(wiki: Wiki, sample: Sample) -> list[int]:
    """Pages of each namespace that has any: a sample that is not all stands for all."""
    total = sum(sample.pages.values())
    if sample.whole or not total:
        return list(sample.pages.values()) or [0]
    return [wiki.statistics.get("pages", 0) * pages // total for pages in sample.pages.values()]


def requests_of_scan(wiki: Wiki, pages: Sequence[int]) -> int:
    """Of reading everything once: users, revisions, and so many `pages` of each namespace."""
    count, rows, size = wiki.statistics.get, wiki.rows_per_request, wiki.pages_per_request
    lists = sum(max(1, ceil(count(kind, 0) / rows)) for kind in ("users", "edits"))
    return lists + sum(max(1, ceil(number / size)) for number in pages)


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
