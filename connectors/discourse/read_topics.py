"""Topic rows: all of them in a pass, those at the top between passes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from ...config.errors import Forbidden, NotFound
from ..base import Batch
from ..records import Record, Thread
from . import mapping
from .client import Json
from .dialect import topic_pages
from .reading import Reading
from .stamps import Stamp
from .state import State
from .topic import read_topic

_OVERLAP = timedelta(minutes=5)
"""Rows so much older than the newest one known are read again: a transaction may have come late."""

_WHISPER = 4

_NEW = Stamp(state="", posts=0, highest=0, likes=0, bumped="", last="")


_TIMES = 5
"""Of so many of a topic's new posts the times are remembered: one of the newest bumped it."""


def note_new(state: State, post: Json) -> None:
    """Remember a new post, that is handed over now, for its topic's row; posts come newest first."""
    count, *times = state.fresh.get(str(post["topic_id"]), [0])
    count += post.get("post_type") != _WHISPER
    state.fresh[str(post["topic_id"])] = [count, *[*times, str(post["created_at"])][:_TIMES]]
    state.rows_due = True


def _explained(row: Json, state: State, old: Stamp, new: Stamp) -> bool:
    """Whether a changed row is what its topic's new posts would make of it. Forums that list small actions
    among posts count them, too (as of 2021). Where unlisted topics are left out of the list of posts, one
    that was unlisted for a while may have escaped the full pass: only its small actions tell."""
    count, *times = state.fresh.get(str(row["id"]), [0])
    flips = new.flipped(old)
    unseen = "v" in flips or new.highest - old.highest > count + len(flips)
    escaped = unseen and state.unlisted_apart and not state.swept_before
    return bool(new.posts - old.posts == count and new.bumped in {old.bumped, *times}) and not escaped


def all_topics(r: Reading) -> Iterator[Batch]:
    """All topic rows by the date of creation: new ones come at the end and shift nothing. In a sweep a
    topic whose row has changed is read again."""
    done = int(r.state.at.get("done", 0))
    pages = topic_pages(
        r.client, page=int(r.state.at.get("page", 0)), order="created", ascending="true", per_page=100
    )
    counting = _counting(r)
    for page, following in pages:
        rows = r.kept_rows(page.rows)
        stamps = r.stamps(rows)
        changed = [] if r.state.job == "full" else [row for row in rows if _differs(r, row, stamps)]
        changed += _short(r, dict(enumerate(rows, done)), counting, stamps, changed)
        again = {row["id"] for row in changed}
        same = [row for row in rows if row["id"] not in again]
        done += len(page.rows)
        place = {"page": following, "done": done}
        if not changed:
            r.state.at = place
        records: list[Record] = [r.thread(row, page.names, stamps.get(str(row["id"]))) for row in same]
        records += [note for row in same if r.state.job != "full" for note in _notes(r, row, stamps)]
        yield r.batch(records, "topics", done)
        for row in changed:
            yield r.whole_topic(row, page.names, stamps.get(str(row["id"])))
        r.state.at = place
    r.state.topics, r.state.counted = done, counting.stop if counting.stop < done else 0


def _differs(r: Reading, row: Json, stamps: Mapping[str, Stamp | None]) -> bool:
    old = stamps.get(str(row["id"]))
    return old is None or not Stamp.of(row).same_posts(old)


def _counting(r: Reading) -> range:
    """The rows, by their place, whose topics are asked in this sweep how many posts they have: where the list
    of posts leaves those in staff colour out, all of them in a round of the rolling re-read."""
    tells = r.state.unlisted_apart and r.scope.whole_topics and not r.told_by_query
    if r.state.job == "full" or not tells:
        return range(0)
    return range(r.state.counted, r.state.counted + math.ceil(r.state.topics * r.share_of_round))


def _short(
    r: Reading, rows: Mapping[int, Json], counting: range, stamps: Mapping[str, Stamp | None], but: list[Json]
) -> list[Json]:
    """Those of the rows, by their places, that say of more posts than the mirror holds. Where people may
    still write, a missing answer matters: such topics are all asked, until they were read by themselves."""
    known = {row["id"] for row in but}
    asked = [
        row
        for place, row in rows.items()
        if row["id"] not in known and (place in counting or (counting and _is_open(row, stamps)))
    ]
    held = r.known.spoken([str(row["id"]) for row in asked]) if asked else {}
    return [row for row in asked if Stamp.of(row).posts > held.get(str(row["id"]), 0)]


def _is_open(row: Json, stamps: Mapping[str, Stamp | None]) -> bool:
    """Whether people may write there, and it was not read by itself as it is."""
    old = stamps.get(str(row["id"]))
    shut = row.get("closed") or row.get("archived") or row.get("visible") is False
    return not shut and old is not None and not old.whole


def _notes(r: Reading, row: Json, stamps: Mapping[str, Stamp | None]) -> list[Record]:
    """The forum's notes of a change of state that the row shows; one or two requests."""
    old = stamps.get(str(row["id"]))
    if old is None or not _has_notes(r, Stamp.of(row), old):
        return []
    return r.notes_of(str(row["id"]))


