"""Wrong keys, wrong passwords and accounts without rights, on the servers that refuse them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Outcome, run
from tests.servers.discourse import DiscourseServer, Forum
from tests.servers.mediawiki.wiki import Wiki

FORUM = """\
store: sqlite:///ordito.db
sites:
  forum:
    connector: discourse
    url: {url}
    username: {username}
    api_key: {{env: FORUM_KEY}}
    requests_per_minute: 60000
"""
WIKI = """\
store: sqlite:///ordito.db
sites:
  wiki:
    connector: mediawiki
    url: {url}
    username: {username}
    password: {{env: WIKI_PASSWORD}}
    requests_per_minute: 60000
"""


@pytest.fixture
def forum() -> Iterator[DiscourseServer]:
    board = Forum()
    board.settings.max_admin_api_reqs_per_minute = None
    board.new_user("alice")
    with DiscourseServer(board) as server:
        yield server


def settings(folder: Path, text: str) -> None:
    (folder / "ordito.yaml").write_text(text, encoding="utf-8")


def only_line(done: Outcome) -> str:
    assert "Traceback" not in done.err
    lines = [line for line in done.err.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    return lines[0]


def test_a_wrong_key_is_named_as_such(tmp_path: Path, forum: DiscourseServer) -> None:
    settings(tmp_path, FORUM.format(url=forum.url, username="system"))
    done = run("sync", cwd=tmp_path, variables={"FORUM_KEY": "0" * 64})
    assert done.code == 1
    assert "key" in only_line(done)
    assert "0" * 64 not in done.err


def test_an_account_without_rights_is_told_what_it_lacks(tmp_path: Path, forum: DiscourseServer) -> None:
    settings(tmp_path, FORUM.format(url=forum.url, username="alice"))
    key = {"FORUM_KEY": forum.key_for("alice")}
    checked = run("check", cwd=tmp_path, variables=key)
    assert checked.code in (0, 1)
    assert "alice" in checked.out
    assert any(word in checked.out for word in ("moderator", "administrator", "staff"))
    synced = run("sync", cwd=tmp_path, variables=key)
    assert "Traceback" not in synced.err
    assert synced.code in (0, 1, 3)


def test_a_wrong_bot_password_is_named_as_such(tmp_path: Path, mediawiki: Wiki) -> None:
    settings(tmp_path, WIKI.format(url=mediawiki.api_url, username=mediawiki.username))
    done = run("sync", cwd=tmp_path, variables={"WIKI_PASSWORD": "not-the-password"})
    assert done.code == 1
    line = only_line(done)
    assert "wiki" in line and "password" in line
    assert "not-the-password" not in done.err


def test_an_address_beside_the_api_is_no_wiki(tmp_path: Path, mediawiki: Wiki) -> None:
    settings(tmp_path, WIKI.format(url=f"{mediawiki.url}/nothing/api.php", username=mediawiki.username))
    done = run("sync", cwd=tmp_path, variables={"WIKI_PASSWORD": mediawiki.password})
    assert done.code == 1
    assert "wiki" in only_line(done)
