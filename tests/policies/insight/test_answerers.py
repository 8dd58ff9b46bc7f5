"""Who will answer a topic, from what happened before it."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordito.policies.insight.answerers import COEFFICIENTS, Past, Topic
from ordito.policies.insight.fading import Fading
from ordito.policies.insight.similar import Similar, words_of


def topic(id: str, author: str = "asker", *areas: str, title: str = "") -> Topic:
    return Topic(id, author, areas, words_of(title, ""))


def answered(past: Past, asked: Topic, at: float, *who: str) -> None:
    """A topic that these people answered within the day."""
    past.opened(asked, at)
    for number, each in enumerate(who, 1):
        past.wrote(each, asked.id, f"{asked.id}-{each}", at + number / 100)


def order(past: Past, asked: Topic, now: float) -> list[str]:
    return [each.who for each in past.likely(asked, now)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1000)), max_size=20), st.floats(0, 500))
def test_what_fades_is_the_sum_of_what_is_left_of_each(events: list[tuple[str, float]], after: float) -> None:
    events.sort(key=lambda event: event[1])
    fading, now = Fading(30), (events[-1][1] if events else 0) + after
    for key, at in events:
        fading.add(key, at)
    for key in "abc":
        left = sum(0.5 ** ((now - at) / 30) for each, at in events if each == key)
        assert fading.value(key, now) == pytest.approx(left)


def test_who_answers_more_and_later_is_named_first() -> None:
    past = Past()
    for number in range(10):
        answered(past, topic(f"old{number}"), number, "often", *(["seldom"] if number % 3 == 0 else []))
    assert order(past, topic("new"), 11) == ["often", "seldom"]
    for number in range(20):
        answered(past, topic(f"late{number}"), 60 + number, "seldom")
    assert order(past, topic("new"), 81) == ["seldom", "often"]


def test_who_answered_what_is_alike_goes_before_who_answered_as_much_of_something_else() -> None:
    past = Past()
    for number in range(30):
        honey, wheel = ("honey in a jar", "the wheel") if number % 6 == 0 else (f"a{number}", f"b{number}")
        answered(past, topic(f"h{number}", title=honey), number, "anna")
        answered(past, topic(f"w{number}", title=wheel), number, "bert")
    assert order(past, topic("new", title="honey in the jar"), 31) == ["anna", "bert"]
    assert order(past, topic("new", title="a wheel"), 31) == ["bert", "anna"]


def test_areas_and_authors_count() -> None:
    past = Past()
    for number in range(12):
        answered(past, topic(f"a{number}", "ann", "Help"), number, "helper")
        answered(past, topic(f"b{number}", "ben", "Lounge"), number, "talker")
    assert order(past, topic("new", "other", "Help"), 13)[0] == "helper"
    assert order(past, topic("new", "other", "Lounge"), 13)[0] == "talker"
    assert order(past, topic("new", "ann"), 13)[0] == "helper"
    assert order(past, topic("new", "ben"), 13)[0] == "talker"


def test_the_author_those_long_gone_and_those_who_never_answered_are_not_named() -> None:
    past = Past()
    answered(past, topic("1"), 0, "gone", "here")
    past.opened(topic("2", "lurker"), 300)
    past.wrote("lurker", "2", "p", 300)
    past.wrote("here", "2", "q", 300)
    past.wrote("asker", "2", "r", 300)
    assert order(past, topic("3"), 500) == ["here"]


def test_a_thread_that_was_not_opened_only_shows_who_was_there() -> None:
    past = Past()
    answered(past, topic("1"), 0, "anna", "bert")
    past.wrote("bert", "elsewhere", "p", 50)
    assert order(past, topic("2"), 51) == ["bert", "anna"]
    assert past.answered_since("bert", 1) == 0


def test_chances_add_up_and_those_barred_leave_theirs_to_the_others() -> None:
    past = Past()
    for number in range(6):
        answered(past, topic(str(number)), number, *"abcd"[: number % 4 + 1])
    everybody = past.likely(topic("new"), 7)
    assert sum(each.chance for each in everybody) == pytest.approx(1)
    rest = past.likely(topic("new"), 7, {"a"})
    assert [each.who for each in rest] == [each.who for each in everybody if each.who != "a"]
    assert sum(each.chance for each in rest) == pytest.approx(1)


def test_the_parts_of_a_sum_explain_the_chances() -> None:
    past = Past()
    for number in range(6):
        answered(past, topic(str(number), title=f"word{number % 2} more"), number, *"abcd"[: number % 4 + 1])
    first, second, *_ = past.likely(topic("new", title="word1"), 7)
    assert math.log(first.chance / second.chance) == pytest.approx(sum(first.parts) - sum(second.parts))


def test_every_term_lifts_but_absence() -> None:
    assert [name for name, value in COEFFICIENTS._asdict().items() if value < 0] == ["absent"]


def test_nobody_is_expected_where_nobody_ever_answered() -> None:
    assert Past().likely(topic("1"), 0) == []


# --- likeness -------------------------------------------------------------------------------------------


def test_code_quotes_and_addresses_are_not_the_authors_words() -> None:
    text = "Why does [quote=x]it was said[/quote] fail?\n```\nprint(x)\n```\nhttps://a.example/b twice twice"
    assert words_of("Fail", text) == Counter({"fail": 3, "twice": 2, "why": 1, "does": 1})


def test_the_rarest_shared_words_make_topics_alike() -> None:
    index = Similar()
    for number in range(20):
        index.add(str(number), words_of(f"common{number % 4} rare{number}", ""))
    found = index.like(words_of("common1 rare5", ""), 10)
    assert found[0][0] == "5"
    assert {id for id, _ in found} == {"5"}, "a word that every fourth topic has says nothing"


def test_the_likeness_of_one_shared_word_is_what_bm25_says() -> None:
    index = Similar()
    for number in range(10):
        index.add(str(number), {"only" if number == 3 else f"w{number}": 1, f"x{number}": 3})
    (found,) = index.like({"only": 1, "unheard": 1}, 5)
    assert found[0] == "3"
    assert found[1] == pytest.approx(2.2 / (1 + 1.2), rel=1e-9)  # tf 1 in a text of mean length
