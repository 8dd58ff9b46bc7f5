"""`ordito sync`, `audit`, `identities` and `forget` as their users run them, on a sandbox."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.program import Outcome, run

SITE = "  {name}: {{connector: sandbox, file: sandbox.db, side: {side}, now: 2026-03-01T09:00:00Z}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with settings for a forum and a wiki."""
    sites = "".join(SITE.format(name=name, side=name) for name in ("forum", "wiki"))
    (tmp_path / "ordito.yaml").write_text(f"sites:\n{sites}")
    return tmp_path


def with_a_broken_site(folder: Path) -> None:
    settings = folder / "ordito.yaml"
    broken = SITE.format(name="broken", side="forum").replace("sandbox.db", "letter.txt")
    settings.write_text(settings.read_text() + broken)
    (folder / "letter.txt").write_text("Dear sandbox, " * 100)


def counted(folder: Path, table: str) -> dict[str, int]:
    with closing(sqlite3.connect(folder / "ordito.db")) as store:
        return dict(store.execute(f"SELECT site, count(*) FROM {table} GROUP BY site"))


def site_of(outcome: Outcome, name: str) -> dict[str, Any]:
    return next(site for site in outcome.document["sites"] if site["site"] == name)


def test_a_sync_says_what_it_read_and_the_next_one_that_there_is_nothing_new(folder: Path) -> None:
    first = run("sync", cwd=folder)
    assert first.code == 0
    assert first.err.startswith("forum: everything is read once: about ")
    forum, wiki = first.out.splitlines()
    topics, pages = counted(folder, "threads")["forum"], counted(folder, "threads")["wiki"]
    assert f" {topics} topics" in forum
    assert f" {pages} pages" in wiki
    second = run("sync", cwd=folder)
    assert (second.code, second.err) == (0, "")
    assert [line.partition(";")[0] for line in second.out.splitlines()] == [
        "forum: nothing new", "wiki: nothing new"
    ]  # fmt: skip


def test_the_document_of_a_sync(folder: Path) -> None:
    outcome = run("--json", "sync", "forum", cwd=folder)
    (site,) = outcome.document["sites"]
    assert outcome.document.keys() == {"format", "sites"}
    assert site.keys() == {
        "site", "complete", "requests", "waited", "retries", "members", "threads", "contributions", "deleted",
        "seconds", "gaps", "estimates", "removed",
    }  # fmt: skip
    (estimate,) = site["estimates"]
    assert (estimate["what"], estimate["at_most"]) == ("everything is read once", False)
    assert estimate["minutes"] == round(estimate["requests"] / 30, 1)
    assert site["contributions"] == counted(folder, "contributions")["forum"]
    assert (site["complete"], site["deleted"], site["gaps"]) == (True, 0, [])
    assert counted(folder, "contributions").keys() == {"forum"}


def test_what_new_settings_leave_out_is_told_as_it_is_removed(folder: Path) -> None:
    run("sync", cwd=folder)
    posts, people = counted(folder, "contributions")["forum"], counted(folder, "members")["forum"]
    with closing(sqlite3.connect(folder / "ordito.db")) as store:
        name, wrote = store.execute(
            "SELECT username, count(*) FROM members m JOIN contributions c ON c.author = m.id"
            " AND c.site = m.site WHERE m.site = 'forum' GROUP BY m.id ORDER BY 2 DESC"
        ).fetchone()
    settings = folder / "ordito.yaml"
    wide = settings.read_text()
    settings.write_text(wide.replace("side: forum,", f"side: forum, exclude: {{members: [{name}]}},"))
    line = run("sync", "forum", cwd=folder).out
    removed = f"removed 1 user, {wrote} posts, which the settings leave out"
    assert line.startswith(f"forum: nothing new; {removed}; ")
    assert counted(folder, "contributions")["forum"] == posts - wrote
    assert counted(folder, "members")["forum"] == people - 1
    assert run("sync", "forum", cwd=folder).out.startswith("forum: nothing new; 0 requests")
    settings.write_text(wide.replace("side: forum,", "side: forum, text: false,"))
    (site,) = run("--json", "sync", "forum", cwd=folder).document["sites"]
    assert site["removed"] == {"members": 0, "threads": 0, "contributions": 0, "texts": posts - wrote}


