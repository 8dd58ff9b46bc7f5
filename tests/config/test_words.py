"""The nearest word."""

from __future__ import annotations

from ordito.config.words import nearest, suggestion


def test_case_and_separators_do_not_matter() -> None:
    assert nearest("PER-POLICY", ["per_policy", "per_run"]) == "per_policy"
    assert nearest("colour", ["language", "store"]) is None


def test_a_hint_names_the_nearest_word_else_those_there_are() -> None:
    assert suggestion("stor", ["store", "sites"]) == "Did you mean 'store'?"
    assert suggestion("x", ["store", "sites"]) == "Known here: store, sites."
    assert suggestion("x", map(str, range(100, 120))).endswith("111, ….")
    assert suggestion("x", [], empty="There are none.") == "There are none."
