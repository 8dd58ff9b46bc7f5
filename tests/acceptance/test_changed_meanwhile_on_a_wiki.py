"""Somebody edits a page while we do: their text stays, and what we wanted is planned anew from it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.test_never_twice_on_a_wiki import Place, approved, place

__all__ = ["approved", "place"]

TITLE = "Where to label, Alice"
THEIRS = "Somebody else has written this page anew."


def test_a_conflict_overwrites_nobody_and_is_planned_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, item = _proposal(place, "label", "approved")
    others = place.wiki.admin()
    forward = place.proxy.forward

    def between_reading_and_saving(method: str, path: str, headers: Any, body: bytes) -> Any:
        if b"action=edit" in body and others.text(TITLE) != THEIRS:
            others.edit(TITLE, THEIRS)
        return forward(method, path, headers, body)

    monkeypatch.setattr(place.proxy, "forward", between_reading_and_saving)
    report = place.document("apply", number)
    assert [each["id"] for each in report["superseded"]] == [number]
    assert report["superseded"][0]["reason"].startswith("changed meanwhile: the wiki says editconflict")
    assert not report["applied"] and not report["failed"]
    assert others.text(TITLE) == THEIRS

    planned = place.document("plan", "label")["proposals"]
    assert [each["item"] for each in planned] == [item]
    again = planned[0]["id"]
    place.document("review", "approve", again)
    assert [each["id"] for each in place.document("apply", again)["applied"]] == [again]
    assert others.text(TITLE) == f"{THEIRS}\n\n[[Category:Installation]]"


def test_a_right_that_was_taken_away_since_fails_the_action_and_says_which(place: Place) -> None:
    number, _ = _proposal(place, "join", "approved")
    place.wiki.switch(wgAddGroups=None)
    outcome = place.ordito("--json", "apply", number)
    assert outcome.code == 3
    [failed] = outcome.document["failed"]
    assert (failed["id"], failed["retriable"]) == (number, False)
    assert "group" in failed["error"] or "right" in failed["error"]
    place.wiki.switch(wgAddGroups={"sysop": ["interface-admin"]})
    place.document("review", "approve", number)
    assert [each["id"] for each in place.document("apply", number)["applied"]] == [number]


def _proposal(place: Place, policy: str, state: str) -> tuple[int, str]:
    """The first of a policy; of `label`, that for Alice's page."""
    listed = place.document("review", "list", "--state", state, "--policy", policy)["proposals"]
    title = place.wiki.rows("select page_id from page where page_title = ?", TITLE.replace(" ", "_"))
    wanted = {f"wiki:thread:{title[0][0]}"} if policy == "label" else {each["item"] for each in listed}
    found = next(each for each in listed if each["item"] in wanted)
    return int(found["id"]), str(found["item"])
