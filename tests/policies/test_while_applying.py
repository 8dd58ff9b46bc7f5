"""What happens between the approval of one action and the next."""

from __future__ import annotations

from typing import Any

import pytest

from ordito.connectors.actions import Action
from ordito.connectors.base import Marker, Receipt
from ordito.connectors.mediawiki.wikitext import objection
from ordito.policies import phrases
from ordito.policies.messages import Messages
from tests.policies.test_constitution import LABEL, law, topics
from tests.policies.town import Town


@pytest.fixture
def slow(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town in which every action takes 40 s, and somebody writes on the stop page during the first."""
    connector = town.connector

    def slowly(site: str) -> Any:
        made = connector(site)

        def perform(action: Action, marker: Marker) -> Receipt:
            receipt: Receipt = type(made).perform(made, action, marker)
            town.later(seconds=40)
            town.halted = "somebody wrote on the stop page"
            return receipt

        made.perform = perform
        return made

    monkeypatch.setattr(town, "connector", slowly)
    return town


def test_a_stop_page_halts_a_run_that_is_under_way_within_a_minute(slow: Town) -> None:
    slow.settle(LABEL, law())
    topics(slow, 5)
    slow.approve(*slow.proposed())
    report = slow.apply()
    assert len(report.applied) == 2, "the second one began within the minute"
    assert {held.reason for held in report.held} == {"halted: somebody wrote on the stop page"}
    slow.halted = ""
    assert sum(each.state == "approved" for each in slow.all()) == 3


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("where", ["wiki", "page"])
def test_telling_people_of_the_opt_out_is_none(language: str, where: str) -> None:
    """It stands on their own talk page, and on the page that lists them."""
    told = phrases.stop(where, language, phrase="STOP")
    assert objection(told, "Ordito", "welcome") == ""
    assert "{{</nowiki>nobots<nowiki>}}" in told


@pytest.mark.parametrize("markup", ["markdown", "wikitext"])
@pytest.mark.parametrize(
    ("language", "to_a_thread", "to_a_member"),
    [
        ("en", "A note on Bees & hives", "A note for Anna"),
        ("it", "Una nota su Bees & hives", "Una nota per Anna"),
    ],
)
def test_a_rules_note_names_its_thread_or_else_its_reader(
    markup: str, language: str, to_a_thread: str, to_a_member: str
) -> None:
    values = {"member": {"name": "Anna"}, "facts": {}, "note": "", "why": "Why.", "stop": "Stop."}
    for title, subject in (("Bees & hives", to_a_thread), ("", to_a_member)):
        told = Messages().render("rule-note", language, markup, {**values, "thread": {"title": title}})
        assert told.subject == subject
        assert ("just been applied" in told.text or "appena applicata" in told.text) == bool(title)
        assert "\n\n\n" not in told.text
