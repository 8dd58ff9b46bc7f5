"""The stop topic: any reply in it that is not deleted halts every action."""

from __future__ import annotations

from ...config.errors import Misconfigured
from ..records import Kind, Ref
from .acting import Acting
from .topic import read_topic

_SMALL = 3


def halted(acting: Acting, stop: Ref | None) -> str:
    """Why to halt; '' for go. A topic that cannot be read raises, which halts as well; one that staff has
    deleted says nothing any more."""
    if stop is None:
        return ""
    if stop.kind != Kind.THREAD:
        raise Misconfigured(
            f"'{stop}' is no topic.", where=acting.site, hint="Name one as stop: in the settings."
        )
    view = read_topic(acting.client, stop.id)
    if view.topic.get("deleted_at"):
        return ""
    for post in view.posts:
        if post.get("post_number") == 1 or post.get("post_type") == _SMALL:
            continue
        if not post.get("deleted_at") and not post.get("user_deleted"):
            return f"{post.get('username')} has replied in the stop topic {acting.topic_url(stop.id)}"
    return ""
