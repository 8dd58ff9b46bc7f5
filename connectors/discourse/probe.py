"""Who we are on a forum, what we may do there, and what a first reading costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ...config.errors import Misconfigured, Refused
from ..actions import (
    Action,
    AddToGroup,
    EditText,
    NotifyModerators,
    OpenThread,
    RemoveFromGroup,
    Reply,
    SendMessage,
)
from ..base import Finding, Health
from . import excluded, query_check
from .client import Client, Json, Me
from .dialect import IDS
from .event_log import events
from .platform import VERBS
from .query import ROWS, Address
from .read_people import GROUP_PAGE, STAFF, is_read
from .read_posts import OLD_PAGES
from .reading import ROUND
from .settings import DiscourseSettings

_EVERYBODY: frozenset[type[Action]] = frozenset({SendMessage, Reply, OpenThread, EditText, NotifyModerators})
_ALWAYS = 7
"""Requests of any first sync: the newest post, structure, badges, how posts are paged or what is unlisted,
and three for what has changed meanwhile."""
_OF_MESSAGES = 3
"""Those of private messages at least; nothing tells how many there are."""
_UNCOUNTED = "Private messages come on top: the forum does not say how many there are."
_GRANTS = 100
"""Grants of a badge in one answer, about."""
_ADMINS: frozenset[type[Action]] = frozenset({AddToGroup, RemoveFromGroup})
"""Moderators may not change groups unless they own them, or the site says otherwise."""


def probe(client: Client, settings: DiscourseSettings, now: datetime) -> Health:
    """Raises SignInFailed, NotThisPlatform, TryLater."""
    me = client.me()
    about: Json = client.about().get("about") or {}
    site = client.get_site_info()
    stats = about.get("stats") or {}
    counts = _counts(stats)
    newest, refused = _newest_post(client)
    badges = _badges(client)
    lists = _lists(client, counts) + _of_groups(me, site) + _of_badges(badges or ())
    lists += _OF_MESSAGES if settings.messages else 0
    month = stats.get("posts_30_days", stats.get("post_30_days"))
    by_lists = settings.data_explorer is None
    mutes = me.mutes or any(row.get("notification_level") == 0 for row in site.get("categories") or ())
    findings = [*_findings(client, settings, me, refused, now, mutes=mutes)]
    findings += excluded.findings(client, settings, site)
    lists += int(client.session.statistics["requests"])  # what this has taken itself
    of_month = None if month is None else lists + math.ceil(int(month) / IDS) + OLD_PAGES
    return Health(
        account=me.username,
        account_id=me.id,
        version=str(about.get("version") or ""),
        can=_can(me),
        counts=counts,
        requests=lists + (_pages_of_posts(counts, newest) if by_lists else _pages_of_rows(counts)),
        requests_of_month=of_month if by_lists else None,
        sees_all=me.admin,
        groups=frozenset(str(row["name"]) for row in site.get("groups") or ()),
        badges=None if badges is None else frozenset(str(row["name"]) for row in badges),
        read_only=client.read_only,
        uncounted=_UNCOUNTED if settings.messages else "",
        language=str(about.get("locale") or "").replace("_", "-"),
        findings=tuple(findings),
    )


def _counts(stats: Mapping[str, int]) -> dict[str, int]:
    """The forum's own counts; versions spell them `topic_count` or `topics_count`."""
    found = {}
    for kind, name in (("members", "user"), ("threads", "topic"), ("contributions", "post")):
        value = stats.get(f"{name}_count", stats.get(f"{name}s_count"))
        if value is not None:
            found[kind] = int(value)
    return found


def _newest_post(client: Client) -> tuple[list[Json], bool]:
    try:
        return client.latest_posts().get("latest_posts") or [], False
    except Refused:
        return [], True


def _can(me: Me) -> frozenset[type[Action]]:
    if me.admin:
        return VERBS
    return VERBS - _ADMINS if me.moderator else _EVERYBODY


