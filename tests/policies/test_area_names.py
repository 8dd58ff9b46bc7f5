"""Areas that a condition names and that no site has."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordito.policies.area_names import unknown_areas
from ordito.sync.store import tables
from tests.policies.town import Town
from tests.program import run

SITES = """\
sites:
  forum: {connector: sandbox, file: sandbox.db, side: forum, now: 2026-03-01T09:00:00Z, members: 40,
          threads: 40, contributions: 200}
"""
RULE = """\
  ask:
    use: rule
    for: member
    on: [forum]
    when: {expertise: {HELP: "> 0", Lunge: "> 0"}}
    do: [{add_to_group: {group: x}}]
"""


def warned(town: Town) -> list[tuple[str, str]]:
    with town.store.read() as conn:
        return [(row.message, row.hint) for row in unknown_areas(town.engine, conn, town.engine.active())]


def test_an_area_that_is_neither_tag_nor_category_is_named_with_the_nearest(town: Town) -> None:
    town.settle(RULE)
    town.topic("1", "2", ("2", 9, "x"), labels=["queens"])
    [(message, hint)] = warned(town)
    assert message.startswith("ask looks for expertise in 'Lunge', which is no tag or category on forum: ")
    assert hint == "Did you mean 'Lounge'?"
    town.settle(RULE.replace("Lunge", "Queens"))
    assert warned(town) == []


def test_areas_of_authors_and_in_exceptions_are_looked_at_too(town: Town) -> None:
    town.settle("""\
  tidy:
    use: rule
    for: thread
    on: [forum]
    when: {any: [{author.expertise: {helpp: "> 1"}}, {posts: "> 3"}]}
    except: {not: {author.expertise: {loung: "< 0"}}}
    do: [{set_labels: {add: [a]}}]
""")
    assert [hint for _, hint in warned(town)] == ["Did you mean 'Help'?", "Did you mean 'Lounge'?"]


def test_on_a_wiki_areas_are_categories_and_one_site_that_has_it_is_enough(town: Town) -> None:
    wiki = RULE.replace("{HELP", "{Tents").replace(", Lunge: \"> 0\"", "").replace("[forum]", "[wiki]")
    town.settle(wiki)
    town.topic("10", "2", ("2", 9, "x"), site="wiki", kind="page", space="0", labels=["Tent"])
    [(message, hint)] = warned(town)
    assert "no category on wiki" in message and hint == "Did you mean 'Tent'?"
    town.topic("1", "2", ("2", 9, "x"), labels=["tents"])
    town.settle(wiki.replace("[wiki]", "[forum, wiki]"))
    assert warned(town) == []


def test_of_a_site_that_was_not_read_to_the_end_nothing_is_said(town: Town) -> None:
    town.settle(RULE)
    with town.store.write() as conn:
        conn.execute(tables.checkpoints.update().values(complete=False))
    assert warned(town) == []


@pytest.mark.parametrize("offline", [["--offline"], []])
def test_check_and_plan_say_it_once_there_is_a_mirror(tmp_path: Path, offline: list[str]) -> None:
    path = tmp_path / "ordito.yaml"
    path.write_text(f"{SITES}policies:\n{RULE}", encoding="utf-8")
    before = run("check", *offline, cwd=tmp_path)
    assert "Lunge" not in before.out
    assert not (tmp_path / "ordito.db").exists(), "a check makes no store"
    assert run("sync", cwd=tmp_path).code == 0
    after = run("--json", "check", *offline, cwd=tmp_path)
    found = [row for row in after.document["findings"] if "'Lunge'" in row["message"]]
    assert [(row["level"], row["where"]) for row in found] == [("warning", "ordito.yaml:9:37")]
    assert "'Lunge', which is no tag or category" in run("plan", "--dry-run", cwd=tmp_path).err
