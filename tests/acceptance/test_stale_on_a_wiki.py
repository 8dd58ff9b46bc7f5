"""Stale pages and talk sections on a real MediaWiki: planned, approved, done once, found done, and undone;
and a run that ends between the two pages that an archiving edits."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.cron import House
from tests.servers.mediawiki.history import Edit, History, Person
from tests.servers.mediawiki.seed import seed
from tests.servers.mediawiki.wiki import Wiki
from tests.servers.proxy import Fault, Proxy

SETTINGS = """\
store: sqlite:///ordito.db
sites:
  wiki:
    connector: mediawiki
    url: {url}/api.php
    username: Ordito@steward
    password: {{env: WIKI_PASSWORD}}
    requests_per_minute: 60000
    edits_per_minute: 600
constitution:
  limits: {{per_run: 500, per_policy: 100, share: 100%}}
  contact: {{messages: 50, per: 7 days}}
  undo_window: 0 minutes
policies:
  out-of-date:
    use: stale
    on: [wiki]
    when: {{quiet: "> 1 year"}}
    then: [archive, label]
    template: "{{{{Out of date}}}}"
    label: Old pages
    linked: 1
    tell: {{authors: 1}}
  tidy-talk:
    use: stale
    on: [wiki]
    when: {{quiet: "> 90 days"}}
    then: [archive]
    archive: "{{talkpage}}/Archive {{year}}"
    archive_header: "{{{{Talk archive}}}}"
"""
SECRET = "abcdefghijklmnopqrstuv0123456789"
NOW = datetime.now(UTC).replace(microsecond=0)
LAST_YEAR = NOW.year - 1
OLD = f"== Poles ==\nThey are long. [[User:Alice|Alice]] 10:00, 1 March {LAST_YEAR} (UTC)"
OLDER = f"== Pegs ==\nOf steel. [[User:Bob|Bob]] 10:00, 2 May {LAST_YEAR} (UTC)"
ASKED = f"== Ropes? ==\nOf what? [[User:Bob|Bob]] 10:00, 2 May {LAST_YEAR} (UTC)"
NEW = f"== Bags ==\nNew ones. [[User:Bob|Bob]] 10:00, {NOW.day} {NOW:%B %Y} (UTC)"
TALK = f"Lead.\n\n{OLD}\n\n{ASKED}\n\n{NEW}\n\n{OLDER}"
ARCHIVE = f"Talk:Tents/Archive {LAST_YEAR}"
ARCHIVED = f"{{{{Talk archive}}}}\n\n{OLD}\n\n{OLDER}"
SECOND_SAVE = r"(?=[\s\S]*action=edit)[\s\S]*sections\+to\+%5B%5B"


@dataclass(kw_only=True)
class Place(House):
    """The program, a wiki, and what lies between them."""

    wiki: Wiki
    proxy: Proxy

    def text(self, title: str) -> str | None:
        return self.wiki.admin().text(title)

    def edits(self) -> int:
        reader = self.wiki.admin()
        ours = reader.everything("usercontribs", ucuser="Ordito", ucprop=["comment"], uclimit="max")
        return sum("(ordito " in row["comment"] for row in ours)


def _history() -> History:
    long_ago, recently = NOW - timedelta(days=600), NOW - timedelta(days=2)
    people = [Person(name, long_ago) for name in ("Alice", "Bob")]
    pages = [
        Edit(0, "Tents", long_ago, "Alice", "All about tents."),
        Edit(0, "Orphan", long_ago, "Alice", "Nobody links here."),
        Edit(0, "Locked", long_ago, "Alice", "Not for everybody."),
        Edit(2, "Alice", long_ago, "Alice", "I am [[Alice]]."),
        Edit(1, "Tents", long_ago, "Bob", "Lead."),
        Edit(1, "Tents", recently, "Bob", TALK),
    ]
    return History(people, pages)


@pytest.fixture
def place(tmp_path: Path, mediawiki: Wiki) -> Iterator[Place]:
    seed(mediawiki.folder / "wiki.sqlite", _history())
    mediawiki.admin().edit("Camping", "See [[Tents]], [[Locked]] and [[User:Alice]].")
    _protect(mediawiki, "Locked")
    mediawiki.run_jobs()
    mediawiki.create_bot_password("Ordito", "steward", SECRET)
    with Proxy(mediawiki.url) as proxy:
        (tmp_path / "ordito.yaml").write_text(SETTINGS.format(url=proxy.url), encoding="utf-8")
        yield Place(folder=tmp_path, variables={"WIKI_PASSWORD": SECRET}, wiki=mediawiki, proxy=proxy)


def _protect(wiki: Wiki, title: str) -> None:
    """Long ago: protecting a page by the API is an edit of it."""
    with closing(sqlite3.connect(wiki.folder / "wiki.sqlite")) as db, db:
        db.execute(
            "INSERT INTO page_restrictions (pr_page, pr_type, pr_level, pr_cascade, pr_expiry)"
            " SELECT page_id, 'edit', 'sysop', 0, 'infinity' FROM page WHERE page_title = ?",
            (title,),
        )


def _verbs(proposals: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((each["policy"], each["action"]["verb"]) for each in proposals)


def test_from_the_plan_to_the_undo(place: Place) -> None:
    planned = place.approve_all()
    assert _verbs(planned) == [("out-of-date", "archive_thread"), ("tidy-talk", "archive_thread")]
    assert len(place.apply().document["applied"]) == 2
    assert place.text("Tents") == "{{Out of date}}\nAll about tents.\n\n[[Category:Old pages]]"
    assert place.text("Talk:Tents") == f"Lead.\n\n{ASKED}\n\n{NEW}"
    assert place.text(ARCHIVE) == ARCHIVED
    assert place.edits() == 3

    told = place.document("run")["plan"]["proposals"]
    assert [each["action"]["verb"] for each in told] == ["send_message"]
    place.document("review", "approve", told[0]["id"])
    assert len(place.document("run")["apply"]["applied"]) == 1
    assert "Tents]" in (place.text("User talk:Alice") or "")
    again = place.document("run")
    assert (again["plan"]["proposals"], again["apply"]["applied"]) == ([], [])
    assert place.edits() == 4

    place.document("undo", *(each["id"] for each in planned))
    assert place.text("Tents") == "All about tents."
    assert place.text("Talk:Tents") == TALK
    assert place.text(ARCHIVE) == ""


def test_what_must_not_be_touched_is_reported(place: Place) -> None:
    place.document("sync")
    plan = place.document("plan", "--dry-run")
    titles = {str(number): title for number, title in place.wiki.rows("SELECT page_id, page_title FROM page")}
    held = {
        (titles[each["item"].rpartition(":")[2]], each["by"])
        for each in plan["held"]
        if each["item"].startswith("wiki:thread:")
    }
    assert held == {("Orphan", "links"), ("Locked", "protected"), ("Tents", "unanswered")}


def test_a_run_that_ends_between_the_two_pages_leaves_no_section_twice(place: Place) -> None:
    place.approve_all()
    held = place.proxy.add(Fault("hold", SECOND_SAVE, taken="never"))
    place.kill_when(lambda: held.reached.wait(60))
    held.release()
    assert place.text(ARCHIVE) == ARCHIVED
    assert place.text("Talk:Tents") == TALK
    place.age()
    outcomes = place.apply_until_done()
    assert {each.code for each in outcomes} <= {0, 3, -signal.SIGKILL}
    assert place.text(ARCHIVE) == ARCHIVED
    assert place.text("Talk:Tents") == f"Lead.\n\n{ASKED}\n\n{NEW}"
    assert place.edits() == 3