def test_a_site_that_cannot_be_read_is_one_line_and_stops_no_other(folder: Path) -> None:
    with_a_broken_site(folder)
    outcome = run("sync", cwd=folder)
    assert outcome.code == 3
    (line,) = [line for line in outcome.err.splitlines() if "everything is read once" not in line]
    assert line.startswith("broken: ")
    assert counted(folder, "contributions").keys() == {"forum", "wiki"}
    alone = run("--json", "sync", "broken", cwd=folder)
    assert alone.code == 1
    (error,) = alone.document["errors"]
    assert error.keys() == {"site", "kind", "message", "hint"}
    assert error["site"] == "broken"


def test_a_name_that_is_no_site_is_a_wrong_use(folder: Path) -> None:
    outcome = run("sync", "forun", cwd=folder)
    assert outcome.code == 2
    assert "Did you mean 'forum'?" in outcome.err
    assert not (folder / "ordito.db").exists()


def test_an_audit_after_a_sync_finds_nothing_and_before_it_everything_missing(folder: Path) -> None:
    before = run("--json", "audit", cwd=folder)
    assert before.code == 3
    assert [gap["kind"] for gap in site_of(before, "forum")["gaps"]] == ["history"]
    run("sync", cwd=folder)
    after = run("--json", "audit", cwd=folder)
    assert after.code == 0
    for site in after.document["sites"]:
        assert (site["gaps"], site["checked"] >= 20) == ([], True)
        assert {count["kind"]: count["site"] - count["mirror"] for count in site["counts"]} == {
            "members": 0, "threads": 0, "contributions": 0
        }  # fmt: skip
        assert {"contributions", "edits", "deletions", "labels"} <= {f["change"] for f in site["fresh"]}
    told = run("audit", "forum", cwd=folder)
    assert "no gap found" in told.out
    assert "seen by the next sync" in told.out
    with closing(sqlite3.connect(folder / "ordito.db")) as store, store:
        store.execute("DELETE FROM members WHERE site = 'forum' AND admin = 0")
    damaged = run("audit", "forum", cwd=folder)
    assert damaged.code == 3
    assert "forum: members: " in damaged.out


def test_accounts_are_suggested_linked_and_unlinked(folder: Path) -> None:
    run("sync", cwd=folder)
    people = run("--json", "identities", cwd=folder).document["people"]
    first = people[0]
    assert first["state"] == "suggested"
    assert run("identities", "link", *first["accounts"], cwd=folder).code == 0
    linked = run("--json", "identities", "list", cwd=folder).document["people"][0]
    assert (linked["state"], linked["source"], linked["accounts"]) == ("linked", "admin", first["accounts"])
    assert run("identities", "unlink", first["accounts"][0], cwd=folder).code == 0
    left = run("--json", "identities", cwd=folder).document["people"]
    assert first["accounts"] not in [person["accounts"] for person in left]
    assert run("identities", "link", "forum:@ordito", cwd=folder).code == 2


def test_the_file_of_people_is_taken_in_by_a_sync(folder: Path) -> None:
    settings = folder / "ordito.yaml"
    settings.write_text(settings.read_text() + "identities: {file: people.yaml}\n")
    missing = run("sync", cwd=folder)
    assert missing.code == 2
    assert "people.yaml cannot be read" in missing.err
    (folder / "people.yaml").write_text("- {forum: ordito, wiki: Ordito}\n- {forum: ordito, wiki: Nobody}\n")
    outcome = run("sync", cwd=folder)
    assert outcome.code == 0
    assert "there is no account wiki: Nobody" in outcome.err
    person = run("--json", "identities", cwd=folder).document["people"][0]
    assert (person["state"], person["source"]) == ("linked", "file")


def test_a_person_is_forgotten_only_when_that_is_confirmed(folder: Path) -> None:
    run("sync", cwd=folder)
    assert run("forget", "forum:member:5", cwd=folder).code == 2
    before = counted(folder, "members")["forum"]
    outcome = run("--json", "forget", "forum:member:5", "--yes", cwd=folder)
    assert (outcome.code, outcome.document["forgotten"]) == (0, ["forum:member:5"])
    run("sync", "--full", cwd=folder)
    assert counted(folder, "members")["forum"] == before - 1
    assert run("forget", "forum:thread:1", "--yes", cwd=folder).code == 2
