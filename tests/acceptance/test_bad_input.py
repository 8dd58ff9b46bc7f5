"""What goes wrong is one line with the next thing to do, an exit code that means something, and no harm."""

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.program import Outcome, run

SITE = """\
store: sqlite:///ordito.db
sites:
  forum:
    connector: discourse
    url: {url}
    username: ordito
    api_key: {{env: FORUM_KEY}}
    requests_per_minute: 6000
"""


def one_line(done: Outcome, code: int) -> str:
    """The error's one line, after checking that it is one."""
    assert done.code == code, (done.code, done.out, done.err)
    assert "Traceback" not in done.err
    lines = [line for line in done.err.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    return lines[0]


class _Page(BaseHTTPRequestHandler):
    """A web page that is neither a forum nor a wiki."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Our shop</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output stays readable."""


@pytest.fixture
def web_page() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def settings(folder: Path, text: str) -> None:
    (folder / "ordito.yaml").write_text(text, encoding="utf-8")


def test_no_settings(tmp_path: Path) -> None:
    assert "ordito init" in one_line(run("sync", cwd=tmp_path), 2)


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    assert "Did you mean 'sync'?" in one_line(run("snyc", cwd=tmp_path), 2)


def test_a_typo_in_a_policy_names_its_place_and_the_nearest_word(tmp_path: Path) -> None:
    settings(tmp_path, SITE.format(url="https://forum.example.org") + """\
policies:
  tidy: {use: stale, on: [forum], when: {quite: "> 180 days"}, then: [close]}
""")  # fmt: skip
    line = one_line(run("plan", cwd=tmp_path), 2)
    assert line.startswith("ordito: ordito.yaml:10:")
    assert "Did you mean 'quiet'?" in line


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    settings(tmp_path, SITE.format(url="https://forum.example.org") + """\
policies:
  tidy: {use: stale, on: [forum], when: {quite: "> 180 days", waiting_on: [noone]}, then: [shut]}
""")  # fmt: skip
    done = run("plan", cwd=tmp_path)
    assert done.code == 2
    assert [word in done.err for word in ("quite", "noone", "shut")] == [True] * 3


def test_a_missing_secret_names_its_variable(tmp_path: Path) -> None:
    settings(tmp_path, SITE.format(url="https://forum.example.org"))
    assert "FORUM_KEY" in one_line(run("sync", cwd=tmp_path), 1)


def test_a_host_that_does_not_answer(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings(tmp_path, SITE.format(url=f"http://127.0.0.1:{nobody.getsockname()[1]}"))
        done = run("sync", cwd=tmp_path, variables={"FORUM_KEY": "secret-key"})
    assert "forum" in one_line(done, 1)
    assert "secret-key" not in done.err


def test_a_page_that_is_no_forum(tmp_path: Path, web_page: str) -> None:
    settings(tmp_path, SITE.format(url=web_page))
    line = one_line(run("sync", cwd=tmp_path, variables={"FORUM_KEY": "k"}), 1)
    assert "forum" in line
    assert "Discourse" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    settings(tmp_path, SITE.format(url="https://forum.example.org"))
    tmp_path.chmod(0o500)
    try:
        assert "ordito.db" in one_line(run("review", "list", cwd=tmp_path), 1)
    finally:
        tmp_path.chmod(0o700)


def test_a_store_in_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    text = SITE.format(url="https://forum.example.org").replace("ordito.db", "nowhere/ordito.db")
    settings(tmp_path, text)
    assert "nowhere" in one_line(run("review", "list", cwd=tmp_path), 1)


def test_a_missing_template_is_found_by_check(tmp_path: Path) -> None:
    settings(tmp_path, SITE.format(url="https://forum.example.org") + """\
policies:
  greet: {use: welcome, on: [forum], send: {message: welcom}}
""")  # fmt: skip
    done = run("check", "--offline", cwd=tmp_path, variables={"FORUM_KEY": "k"})
    assert done.code == 2
    assert "welcom" in done.out
    assert "Did you mean 'welcome'?" in done.out


def test_a_second_run_at_the_same_time_is_silent_and_says_so_by_its_code(tmp_path: Path) -> None:
    settings(
        tmp_path,
        "store: sqlite:///ordito.db\nsites: {forum: {connector: sandbox, file: c.db, side: forum}}\n",
    )
    assert run("sync", cwd=tmp_path).code == 0
    now = int(time.time() * 1_000_000)
    with closing(sqlite3.connect(tmp_path / "ordito.db")) as store, store:
        held = ("run", "ordito run by anna on loom (process 7)", "loom/1|7|token", now, now)
        store.execute("INSERT INTO locks VALUES (?, ?, ?, ?, ?)", held)
    second = run("run", cwd=tmp_path)
    assert (second.code, second.out, second.err) == (4, "", "")
    assert "anna on loom" in one_line(run("sync", cwd=tmp_path), 4)


def test_errors_are_one_json_document_when_asked_for(tmp_path: Path) -> None:
    done = run("--json", "sync", cwd=tmp_path)
    assert done.code == 2
    assert done.document["error"]["kind"]
    assert done.document["format"] == 1


@pytest.mark.parametrize(
    ("typed", "instead"),
    [(["log", "-v"], "ordito -v log"), (["plan", "--config", "x"], "ordito --config FILE plan")],
)
def test_an_option_behind_the_command_is_told_its_place(
    tmp_path: Path, typed: list[str], instead: str
) -> None:
    line = one_line(run(*typed, cwd=tmp_path), 2)
    assert f"It stands before the command: {instead} …" in line and "Did you mean" not in line
