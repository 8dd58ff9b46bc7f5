"""What stands against a write on a real MediaWiki: filters, limits, blocks, lag, a lost session."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from ordito.config.errors import (
    Filtered,
    Forbidden,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    ReadOnly,
    Refused,
    Unreachable,
)
from ordito.config.secret import Secret
from ordito.connectors.actions import Action, MoveThread, OpenThread
from ordito.connectors.base import Marker
from tests.connectors.mediawiki.doings import (
    message,
    texts,
)
from tests.connectors.mediawiki.lab import abuse_filter
from tests.connectors.mediawiki.site import MARKER, SITE, Clock, connect, page_id
from tests.servers.mediawiki.wiki import Wiki


@pytest.mark.parametrize("actions", ["disallow", "warn"])
def test_what_a_filter_refuses_is_not_sent_again(content: Wiki, actions: str) -> None:
    content.switch(extensions=["AbuseFilter"])
    abuse_filter(content, 'user_name == "Ordito"', actions)
    with pytest.raises(Filtered, match="abusefilter"):
        connect(content).perform(message(content), MARKER)
    assert content.admin().text("User talk:Alice") is None


def test_a_link_on_the_spam_blacklist_is_refused_with_the_address(content: Wiki) -> None:
    content.switch(extensions=["SpamBlacklist"])
    content.admin().edit("MediaWiki:Spam-blacklist", "forbidden\\.example\\.org")
    with pytest.raises(Filtered, match="spamblacklist"):
        connect(content).perform(message(content, "See https://forbidden.example.org/page"), MARKER)
    assert content.admin().text("User talk:Alice") is None


@pytest.mark.parametrize("action", ["open", "move"])
def test_a_title_on_the_title_blacklist_is_refused(content: Wiki, action: str) -> None:
    content.switch(extensions=["TitleBlacklist"])
    content.admin().edit("MediaWiki:Titleblacklist", ".*Forbidden.*")
    wanted: dict[str, Action] = {
        "open": OpenThread(site=SITE, title="Forbidden maps", text="All maps."),
        "move": MoveThread(site=SITE, thread=page_id(content, "Tents"), title="Forbidden tents"),
    }
    with pytest.raises(Refused, match="blacklist"):
        connect(content).perform(wanted[action], MARKER)
    assert content.admin().text("Forbidden maps") is None
    assert page_id(content, "Tents")


def test_a_captcha_is_left_to_people(content: Wiki) -> None:
    secret = "0123456789abcdefghijklmnopqrstuv"
    content.create_account("Plain", "Plain-password-1")
    content.create_bot_password("Plain", "cron", secret)
    content.switch(
        extensions=["ConfirmEdit"],
        wgCaptchaTriggers={"edit": True, "create": True},
    )  # fmt: skip
    connector = connect(content, username="Plain@cron", password=Secret.of(secret))
    with pytest.raises(Filtered, match="captcha"):
        connector.perform(message(content), MARKER)
    assert content.admin().text("User talk:Alice") is None


def test_a_read_only_wiki_says_when_it_is_meant_to_be_tried(content: Wiki) -> None:
    connector = connect(content)
    connector.probe()
    content.read_only("Moving house")
    with pytest.raises(ReadOnly, match="Moving house"):
        connector.perform(message(content), MARKER)
    content.writable()
    connector.perform(message(content), MARKER)


def test_the_wikis_own_limit_is_waited_out_a_little_and_then_left(content: Wiki) -> None:
    clock = Clock()
    content.switch(wgRateLimits={"edit": {"user": [1, 60]}})
    connector = connect(content, clock)
    connector.perform(message(content), MARKER)
    with pytest.raises(RateLimited) as caught:
        connector.perform(texts(content)["labels"], MARKER)
    assert caught.value.until is not None
    assert sum(clock.waits) >= 60


def test_lag_is_waited_out(content: Wiki) -> None:
    clock = Clock()
    content.switch(lag=7)
    with pytest.raises(RateLimited, match="lagging"):
        connect(content, clock).perform(message(content), MARKER)
    assert min(clock.waits) >= 5
    content.switch(lag=None)
    connect(content, clock).perform(message(content), MARKER)


def test_an_answer_that_is_no_json_is_later_when_reading_and_unknown_when_writing(content: Wiki) -> None:
    connector = connect(content)
    connector.probe()
    adapter = connector.client.connection.get_adapter("http://")
    send = adapter.send

    def garbled(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response: requests.Response = send(request, **kwargs)
        if (request.method == "POST") is writing:
            response._content = b"<html>One moment, please</html>"
        return response

    adapter.send = garbled
    writing = False
    with pytest.raises(Unreachable):
        connector.halted(None)
    writing = True
    with pytest.raises(OutcomeUnknown):
        connector.perform(message(content), MARKER)


def test_a_lost_session_signs_in_again_and_never_edits_as_an_address(content: Wiki) -> None:
    connector = connect(content)
    connector.probe()
    connector.perform(message(content), MARKER)
    connector.client.connection.cookies.clear()
    connector.perform(texts(content)["reply"], Marker("p2"))
    assert content.admin().revisions("Talk:Tents")[0]["user"] == "Ordito"


def test_a_block_stops_everything_with_its_reason(content: Wiki) -> None:
    connector = connect(content)
    content.admin().post(action="block", user="Ordito", expiry="never", reason="runs wild")
    with pytest.raises(Forbidden, match="blocked") as caught:
        connector.perform(message(content), MARKER)
    assert "runs wild" in caught.value.hint


def test_a_protected_page_is_refused(content: Wiki) -> None:
    content.admin().post(action="protect", title="Tents", protections="edit=sysop")
    with pytest.raises(Forbidden):
        connect(content).perform(texts(content)["labels"], MARKER)


def test_edits_keep_their_pace(content: Wiki) -> None:
    clock = Clock()
    connector = connect(content, clock, edits_per_minute=6)
    connector.perform(message(content), MARKER)
    connector.perform(texts(content)["labels"], Marker("p2"))
    assert sum(clock.waits) == pytest.approx(10)


def test_a_trial_ends_for_good(content: Wiki) -> None:
    connector = connect(content, trial=2)
    connector.perform(message(content), MARKER)
    connector.perform(texts(content)["labels"], Marker("p2"))
    assert "trial" in connector.halted(None)
    with pytest.raises(Misconfigured, match="trial"):
        connect(content, trial=2).perform(texts(content)["reply"], Marker("p3"))
