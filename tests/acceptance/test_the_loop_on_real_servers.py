"""The whole loop on a real MediaWiki and on the Discourse stand-in, both with years of real history.

Everything is synced and compared with the source, planned with all four kinds of policies, ten proposals
of each kind are approved and applied, and the servers are asked what happened to them.
"""

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ordito.config.init import Answers, Site, draft, presets
from tests.program import Outcome, run
from tests.servers.discourse import DiscourseServer, Forum, load_forum
from tests.servers.discourse.records import Badge
from tests.servers.mediawiki.wiki import Wiki
from tests.shared import shared

SETTINGS = """\
store: sqlite:///ordito.db
sites:
  forum:
    connector: discourse
    url: {forum}
    username: system
    api_key: {{env: FORUM_KEY}}
    requests_per_minute: 60000
  wiki:
    connector: mediawiki
    url: {wiki}
    username: {account}
    password: {{env: WIKI_PASSWORD}}
    requests_per_minute: 60000
    edits_per_minute: 600
constitution:
  limits: {{per_run: 500, per_policy: 100, share: 100%}}
  contact: {{messages: 50, per: 7 days}}
  never: {{groups: [], labels: [keep]}}
  undo_window: 0 minutes
  stop: wiki:title:Project:Ordito/Stop
policies:
  welcome-newcomers:
    use: welcome
    on: [forum, wiki]
    when: {{first_contribution: "< 400 days", posts: ">= 1"}}
  recognise-experts:
    use: experts
    on: [forum, wiki]
    areas: spaces
    consent: assumed
    give: {{group: "experts-{{area}}", badge: Expert, directory: "wiki:title:Project:Experts"}}
  archive-stale:
    use: stale
    on: [forum]
    when: {{quiet: "> 180 days", waiting_on: [nobody, author]}}
    then: [close]
  tag-install-questions:
    use: rule
    for: thread
    on: [forum]
    when: {{title: {{matches: "(?i)install|build"}}, labels: {{none: [installation]}}}}
    do: [{{set_labels: {{add: [installation]}}}}]
"""
EACH = 10


@dataclass
class Place:
    """A folder with settings for two servers that run."""

    folder: Path
    forum: Forum
    server: DiscourseServer
    wiki: Wiki

    def ordito(self, *words: str | int) -> Outcome:
        secrets = {"FORUM_KEY": self.server.api_key, "WIKI_PASSWORD": self.wiki.password}
        return run(*map(str, words), cwd=self.folder, variables=secrets, timeout=900)

    def document(self, *words: str | int) -> dict[str, Any]:
        done = self.ordito("--json", *words)
        assert done.code == 0, (done.code, done.err, done.out[-2000:])
        return done.document


@pytest.fixture
def place(
    tmp_path: Path, mediawiki_from_export: Callable[[Path, datetime], Wiki]
) -> Iterator[Place]:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
    wiki = mediawiki_from_export(shared("data", "wiki", "wiki.xml.gz"), yesterday)
    forum = load_forum(shared("data", "forum"), shift_to=yesterday)
    forum.clock.set(datetime.now(UTC))
    forum.settings.max_admin_api_reqs_per_minute = None
    for category in forum.categories.values():
        forum.new_group(f"experts-{category.name.lower().replace(' ', '-')}")
    forum.badges[102] = Badge(102, "Expert")
    with DiscourseServer(forum) as server:
        text = SETTINGS.format(forum=server.url, wiki=wiki.api_url, account=wiki.username)
        (tmp_path / "ordito.yaml").write_text(text, encoding="utf-8")
        yield Place(tmp_path, forum, server, wiki)


