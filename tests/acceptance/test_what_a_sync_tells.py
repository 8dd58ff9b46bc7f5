"""A sync of a forum as its admin sees it: what it costs, and that it tells nothing of what is excluded."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Outcome, command, environment, run
from tests.servers.discourse import API_KEY, DiscourseServer

SETTINGS = """\
store: {store}
contact: people@example.org
sites:
  forum:
    connector: discourse
    url: {url}
    username: boss
    api_key: {{env: FORUM_KEY}}
    requests_per_minute: 60000
    exclude: {{spaces: [Smoking room], labels: [undisclosed], members: [quietone]}}
"""
HIDDEN = ("Smoking", "undisclosed", "quietone", "Whispered words", "A topic nobody shall know")


@pytest.fixture
def server() -> Iterator[DiscourseServer]:
    with DiscourseServer(dialect="2026") as server:
        forum = server.forum
        forum.new_user("boss", admin=True, trust_level=4)
        anna = server.as_user(forum.new_user("anna", trust_level=2))
        quiet = server.as_user(forum.new_user("quietone", trust_level=2))
        room = forum.new_category("Smoking room")
        server.clock.advance(60)
        open_topic = anna.topic("A topic for everybody here", "What everybody may read, now and later.")
        quiet.reply(open_topic, "Whispered words of somebody who is left out.")
        anna.topic("A topic nobody shall know of", "Whispered words in a room.", category=room)
        labelled = anna.topic("A topic nobody shall know about", "Whispered words under a label.")
        forum.tag("undisclosed")
        server.as_user("boss").tag(labelled, "undisclosed")
        yield server


def ordito(
    server: DiscourseServer, folder: Path, *arguments: str, store: str = "sqlite:///ordito.db"
) -> Outcome:
    text = SETTINGS.format(url=server.url, store=store)
    (folder / "ordito.yaml").write_text(text, encoding="utf-8")
    return run(*arguments, cwd=folder, variables={"FORUM_KEY": server.key_for("boss")})


def kept(folder: Path) -> bytes:
    """Every byte that the program left behind."""
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != "ordito.yaml")


def test_what_is_excluded_is_neither_stored_nor_logged(server: DiscourseServer, tmp_path: Path) -> None:
    for words in (["sync"], ["sync"], ["sync", "--full"], ["audit"]):
        done = ordito(server, tmp_path, "--verbose", *words)
        assert done.code == 0, done.err
        said = done.out + done.err
        assert "GET /latest.json: 200" in said or "GET /posts.json: 200" in said
        assert not [words for words in (*HIDDEN, API_KEY, server.key_for("boss")) if words in said]
        server.clock.advance(90_000)
    left = kept(tmp_path)
    assert b"What everybody may read" in left
    assert not [words for words in HIDDEN if words.encode() in left]


def test_requests_waits_and_retries_are_those_that_the_forum_saw(
    server: DiscourseServer, tmp_path: Path
) -> None:
    body = '{"errors":["Slow down."],"error_type":"rate_limit","extras":{"wait_seconds":1}}'
    headers = {"Content-Type": "application/json; charset=utf-8", "Retry-After": "1"}
    server.faults.answer("^/(latest|site)", body=body, status=429, headers=headers, times=2)
    before = len(server.requests)
    done = ordito(server, tmp_path, "--json", "sync")
    assert done.code == 0, done.err
    (site,) = done.document["sites"]
    assert site["requests"] == len(server.requests) - before
    assert site["retries"] == 2
    assert all("people@example.org" in entry.headers["User-Agent"] for entry in server.requests[before:])
    assert 4 <= site["waited"] <= site["seconds"] + 0.2


def test_a_first_sync_that_is_interrupted_says_that_nothing_is_lost_and_goes_on(
    server: DiscourseServer, tmp_path: Path
) -> None:
    held = server.faults.hang("^/admin/users/list")
    held.spare = 1  # whether the member is there that the settings exclude
    assert ordito(server, tmp_path, "check", "--offline").code == 0  # writes the settings
    process = subprocess.Popen(
        command("sync"),
        cwd=tmp_path,
        env=environment(tmp_path, FORUM_KEY=server.key_for("boss")),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert held.reached.wait(60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    held.release()
    assert process.returncode == 1
    assert "What was read is kept; the next sync goes on from there." in said and "Traceback" not in said
    resumed = ordito(server, tmp_path, "sync")
    assert (resumed.code, resumed.err) == (0, "forum: the first sync goes on where it was stopped.\n")


def test_the_next_run_keeps_a_pause_that_the_forum_asked_this_one_for(
    server: DiscourseServer, tmp_path: Path
) -> None:
    server.faults.answer("", body="", status=429, headers={"Retry-After": "900"}, times=1)
    first, before = ordito(server, tmp_path, "sync"), len(server.requests)
    again = ordito(server, tmp_path, "sync")
    assert (first.code, again.code) == (1, 1)
    assert "has asked for a pause that is not over" in again.err
    assert len(server.requests) == before
    (pace,) = (tmp_path / ".local" / "state" / "ordito").iterdir()
    pace.unlink()
    assert ordito(server, tmp_path, "sync").code == 0


def test_with_postgresql_all_hosts_keep_it(
    server: DiscourseServer, tmp_path: Path, postgres_url: str
) -> None:
    server.faults.answer("", body="", status=429, headers={"Retry-After": "900"}, times=1)
    hosts = [tmp_path / name for name in ("one", "another")]
    for host in hosts:
        host.mkdir()
    assert ordito(server, hosts[0], "sync", store=postgres_url).code == 1
    before = len(server.requests)
    told = ordito(server, hosts[1], "sync", store=postgres_url)
    assert (told.code, len(server.requests)) == (1, before)
    assert "has asked for a pause that is not over" in told.err
    assert not (hosts[1] / ".local").exists()


def test_an_answer_that_nobody_foresaw_is_told_by_its_place_and_not_quoted(
    server: DiscourseServer, tmp_path: Path
) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    body = '{"categories": [], "groups": [{"id": "Smoking room", "name": "smokers"}]}'
    server.faults.answer("^/site", body=body, status=200, headers=headers, times=9)
    done = ordito(server, tmp_path, "sync")
    assert done.code == 1
    assert "could not be read (ValueError in probe.py:" in done.err
    assert not [words for words in ("Traceback", *HIDDEN) if words in done.err]
