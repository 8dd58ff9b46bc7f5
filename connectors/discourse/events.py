"""Changes that bump nothing, from the delivery log of a webhook: fifty events a request, kept for 30 days.

An event is a hint of what has changed: posts come with their text, of topics and members the state is read.
A delivery that failed stands in the log as well, so nothing has to receive the webhook. Likes wait for the
sweep: their events do not say how many there are.

The log has the newest event first. After a long pause it is read upwards from what is known, some pages at a
time, so that the newest event of those dealt with is all that a cursor needs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...config.errors import Forbidden, NotFound
from ..base import Batch
from ..records import Change, Kind, Record, Ref
from . import mapping
from .client import Json
from .dialect import topic_rows
from .event_log import EventLog, note_hearing, page
from .reading import NOTHING_READ, Reading
from .stamps import FLAGS, Stamp

_log = logging.getLogger(__name__)

_STEP = 10
"""Pages that are dealt with together: many events are of the same topics, whose rows are asked for once."""


@dataclass(slots=True)
class _Told:
    """What the log tells, the newest event of each item only."""

    posts: dict[str, Json] = field(default_factory=dict)
    topics: dict[str, None] = field(default_factory=dict)
    states: dict[str, list[tuple[datetime, Json]]] = field(default_factory=dict)
    """Of the topics, as each event had them, the newest first."""
    touched: dict[str, None] = field(default_factory=dict)
    """Topics of which only posts were told."""
    members: dict[str, None] = field(default_factory=dict)
    gone: dict[Ref, None] = field(default_factory=dict)


def begin(r: Reading) -> None:
    """In a full pass: what the log has so far is older than what will be read."""
    r.state.event, r.state.heard, r.state.deaf, r.state.flags = 0, {}, "", {}
    if r.webhook is not None:
        rows = page(r, 0)
        r.state.event = max((int(row["id"]) for row in rows), default=0)
        note_hearing(r, rows)


def delivered(r: Reading) -> Iterator[Batch]:
    """All that the log tells since the last run. If it does not go back so far, all posts are read again."""
    if r.webhook is None:
        return
    log = EventLog(r)
    if log.gap:
        r.state.fall_behind(r.world.now())
        _log.warning("%s: the log of webhook %s does not go back to the last sync", r.site, r.webhook)
    elif not r.state.heard:
        r.state.deaf = r.world.now().isoformat()  # named in the settings since the last sync
    while not log.ended:
        told, rows = _Told(), list[Json]()
        for _ in range(_STEP):
            if not log.ended:
                rows += log.rows()
        for row in sorted(rows, key=lambda row: -int(row["id"])):
            _read(r, row, told)
        records = _records(r, told)
        r.state.event = max([r.state.event, *(int(row["id"]) for row in rows)])
        if log.ended:
            r.state.flags = {}
            log.note_hearing()
        yield r.batch(records, "events", len(records), gone=list(told.gone))


def _read(r: Reading, row: Json, told: _Told) -> None:
    """Take in one event; those of an item come newest first, and the first one counts."""
    event, payload = _decoded(row)
    kind = event.partition("_")[0]
    if kind == "topic" and isinstance(topic := payload.get("topic"), dict):
        if (at := mapping.moment(row.get("created_at"))) is not None:
            told.states.setdefault(str(topic["id"]), []).append((at, topic))
        _note(r, told, Kind.THREAD, topic, event.endswith("_destroyed"), told.topics)
        return
    post = payload.get("post") or payload.get("solved")
    if isinstance(post, dict) and "id" in post:
        number = str(post["id"])
        if number not in told.posts and Ref(r.site, Kind.CONTRIBUTION, number) not in told.gone:
            if event.endswith("_destroyed"):
                told.gone[Ref(r.site, Kind.CONTRIBUTION, number)] = None
            elif "raw" in post and "topic_id" in post:
                told.posts[number] = post
            told.touched[str(post["topic_id"])] = None
        return
    user = payload.get("user") or {}
    if kind == "user" and "id" in user:
        _note(r, told, Kind.MEMBER, user, event == "user_destroyed", told.members)


def _flips(
    r: Reading, number: str, states: Sequence[tuple[datetime, Json]], old: Stamp | None
) -> Iterator[Change]:
    """When the topic was closed, archived or unlisted, or the contrary: at the first event that has it so.
    The stamp is of the row, which is newer than these events if there are more to come."""
    flags = r.state.flags.get(number, old.flags if old is not None else None)
    if flags is None or not states:
        return
    after = ""
    for name in FLAGS:
        was = name[0] in flags
        for at, topic in reversed(states):
            now = bool(topic.get(name, was))
            if now != was:
                yield Change(site=r.site, kind=Kind.THREAD, id=number, field=name, value=now, at=at)
            was = now
        after += name[0] if was else ""
    r.state.flags[number] = after


def _note(r: Reading, told: _Told, kind: Kind, item: Json, gone: bool, among: dict[str, None]) -> None:
    ref = Ref(r.site, kind, str(item["id"]))
    if ref in told.gone or ref.id in among:
        return
    if gone:
        told.gone[ref] = None
    else:
        among[ref.id] = None


def _decoded(row: Json) -> tuple[str, dict[str, Any]]:
    """The event's name and payload; headers and payload are JSON inside JSON."""
    try:
        headers, payload = json.loads(row.get("headers") or "{}"), json.loads(row.get("payload") or "{}")
    except ValueError:
        return "", {}
    name = headers.get("X-Discourse-Event", "") if isinstance(headers, dict) else ""
    return str(name), payload if isinstance(payload, dict) else {}


def _records(r: Reading, told: _Told) -> list[Record]:
    """Threads first, then posts of threads that are kept, then members."""
    numbers = [n for n in {**told.topics, **told.touched} if Ref(r.site, Kind.THREAD, n) not in told.gone]
    rows = list(topic_rows(r.client, numbers)) if numbers else []
    kept = {str(row["id"]): (row, names) for row, names in rows if r.kept_rows([row])}
    stamps = r.stamps(row for row, _ in kept.values())
    records: list[Record] = [
        r.thread(row, names, stamps.get(number), posts_of=stamps.get(number) or NOTHING_READ)
        for number, (row, names) in kept.items()
    ]
    posts = [
        {"category_id": kept[str(post["topic_id"])][0].get("category_id"), **post}
        for post in told.posts.values()
        if str(post["topic_id"]) in kept
    ]
    records += r.contributions([post for post in posts if r.scope.post(post)])
    if r.state.unlisted_apart:  # else the list of posts has the forum's own notes of it
        for number, old in stamps.items():
            records += _flips(r, number, told.states.get(number, []), old)
    for number in () if r.sweep_due else told.members:  # a sweep reads a hundred of them at once
        try:
            user = r.client.user_all(number)
        except (Forbidden, NotFound):
            continue
        if r.scope.member(user["username"]):
            records.append(mapping.member(r.site, user))
    return records
