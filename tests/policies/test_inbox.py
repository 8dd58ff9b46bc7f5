"""What people answer to us."""

from __future__ import annotations

import pytest

from ordito.policies.answers import first_line, own_lines, verdict
from ordito.sync.store import tables
from tests.policies.town import FREE, Town

NOTE = """\
  note:
    use: rule
    on: [forum]
    for: member
    when: {posts: ">= 1"}
    do: [{send_message: {message: rule-note}}]
"""


@pytest.fixture
def written(town: Town) -> Town:
    """We have written to a member, in a conversation of their own."""
    town.settle(NOTE)
    town.member("2")
    town.topic("10", "2", ("2", 1, "x"))
    assert len(town.run()) == 1
    return town


def opted_out(town: Town) -> set[tuple[str, str, str]]:
    town.plan()
    with town.store.read() as conn:
        return {(row.site, row.member, row.how) for row in conn.execute(tables.opt_outs.select())}


STOPS = [
    "STOP",
    "stop",
    "Stop.",
    "  **STOP**  ",
    "*Stop!*",
    "_STOP_",
    "\n\nSTOP\n\nThank you.",
    "> You get this once.\n\nSTOP",
    "[quote=\"ordito, post:1, topic:5\"]\nreply with STOP as the first line\n[/quote]\n\nSTOP",
    "[quote]a[quote]b[/quote]c[/quote]STOP",
    "STOP please",
    "STOP please, no more of these messages.",
    "STOP. I do not want to hear from a program!",
    "Please stop!",
    "STOP, grazie.",
    "Hi Ordito,\n\nSTOP",
    "On Mon, 2 Mar 2026 at 10:00, Ordito via The Club <forum@example.org>\nwrote:\n> reply with STOP\n\nSTOP",
    "\uff33\uff34\uff2f\uff30",  # full-width letters
]
GOES_ON = [
    "Please don't stop.",
    "STOP it, I like this",
    "STOP signs, where I live, are red",
    "STOP?",
    "Please don't stop",
    "~~STOP~~",
    "Thanks!\n\nSTOP",
    "> STOP",
    "  > STOP\n\nWhat does this mean?",
    "[quote=\"ordito\"]\nSTOP\n[/quote]\nWhat does this mean?",
    "[quote]\n[quote]x[/quote]\nSTOP\n[/quote]\nHm?",
    "[QUOTE]STOP[/QUOTE] no",
    "",
]


@pytest.mark.parametrize("text", STOPS)
def test_the_phrase_as_the_first_line_of_a_reply_ends_all_contact(written: Town, text: str) -> None:
    written.post("m1", "2", text=text)
    assert opted_out(written) == {("forum", "2", "phrase")}


@pytest.mark.parametrize("text", GOES_ON)
def test_the_phrase_elsewhere_or_in_a_quote_ends_nothing(written: Town, text: str) -> None:
    written.post("m1", "2", text=text)
    assert opted_out(written) == set()


def test_whoever_replies_opts_out_for_themselves_only(written: Town) -> None:
    written.post("m1", "9", text="STOP")
    assert opted_out(written) == {("forum", "9", "phrase")}


def test_what_was_written_before_us_or_deleted_or_by_us_is_no_answer(written: Town) -> None:
    written.post("m1", "2", days=1, text="STOP")
    written.post("m1", "2", text="STOP", deleted_at=written.ago(0))
    written.post("m1", "1", text="STOP")
    assert opted_out(written) == set()


def test_a_reply_where_we_never_wrote_is_not_for_us(written: Town) -> None:
    written.post("10", "2", text="STOP")
    assert opted_out(written) == set()


def test_an_opt_out_is_noted_once_with_its_evidence(written: Town) -> None:
    reply = written.post("m1", "2", text="STOP")
    opted_out(written)
    opted_out(written)
    with written.store.read() as conn:
        (row,) = conn.execute(tables.opt_outs.select()).all()
    assert row.evidence == str(reply)


def test_another_phrase_can_be_agreed_on(town: Town) -> None:
    town.settle(NOTE, FREE + "  opt_out: {phrase: BASTA!}\n")
    town.member("2")
    town.topic("10", "2", ("2", 1, "x"))
    town.run()
    town.post("m1", "2", text="basta!")
    assert opted_out(town) == {("forum", "2", "phrase")}


