"""The whole loop as a user runs it, on the sandbox: settings, sync, plan, review, apply, log, undo."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.program import Outcome, run

SETTINGS = """\
store: sqlite:///ordito.db
sites:
  forum: {connector: sandbox, file: community.db, side: forum}
  wiki: {connector: sandbox, file: community.db, side: wiki}
constitution:
  limits: {per_run: 40, per_policy: 6, share: 100%}
  contact: {messages: 20, per: 7 days}
  undo_window: 0 minutes
  stop: wiki:title:Project:Ordito/Stop
policies:
  welcome-newcomers: {use: welcome, on: [forum], send: {message: welcome, with: [greeters]}}
  recognise-experts:
    use: experts
    on: [forum]
    areas: spaces
    give: {group: "experts-{area}", badge: Expert}
  archive-stale: {use: stale, on: [forum], warn: {grace: 14 days}, then: [close]}
  tag-install-questions:
    use: rule
    for: thread
    on: [forum]
    when: {title: {matches: "(?i)install"}, labels: {none: [installation]}}
    do: [{set_labels: {add: [installation]}}]
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with settings, synced once."""
    (tmp_path / "ordito.yaml").write_text(SETTINGS, encoding="utf-8")
    done = run("sync", cwd=tmp_path)
    assert done.code == 0, done.err
    return tmp_path


def ordito(place: Path, *words: str | int) -> Outcome:
    return run(*map(str, words), cwd=place)


def proposals(place: Path, *words: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = ordito(place, "--json", "review", "list", *words).document["proposals"]
    return listed


def test_what_is_planned_is_reviewed_and_applied_once(place: Path) -> None:
    planned = ordito(place, "--json", "plan")
    assert planned.code == 0, planned.err
    by_policy = {each["policy"] for each in planned.document["proposals"]}
    assert by_policy == {
        "welcome-newcomers", "recognise-experts", "archive-stale", "tag-install-questions"
    }  # fmt: skip

    ids = [each["id"] for each in proposals(place)]
    assert ordito(place, "review", "approve", *ids).code == 0
    applied = ordito(place, "--json", "apply")
    assert applied.code == 0, applied.err
    assert sorted(each["id"] for each in applied.document["applied"]) == sorted(ids)

    again = ordito(place, "--json", "apply")
    assert again.document["applied"] == []
    ordito(place, "sync")
    second = ordito(place, "--json", "plan")
    keys = {each["key"] for each in planned.document["proposals"]}
    assert not keys & {each["key"] for each in second.document["proposals"]}


def test_a_rejected_proposal_does_not_come_back(place: Path) -> None:
    ordito(place, "plan", "welcome-newcomers")
    (first, *_) = proposals(place)
    assert ordito(place, "review", "reject", first["id"], "--reason", "known in person").code == 0
    replanned = ordito(place, "--json", "plan", "welcome-newcomers").document
    assert first["key"] not in {each["key"] for each in replanned["proposals"]}


def test_a_label_that_was_set_can_be_taken_back(place: Path) -> None:
    ordito(place, "plan", "tag-install-questions")
    (first, *_) = proposals(place)
    ordito(place, "review", "approve", first["id"])
    ordito(place, "apply")
    undone = ordito(place, "--json", "undo", first["id"])
    assert undone.code == 0, undone.err
    states = {each["id"]: each["state"] for each in ordito(place, "--json", "log").document["entries"]}
    assert states[first["id"]] == "undone"
    ordito(place, "sync")
    why = ordito(place, "--json", "why", "tag-install-questions", first["item"]).document
    assert why["matches"]  # the label is gone again
    assert any("undone" in reason for reason in why["held_by"])  # and is not proposed a second time


def test_a_run_is_silent_and_the_second_one_does_nothing(place: Path) -> None:
    first = ordito(place, "run")
    assert (first.code, first.out, first.err) == (0, "", "")
    second = ordito(place, "--json", "run").document
    assert second["apply"]["applied"] == []
    assert [site["contributions"] for site in second["sync"]["sites"]] == [0, 0]


def test_a_dry_run_stores_nothing(place: Path) -> None:
    shown = ordito(place, "--json", "plan", "--dry-run").document
    assert shown["proposals"]
    assert proposals(place) == []


def test_plan_can_say_by_its_exit_code_that_something_is_proposed(place: Path) -> None:
    assert ordito(place, "plan", "--detailed-exitcode").code == 5


def test_a_backtest_says_what_a_policy_would_have_done(place: Path) -> None:
    today = datetime.now(UTC).date()
    span = ("--from", today - timedelta(days=60), "--to", today - timedelta(days=30), "--every", "1w")
    told = ordito(place, "--json", "backtest", "archive-stale", *map(str, span)).document
    assert (told["policy"], told["steps"]) == ("archive-stale", 5)
    assert told["actions"] == told["outcomes"]["warn"] + told["outcomes"].get("close", 0) > 0
    assert told["outcomes"]["close"] <= told["outcomes"]["warn"]
    assert told["examples"][0]["item"].startswith("forum:thread:")
    vary = ("--vary", "quiet=90d,180d")
    both = ordito(place, "--json", "backtest", "archive-stale", *map(str, span), *vary).document
    assert [each["settings"] for each in both["variants"]] == [
        {"when.quiet": "> 90 days"}, {"when.quiet": "> 180 days"}
    ]  # fmt: skip
    assert both["outcomes"] == both["variants"][0]["outcomes"]
    assert both["variants"][1]["outcomes"] == told["outcomes"]
    assert all(each["url"].startswith("https://") for each in both["examples"])
    table = ordito(place, "backtest", "archive-stale", *map(str, span), *vary).out
    assert "2 settings side by side" in table and "quiet > 90 days" in table
    assert proposals(place) == []  # it only looks
    wrong = ordito(place, "backtest", "archive-stale", "--from", "2026-02-01", "--to", "2026-01-01")
    assert wrong.code == 2


def test_the_reference_commands_answer_without_settings(tmp_path: Path) -> None:
    for command in ("facts", "policies", "schema"):
        done = run(command, cwd=tmp_path)
        assert done.code == 0, done.err
        assert done.out


def test_the_demo_ends_by_itself_and_leaves_its_settings(tmp_path: Path) -> None:
    done = run("demo", cwd=tmp_path)
    assert done.code == 0, done.err
    settings = tmp_path / "ordito-demo" / "ordito.yaml"
    assert settings.exists()
    listed = run("--config", settings, "--json", "review", "list", cwd=tmp_path)
    assert len({each["policy"] for each in listed.document["proposals"]}) == 4
    again = run("demo", cwd=tmp_path)
    assert again.code == 0, again.err
