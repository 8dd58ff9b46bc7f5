"""Verbs that change the state of a topic: closed, archived, visible, category, tags."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ....config.errors import ConnectorError, Filtered, NotFound, OutcomeUnknown
from ...actions import (
    Action,
    ArchiveThread,
    CloseThread,
    ListThread,
    MoveThread,
    ReopenThread,
    SetLabels,
    UnarchiveThread,
    UnlistThread,
)
from ...base import Found, Marker, NotDone, Receipt
from .. import mapping
from ..acting import SKEW, Acting, Verb, own_doing, recent
from ..client import Json
from ..topic import last_posts

_TAIL = 40
"""A small action that we made a short while ago stands among so many last posts."""


@dataclass(frozen=True, slots=True)
class _Flag:
    """One of the three switches of a topic: `name` as in `PUT /t/{id}/status`, and where to."""

    action: type[Action]
    name: str
    on: bool

    @property
    def code(self) -> str:
        """Of the small action that the forum writes into the topic."""
        return f"{self.name}.{'enabled' if self.on else 'disabled'}"


_FLAGS = (
    _Flag(CloseThread, "closed", True),
    _Flag(ReopenThread, "closed", False),
    _Flag(ArchiveThread, "archived", True),
    _Flag(UnarchiveThread, "archived", False),
    _Flag(UnlistThread, "visible", False),
    _Flag(ListThread, "visible", True),
)
_BY_ACTION = {flag.action: flag for flag in _FLAGS}


def switch(acting: Acting, action: Any, marker: Marker) -> Receipt:
    flag, view = _BY_ACTION[type(action)], acting.topic(action.thread)
    if bool(view.get(flag.name)) == flag.on:
        return _switched(acting, action.verb, action.thread, flag.name, flag.on, held=True)
    acting.client.update_topic_status(action.thread, flag.name, flag.on)
    return _switched(acting, action.verb, action.thread, flag.name, flag.on, held=False)


def _switched(acting: Acting, verb: str, thread: str, name: str, on: bool, *, held: bool) -> Receipt:
    return acting.receipt(
        verb,
        url=acting.topic_url(thread),
        before={name: on if held else not on},
        after={"topic": thread, "flag": name, "on": on},
        attribution="unknown" if held else "ours",
    )


def find_switch(acting: Acting, action: Any, marker: Marker, since: datetime) -> Found:
    """The state wanted; ours, if a small action of our account tells so."""
    flag = _BY_ACTION[type(action)]
    try:
        view = acting.topic(action.thread, include_raw="true")
    except NotFound:
        return NotDone()
    if bool(view.get(flag.name)) != flag.on:
        return NotDone()
    told = recent(last_posts(acting.client, view, _TAIL), since)
    codes = {flag.code, f"auto{flag.code}"}
    last = next((post for post in told if post.get("action_code") in codes), None)
    ours = last is not None and acting.is_ours(last)
    return _switched(acting, action.verb, action.thread, flag.name, flag.on, held=not ours)


def switch_back(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    after = own_doing(receipt)
    name, on, thread = after["flag"], after["on"], after["topic"]
    if bool(acting.topic(thread).get(name)) != on:
        raise acting.conflict("the state was changed since.")
    acting.client.update_topic_status(thread, name, not on)
    if name == "closed" and on:
        with suppress(ConnectorError):  # it is open again; only its place in the lists is not the old one
            acting.client.reset_bump_date(thread)  # opening has put the topic on top of all lists
    return _switched(acting, receipt.verb, thread, name, not on, held=False)


# --- category


def move(acting: Acting, action: MoveThread, marker: Marker) -> Receipt:
    if not action.space:
        raise acting.refused("a topic is moved into a category.", "Name it as space:.")
    view = acting.topic(action.thread)
    old = str(view.get("category_id") or "")
    if old != action.space:
        acting.client._put(f"/t/-/{action.thread}.json", category_id=action.space)
    return _moved(acting, action.verb, action.thread, old, action.space, ours=old != action.space)


def _moved(acting: Acting, verb: str, thread: str, old: str | None, new: str, *, ours: bool) -> Receipt:
    return acting.receipt(
        verb,
        url=acting.topic_url(thread),
        before=None if old is None else {"space": old},
        after={"topic": thread, "space": new},
        attribution="ours" if ours and old is not None else "unknown",
    )


def find_move(acting: Acting, action: MoveThread, marker: Marker, since: datetime) -> Found:
    try:
        view = acting.topic(action.thread)
    except NotFound:
        return NotDone()
    if str(view.get("category_id") or "") != action.space:
        return NotDone()
    change = _own_change(acting, view, "category_id_changes", since)
    old = None if change is None else str(change.get("previous") or "")
    return _moved(acting, action.verb, action.thread, old, action.space, ours=change is not None)


def move_back(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    after, before = own_doing(receipt), receipt.before or {}
    thread, here = after["topic"], str(acting.topic(after["topic"]).get("category_id") or "")
    if here != after["space"]:
        raise acting.conflict("the topic was moved since.")
    acting.client._put(f"/t/-/{thread}.json", category_id=before["space"])
    return _moved(acting, receipt.verb, thread, here, before["space"], ours=True)


# --- tags


def set_labels(acting: Acting, action: SetLabels, marker: Marker) -> Receipt:
    """Raises Filtered, and leaves the tags as they were, if the forum does not take all of them."""
    view = acting.topic(action.thread)
    old = _tags(view)
    new = _wanted(old, action)
    if new == old:
        return _labelled(acting, action.verb, action.thread, old, new, ours=False)
    _write_tags(acting, view, new)
    taken = _tags_after(acting, action.thread)
    if _fold(taken) != _fold(new):
        if taken != old:
            _write_tags(acting, view, old)
        dropped = ", ".join(sorted(_fold(new) ^ _fold(taken)))
        raise Filtered(f"the forum does not let us set or remove the tag {dropped}.", where=acting.site)
    return _labelled(acting, action.verb, action.thread, old, taken, ours=True)


def _tags_after(acting: Acting, thread: str) -> frozenset[str]:
    """Raises OutcomeUnknown where they cannot be read: they are written already."""
    try:
        return _tags(acting.client.get(f"/t/{thread}.json"))
    except ConnectorError as error:
        told = f"the tags were set, and then could not be read: {error.message}"
        raise OutcomeUnknown(told, where=acting.site) from error


def _wanted(old: frozenset[str], action: SetLabels) -> frozenset[str]:
    """Names of tags are compared without regard to case, as the forum does."""
    gone, there = _fold(action.remove), _fold(old)
    kept = {tag for tag in old if tag.casefold() not in gone}
    return frozenset(kept | {tag for tag in action.add if tag.casefold() not in there - gone})


def _fold(tags: frozenset[str] | tuple[str, ...]) -> frozenset[str]:
    return frozenset(tag.casefold() for tag in tags)


def _tags(view: Json) -> frozenset[str]:
    return mapping.tag_names(view.get("tags")) or frozenset()


def _write_tags(acting: Acting, view: Json, tags: frozenset[str]) -> None:
    path, shown = f"/t/-/{view['id']}.json", view.get("tags")
    if isinstance(shown[0], Mapping) if shown else acting.client.tags_are_objects():
        # Versions that show tags as objects are about to take nothing else.
        acting.client._put(path, json=True, tags=[{"name": tag} for tag in sorted(tags)])
    else:
        acting.client._put(path, **{"tags[]": sorted(tags) or [""]})


def _labelled(
    acting: Acting, verb: str, thread: str, old: frozenset[str] | None, new: frozenset[str], *, ours: bool
) -> Receipt:
    return acting.receipt(
        verb,
        url=acting.topic_url(thread),
        before=None if old is None else {"labels": sorted(old)},
        after={"topic": thread, "labels": sorted(new)},
        attribution="ours" if ours and old is not None else "unknown",
    )


def find_labels(acting: Acting, action: SetLabels, marker: Marker, since: datetime) -> Found:
    try:
        view = acting.topic(action.thread)
    except NotFound:
        return NotDone()
    tags = _tags(view)
    if _wanted(tags, action) != tags:
        return NotDone()
    change = _own_change(acting, view, "tags_changes", since)
    old = None if change is None else mapping.tag_names(change.get("previous"))
    return _labelled(acting, action.verb, action.thread, old, tags, ours=change is not None)


def labels_back(acting: Acting, receipt: Receipt, marker: Marker) -> Receipt:
    after, before = own_doing(receipt), receipt.before or {}
    view = acting.topic(after["topic"])
    here, old = _tags(view), frozenset(before["labels"])
    if _fold(here) != _fold(tuple(after["labels"])):
        raise acting.conflict("the tags were changed since.")
    _write_tags(acting, view, old)
    return _labelled(acting, receipt.verb, after["topic"], here, old, ours=True)


def _own_change(acting: Acting, view: Json, key: str, since: datetime) -> Json | None:
    """What the last revision of a topic's first post changed, if it was we who made it."""
    first = (view["post_stream"].get("stream") or [view["post_stream"]["posts"][0]["id"]])[0]
    try:
        revision = acting.client.get(f"/posts/{first}/revisions/latest.json")
    except NotFound:
        return None
    at, change = mapping.moment(revision.get("created_at")), revision.get(key)
    late = at is not None and at >= since - SKEW
    ours = revision.get("username") == acting.client.me().username
    return change if late and ours and isinstance(change, dict) else None


VERBS = (
    *(Verb(flag.action, switch, find_switch, switch_back) for flag in _FLAGS),
    Verb(MoveThread, move, find_move, move_back),
    Verb(SetLabels, set_labels, find_labels, labels_back),
)