def _has_notes(r: Reading, now: Stamp, old: Stamp) -> bool:
    """Whether the topic was closed, archived or unlisted, or the contrary, and only the topic itself has the
    forum's note of when: by 2023 the list of posts leaves such notes out."""
    return r.state.unlisted_apart and not r.state.no_members and bool(now.flipped(old))


def unlisted_topics(r: Reading) -> Iterator[Batch]:
    """Unlisted topics one by one, where the list of posts leaves them out."""
    if r.state.unlisted_apart and not (r.state.job == "full" and r.state.told_all) and r.client.me().staff:
        yield from _whole_topics(r, status="unlisted")


def topics_one_by_one(r: Reading) -> Iterator[Batch]:
    """All topics with their posts, where that takes fewer requests than the list of posts."""
    if r.state.by_topic:
        yield from _whole_topics(r)


def _whole_topics(r: Reading, **which: str) -> Iterator[Batch]:
    skip = int(r.state.at.get("done", 0))
    page = int(r.state.at.get("page", 0))
    for found, following in topic_pages(
        r.client, page=page, order="created", ascending="true", per_page=100, **which
    ):
        rows = r.kept_rows(found.rows)
        stamps = r.stamps(rows)
        for place, row in enumerate(rows[skip:], start=skip + 1):
            r.state.at = {"page": page, "done": place}
            yield r.whole_topic(row, found.names, stamps.get(str(row["id"])))
        skip, page = 0, following
        r.state.at = {"page": page}


def unlisted_again(r: Reading) -> Iterator[Batch]:
    """As a round of the rolling re-read ends: what the list of posts leaves out belongs to it as well, unless
    a query tells of it."""
    if r.state.rolled == 0 and not r.told_by_query:
        yield from unlisted_topics(r)


def abouts_again(r: Reading) -> Iterator[Batch]:
    """The topics that describe categories, which no list shows, unless all posts are read again. Asked for in
    the end, as all are that the lists have not shown, each would take two requests."""
    if r.share_of_round >= 1:
        return
    held = r.known.stamps([str(number) for number in r.state.abouts])
    for number in r.state.abouts:
        if str(number) in held and number > int(r.state.at.get("about", 0)):
            r.state.at = {"about": number}
            yield from by_itself(r, str(number))


def by_itself(r: Reading, number: str) -> Iterator[Batch]:
    """A topic that no list shows, such as a category's About topic, or that is not for us."""
    try:
        view = read_topic(r.client, number)
    except (Forbidden, NotFound):
        return
    if not view.topic.get("deleted_at") and r.kept_rows([view.topic]):
        yield r.with_posts(mapping.thread(r.site, view.topic, author=view.author), view)


def bumped_topics(r: Reading) -> Iterator[Batch]:
    """Rows from the top of /latest down to those that the last run has seen. A reading that was interrupted
    is finished first, and then what has come on top of it."""
    if r.state.rows:
        yield from _bumped(r)
    yield from _bumped(r)
    r.state.rows_due, r.state.fresh = False, {}


def _bumped(r: Reading) -> Iterator[Batch]:
    """One descent. It is taken up a page before: new activity shifts rows down, deletions shift them up."""
    newest = str(r.state.rows.get("newest", r.state.bumped))
    begin = max(0, int(r.state.rows.get("page", 0)) - 1)
    for page, following in topic_pages(r.client, page=begin):
        rows = r.kept_rows(page.rows)
        stamps = r.stamps(rows)
        plain: list[Record] = []
        again = []
        for row in rows:
            record = _unread(r, row, page.names, stamps.get(str(row["id"])))
            r.state.fresh.pop(str(row["id"]), None)
            if record is None:
                again.append(row)
            else:
                plain += [record, *_notes(r, row, stamps)]
        newest = max([newest, *(str(row.get("bumped_at") or "") for row in page.rows)])
        yield r.batch(plain, "topics", len(plain))
        for row in again:
            yield r.whole_topic(row, page.names, stamps.get(str(row["id"])))
        r.state.rows = {"page": following, "newest": newest}
        if any(_is_seen(row, r.state.bumped) for row in page.rows):
            break
    # A topic may carry a date in the future; what comes before that must not be missed.
    r.state.bumped, r.state.rows = min(newest, mapping.wire(r.world.now())), {}


def _unread(r: Reading, row: Json, names: Mapping[str, str], old: Stamp | None) -> Thread | None:
    """The record of a row that needs no reading of its topic; None if it needs one. A change of nothing
    but likes waits for the sweep."""
    before, now = old or _NEW, Stamp.of(row)
    if now.same_posts(before):
        return r.thread(row, names, old)
    if _explained(row, r.state, before, now):
        seen = replace(before, posts=now.posts, highest=now.highest, bumped=now.bumped, last=now.last)
        return r.thread(row, names, old, posts_of=now if old is None else seen)
    if old is not None and replace(now, likes=old.likes).same_posts(old):
        return r.thread(row, names, old, posts_of=old)
    return None


def _is_seen(row: Json, bumped: str) -> bool:
    """A row that ends the reading: not held at the top by a pin, and older than what is known."""
    at, known = mapping.moment(row.get("bumped_at")), mapping.moment(bumped)
    pinned = row.get("pinned") or row.get("pinned_globally")
    return not pinned and at is not None and known is not None and at < known - _OVERLAP
