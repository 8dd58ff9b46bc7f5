"""`ordito init` and `ordito check` as somebody at a terminal, or a script, uses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from ordito.cli import load_settings
from ordito.connectors.base import World
from ordito.policies.setup_commands import check, init
from ordito.sync.context import App
from ordito.sync.output import Output
from tests.program import run


def app(folder: Path, *, terminal: bool = False) -> App:
    """The program with a clock that only waiting moves."""
    path = str(folder / "ordito.yaml")
    waited: list[float] = []
    start = datetime(2026, 3, 1, tzinfo=UTC)
    return App(
        load_settings=lambda: load_settings(path),
        world=World(lambda: start + timedelta(seconds=sum(waited)), lambda: sum(waited), waited.append),
        user="tester",
        out=Output(),
        make_gate=cast(Any, None),
        stdin_terminal=terminal,
        path=path,
    )


def at_a_terminal(folder: Path, typed: list[str], *options: str) -> Result:
    return CliRunner().invoke(
        init, options, obj=app(folder, terminal=True), input="\n".join(typed) + "\n", catch_exceptions=False
    )


def test_init_asks_and_writes_settings_that_can_be_read(tmp_path: Path) -> None:
    typed = ["forum.example.org", "", "", "not an address", "wiki.example.org", "", "", "it", "Europe/Rome",
             "admin@example.org", "3"]  # fmt: skip
    result = at_a_terminal(tmp_path, typed)
    assert result.exit_code == 0
    assert "Error: 'not an address' is not an address. Write it as" in result.stderr
    settings = load_settings(str(tmp_path / "ordito.yaml"))
    assert list(settings.sites) == ["forum", "wiki"]
    assert settings.language == "it"
    assert settings.contact == "admin@example.org"
    assert "close-last-year" in settings.policies
    assert "export ORDITO_FORUM_KEY=…" in result.stdout
    assert "ordito check" in result.stdout


def test_init_never_asks_for_a_secret(tmp_path: Path) -> None:
    result = at_a_terminal(tmp_path, ["", "wiki.example.org", "", "", "", "", "", ""])
    assert result.exit_code == 0
    assert "variable that will hold its bot password" in result.stderr
    assert "password: {env: ORDITO_WIKI_PASSWORD}" in (tmp_path / "ordito.yaml").read_text(encoding="utf-8")


def test_init_names_the_next_steps_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ["", "wiki.example.org", "", "", "", "", "", ""]
    steps = at_a_terminal(tmp_path, typed).stdout.splitlines()
    assert [steps[0][-5:], steps[1][:4], steps[2][:12]] == ["Next:", "  1.", "Then read it"]
    monkeypatch.setenv("ORDITO_WIKI_PASSWORD", "x")
    (tmp_path / "ordito.yaml").unlink()
    assert at_a_terminal(tmp_path, typed).stdout.splitlines()[1].startswith("Read it, change what you like")


def test_init_by_options_asks_for_nothing(tmp_path: Path) -> None:
    options = ["--wiki", "wiki.example.org", "--wiki-user", "Ordito@nightly", "--wiki-password", "WIKI"]
    done = run("init", *options, "--preset", "professional-community", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    settings = load_settings(str(tmp_path / "ordito.yaml"))
    site = settings.to_dict()["sites"]["wiki"]
    assert (site["username"], site["password"]) == ("Ordito@nightly", {"env": "WIKI"})
    assert "list-experts" in settings.policies


def test_init_does_not_touch_a_file_that_exists(tmp_path: Path) -> None:
    (tmp_path / "ordito.yaml").write_text("mine", encoding="utf-8")
    done = run("init", "--wiki", "wiki.example.org", cwd=tmp_path)
    assert done.code == 2
    assert "ordito.yaml exists already and stays as it is." in done.err
    assert (tmp_path / "ordito.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "There is no site to set up. Give --forum URL, --wiki URL or both."),
        (("--wiki", "two words"), "'two words' is not an address."),
        (("--wiki", "w.example.org", "--timezone", "Europe/Roma"), "Did you mean 'Europe/Rome'?"),
        (("--wiki", "w.example.org", "--language", "English"), "'English' is not a language."),
        (("--wiki", "w.example.org", "--preset", "learning"), "There is no preset 'learning'."),
        (("--wiki", "w.example.org", "--wiki-password", "hunter2"), "in capitals."),
    ],
)
def test_init_with_answers_that_cannot_be_used_leaves_nothing_behind(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = run("init", *options, cwd=tmp_path)
    assert done.code == 2
    assert message in done.err
    assert "hunter2" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_check_offline_ends_with_2_for_a_missing_secret_and_0_without_a_fault(tmp_path: Path) -> None:
    run("init", "--wiki", "wiki.example.org", cwd=tmp_path)
    missing = run("check", "--offline", cwd=tmp_path)
    assert missing.code == 2
    assert missing.out.startswith("error    ordito.yaml:")
    assert "ORDITO_WIKI_PASSWORD" in missing.out
    good = run("--json", "check", "--offline", cwd=tmp_path, variables={"ORDITO_WIKI_PASSWORD": "x"})
    assert good.code == 0
    assert good.document["format"] == 1
    assert [row["level"] for row in good.document["findings"]] == ["ok"]
    assert not (tmp_path / "ordito.db").exists()


def test_check_prints_every_fault_of_the_settings_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "ordito.yaml").write_text("sties: {}\nlanguage: 7\n", encoding="utf-8")
    done = run("check", cwd=tmp_path)
    assert done.code == 2
    assert "ordito.yaml:1:1: sties: unknown key 'sties'. Did you mean 'sites'?" in done.err
    assert "ordito.yaml:2:11: language: should be text. Put it in quotes." in done.err
    assert "Traceback" not in done.err


def test_check_asks_the_sites_and_ends_with_0_when_all_is_well(tmp_path: Path) -> None:
    text = "sites:\n  forum: {connector: sandbox, file: sandbox.db, side: forum}\n"
    text += "policies:\n  greet: {use: welcome, on: [forum], send: {message: welcome, with: [greeters]}}\n"
    (tmp_path / "ordito.yaml").write_text(text, encoding="utf-8")
    done = run("--json", "check", cwd=tmp_path)
    assert done.code == 0
    found = done.document["findings"]
    assert {row["level"] for row in found} <= {"ok", "warning"}
    assert any(row["where"] == "forum" and "ordito" in row["message"] for row in found)


def test_check_ends_with_1_when_a_site_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDITO_WIKI_PASSWORD", "x")
    run("init", "--wiki", "http://127.0.0.1:9/api.php", cwd=tmp_path)
    result = CliRunner().invoke(check, [], obj=app(tmp_path), standalone_mode=False)
    assert result.return_value == 1
    assert "error    wiki: " in result.stdout