def test_a_real_forum_and_a_real_wiki_from_sync_to_apply(place: Place) -> None:
    synced = {site["site"]: site for site in place.document("sync")["sites"]}
    assert synced["forum"]["complete"] and synced["wiki"]["complete"]
    _compare_forum(place)
    _compare_wiki(place)
    assert synced["forum"]["requests"] <= 1.05 * _fewest_for_the_forum(place.forum)
    assert synced["wiki"]["requests"] <= 40

    planned = place.document("plan")
    found = Counter(each["policy"] for each in planned["proposals"])
    assert set(found) == {
        "welcome-newcomers", "recognise-experts", "archive-stale", "tag-install-questions"
    }  # fmt: skip
    chosen = _first_of_each(planned["proposals"])
    before = _footprint(place)
    place.document("review", "approve", *(each["id"] for each in chosen))
    applied = place.document("apply")
    assert sorted(each["id"] for each in applied["applied"]) == sorted(each["id"] for each in chosen)
    assert not applied["failed"] and not applied["unsettled"] and not applied["superseded"]
    _assert_done(place, chosen, before)

    after = _footprint(place)
    assert place.document("apply")["applied"] == []
    place.document("sync")
    again = place.document("plan")
    assert not {each["key"] for each in again["proposals"]} & {each["key"] for each in chosen}
    second = place.document("run")
    assert second["apply"]["applied"] == []
    assert _footprint(place) == after
    for preset in presets():
        _assert_preset_works(place, preset)


def _assert_preset_works(place: Place, preset: str) -> None:
    """On what the mirror holds of both: it finds something to do on both sites, and reads the rest right."""
    sites = (
        Site("forum", "discourse", place.server.url, "system", "FORUM_KEY"),
        Site("wiki", "mediawiki", place.wiki.api_url, place.wiki.username, "WIKI_PASSWORD"),
    )
    text = draft(Answers(sites, preset=preset)).replace('mode: "off"', "mode: propose")
    paced = text.replace("# requests_per_minute: 30", "requests_per_minute: 60000")
    (place.folder / f"{preset}.yaml").write_text(paced, encoding="utf-8")
    plan = place.document("--config", f"{preset}.yaml", "plan", "--dry-run")
    assert "errors" not in plan
    found = [*plan["proposals"], *(held for held in plan["held"] if held["by"] == "limit")]
    assert len({each["policy"] for each in found}) >= 4, preset
    assert {each["item"].partition(":")[0] for each in found} == {"forum", "wiki"}, preset
    assert all(each["because"] for each in plan["proposals"])


# --- the mirror against its sources ---------------------------------------------------------------------


def _store(place: Place, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(place.folder / "ordito.db")) as store:
        return store.execute(query).fetchall()


def _compare_forum(place: Place) -> None:
    source = {
        name: _lines(shared("data", "forum", f"{name}.jsonl.gz")) for name in ("users", "topics", "posts")
    }
    count = dict(_store(place, """
        SELECT 'members', count(*) FROM members WHERE site = 'forum' UNION ALL
        SELECT 'threads', count(*) FROM threads WHERE site = 'forum' AND kind = 'topic' UNION ALL
        SELECT 'contributions', count(*) FROM contributions WHERE site = 'forum' UNION ALL
        SELECT 'texts', count(*) FROM texts WHERE site = 'forum'
    """))  # fmt: skip
    assert count["members"] == len(place.forum.users) >= len(source["users"])
    assert count["threads"] == len(source["topics"])
    assert count["contributions"] == count["texts"] == len(source["posts"])
    stored = {row[0]: row[1:] for row in _store(place, """
        SELECT c.id, c.thread, c.author, c.position, c.likes, t.text FROM contributions c
        JOIN texts t ON t.site = c.site AND t.contribution = c.id WHERE c.site = 'forum'
    """)}  # fmt: skip
    for post in source["posts"][::97]:
        assert stored[str(post["id"])] == (
            str(post["topic_id"]), str(post["user_id"]), post["post_number"], post["like_count"], post["raw"]
        )  # fmt: skip
    topics = {row[0]: row[1:] for row in _store(
        place, "SELECT id, title, author, closed, views FROM threads WHERE site = 'forum'"
    )}  # fmt: skip
    for topic in source["topics"][::31]:
        title, author, closed, views = topics[str(topic["id"])]
        assert (title, author, bool(closed)) == (topic["title"], str(topic["user_id"]), topic["closed"])
        assert views >= topic["views"]


