"""In which order a forum is read: the full pass, the sweeps that follow, and the runs between them.

A full pass reads everything. A sweep reads structure, members and all topic rows again, every topic whose
row has changed, and a slice of all posts. A run between sweeps reads the top of three lists: posts, topics,
members. A pass that was stopped goes on in the phase and at the place that the cursor names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from ..base import Batch
from ..records import Kind
from . import mapping, read_messages, read_people, read_posts, read_topics
from .badges import badges
from .events import begin, delivered
from .explorer import asked, beginning, confirm, everything
from .reading import Reading
from .staff_log import staff_doings

Phase = Callable[[Reading], Iterator[Batch]]


def _start(r: Reading) -> Iterator[Batch]:
    """The watermarks: what is newer than they are belongs to the run that follows this pass."""
    rows = read_posts.public(r).newest()
    r.state.post = max((int(row["id"]) for row in rows), default=0)
    now = r.world.now()
    newest = max((str(row["created_at"]) for row in rows), default=mapping.wire(now - timedelta(days=1)))
    r.state.bumped = r.state.mail = min(newest, mapping.wire(now))  # an import may have dated posts ahead
    r.state.posts = r.posts
    begin(r)
    r.state.explored = beginning(r.state.bumped)
    yield r.batch(part="start")


def _query(r: Reading) -> Iterator[Batch]:
    """Each sweep looks whether the query is still the one. Beside a webhook it is asked in sweeps only: for
    likes, levels, groups and badges."""
    confirm(r)
    if r.webhook is not None:
        yield from asked(r)


def _posts(r: Reading) -> Iterator[Batch]:
    if not (yield from everything(r)):
        yield from read_posts.all_posts(r)


_FULL: dict[str, Phase] = {
    "start": _start,
    "structure": read_people.structure,
    "members": read_people.members,
    "groups": read_people.groups,
    "badges": badges,
    "topics": read_topics.all_topics,
    "posts": _posts,
    "topics one by one": read_topics.topics_one_by_one,
    "unlisted": read_topics.unlisted_topics,
    "private": read_posts.all_private,
    "conversations": read_messages.all_conversations,
}
_SWEEP: dict[str, Phase] = {
    "structure": read_people.structure,
    "query": _query,
    "members": read_people.members,
    "groups": read_people.groups,
    "badges": badges,
    "topics": read_topics.all_topics,
    "abouts": read_topics.abouts_again,
    "private": read_posts.all_private,
    "conversations": read_messages.all_conversations,
    "staff's doings": staff_doings,
    "posts again": read_posts.rolling,
    "unlisted again": read_topics.unlisted_again,
}


def changes(r: Reading) -> Iterator[Batch]:
    """Everything since the state, up to now."""
    now = r.world.now()
    if not r.state.swept:
        r.state.begin("full", "start", now)
    if r.state.job:
        yield from _job(r)
    yield from _news(r)
    if r.sweep_due:
        r.state.begin("sweep", "structure", r.world.now())
        yield from _job(r)


def _job(r: Reading) -> Iterator[Batch]:
    phases = _FULL if r.state.job == "full" else _SWEEP
    names = list(phases)
    for name in names[names.index(r.state.phase) :]:
        if r.state.phase != name:
            r.state.enter(name)
        yield from phases[name](r)
    ended = (Kind.THREAD, Kind.CONTRIBUTION) if r.state.job == "full" else (Kind.THREAD,)
    scan = r.state.scan
    r.state.finish()
    yield Batch(cursor=r.state.cursor(), scan=scan, ended=ended)


def _news(r: Reading) -> Iterator[Batch]:
    if r.webhook is None and (yield from asked(r)):
        yield from read_posts.new_private(r)
        yield from read_messages.new_mail(r)
        yield r.batch()
        return
    yield from read_posts.new_posts(r)
    yield from read_posts.new_private(r)
    yield from delivered(r)
    told = r.webhook is not None or bool(r.known.conversations())
    yield from read_messages.new_mail(r)
    # Three requests are to do while nothing is new. Without new posts the top of the topics could only tell
    # of edits that bump, which the webhook tells as well; else they wait for the sweep.
    if r.state.rows_due or not told:
        yield from read_topics.bumped_topics(r)
    yield from read_people.new_members(r)
    yield r.batch()
