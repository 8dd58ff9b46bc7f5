"""The conversations that we opened; they are read by id, whatever the settings say of other messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...config.errors import Refused
from ..base import Batch
from ..records import Kind, Ref
from . import mapping
from .dialect import topic_pages
from .reading import Reading
from .stamps import Stamp
from .topic import read_topic


def all_conversations(r: Reading) -> Iterator[Batch]:
    """Each of them, in a pass."""
    ids = sorted(r.known.conversations(), key=int)
    for number in ids:
        if int(number) > int(r.state.at.get("conversation", 0)):
            r.state.at = {"conversation": int(number)}
            yield _read(r, number)


def new_mail(r: Reading) -> Iterator[Batch]:
    """Those that somebody has written in since the last run: one request tells, if there are any."""
    mine = set(r.known.conversations())
    if not mine:
        return
    newest = r.state.mail
    for page, _ in topic_pages(r.client, f"/topics/private-messages-sent/{r.client.api_username}.json"):
        rows = [row for row in page.rows if str(row["id"]) in mine]
        stored = r.stamps(rows)
        for row in rows:
            old = stored.get(str(row["id"]))
            if old is None or not _same(Stamp.of(row), old):
                yield _read(r, str(row["id"]))
        newest = max([newest, *(str(row.get("bumped_at") or "") for row in page.rows)])
        if any(str(row.get("bumped_at") or "") < r.state.mail for row in page.rows):
            break
    r.state.mail = newest


def _same(one: Stamp, other: Stamp) -> bool:
    """A topic's own view knows nothing of `bumped_at`."""
    return replace(one, bumped="").same_posts(replace(other, bumped=""))


def _read(r: Reading, number: str) -> Batch:
    ref = Ref(r.site, Kind.THREAD, number)
    try:
        view = read_topic(r.client, number)
    except Refused:
        return r.batch(gone=[ref], part="messages")
    if view.topic.get("deleted_at"):
        return r.batch(gone=[ref], part="messages")
    record = mapping.thread(
        r.site, view.topic, author=view.author, stamp=str(replace(Stamp.of(view.topic), solved=""))
    )
    return r.with_posts(record, view)