# --- yes and no -------------------------------------------------------------------------------------------

EXPERT = """\
  e:
    use: experts
    on: [forum]
    areas: spaces
    at_least: {evidence: 1, people: 1}
    give: {title: Sage}
"""


@pytest.fixture
def asked(town: Town) -> Town:
    town.settle(EXPERT)
    town.member("2")
    town.topic("10", "3", ("3", 9, "How?"), ("2", 8, "So."))
    assert [each.verb for each in town.run()] == ["send_message"]
    return town


def consent(town: Town) -> list[tuple[str, str]]:
    town.plan()
    with town.store.read() as conn:
        return [(row.member, row.answer) for row in conn.execute(tables.consents.select())]


MAIL = "On Mon, 2 Mar 2026 at 10:00 Ordito <forum@example.org> wrote:"
POSTA = "Il giorno lun 2 mar 2026 alle ore 10:00 Ordito <forum@example.org> ha scritto:"
QUESTION = "Please reply with **YES** or **NO** as the first line."
YES = [
    "YES", "yes!", "**Yes**", "SÌ", "sì.", "Si", "SI\u0300", "Sí", "sì'", "“Yes”", "Yes 👍", "yes yes",
    "Yep",
    "Yes please", "Yes, please do!", "Yes, thank you very much.", "Yes, of course - no problem.",
    "Sure, go ahead",
    "I agree.", "Sì, volentieri, grazie!", "Certo", "sono d’accordo", "Ja, gerne.", "Oui, avec plaisir",
    "Claro",
    "Yes, gladly! Thank you for asking.", "Sure, count me in. That's very kind of you.",
    "Sì, grazie per aver chiesto!",
    "Ja, gerne, danke der Nachfrage.", "Oui, merci d'avoir demandé !", "Sí, gracias por preguntar.",
    "Hi,\n\nyes, I'd be happy to.\n\nAnna", "Ciao Ordito,\nva bene!",
    "Yes.\n\nDo you need anything from me?",
    f"Yes please\n\n{MAIL}\n> {QUESTION}\n> It is not an obligation.", f"{MAIL}\n> {QUESTION}\n\nYes",
    f"{POSTA}\n> Rispondi con SÌ o NO.\n\nSì", "Yes\n\n-- \nAnna\nNot a lawyer", "yes\r\n\r\nAnna",
    f"Yes\n\n-----Original Message-----\nFrom: Ordito\n{QUESTION}", f"[quote]{QUESTION}[/quote]\nYes",
    f"Yes\n\nFrom: Ordito <forum@example.org>\nSent: Monday\n\n{QUESTION}",
]  # fmt: skip
NO = [
    "NO", "no.", "*No*", f"[quote]{QUESTION}[/quote]\nNo", "No thanks", "No, thank you.", "no no no",
    "Nope",
    "No, I would rather not be listed.", "I'd rather not", "No, grazie.", "Preferisco di no", "Nein danke",
    "Non, merci", "~~YES~~ NO", f"{MAIL}\n> YES\n\nNo",
]  # fmt: skip
UNCLEAR = [
    "Maybe", "What for?", "Yes and no", "I say yes", "Not yes", "not yet", "Yes?", "YES?!",
    "Should I say yes?", "Thank you for asking.", "Great, thanks!", "Yes, for what it is worth to you",
    "No problem", "OK", "👍", "Yes. No.", "No, wait, yes", "Yes, but only my first name",
    "Yes, I got your message",
    "Yes\n\nbut do not publish my real name", "Sì\n\nma senza il mio nome", "YES or NO", QUESTION,
    f"You wrote: {QUESTION}", "'YES' is what you want to hear", "Yes, if nobody else does", "{{tq|YES}}",
    "No idea",
    "I never say yes", "Non sì", "nicht ja", "Yes 👎",
    "Yes\n\nActually, forget it", "Yes\nplease remove me", "Yes\nneither now nor later",
    "Yes\nUnder one condition:",
    "Yes\n\nas long as nobody sees my name", "Yes\n\nHa, just kidding", "Sì\n\nanzi, lasciate stare",
    "Ja\n\nNein", "Ja\nsolange es anonym bleibt", "Oui\n\nplutôt plus tard", "Sí\n\nolvídalo",
]  # fmt: skip
NOTHING = [
    "", "> YES", "[quote]YES[/quote]", f"{MAIL}\n> YES", "~~Yes~~", "<!-- YES -->",
    "<blockquote>YES</blockquote>",
]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "texts"), [("yes", YES), ("no", NO), ("unclear", UNCLEAR), (None, NOTHING)]
)
def test_what_people_write_means_what_they_mean(found: str | None, texts: list[str]) -> None:
    wrong = {text: given for text in texts if (given := verdict(own_lines(text))) != found}
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    ["[quote]" * 9999, "~~" * 30001, "On 1" * 9999, "<s>" * 9999, "<!--" * 9999, "yes " * 9999],
    ids=["quote", "struck", "mail", "tag", "comment", "yes"],
)
def test_no_text_takes_long_to_understand(text: str) -> None:
    verdict(own_lines(text))