def _compare_wiki(place: Place) -> None:
    """Against MediaWiki's own tables."""
    namespaces = "(0, 1, 2, 3, 4, 5)"
    pages = dict(place.wiki.rows(
        f"SELECT page_id, page_latest FROM page WHERE page_namespace IN {namespaces} AND page_is_redirect = 0"
    ))  # fmt: skip
    stored = {int(row[0]) for row in _store(place, "SELECT id FROM threads WHERE site = 'wiki'")}
    assert stored >= set(pages)
    revisions = {
        row[0]: row[1:]
        for row in place.wiki.rows(
            "SELECT rev_id, rev_page, rev_len FROM revision JOIN page ON page_id = rev_page"
            f" WHERE page_namespace IN {namespaces}"
        )
        if row[1] in stored
    }
    mirrored = {
        int(row[0]): (int(row[1]), row[2])
        for row in _store(place, "SELECT id, thread, size FROM contributions WHERE site = 'wiki'")
    }
    assert mirrored == revisions
    people = {row[0] for row in place.wiki.rows("SELECT user_id FROM user")}
    assert {int(row[0]) for row in _store(place, "SELECT id FROM members WHERE site = 'wiki'")} >= people


def _fewest_for_the_forum(forum: Forum) -> int:
    """The rows of api-facts A7 for this dialect: windows of 50 ids, 30 topics, 100 users, 1 for the rest."""
    posts, topics, users = max(forum.posts), len(forum.topics), len(forum.users)
    groups = len(forum.groups)
    return -(-posts // 50) + topics // 30 + 1 + users // 100 + 1 + groups + 1


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# --- what was done, as the servers tell it --------------------------------------------------------------


def _first_of_each(proposals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    taken: Counter[str] = Counter()
    chosen = []
    for each in proposals:
        taken[each["policy"]] += 1
        if taken[each["policy"]] <= EACH:
            chosen.append(each)
    return chosen


def _footprint(place: Place) -> dict[str, int]:
    """How much there is on both servers: anything done twice shows here."""
    forum = place.forum
    return {
        "posts": len(forum.posts),
        "topics": len(forum.topics),
        "closed": sum(topic.closed for topic in forum.topics.values()),
        "tags": sum(len(topic.tags) for topic in forum.topics.values()),
        "badges": len(forum.grants),
        "members": sum(len(group.members) for group in forum.groups.values()),
        "revisions": place.wiki.rows("SELECT count(*) FROM revision")[0][0],
        "pages": place.wiki.rows("SELECT count(*) FROM page")[0][0],
    }


def _assert_done(place: Place, chosen: list[dict[str, Any]], before: dict[str, int]) -> None:
    forum = place.forum
    verbs = Counter((each["site"], each["action"]["verb"]) for each in chosen)
    for each in chosen:
        action = each["action"]
        match each["site"], action["verb"]:
            case "forum", "close_thread":
                assert forum.topics[int(action["thread"])].closed
            case "forum", "set_labels":
                assert set(action["add"]) <= set(forum.topics[int(action["thread"])].tags)
            case "forum", "send_message":
                (topic,) = [t for t in forum.topics.values() if t.title == action["subject"]
                            and int(action["to"][0]) in t.allowed_users]  # fmt: skip
                assert topic.archetype == "private_message"
            case "forum", "add_to_group":
                group = next(g for g in forum.groups.values() if g.name == action["group"])
                assert int(action["member"]) in group.members
            case "wiki", "send_message":
                name = place.wiki.rows("SELECT user_name FROM user WHERE user_id = ?", int(action["to"][0]))
                text = place.wiki.admin().text(f"User talk:{name[0][0]}") or ""
                assert text.count(f"== {action['subject']} ==") == 1
            case "wiki", "edit_text":
                assert action["text"] in (place.wiki.admin().text(action["title"]) or "")
    after = _footprint(place)
    grown = {key: after[key] - before[key] for key in after}
    assert grown["closed"] == verbs["forum", "close_thread"]
    assert grown["tags"] == verbs["forum", "set_labels"]
    assert grown["badges"] == verbs["forum", "grant_badge"]
    assert grown["members"] == verbs["forum", "add_to_group"]
    assert grown["topics"] == verbs["forum", "send_message"]
    assert grown["revisions"] == verbs["wiki", "send_message"] + verbs["wiki", "edit_text"]