def _lists(client: Client, counts: Mapping[str, int]) -> int:
    """Requests of a first sync (docs/discourse.md) but for posts, groups and badges: `_ALWAYS`, members, of
    whom a page that is not full is the last, and rows of topics."""
    rows = int((client.latest_topics(per_page=100).get("topic_list") or {}).get("per_page") or 30)
    members, topics = counts.get("members", 0), counts.get("threads", 0)
    return _ALWAYS + members // 100 + 1 + max(1, math.ceil(topics / rows))


def _of_groups(me: Me, site: Json) -> int:
    """Of the members of groups; who is staff, staff see in the list of members."""
    read = [row for row in site.get("groups") or () if is_read(int(row["id"]))]
    asked = [row for row in read if not me.staff or int(row["id"]) > STAFF]
    return sum(max(1, math.ceil(int(row.get("user_count") or 0) / GROUP_PAGE)) for row in asked)


def _of_badges(rows: Sequence[Json]) -> int:
    """Of who holds those that people made."""
    counts = [int(row.get("grant_count") or 0) for row in rows if not row.get("system")]
    return sum(math.ceil(count / _GRANTS) for count in counts)


def _pages_of_posts(counts: Mapping[str, int], newest: list[Json]) -> int:
    posts = counts.get("contributions", 0)
    ids = [int(row["id"]) for row in newest]
    if ids and max(ids) - min(ids) < IDS:  # pages are of ids, or ids have no gaps
        posts = max(posts, max(ids))
    return math.ceil(posts / IDS)


def _pages_of_rows(counts: Mapping[str, int]) -> int:
    """Of Data Explorer's answers: each post, topic and member is a row."""
    return math.ceil(sum(counts.get(k, 0) for k in ("contributions", "threads", "members")) / ROWS) + 1


def _badges(client: Client) -> Sequence[Json] | None:
    try:
        return client.get("/badges.json").get("badges") or ()
    except Refused:
        return None


def _findings(
    client: Client, settings: DiscourseSettings, me: Me, refused: bool, now: datetime, *, mutes: bool
) -> Iterator[Finding]:
    """`mutes`: the account has muted or ignores something, or the forum has done so for it
    (`mute_all_categories_by_default`)."""
    if refused:
        yield Finding(
            "error",
            "this key may not read posts.",
            "Give it the scope 'global: read' besides those for writing, or none at all.",
        )
    if me.staff:
        yield Finding("ok", f"'{me.username}' is {'an administrator' if me.admin else 'a moderator'} here.")
    else:
        yield Finding(
            "warning",
            f"'{me.username}' is not staff: the list of users cannot be read, nor states changed.",
            "Make the account a moderator; an administrator, if it shall manage groups.",
        )
    if client.acts_as_anybody():
        yield Finding(
            "warning",
            "this key may act as any user.",
            f"Make one for the single user '{me.username}' and revoke this one.",
        )
    if mutes:
        yield Finding(
            "warning",
            "the account has muted categories or tags, or ignores somebody: what is theirs seems not there.",
            "Set them to Normal in the account's preferences, and let it ignore nobody.",
        )
    if client.read_only:
        yield Finding("warning", "the forum is read-only at the moment.", "Writing is tried again later.")
    if settings.data_explorer is not None:
        yield from query_check.findings(client, Address.parse(str(settings.data_explorer)), now)
    if settings.webhook is not None:
        yield _of_webhook(client, settings.webhook)
    elif settings.data_explorer is None:
        longest = settings.sweep.after(now) - now + ROUND
        yield Finding(
            "ok",
            f"edits of older posts are found within {longest.days} days; a webhook or Data Explorer tells "
            "them at once.",
        )


def _of_webhook(client: Client, number: int) -> Finding:
    """Whether its log can be read, and has anything in it; one request."""
    try:
        told = events(client, client.site, number, 0)
    except Misconfigured as error:
        return Finding("error", error.message, error.hint)
    if told:
        return Finding("ok", f"the log of webhook {number} tells what was changed at the next sync.")
    return Finding(
        "warning",
        f"the log of webhook {number} is empty.",
        "That is right for a new one; else see that it is active, with events of topics, posts and users.",
    )

