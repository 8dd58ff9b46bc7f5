"""What the tests of writing do to a wiki, and to the connection that does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from ordito.connectors.actions import (
    Action,
    ArchiveThread,
    EditText,
    NotifyModerators,
    Reply,
    SendMessage,
    SetLabels,
)
from ordito.connectors.base import Marker, Receipt
from ordito.connectors.mediawiki.connector import MediaWikiConnector
from tests.connectors.mediawiki.site import SITE, page_id, user_id
from tests.servers.mediawiki.wiki import Wiki

UNDO = Marker("u1-abc", "Undone")
Write = Callable[[MediaWikiConnector], Receipt]


def long_ago() -> datetime:
    """So long that no request of that time is at work any more."""
    return datetime.now(UTC) - timedelta(minutes=5)


def message(wiki: Wiki, text: str = "Hello Alice, welcome!", **more: Any) -> SendMessage:
    return SendMessage(site=SITE, to=(user_id(wiki, "Alice"),), subject="Welcome", text=text, **more)


def texts(wiki: Wiki) -> dict[str, Action]:
    """One action of every verb that changes text, on Tents or on Alice's talk page."""
    tents = page_id(wiki, "Tents")
    return {
        "message": message(wiki),
        "reply": Reply(site=SITE, thread=tents, subject="Notice", text="Is this still right?"),
        "notice": NotifyModerators(
            site=SITE, subject="Look", text="Please look.", page="Project:Notices", about=tents
        ),
        "edit": EditText(
            site=SITE, thread=tents, text="New.", summary="rewritten",
            expected="More about tents. [[Category:Camping]] [[Category:Gear]] {{Stub}}",
        ),
        "labels": SetLabels(site=SITE, thread=tents, add=("Night",), remove=("Camping",)),
        "archive": ArchiveThread(site=SITE, thread=tents, template="{{Archived}}\n[[Category:Archive]]"),
    }  # fmt: skip


VERBS = ("message", "reply", "notice", "edit", "labels", "archive")
PAGES = {"message": "User talk:Alice", "reply": "Talk:Tents", "notice": "Project:Notices"}




class Meanwhile:
    """Does something once, just before a request of ours is sent."""

    def __init__(self, connector: MediaWikiConnector, before: str, doing: Callable[[], Any]) -> None:
        self.done = False
        session = connector.client.connection
        send = session.request

        def request(method: str, url: str, **kwargs: Any) -> requests.Response:
            sent = kwargs.get("data") or kwargs.get("params") or {}
            if sent.get("action") == before and not self.done:
                self.done = True
                doing()
            response: requests.Response = send(method, url, **kwargs)
            return response

        session.request = request



class Lost:
    """Sends a write and loses the answer."""

    def __init__(self, connector: MediaWikiConnector, action: str) -> None:
        adapter = connector.client.connection.get_adapter("http://")
        send = adapter.send
        self.sent = 0

        def sending(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            response: requests.Response = send(request, **kwargs)
            if request.method == "POST" and f"action={action}" in str(request.body):
                self.sent += 1
                response.close()
                raise requests.exceptions.ConnectionError("reset by peer")
            return response

        adapter.send = sending
