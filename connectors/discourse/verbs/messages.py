"""Verbs that write something new: private messages, replies, topics. Each text ends with a marker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ....config.errors import Filtered, NotFound
from ...actions import NotifyModerators, OpenThread, Reply, SendMessage
from ...base import Found, Marker, Receipt
from .. import find
from ..acting import Acting, Verb, carries, marked, own_doing, sha1
from ..client import Json
from ..profile import refusal

_EXTERNAL = 50
"""The longest `external_id` that a topic takes."""


def send_message(acting: Acting, action: SendMessage, marker: Marker) -> Receipt:
    """A private message to all of `to`. Raises Filtered if the first of them takes none."""
    names = acting.usernames(action.to)
    user: Json = acting.client.get(f"/u/{names[0]}.json", skip_track_visit="true")["user"]
    if reason := refusal(user, acting.world.now()):
        raise Filtered(f"{names[0]} takes no messages: {reason}.", where=acting.site)
    return _message(acting, action.verb, names, action.subject, action.text, marker)


def notify_moderators(acting: Acting, action: NotifyModerators, marker: Marker) -> Receipt:
    """A private message to a group."""
    return _message(acting, action.verb, [action.group], action.subject, action.text, marker)


def _message(acting: Acting, verb: str, to: list[str], subject: str, text: str, marker: Marker) -> Receipt:
    post = acting.client.publish(
        {
            "title": subject,
            "raw": marked(text, marker),
            # Without the archetype the forum opens a public topic.
            "archetype": "private_message",
            "target_recipients": ",".join(to),
        }
    )
    return acting.created(verb, post, opened=True)


def reply(acting: Acting, action: Reply, marker: Marker) -> Receipt:
    """A post at the end of a topic, or in answer to one of its posts; it does not bump the topic."""
    acting.topic(action.thread)
    fields: dict[str, Any] = {"topic_id": action.thread, "raw": marked(action.text, marker)}
    if action.reply_to is not None:
        answered = acting.post(action.reply_to)
        if str(answered["topic_id"]) != action.thread:
            raise acting.conflict("the post to answer was moved to another topic.")
        fields["reply_to_post_number"] = answered["post_number"]
    me = acting.client.me()
    if me.staff or me.trust_level >= 4:  # others may not, and would be refused altogether
        fields["no_bump"] = "true"
    return acting.created(action.verb, acting.client.publish(fields), opened=False)


def open_thread(acting: Acting, action: OpenThread, marker: Marker) -> Receipt:
    """A new topic; servers from 2022 on find it again by our token."""
    fields: dict[str, Any] = {
        "title": action.title,
        "raw": marked(action.text, marker),
        "external_id": marker.token[:_EXTERNAL],
    }
    if action.space is not None:
        fields["category"] = action.space
    if action.labels:
        name = "tags[][name]" if acting.client.tags_are_objects() else "tags[]"
        fields[name] = sorted(action.labels)
    return acting.created(action.verb, acting.client.publish(fields), opened=True)


# --- found again


def find_message(
    acting: Acting, action: SendMessage | NotifyModerators, marker: Marker, since: datetime
) -> Found:
    path = f"/topics/private-messages-sent/{acting.client.me().username}.json"
    return find.by_marker(
        acting, marker, action.verb, since, lambda: find.in_topics(acting, path, marker, since)
    )


def find_reply(acting: Acting, action: Reply, marker: Marker, since: datetime) -> Found:
    return find.by_marker(
        acting, marker, action.verb, since, lambda: find.in_topic(acting, action.thread, marker, since)
    )


def find_thread(acting: Acting, action: OpenThread, marker: Marker, since: datetime) -> Found:
    return find.by_marker(acting, marker, action.verb, since, lambda: _opened(acting, marker, since))


def _opened(acting: Acting, marker: Marker, since: datetime) -> Json | None:
    """By `external_id`; older servers know no such thing, there the topics that we opened tell."""
    there = acting.client.location(f"/t/external_id/{marker.token[:_EXTERNAL]}.json")
    number = there.rpartition("/")[2].removesuffix(".json")
    if number.isdecimal():
        view = acting.client.get(f"/t/{number}.json", include_raw="true")
        first: Json = view["post_stream"]["posts"][0]
        if acting.is_ours(first) and carries(first.get("raw"), marker):
            return first
    return find.in_topics(acting, f"/topics/created-by/{acting.client.me().username}.json", marker, since)


# --- taken back


def withdraw(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    """The text goes; notifications and mails have gone out. Raises Conflict if it was edited or, being a
    topic, answered."""
    after = own_doing(receipt)
    try:
        post = acting.post(after["post"])
    except NotFound:
        return acting.receipt(receipt.verb, after={"deleted": True}, attribution="unknown")
    if sha1(post.get("raw")) != after["sha1"]:
        raise acting.conflict("the text was edited since.")
    if after["topic"]:
        if int(acting.topic(after["topic"]).get("posts_count") or 0) > 1:
            raise acting.conflict("somebody has answered since.")
        acting.client._delete(f"/t/{after['topic']}.json")
    else:
        acting.client._delete(f"/posts/{after['post']}.json")
    return acting.receipt(receipt.verb, before=after, after={"deleted": True})


VERBS = (
    Verb(SendMessage, send_message, find_message, withdraw),
    Verb(NotifyModerators, notify_moderators, find_message, withdraw),
    Verb(Reply, reply, find_reply, withdraw),
    Verb(OpenThread, open_thread, find_thread, withdraw),
)