@pytest.mark.parametrize("text", ["YES", "Yes please", f"{MAIL}\n> {QUESTION}\n\nSì"])
def test_a_yes_is_understood(asked: Town, text: str) -> None:
    asked.post("m1", "2", text=text)
    assert consent(asked) == [("2", "yes")]


@pytest.mark.parametrize("text", ["NO", "No, thank you.", f"[quote]{QUESTION}[/quote]\nNo"])
def test_a_no_is_understood(asked: Town, text: str) -> None:
    asked.post("m1", "2", text=text)
    assert consent(asked) == [("2", "no")]


@pytest.mark.parametrize("text", ["Maybe", "Yes?", "Yes, but only my first name"])
def test_of_an_answer_that_is_not_plain_people_are_told(asked: Town, text: str) -> None:
    asked.post("m1", "2", text=text)
    assert consent(asked) == [("2", "unclear")]
    plan = asked.plan()
    assert plan.proposals == ()
    assert [(each.by, each.item) for each in plan.held if "neither a plain" in each.reason] == [
        ("answer", "forum:member:2")
    ]
    asked.later(hours=1)
    asked.post("m1", "2", text="Yes!")
    assert [each.verb for each in asked.proposed()] == ["set_title"]


def test_a_quotation_alone_is_no_answer(asked: Town) -> None:
    asked.post("m1", "2", text="> YES")
    assert consent(asked) == []


@pytest.mark.parametrize("second", ["Sorry, I do not want that after all.", "Please take me off again"])
def test_thanks_after_a_yes_change_nothing_but_second_thoughts_do(asked: Town, second: str) -> None:
    asked.post("m1", "2", text="Yes")
    asked.later(hours=1)
    asked.post("m1", "2", text="Thanks!")
    assert consent(asked) == [("2", "yes")]
    asked.later(hours=1)
    asked.post("m1", "2", text=second)
    assert consent(asked) == [("2", "unclear")]
    assert asked.proposed() == []


def test_the_last_answer_counts_in_whatever_plan_it_is_read(asked: Town) -> None:
    asked.post("m1", "2", text="NO")
    assert consent(asked) == [("2", "no")]
    asked.later(hours=1)
    asked.post("m1", "2", text="YES")
    assert consent(asked) == [("2", "yes")]
    assert consent(asked) == [("2", "yes")]


@pytest.mark.parametrize(("text", "means"), [("NO", "no"), ("~~YES~~", "unclear"), ("", "unclear")])
def test_an_answer_that_was_rewritten_counts_as_it_stands(asked: Town, text: str, means: str) -> None:
    reply = asked.post("m1", "2", text="YES")
    assert consent(asked) == [("2", "yes")]
    with asked.store.write() as conn:
        conn.execute(tables.texts.update().where(tables.texts.c.contribution == reply.id).values(text=text))
    assert consent(asked) == [("2", means)]
    assert consent(asked) == [("2", means)]


def test_third_persons_do_not_consent_for_others_nor_for_themselves(asked: Town) -> None:
    asked.member("3")
    asked.post("m1", "3", text="YES")
    assert consent(asked) == []


def test_a_stop_instead_of_an_answer_is_a_stop(asked: Town) -> None:
    asked.post("m1", "2", text="STOP")
    assert consent(asked) == []
    assert opted_out(asked) == {("forum", "2", "phrase")}


def test_a_first_line_is_what_people_see_first() -> None:
    assert first_line("\n> quoted\n\n**Yes!**\nmore") == "Yes"
