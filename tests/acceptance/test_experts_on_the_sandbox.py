"""Experts as a user sees them on the sandbox: asked, listed, kept true, and gone when they say so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ordito.connectors.records import Ref
from ordito.connectors.sandbox.community import Sandbox
from ordito.connectors.sandbox.wiki import current_revision, page_titled
from ordito.policies.pages import MARKERS
from tests.program import run

PAGE = "Project:Experts"
SETTINGS = """\
store: sqlite:///ordito.db
sites:
  forum: {connector: sandbox, file: community.db, side: forum}
  wiki: {connector: sandbox, file: community.db, side: wiki}
constitution:
  limits: {per_run: 100, per_policy: 100, share: 100%}
  contact: {messages: 20, per: 7 days}
  undo_window: 0 minutes
  mode: auto
policies:
  experts:
    use: experts
    mode: auto
    on: [forum]
    areas: spaces
    top: 1
    give: {directory: "wiki:title:Project:Experts"}
"""


class Place:
    """A folder with the settings of a policy that acts alone, and the sandbox beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ordito.yaml").write_text(SETTINGS, encoding="utf-8")
        self.first = self.round()
        self.box = Sandbox(folder / "community.db", lambda: datetime.now(UTC))

    def document(self, *words: str | int) -> dict[str, Any]:
        done = run("--json", *map(str, words), cwd=self.folder)
        assert done.code == 0, done.err
        return done.document

    def round(self) -> list[dict[str, Any]]:
        """What cron would do: sync, plan, apply. The proposals that were carried out."""
        done = self.document("run")
        found: list[dict[str, Any]] = done["plan"]["proposals"]
        assert {each["id"] for each in done["apply"]["applied"]} == {each["id"] for each in found}
        return found

    def text(self) -> str:
        page = page_titled(self.box, PAGE)
        assert page is not None
        revision = current_revision(self.box, page["id"])
        assert revision is not None
        return str(revision["text"])

    def revisions(self) -> int:
        page = page_titled(self.box, PAGE)
        assert page is not None
        rows = self.box.rows("SELECT id FROM contribution WHERE side = 'wiki' AND thread = ?", page["id"])
        return len(rows)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.box.close()


def test_experts_are_asked_once_listed_when_they_agree_and_taken_off_when_they_say_stop(place: Place) -> None:
    asked = place.first
    assert {each["action"]["verb"] for each in asked} == {"send_message"}
    people = [Ref.parse(each["item"]).id for each in asked]
    assert len(people) >= 3
    assert place.round() == [], "one question, and no page before anybody agreed"

    threads = {each: _question(place, each) for each in people}
    yes, no, second = people[:3]
    place.box.as_member(yes).reply(threads[yes], "YES\n\nGladly.")
    place.box.as_member(no).reply(threads[no], "No")
    (made,) = place.round()
    assert made["item"] == f"wiki:title:{PAGE}"
    names = {each: _shown(place, each) for each in people}
    assert names[yes] in place.text()
    assert names[no] not in place.text()

    place.box.as_member(_editor(place), "wiki").save(PAGE, f"Ask them!\n\n{place.text()}\n\nThank you all.")
    before = place.revisions()
    assert place.round() == []
    assert place.revisions() == before, "it is edited only when the list changes"

    place.box.as_member(second).reply(threads[second], "yes")
    place.round()
    both = place.text()
    assert names[yes] in both and names[second] in both
    assert both.startswith("Ask them!") and both.endswith("Thank you all.")
    assert both.count(MARKERS[0]) == both.count(MARKERS[1]) == 1

    place.box.as_member(yes).reply(threads[yes], "STOP")
    place.round()
    assert names[yes] not in place.text()
    assert names[second] in place.text()
    assert place.text().startswith("Ask them!")


def _shown(place: Place, member: str) -> str:
    """How somebody is listed: by a link to their page, their name as plain text."""
    name = str(place.box.member("forum", member)["username"])
    return f"/u/{name} {name.replace('_', '&#95;')}]"


def _editor(place: Place) -> str:
    """Somebody who may edit the wiki."""
    query = "SELECT author FROM contribution WHERE side = 'wiki' AND author IS NOT NULL ORDER BY id LIMIT 1"
    return str(place.box.rows(query)[0]["author"])


def _question(place: Place, member: str) -> str:
    """The private thread in which somebody was asked."""
    document = place.document("log", f"forum:member:{member}")
    (entry,) = document["entries"]
    row = place.box.rows(
        "SELECT thread FROM contribution WHERE side = 'forum' AND id = ?",
        Ref.parse(_post_of(entry)).id,
    )
    return str(row[0]["thread"])


def _post_of(entry: dict[str, Any]) -> str:
    made: list[str] = entry["receipt"]["made"]
    return next(ref for ref in made if ":contribution:" in ref)
