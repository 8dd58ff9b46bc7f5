"""What people answer to us on the talk pages of a wiki."""

from __future__ import annotations

import pytest

from ordito.connectors.records import Kind, Ref
from ordito.policies.builtin.experts import ASK
from ordito.sync.store import tables
from tests.policies.test_experts_on_wikis import edits
from tests.policies.test_inbox import opted_out
from tests.policies.town import Town

NOTE = """\
  note:
    use: rule
    on: [wiki]
    for: member
    when: {posts: ">= 1", username: user2}
    do: [{send_message: {message: rule-note}}]
"""
OURS = "== A note ==\nHello, reply with STOP. [[User:Ordito|Ordito]] 12:00, 31 March 2026 (UTC)"
BOB = "[[User:user2|user2]] ([[User talk:user2|talk]]) 12:30, 31 March 2026 (UTC)"
PAGE = Ref("wiki", Kind.THREAD, "m1")


@pytest.fixture
def written(town: Town) -> Town:
    """We have written to a member on their talk page, and nobody has edited it since."""
    town.settle(NOTE)
    for id in ("2", "3"):
        town.member(id, site="wiki")
    town.topic("10", "2", ("2", 1, "x"), site="wiki", kind="page", space="0")
    assert len(town.run()) == 1
    town.change(PAGE, kind="talk", space="3", title="User talk:user2")
    return town


def answered(town: Town, text: str, by: str = "2") -> set[tuple[str, str, str]]:
    town.later(hours=1)
    town.post("m1", by, text=text, site="wiki")
    return opted_out(town)


@pytest.mark.parametrize(
    "reply",
    [
        f":STOP {BOB}",
        f"\n:'''Stop.''' --{BOB}",
        f":STOP\n:Thank you. {BOB}",
        f":Hm? [[User:user3]] 12:20, 31 March 2026 (UTC)\n::STOP {BOB}",
        "STOP",
    ],
)
def test_the_phrase_below_our_section_ends_all_contact(written: Town, reply: str) -> None:
    assert answered(written, f"{OURS}\n{reply}") == {("wiki", "2", "phrase")}


@pytest.mark.parametrize(
    "text",
    [
        f"{OURS}\n:Please don't stop. {BOB}",
        f"{OURS}\n:Thanks!\n:STOP {BOB}",
        f"{OURS}\n\n== Other ==\nSTOP {BOB}",
        f"== Before ==\nSTOP {BOB}\n\n{OURS}",
        OURS,
        "STOP",
    ],
)
def test_other_words_and_other_sections_do_not(written: Town, text: str) -> None:
    assert answered(written, text) == set()


def test_a_name_below_words_is_no_proof(written: Town) -> None:
    """Somebody else wrote STOP in the name of the member, who never edited the page."""
    assert answered(written, f"{OURS}\n:STOP {BOB}", by="3") == set()


def test_somebody_else_may_opt_out_there_for_themselves(written: Town) -> None:
    reply = ":STOP [[User:user3|user3]] 12:30, 31 March 2026 (UTC)"
    assert answered(written, f"{OURS}\n{reply}", by="3") == {("wiki", "3", "phrase")}


def test_a_page_on_a_wiki_that_begins_with_the_phrase_is_no_answer(written: Town) -> None:
    written.change(PAGE, kind="page", space="0", title="Traffic signs")
    assert answered(written, "STOP\n\nA sign.") == set()


@pytest.mark.parametrize(
    ("reply", "understood"),
    [(f"Yes! {BOB}", "yes"), (f"Yes, [[User:Carl]] may be listed, but I do not want it. {BOB}", "unclear")],
)
def test_consent_is_given_below_the_question(town: Town, reply: str, understood: str) -> None:
    town.settle("""\
  experts:
    use: experts
    on: [wiki]
    areas: labels
    at_least: {evidence: 2, people: 1}
    give: {directory: "wiki:title:Experts"}
""")
    for id in ("2", "4", "5"):
        town.member(id, site="wiki")
    for page, opener in (("10", "4"), ("11", "5")):
        edits(town, page, (opener, 90, "one"), ("2", 60, "one two"))
    town.approve(*(each for each in town.proposed() if each.step == ASK and each.item.id == "2"))
    town.apply()
    (question,) = town.performed
    town.change(PAGE, kind="talk", space="3", title="User talk:user2")
    heading = question.subject  # type: ignore[union-attr]
    town.later(hours=1)
    ours = OURS.replace("A note", heading)
    town.post("m1", "2", text=f"{ours}\n:{reply}", site="wiki")
    town.plan()
    with town.store.read() as conn:
        rows = [(row.site, row.member, row.answer) for row in conn.execute(tables.consents.select())]
    assert rows == [("wiki", "2", understood)]
