"""The real MediaWiki does what other tests rely on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.mediawiki.client import ApiError
from tests.servers.mediawiki.history import Edit, History, Person
from tests.servers.mediawiki.template import Template
from tests.servers.mediawiki.wiki import Wiki
from tests.shared import shared

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_a_bot_password_signs_in_and_edits(mediawiki: Wiki) -> None:
    bot = mediawiki.bot()
    assert bot.edit("Sandbox", "Hello", "a first word", bot=True)["new"]
    assert bot.text("Sandbox") == "Hello"
    (revision,) = bot.revisions("Sandbox")
    assert (revision["user"], revision["comment"]) == ("Ordito", "a first word")


def test_a_bot_password_has_only_its_grants(mediawiki: Wiki) -> None:
    mediawiki.create_account("Reader", "reader-password-1")
    mediawiki.create_bot_password("Reader", "look", "v" * 32, grants=("basic",))
    with pytest.raises(ApiError) as refused:
        mediawiki.client("Reader@look", "v" * 32).edit("Sandbox", "Hello")
    assert refused.value.code == "permissiondenied"


def test_restoring_puts_everything_back(mediawiki: Wiki) -> None:
    mediawiki.bot().edit("Sandbox", "kept")
    state = mediawiki.snapshot()
    mediawiki.bot().edit("Sandbox", "lost")
    mediawiki.switch(wgSitename="Elsewhere")
    mediawiki.restore(state)
    assert mediawiki.bot().text("Sandbox") == "kept"
    mediawiki.restore()
    assert mediawiki.bot().text("Sandbox") is None
    general = mediawiki.client().get(action="query", meta="siteinfo")["query"]["general"]
    assert general["sitename"] == "TestWiki"


def test_a_switch_works_on_the_running_server_and_can_be_taken_back(mediawiki: Wiki) -> None:
    bot = mediawiki.bot()
    mediawiki.switch(lag=9)
    with pytest.raises(ApiError) as lagged:
        bot.edit("Sandbox", "Hello", maxlag=5)
    assert lagged.value.code == "maxlag"
    mediawiki.switch(lag=None)
    mediawiki.read_only()
    with pytest.raises(ApiError) as locked:
        bot.edit("Sandbox", "Hello", maxlag=5)
    assert locked.value.code == "readonly"
    mediawiki.writable()
    assert bot.edit("Sandbox", "Hello", maxlag=5)["new"]


def test_mail_is_written_down_and_not_sent(mediawiki: Wiki) -> None:
    mediawiki.switch(wgEnableEmail=True, wgEnableUserEmail=True, wgEmailAuthentication=False)
    mediawiki.create_account("Ada", "ada-password-1")
    mediawiki.maintenance("resetUserEmail.php", "--no-reset-password", "Ada", "ada@example.org")
    admin = mediawiki.admin()
    mediawiki.maintenance("resetUserEmail.php", "--no-reset-password", "Admin", "admin@example.org")
    admin.post(action="emailuser", target="Ada", subject="Hello", text="Come in")
    (mail,) = mediawiki.mails()
    assert mail["subject"] == "Hello"
    assert "Come in" in mail["body"]


def test_jobs_wait_until_they_are_run(mediawiki: Wiki) -> None:
    bot = mediawiki.bot()
    bot.edit("Template:Box", "[[Category:Old]]")
    bot.edit("Sandbox", "{{Box}}")
    mediawiki.run_jobs()
    bot.edit("Template:Box", "[[Category:New]]")

    def members(category: str) -> list[str]:
        pages = bot.everything("categorymembers", cmtitle=category, cmnamespace=0)
        return [page["title"] for page in pages]

    assert members("Category:New") == []
    mediawiki.run_jobs()
    assert members("Category:New") == ["Sandbox"]


def test_a_history_shows_as_if_people_had_made_it(mediawiki_with: Callable[[History], Wiki]) -> None:
    people = [Person("Ada", NOON - timedelta(days=3), groups=("sysop",), password="ada-password-1")]
    edits = [
        Edit(0, "Weaving", NOON - timedelta(days=2), "Ada", "One [[Category:Craft]]", "first"),
        Edit(1, "Weaving", NOON - timedelta(days=1), "192.0.2.7", "A question"),
        Edit(0, "Weaving", NOON, "Ada", "Two [[Category:Craft]]", "second", minor=True),
    ]
    wiki = mediawiki_with(History(people, edits))
    ada = wiki.client("Ada", "ada-password-1")
    changes = ada.everything(
        "recentchanges", rcprop=["title", "user", "timestamp", "flags"], rcstart=NOON, rclimit=2
    )
    assert [(change["type"], change["title"], change["user"]) for change in changes] == [
        ("edit", "Weaving", "Ada"),
        ("new", "Talk:Weaving", "192.0.2.7"),
        ("new", "Weaving", "Ada"),
        ("log", "User:Ada", "Ada"),
    ]
    assert (changes[0]["timestamp"], changes[0]["minor"]) == ("2026-05-04T12:00:00Z", True)
    assert [revision["comment"] for revision in ada.revisions("Weaving")] == ["second", "first"]
    (account,) = ada.get(
        action="query", list="users", ususers="Ada", usprop=["editcount", "registration", "groups"]
    )["query"]["users"]
    assert (account["editcount"], account["registration"]) == (2, "2026-05-01T12:00:00Z")
    assert "sysop" in account["groups"]
    (member,) = ada.everything("categorymembers", cmtitle="Category:Craft")
    assert member["title"] == "Weaving"
    latest = ada.revisions("Weaving", limit=1)[0]["revid"]
    assert ada.edit("Weaving", "Three", baserevid=latest)["oldrevid"] == latest


def test_an_export_keeps_ids_and_order_and_its_people_become_accounts(
    mediawiki_from_export: Callable[[Path, datetime], Wiki], tmp_path: Path
) -> None:
    export = tmp_path / "export.xml"
    export.write_text(
        """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="en">
        <page><title>Loom</title><ns>0</ns><id>30</id>
          <revision><id>200</id><timestamp>2020-01-02T00:00:00Z</timestamp>
            <contributor><username>Ada</username><id>1</id></contributor><minor/>
            <comment>second</comment><text>two &amp; more</text></revision>
          <revision><id>100</id><timestamp>2020-01-01T00:00:00Z</timestamp>
            <contributor><username>Bea</username><id>0</id></contributor><text>one</text></revision></page>
        <page><title>Guild:Rules</title><ns>100</ns><id>31</id>
          <revision><id>150</id><timestamp>2020-01-01T12:00:00Z</timestamp>
            <contributor><ip>192.0.2.7</ip></contributor><text>#REDIRECT [[Loom]]</text></revision></page>
        </mediawiki>"""
    )
    wiki = mediawiki_from_export(export, NOON)
    bot = wiki.bot()
    assert [
        (edit["revid"], edit["parentid"], edit["user"], edit["comment"], edit["minor"], edit["timestamp"])
        for edit in bot.revisions("Loom")
    ] == [
        (200, 100, "Ada", "second", True, "2026-05-04T12:00:00Z"),
        (100, 0, "Bea", "", False, "2026-05-03T12:00:00Z"),
    ]
    assert bot.text("Loom") == "two & more"
    assert wiki.rows("select page_id, page_namespace, page_title, page_is_redirect from page order by 1") == [
        (30, 0, "Loom", 0),
        (31, 100, "Rules", 1),
    ]
    (page,) = bot.get(action="query", titles="Guild:Rules", redirects=True)["query"]["pages"]
    assert page["pageid"] == 30
    accounts = dict(wiki.rows("select user_name, user_id from user"))
    assert (accounts["Ada"], accounts["Bea"]) == (1, 2)
    assert min(id for name, id in accounts.items() if name not in ("Ada", "Bea")) == 3


def test_an_export_is_imported_whole_and_ends_at_the_given_time(
    mediawiki_from_export: Callable[[Path, datetime], Wiki],
) -> None:
    wiki = mediawiki_from_export(shared("data", "wiki", "wiki.xml.gz"), NOON)
    bot = wiki.bot()
    revisions = bot.everything("allrevisions", arvprop=["ids", "timestamp"], arvlimit="max")
    assert len(revisions) == 934
    assert sum(len(page["revisions"]) for page in revisions) == 1492
    changes = bot.everything(
        "recentchanges", rclimit="max", rctype=["edit", "new"], rcprop=["timestamp", "user", "title", "ids"]
    )
    assert len(changes) == 1492
    assert changes[0]["timestamp"] == "2026-05-04T12:00:00Z"
    people = bot.everything(
        "allusers", auprop=["registration", "editcount"], aulimit="max", auwitheditsonly=True
    )
    assert len(people) == 158
    assert sum(person["editcount"] for person in people) == 1492
    assert all(person["registration"] < "2026-05-04T12:00:00Z" for person in people)
    statistics = bot.get(action="query", meta="siteinfo", siprop="statistics")["query"]["statistics"]
    assert (statistics["pages"], statistics["edits"]) == (934, 1492)
    assert (bot.text("Main Page") or "").startswith("__NOTOC__")
    assert bot.edit("Talk:Newcomers", "Hello", "after the import")["new"]


def test_no_process_is_left_when_the_one_that_started_the_server_is_killed(
    mediawiki_template: Template, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.servers.mediawiki"]
    root = Path(__file__).parents[3]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE) as by_hand:
        assert by_hand.stdout and by_hand.stdout.readline().startswith(b"url: http://127.0.0.1:")
        assert _processes_in(tmp_path)
        by_hand.kill()
    deadline = time.monotonic() + 10
    while _processes_in(tmp_path):
        assert time.monotonic() < deadline, "PHP still runs"


def _processes_in(folder: Path) -> list[str]:
    """The processes whose environment names a copy of the wiki below `folder`."""
    wanted = f"ORDITO_WIKI_DATA={folder}/".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in environ.read_bytes():
                found.append(environ.parent.name)
        except OSError:
            continue
    return found
