"""What stands against a write on a real MediaWiki: filters, limits, blocks, lag, a lost session."""

from __future__ import annotations

import sqlite3
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
    Unreachable,
)
from ordito.config.secret import Secret
from ordito.connectors.base import Marker
from tests.connectors.mediawiki.doings import (
    message,
    texts,
)
from tests.connectors.mediawiki.site import MARKER, Clock, connect
from tests.servers.mediawiki.wiki import Wiki


def _filter(wiki: Wiki, actions: str) -> None:
    """An abuse filter that matches every edit by our account."""
    wiki.switch(extensions=["AbuseFilter"])
    with sqlite3.connect(wiki.folder / "wiki.sqlite") as db:
        columns = [row[1] for row in db.execute("pragma table_info(abuse_filter)")]
        row: dict[str, Any] = {
            "af_id": 1, "af_pattern": 'user_name == "Ordito"', "af_timestamp": "20200101000000", "af_user": 1,
            "af_user_text": "Admin", "af_actor": 1, "af_enabled": 1, "af_public_comments": "no robots",
            "af_comments": "", "af_hidden": 0, "af_hit_count": 0, "af_throttled": 0, "af_deleted": 0,
            "af_actions": actions, "af_global": 0, "af_group": "default",
        }  # fmt: skip
        row = {key: value for key, value in row.items() if key in columns}
        marks = ",".join("?" * len(row))
        db.execute(f"insert into abuse_filter ({','.join(row)}) values ({marks})", list(row.values()))
        db.execute("insert into abuse_filter_action values (1, ?, '')", (actions,))


@pytest.mark.parametrize("actions", ["disallow", "warn"])
def test_what_a_filter_refuses_is_not_sent_again(content: Wiki, actions: str) -> None:
    _filter(content, actions)
    with pytest.raises(Filtered, match="abusefilter"):
        connect(content).perform(message(content), MARKER)
    assert content.admin().text("User talk:Alice") is None


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
