"""Whatever happens to requests and answers on the way, and whenever the program is killed: each approved
action reaches a real MediaWiki exactly once. What counts is what the wiki then holds."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.cron import House
from tests.acceptance.striking import STRIKES, Strike, StruckHouse
from tests.servers.mediawiki.history import Edit, History, Person
from tests.servers.mediawiki.seed import seed
from tests.servers.mediawiki.template import Template
from tests.servers.mediawiki.wiki import Snapshot, Wiki
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
  never: {{groups: []}}
  undo_window: 0 minutes
policies:
  welcome:
    use: welcome
    on: [wiki]
    after: 1 minutes
    when: {{posts: ">= 1", admin: false}}
  answer:
    use: rule
    for: thread
    on: [wiki]
    when: {{title: {{contains: reply}}, kind: page}}
    do: [{{reply: {{message: rule-note}}}}]
  label:
    use: rule
    for: thread
    on: [wiki]
    when: {{title: {{contains: label}}, kind: page}}
    do: [{{set_labels: {{add: [Installation]}}}}]
  mark:
    use: rule
    for: thread
    on: [wiki]
    when: {{title: {{contains: mark}}, kind: page}}
    do: [{{archive_thread: {{template: "{{{{Old}}}}"}}}}]
  join:
    use: rule
    for: member
    on: [wiki]
    when: {{posts: ">= 1", admin: false}}
    do: [{{add_to_group: {{group: interface-admin}}}}]
"""
WRITES = {
    "send_message": r"(?=[\s\S]*action=edit)[\s\S]*sectiontitle=Welcome",
    "reply": r"(?=[\s\S]*action=edit)[\s\S]*sectiontitle=A\+note\+on",
    "set_labels": r"(?=[\s\S]*action=edit)[\s\S]*Category%3AInstallation",
    "archive_thread": r"(?=[\s\S]*action=edit)[\s\S]*%7B%7BOld%7D%7D",
    "add_to_group": r"action=userrights",
}
"""What the request of each verb contains."""
PEOPLE = ("Alice", "Bob", "Carol")
EVERYTHING = len(WRITES) * len(PEOPLE)
SECRET = "abcdefghijklmnopqrstuv0123456789"


@dataclass(kw_only=True)
class Place(StruckHouse):
    """The program, a wiki, and what lies between them."""

    wiki: Wiki
    writes = WRITES
    any_write = r"action=(?:edit|userrights)"
    undoings = (any_write, any_write, WRITES["add_to_group"])

    def assert_all_done_once(self) -> None:
        assert Counter(self.states().values()) == {"applied": EVERYTHING}
        reader = self.wiki.admin()
        ours = reader.everything("usercontribs", ucuser="Ordito", ucprop=["comment"], uclimit="max")
        summaries = [row["comment"] for row in ours if "(ordito " in row["comment"]]
        assert len(summaries) == len(set(summaries)) == 4 * len(PEOPLE)
        for name in PEOPLE:
            assert (reader.text(f"User talk:{name}") or "").count("== Welcome") == 1
            assert (reader.text(f"Talk:Where to reply, {name}") or "").count("== A note on") == 1
            assert (reader.text(f"Where to label, {name}") or "").count("[[Category:Installation]]") == 1
            assert (reader.text(f"Where to mark, {name}") or "").count("{{Old}}") == 1
        joined = self.wiki.rows("SELECT user_name FROM user_groups JOIN user ON user_id = ug_user"
                                " WHERE ug_group = 'interface-admin' AND user_name != 'Admin'")  # fmt: skip
        assert sorted(name for (name,) in joined) == sorted(PEOPLE)
        log = reader.everything(
            "logevents", letype="rights", leuser="Ordito", leprop=["title"], lelimit="max"
        )
        assert sorted(row["title"] for row in log) == [f"User:{name}" for name in sorted(PEOPLE)]
        again = self.apply()
        assert (again.code, again.document["applied"]) == (0, [])


    def assert_all_undone_once(self) -> None:
        assert Counter(self.states().values()) == {"undone": EVERYTHING}
        reader = self.wiki.admin()
        ours = reader.everything("usercontribs", ucuser="Ordito", ucprop=["comment"], uclimit="max")
        undone = [row["comment"] for row in ours if row["comment"].startswith("Undo [[Special:Diff/")]
        assert len(undone) == len(set(undone)) == len(ours) / 2 == 4 * len(PEOPLE)
        for name in PEOPLE:
            assert not reader.text(f"User talk:{name}") and not reader.text(f"Talk:Where to reply, {name}")
            for what in ("label", "mark"):
                assert reader.text(f"Where to {what}, {name}") == f"What {name} has to say."
        log = reader.everything(
            "logevents", letype="rights", leuser="Ordito", leprop=["title"], lelimit="max"
        )
        assert Counter(row["title"] for row in log) == {f"User:{name}": 2 for name in PEOPLE}


