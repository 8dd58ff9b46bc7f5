"""Who could answer a topic of the mirrored forum, and who is passed over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

import pytest
from click.testing import CliRunner

from ordito.connectors.base import World
from ordito.connectors.records import Kind, Ref
from ordito.policies.insight import history
from ordito.policies.people_commands import experts
from ordito.sync.context import App
from ordito.sync.output import Output
from tests.policies.town import FREE, Town

POLICY = "  e: {use: experts, on: [forum], areas: spaces, give: {badge: Expert}%s}\n"


@pytest.fixture
def asked(town: Town) -> Ref:
    """A question about honey; 2 answered many about honey, 3 as many about wheels, 4 but one."""
    town.settle(POLICY % "")
    with town.at_once():
        for number in ("2", "3", "4", "9"):
            town.member(number)
        for day in range(20, 28):
            town.topic(f"h{day}", "9", ("9", day, "In jars."), ("2", day - 1, "So."), title=f"Honey {day}")
            town.topic(f"w{day}", "9", ("9", day, "In mud."), ("3", day - 1, "So."), title=f"Wheels {day}")
            for more in range(4):
                town.topic(f"x{day}{more}", "9", ("9", day, "What else?"), title="Else")
        town.topic("h9", "9", ("9", 30, "In jars."), ("4", 29, "So."), title="Honey")
        return town.topic("q", "9", ("9", 0.1, "It is in jars."), title="Honey that crystallises")


def said(town: Town, *words: str) -> dict[str, Any]:
    """What the command says, at the town's time."""
    out = CliRunner().invoke(experts, words, obj=_app(town), catch_exceptions=False)
    assert out.exit_code == 0, out.output
    document: dict[str, Any] = json.loads(out.stdout)
    assert document["format"] == 1
    return document


def suggested(town: Town, item: str) -> list[dict[str, Any]]:
    document = said(town, "--for", item)
    assert document["item"] == "forum:thread:q"
    found: list[dict[str, Any]] = document["experts"]
    return found


def _app(town: Town) -> App:
    made = App(
        load_settings=lambda: town.settings,
        world=World(lambda: town.now, lambda: 0.0, lambda seconds: None),
        user="tester", out=Output(json=True), make_gate=cast(Any, None),
    )  # fmt: skip
    made.store = town.store
    return made


def named(town: Town, asked: Ref) -> list[str]:
    return [each["member"].rpartition(":")[2] for each in suggested(town, str(asked))]


def test_who_answered_what_is_alike_is_named_first_with_these_answers_and_why(town: Town, asked: Ref) -> None:
    first, second, third = suggested(town, "forum:topic:q")
    assert [each["username"] for each in (first, second, third)] == ["user2", "user3", "user4"]
    assert first["score"] + second["score"] + third["score"] == pytest.approx(1, abs=0.002)
    assert "answered 8 of the 9 topics most like this one" in first["why"]
    assert "answered 8 topics in the last 60 days (49 were opened)" in second["why"]
    with town.store.read() as conn:
        rows = conn.exec_driver_sql("select id, thread from contributions where author = '2'")
        written = {row[0]: row[1] for row in rows}
    cited = [Ref.parse(each) for each in first["evidence"]]
    assert {each.kind for each in cited} == {Kind.CONTRIBUTION}
    assert all(written[each.id].startswith("h") for each in cited)


def test_a_post_stands_for_its_topic(town: Town, asked: Ref) -> None:
    post = town.post("q", "9", text="Still.")
    assert suggested(town, str(post))[0]["username"] == "user2"


def test_where_not_all_topics_are_read_it_is_said_since_when(
    town: Town, asked: Ref, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_TOPICS", 50)  # as many as there are
    assert "since" not in said(town, "--for", str(asked))
    monkeypatch.setattr(history, "_TOPICS", 49)
    assert said(town, "--for", str(asked))["since"] == (town.now - timedelta(days=27)).isoformat()


def test_what_comes_after_now_says_nothing(town: Town, asked: Ref) -> None:
    before = suggested(town, str(asked))
    town.post("q", "3", days=-1, text="Later.")
    assert suggested(town, str(asked)) == before


def test_bots_suspended_staged_silenced_and_excepted_members_are_passed_over(town: Town, asked: Ref) -> None:
    who = Ref("forum", Kind.MEMBER, "2")
    for field in ({"bot": True}, {"staged": True}, {"suspended_until": town.ago(-3)},
                  {"silenced_until": town.ago(-3)}, {"deleted_at": town.ago(1)}):  # fmt: skip
        town.change(who, **field)
        assert named(town, asked) == ["3", "4"], field
        town.change(who, **dict.fromkeys(field, False if next(iter(field.values())) is True else None))
    assert named(town, asked) == ["2", "3", "4"]
    town.settle(POLICY % ", except: {groups: [staff]}")
    town.join("2", "staff")
    assert named(town, asked) == ["3", "4"]


def test_who_opted_out_or_is_on_a_never_list_is_passed_over_on_every_account(town: Town, asked: Ref) -> None:
    town.settle(POLICY % "", FREE + "  never: {members: [User3]}\n")
    assert named(town, asked) == ["2", "4"]
    wiki = town.member("77", site="wiki")
    town.link(wiki, Ref("forum", Kind.MEMBER, "2"))
    town.opt_out(wiki)
    assert named(town, asked) == ["4"]


def test_the_author_is_not_named_nor_on_another_account_of_theirs(town: Town, asked: Ref) -> None:
    town.link(Ref("forum", Kind.MEMBER, "9"), Ref("forum", Kind.MEMBER, "2"))
    assert named(town, asked) == ["3", "4"]


def test_a_topic_that_is_not_there_is_an_error_with_a_hint(town: Town, asked: Ref) -> None:
    with pytest.raises(Exception, match="The mirror has no thread forum:thread:404"):
        CliRunner().invoke(experts, ["--for", "forum:topic:404"], obj=_app(town), catch_exceptions=False)


def test_who_is_expected_is_asked_as_of_now(town: Town, asked: Ref) -> None:
    town.now += timedelta(days=500)
    assert suggested(town, str(asked)) == []


def test_in_an_area_nobody_is_named_who_is_excepted_or_opted_out(town: Town, asked: Ref) -> None:
    least = ", at_least: {evidence: 1, people: 1}"
    town.settle(POLICY % least)
    found = said(town, "help")
    assert found["area"] == "help"
    assert [each["member"] for each in found["experts"]] == [f"forum:member:{id}" for id in "234"]
    assert found["experts"][0]["why"] == "8 answers to 1 person in Help"
    town.opt_out(Ref("forum", Kind.MEMBER, "2"))
    town.settle(POLICY % f"{least}, except: {{username: user3}}")
    assert [each["member"] for each in said(town, "help")["experts"]] == ["forum:member:4"]
