"""`ordito demo`, watched on a terminal and not."""

import re
import signal
import threading
import webbrowser
from pathlib import Path
from typing import Any

import pytest
import requests

from ordito.cli import _browse
from tests.program import run
from tests.terminal import terminal


def test_on_a_terminal_the_page_opens_and_control_c_ends_it_cleanly(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "a browser shows $1 now"\n', encoding="utf-8")
    browser.chmod(0o755)
    with terminal(tmp_path, "demo", BROWSER=str(browser)) as desk:
        desk.until(" now\n")
        [link, shown] = re.findall(r"http://127\.0\.0\.1:\d+/sign-in/link/\S+", desk.out)
        assert link == shown
        with requests.Session() as session:
            assert "Continue as" in session.get(link, timeout=30).text
        desk.process.send_signal(signal.SIGINT)
        assert desk.end() == 0
    assert "The review page is closed." in desk.out and "Traceback" not in desk.out
    assert "23 proposals wait for a decision" in desk.out
    assert "ordito --config ordito-demo/ordito.yaml apply" in desk.out


def test_without_a_terminal_it_shows_one_proposal_of_every_policy_and_ends(tmp_path: Path) -> None:
    done = run("demo", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.count("\nWhy\n") == 4
    assert "/sign-in/" not in done.out
    for command in ("review", "serve", "apply", "log"):
        assert f"ordito --config ordito-demo/ordito.yaml {command} " in done.out
    why = run("--config", "ordito-demo/ordito.yaml", "why", "welcome-newcomers", "@sama", cwd=tmp_path)
    assert why.out.startswith("The policy welcome-newcomers means user sama on forum.\n")
    asked = ("why", "archive-stale", "forum:thread:none")
    none = run("--config", "ordito-demo/ordito.yaml", *asked, cwd=tmp_path)
    assert none.code == 2
    assert "looks at topics, and the mirror has no such one as 'forum:thread:none'" in none.err


@pytest.mark.parametrize("variables", [{}, {"DISPLAY": ":0"}])
def test_without_a_browser_with_windows_nothing_happens(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def start(**_: Any) -> None:
        raise AssertionError("a browser is opened that would take over the terminal")

    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("lynx"))
    monkeypatch.setattr(threading, "Thread", start)
    _browse("http://127.0.0.1/")
