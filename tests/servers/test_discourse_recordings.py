"""The stand-in answers as a real Discourse was recorded to answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.servers.discourse import Forum
from tests.servers.discourse.app import App
from tests.servers.discourse.recorded import RecordedSite
from tests.servers.discourse.replay import Exchange, differences, play
from tests.shared import shared

OWN = Path(__file__).parent / "discourse" / "exchanges"

# Recordings of what the connector never asks for; the stand-in has no such routes.
NOT_ASKED = {
    "bookmarks": "183 312 313 314",
    "the reader's own lists": "111 112 114",
    "lists of tags by category, tag groups": "127 129 130 131",
    "best-of for WordPress": "079",
    "posts of a group": "286",
    "the review queue": "323",
    "activity stream": "407 408 409 410 411 412 413 414 415 416 417 418 419",
    "notifications": "420 421 422 423 424 425 426 427 428",
    "search as you type": "483 484 485 487",
    "site settings": "490 491 492 493",
    "list of scopes": "508",
    "uploads and avatars": "509 510 511 512 513 514 515",
    "invitations": "516 517 518 519",
    "drafts": "520 521 522",
    "dashboard, reports, themes, fields, backups": "525 526 529 530 531 532 533 568",
    "sign-in to the forum by an outside provider": "555 556 557 558 559 560 561 562 563 564 565",
    "passwords and sessions": "566 567",
}

# Differences that are meant: number of the recording, what differs, why.
MEANT = [
    ("083", r"static_doc", "no topics are marked as terms, privacy and FAQ"),
    (
        "24[01]",
        r"ids of topics",
        "topic 17 is the welcome message of discobot, which the stand-in does not send",
    ),
    (
        "294",
        r"last_read_post_number|new_posts|notification_level|unread",
        "no reading states for members of groups",
    ),
    ("326", r"admin_badges|badge_groupings|i18n_name", "settings of badges that only the admin pages use"),
    ("357", r"user\.admin", "an unknown order leaves the order open"),
    ("396", r"badge_types|badges|users", "the recorded summary was cached from before the first badge"),
    ("461", r"username", "the number in an anonymized name is drawn by lot"),
    ("523|543|575|58[12]", r"post_number", "the post with an upload before it is not made here"),
    ("528", r"staff_action_logs", "categories and settings are not logged, so the ids of the log differ"),
    (
        "499|543|575|58[12]",
        r"ids of posts",
        "flags with a message had made posts, so the window of ids lay higher",
    ),
]


@pytest.fixture(scope="module")
def site() -> RecordedSite:
    """The recorded site after all recordings that matter were replayed."""
    replayed = RecordedSite(shared("contract", "discourse"))
    left_out = {number for numbers in NOT_ASKED.values() for number in numbers.split()}
    replayed.play(lambda number: number not in left_out)
    return replayed


@pytest.mark.parametrize("hundred", range(6))
def test_a_recorded_request_gets_the_recorded_answer(site: RecordedSite, hundred: int) -> None:
    """Status, headers, keys and types, words of errors, order of ids, counters, states and versions."""
    wrong = {}
    for name, found in site.found.items():
        if int(name[0]) == hundred:
            left = [text for text in found if not _meant(name[:3], text)]
            if left:
                wrong[name] = left
    assert wrong == {}


def _meant(number: str, text: str) -> bool:
    return any(re.fullmatch(which, number) and re.search(what, text) for which, what, _ in MEANT)


def test_every_meant_difference_still_occurs(site: RecordedSite) -> None:
    for which, what, why in MEANT:
        found = [
            text for name, texts in site.found.items() if re.fullmatch(which, name[:3]) for text in texts
        ]
        assert any(re.search(what, text) for text in found), (
            f"{which} no longer differs ({why}): take the line out"
        )


def test_most_recordings_are_replayed(site: RecordedSite) -> None:
    assert len(site.found) > 480


@pytest.mark.parametrize("file", sorted(OWN.glob("*.json")), ids=lambda file: file.stem)
def test_an_exchange_of_our_own_gets_its_answer(file: Path) -> None:
    """A few exchanges that stay in the project; each story starts from an empty site."""
    story = json.loads(file.read_text())
    forum = Forum()
    forum.add_key("0123456789abcdef" * 4)
    for name in story.get("users", ()):
        forum.new_user(name, trust_level=2)
    app = App(forum)
    for step in story["steps"]:
        exchange = Exchange.of(step["name"], step)
        forum.clock.advance(step.get("later", 20))
        assert differences(exchange, play(app, exchange)) == [], step["name"]