@dataclass(frozen=True)
class Approved:
    """A wiki, its state, and a store in which everything is approved."""

    folder: Path
    wiki: Wiki
    state: Snapshot


def _history() -> History:
    """Three people, each with three pages, a quarter of an hour old."""
    then = (datetime.now(UTC) - timedelta(minutes=15)).replace(microsecond=0)
    people = [Person(name, then) for name in PEOPLE]
    edits = [
        Edit(0, f"Where to {what}, {name}", then, name, f"What {name} has to say.")
        for name in PEOPLE
        for what in ("reply", "label", "mark")
    ]
    return History(people, edits)


@pytest.fixture(scope="module")
def approved(
    mediawiki_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Approved]:
    """Synced, planned and approved once for all tests."""
    folder = tmp_path_factory.mktemp("approved")
    with Wiki(mediawiki_template, folder / "wiki") as wiki:
        seed(wiki.folder / "wiki.sqlite", _history())
        wiki.maintenance("createAndPromote.php", "--force", "--sysop", "--bot", "Ordito")
        wiki.create_bot_password("Ordito", "steward", SECRET)
        helpers = {"sysop": ["interface-admin"]}
        wiki.switch(wgAddGroups=helpers, wgRemoveGroups=helpers)
        (folder / "ordito.yaml").write_text(SETTINGS.format(url=wiki.url), encoding="utf-8")
        planned = House(folder=folder, variables={"WIKI_PASSWORD": SECRET}).approve_all()
        assert Counter(each["action"]["verb"] for each in planned) == dict.fromkeys(WRITES, len(PEOPLE))
        yield Approved(folder, wiki, wiki.snapshot())


@pytest.fixture
def place(tmp_path: Path, approved: Approved) -> Iterator[Place]:
    """The wiki as it was then, the store with its approvals, and a proxy between them."""
    wiki = approved.wiki
    wiki.restore(approved.state)
    with Proxy(wiki.url) as proxy:
        shutil.copy(approved.folder / "ordito.db", tmp_path)
        (tmp_path / "ordito.yaml").write_text(SETTINGS.format(url=proxy.url), encoding="utf-8")
        yield Place(folder=tmp_path, variables={"WIKI_PASSWORD": SECRET}, wiki=wiki, proxy=proxy)


# --- what happens to requests and answers


def a_page_instead_of_an_answer(pattern: str) -> Fault:
    return Fault("answer", pattern, taken="before", status=200, body="<html>Welcome!</html>")


@pytest.mark.parametrize("strike", [*STRIKES, a_page_instead_of_an_answer], ids=lambda each: each.__name__)
def test_the_first_write_of_every_verb_is_struck_and_all_is_done_once(place: Place, strike: Strike) -> None:
    place.strike_the_first_of_every_verb(strike)


@pytest.mark.parametrize("verb", WRITES)
def test_a_request_that_lands_after_the_program_was_killed_counts(place: Place, verb: str) -> None:
    place.let_one_land_after_the_kill(verb)


def test_killed_between_writes_and_their_answers(place: Place) -> None:
    place.kill_between_writes_and_their_answers()


def test_a_wiki_that_takes_no_writes_loses_nothing(place: Place) -> None:
    place.wiki.read_only()
    outcome = place.apply()
    assert outcome.code == 3
    assert not outcome.document["applied"] and not outcome.document["failed"]
    assert len(outcome.document["held"]) == EVERYTHING
    place.wiki.writable()
    assert [o.code for o in place.apply_until_done()] == [0]
    place.assert_all_done_once()


def test_killed_at_random_moments(place: Place) -> None:
    place.kill_at_random_moments(seed=12, longest=3)


def test_undoing_that_is_killed_brings_everything_back_once(place: Place) -> None:
    place.kill_undoing(seed=14, longest=3)
