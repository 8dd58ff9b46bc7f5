"""Opt-outs by a template on a talk page; and what counted at an earlier moment."""

from __future__ import annotations

import pytest

from ordito.connectors.records import Kind, Ref
from ordito.sync.store import tables
from ordito.sync.store.times import micros
from tests.policies.test_constitution import NOTE, held, law, topics
from tests.policies.town import Town

NOBOTS = ["{{nobots}}", "{{Bots|deny=Ordito}}", "{{bots|optout=all}}"]


@pytest.mark.parametrize("text", NOBOTS)
def test_a_template_on_the_talk_page_is_an_opt_out_for_all_accounts_until_it_goes(
    town: Town, text: str
) -> None:
    town.settle(NOTE, law())
    topics(town, 1)
    here, there = Ref("forum", Kind.MEMBER, "101"), town.member("7", site="wiki")
    town.link(here, there)
    town.topic("t", "7", ("7", 9, text), site="wiki", space="3", kind="talk", title="User talk:user7")
    plan = town.plan()
    assert held(plan, "opt-out") == [str(here)]
    assert any("on the talk page" in each.reason for each in plan.held)
    town.post("t", "7", 1, "{{bots|deny=Other}} Hello.", site="wiki")
    assert [each.item for each in town.proposed()] == [here]


def test_a_look_at_the_past_counts_its_opt_outs_groups_and_messages(town: Town) -> None:
    town.settle(NOTE, law("contact: {messages: 1, per: 7 days}\nopt_out: {group: no-automation}"))
    topics(town, 3)
    wanted, out, grouped = (Ref("forum", Kind.MEMBER, str(id)) for id in (101, 102, 103))
    then = town.now
    assert {each.item for each in town.plan(as_of=then).proposals} == {wanted, out, grouped}
    town.later(days=1)
    town.opt_out(out)
    with town.store.write() as conn:
        conn.execute(tables.states.insert().values(
            site="forum", kind="member", item="103", field="group", value="no-automation",
            valid_from=micros(town.now), source="observed"))  # fmt: skip
    town.run()
    assert len(town.performed) == 1
    assert {each.item for each in town.plan(as_of=then).proposals} == {wanted, out, grouped}
    now = town.plan(as_of=town.now)
    assert (set(held(now, "opt-out")), held(now, "contact")) == ({str(out), str(grouped)}, [str(wanted)])
