"""A connector's view of the test wiki, and what the wiki's own tables say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ordito.config.secret import Secret
from ordito.connectors.base import Marker, World
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from ordito.connectors.mediawiki.settings import MediaWikiSettings
from ordito.connectors.records import (
    FOREVER,
    Contribution,
    ContributionKind,
    Kind,
    Member,
    Ref,
    Thread,
    ThreadKind,
)
from tests.connectors.adapter import MemoryMirror, Truth
from tests.servers.mediawiki.wiki import Wiki

SITE = "wiki"
NAMES = {
    0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Project", 5: "Project talk", 6: "File", 7: "File talk",
    8: "MediaWiki", 9: "MediaWiki talk", 10: "Template", 11: "Template talk", 12: "Help",
    13: "Help talk", 14: "Category", 15: "Category talk",
}  # fmt: skip
MARKER = Marker("p1-abc", "Policy welcome; stop: [[Project:Ordito/Stop]]")


@dataclass
class Clock:
    """The real time of day, and a stop-watch that only waiting moves."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def world(self) -> World:
        return World(
            now=lambda: datetime.now(UTC) + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            contact="https://example.org/ordito",
        )


def settings(wiki: Wiki, **more: Any) -> MediaWikiSettings:
    account = {"username": wiki.username, "password": Secret.of(wiki.password)}
    basis = {"connector": "mediawiki", "url": wiki.api_url, "requests_per_minute": 6000}
    return MediaWikiSettings(**{**basis, "edits_per_minute": 600, **account, **more})


def connect(wiki: Wiki, clock: Clock | None = None, **more: Any) -> MediaWikiConnector:
    connector = MediaWikiConnector(SITE, settings(wiki, **more), (clock or Clock()).world())
    open_connectors.append(connector)
    return connector


open_connectors: list[MediaWikiConnector] = []
"""Closed after each test by a fixture."""


def mirror(connector: MediaWikiConnector) -> MemoryMirror:
    """Everything, read once."""
    mirrored = MemoryMirror(connector)
    mirrored.sync()
    return mirrored


def user_id(wiki: Wiki, name: str) -> str:
    return str(wiki.rows("select user_id from user where user_name = ?", name)[0][0])


def page_id(wiki: Wiki, title: str, namespace: int = 0) -> str:
    rows = wiki.rows(
        "select page_id from page where page_namespace = ? and page_title = ?",
        namespace,
        title.replace(" ", "_"),
    )
    return str(rows[0][0])


def held(connector: MemoryMirror) -> Truth:
    """What a mirror holds, in the shape of the truth."""

    def of(kind: type[Any]) -> dict[str, Any]:
        return {i: _comparable(item) for i, item in connector.of(kind).items()}

    return Truth(of(Member), of(Thread), of(Contribution))


def _comparable(item: Any) -> Any:
    return replace(item, stamp="") if isinstance(item, Thread) else item


def truth(wiki: Wiki, namespaces: tuple[int, ...] = (0, 1, 2, 3, 4, 5)) -> Truth:
    """The wiki's own tables, as records."""
    threads = _threads(wiki, namespaces)
    return Truth(_members(wiki), threads, _contributions(wiki, threads))


def _members(wiki: Wiki) -> dict[str, Member]:
    groups: dict[int, set[str]] = {}
    for user, group in wiki.rows("select ug_user, ug_group from user_groups"):
        groups.setdefault(user, set()).add(group)
    blocks = dict(wiki.rows("select ipb_user, ipb_expiry from ipblocks where ipb_sitewide = 1"))
    members = {}
    for user, name, registered in wiki.rows("select user_id, user_name, user_registration from user"):
        held = frozenset(groups.get(user, ()))
        members[str(user)] = Member(
            site=SITE,
            id=str(user),
            username=name,
            joined_at=_time(registered),
            admin=bool(held & {"sysop", "bureaucrat"}),
            moderator="sysop" in held,
            bot="bot" in held or name == "MediaWiki default" or name.startswith("⧼"),  # the filters' account
            suspended_until=_time(blocks.get(user)),
            groups=held,
        )
    return members


def _threads(wiki: Wiki, namespaces: tuple[int, ...]) -> dict[str, Thread]:
    labels: dict[int, set[str]] = {}
    for page, category in wiki.rows("select cl_from, cl_to from categorylinks"):
        labels.setdefault(page, set()).add(category.replace("_", " "))
    path = wiki.folder / "settings.json"
    switches = json.loads(path.read_text()) if path.exists() else {}
    own = {int(number): name for number, name in switches.get("wgExtraNamespaces", {}).items()}
    threads = {}
    for page, space, title in wiki.rows(
        "select page_id, page_namespace, page_title from page where page_is_redirect = 0"
    ):
        if space not in namespaces:
            continue
        times = wiki.rows(
            "select rev_timestamp, rev_deleted, actor_user from revision join actor on actor_id = rev_actor"
            " where rev_page = ? order by rev_timestamp, rev_id",
            page,
        )
        author = times[0][2]
        prefix = f"{own.get(space) or NAMES[space]}:" if space else ""
        threads[str(page)] = Thread(
            site=SITE,
            id=str(page),
            kind=ThreadKind.TALK if space % 2 else ThreadKind.PAGE,
            space=str(space),
            title=prefix + title.replace("_", " "),
            author=str(author) if author and not times[0][1] & 4 else "",
            created_at=_time(times[0][0]),
            last_activity_at=_time(times[-1][0]),
            labels=frozenset(labels.get(page, ())),
        )
    return threads


def _contributions(wiki: Wiki, threads: dict[str, Thread]) -> dict[str, Contribution]:
    current = dict(wiki.rows("select page_latest, page_id from page"))
    contributions = {}
    for row in wiki.rows(
        "select rev_id, rev_page, rev_timestamp, rev_minor_edit, rev_len, rev_parent_id, rev_sha1,"
        " rev_deleted, actor_user, old_text from revision join actor on actor_id = rev_actor"
        " join slots on slot_revision_id = rev_id join content on content_id = slot_content_id"
        " join text on 'tt:' || old_id = content_address"
    ):
        revision, page, at, minor, size, parent, sha1, hidden, user, text = row
        if str(page) not in threads:
            continue
        contributions[str(revision)] = Contribution(
            site=SITE,
            id=str(revision),
            thread=str(page),
            author=str(user) if user and not hidden & 4 else None,
            created_at=_time(at) or FOREVER,
            parent=str(parent) if parent else None,
            size=size,
            sha1=None if hidden & 1 else f"{int(sha1, 36):040x}",
            text=_text(text) if revision in current else None,
            kind=ContributionKind.MINOR if minor else ContributionKind.REGULAR,
        )
    return contributions


def _text(stored: str | bytes) -> str:
    return stored.decode() if isinstance(stored, bytes) else stored


def _time(stored: str | bytes | None) -> datetime | None:
    if stored is None:
        return None
    text = _text(stored)
    return FOREVER if text == "infinity" else datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def thread(number: str) -> Ref:
    return Ref(SITE, Kind.THREAD, number)


def member(number: str) -> Ref:
    return Ref(SITE, Kind.MEMBER, number)
