"""What policies ask of the store beyond facts, on PostgreSQL as well: wikis, answers, backtests, holdout."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from ordito.connectors.actions import ArchiveThread, SendMessage
from ordito.connectors.base import Standing
from ordito.connectors.records import Kind, Ref
from ordito.policies.holdout import assigned
from ordito.sync.store import tables
from ordito.sync.store.store import Store
from tests.policies.test_backtest import outcomes, run
from tests.policies.test_inbox import opted_out
from tests.policies.test_talk_inbox import BOB, NOTE, OURS, PAGE
from tests.policies.town import NOW, Town

STALE = """\
  tidy:
    use: stale
    on: [wiki]
    when: {quiet: "> 1 year"}
    then: [archive]
    template: "{{Old}}"
    tell: {}
    archive: "{talkpage}/Archive {year}"
"""


@pytest.fixture
def town(copied_postgres_url: str, tmp_path: Path) -> Iterator[Town]:
    opened = Store.open(copied_postgres_url, now=NOW)
    yield Town(opened, tmp_path)
    opened.close()


def test_wikis_and_answers_on_their_talk_pages(town: Town) -> None:
    town.settle(STALE)
    for id in ("2", "3"):
        town.member(id, site="wiki")
    old = "== A ==\nB. [[User:user2]] 10:00, 1 March 2024 (UTC)"
    town.topic("10", "2", ("2", 500, "Tents."), site="wiki", kind="page", space="0")
    town.topic("11", "2", ("2", 500, old), site="wiki", kind="talk", space="1")
    town.engine.standing = lambda site, pages, links: {each: Standing(9, True) for each in pages}
    assert {type(each) for each in town.run()} == {ArchiveThread}
    (told,) = town.run()
    assert isinstance(told, SendMessage) and told.to == ("2",)


def test_opt_outs_on_a_wiki(town: Town) -> None:
    town.settle(NOTE)
    for id in ("2", "3"):
        town.member(id, site="wiki")
    town.topic("10", "2", ("2", 1, "x"), site="wiki", kind="page", space="0")
    town.run()
    town.change(PAGE, kind="talk", space="3", title="User talk:user2")
    town.later(hours=1)
    town.post("m1", "2", text=f"{OURS}\n:STOP {BOB}", site="wiki")
    assert opted_out(town) == {("wiki", "2", "phrase")}
    town.topic("t", "3", ("3", 0, "{{nobots}}"), site="wiki", kind="talk", space="3", title="User talk:user3")
    town.settle(NOTE.replace("user2", "user3"))
    town.topic("12", "3", ("3", 1, "x"), site="wiki", kind="page", space="0")
    assert [each.by for each in town.plan().held] == ["opt-out"]
    assert [each.by for each in town.plan(as_of=NOW).held] == ["opt-out"]


def test_backtests_and_the_arms_of_a_holdout(town: Town) -> None:
    town.settle("  hello: {use: welcome, on: [forum, wiki], holdout: 50%}\n")
    for site in ("forum", "wiki"):
        for id in ("2", "20"):
            town.member(id, site=site)
        town.topic("1", "2", ("2", 900, "x"), site=site, kind="talk" if site == "wiki" else "topic")
        town.topic("t", "20", ("20", 50, "Here."), ("2", 49, "Hello!"), site=site,
                   kind="talk" if site == "wiki" else "topic")  # fmt: skip
    who = Ref("forum", Kind.MEMBER, "20")
    with town.store.write() as conn:
        row = {"policy": "hello", "person": str(who), "arm": "held out", "at": town.ago(50)}
        conn.execute(insert(tables.assignments).values(**row))
    found = run(town, days=60, until=40)[0]
    assert (found.outcomes["newcomers"], found.outcomes["answered by people"]) == (2, 2)
    assert found.arms is not None and found.arms.held_out.followed == 1
    town.now -= timedelta(days=45)
    town.plan()
    with town.store.read() as conn:
        assert assigned(conn, "hello")[who] == "held out"
    town.now += timedelta(days=45)
    town.settle("  tidy: {use: stale, on: [forum], then: [close]}\n")
    town.member("3")
    town.topic("9", "2", ("2", 900, "How?"), ("3", 899, "So."))
    assert outcomes(town, days=60)["close"] == 1
