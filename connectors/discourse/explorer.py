"""Changes by Data Explorer: a query that an administrator stored on the forum tells everything that was
changed, also what bumps nothing and shows in no list, in one request for two thousand changes.

Nothing is ever stored on the forum from here. The database knows more than our account may see: of each topic
the forum's list of topics is asked, and what that does not show is left out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ...config.errors import (
    ConnectorError,
    Filtered,
    Forbidden,
    Misconfigured,
    NotFound,
    NotThisPlatform,
    ReadOnly,
    Refused,
    Unreachable,
)
from ..base import Batch
from ..records import Kind, Record, Ref
from . import mapping
from .client import Client, Json
from .dialect import topic_rows
from .query import ROWS, Address, Row, database_time, number, rows_of, same
from .query_rows import SMALL, WHISPER, Told, moment_of, take_in
from .read_topics import by_itself
from .reading import Reading
from .stamps import Stamp

_log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=5)
"""A transaction may come so much later than the times that it writes."""
_SEEN = 2000
"""So many changes of the overlap are remembered; what was forgotten is dealt with twice, without harm."""
_NOTHING = Stamp(state="", posts=0, highest=0, likes=0, bumped="", last="")


def beginning(at: str) -> dict[str, Any]:
    """Where to begin for a mirror that is true as of `at`, a time as the API writes it."""
    return {"since": database_time(mapping.wire(datetime.fromisoformat(at) - OVERLAP))}


def asked(r: Reading) -> Generator[Batch, None, bool]:
    """Everything that the query tells since the last run; whether it could be asked.

    Where it takes too long, or the forum takes no requests of this kind at the moment, the lists have to do.
    Raises Misconfigured where there is no such query for us, or another one.
    """
    if r.explorer is None:
        return False
    began = r.world.now()
    place = r.state.explored or beginning(r.state.round_before or r.state.swept)
    while True:
        page = _page(r, r.explorer, place)
        if page is None:
            return False
        seen = set(place.get("seen", ()))
        yield from _batches(r, [row for row in page.rows if _key(row) not in seen])
        told = (number(row["id"]) or 0 for row in page.rows if row["kind"] == "post")
        newest = max([place.get("newest", r.state.post), *told])
        place = {**_after(place, page.rows), "newest": newest}
        r.state.explored = place
        if page.last:
            break
    r.state.explored, r.state.asked = _rested(place, began), began.isoformat()
    r.state.post = max(r.state.post, newest)
    return True


def everything(r: Reading) -> Generator[Batch, None, bool]:
    """In a full pass: all posts of the topics that it has read, and all notes on members, from the beginning;
    whether it could be asked. What a list shows of a topic is known, so that nothing else is asked for."""
    if r.explorer is None or (r.state.at and "explored" not in r.state.at):
        return False
    if not r.state.at:
        confirm(r)
    first = r.scope.since or datetime(2000, 1, 1, tzinfo=UTC)
    place = r.state.at.get("explored") or beginning(first.isoformat())
    done = int(r.state.at.get("done", 0))
    while True:
        page = _page(r, r.explorer, place)
        if page is None:
            r.state.at = {}
            return False
        place = {**_after(place, page.rows), "seen": []}
        done += sum(row["kind"] == "post" for row in page.rows)
        r.state.at = {"explored": place, "done": done}
        yield r.batch(_of_known_topics(r, page.rows), "posts", done)
        if page.last:
            break
    for about in r.state.abouts:
        yield from by_itself(r, str(about))
    r.state.told_all = True
    return True


def _of_known_topics(r: Reading, rows: Sequence[Row]) -> list[Record]:
    told = Told()
    for row in rows:
        if row["kind"] not in ("topic", "member") and not row["removed"]:
            take_in(r, row, told)
    known = r.known.stamps(list(told.posts))
    posts = [post for number in known for post in told.posts[number] if r.scope.post(post)]
    there = [post for post in posts if post["deleted_at"] is None]
    changes = [change for post in posts for change in r.change(post)]
    return [*r.contributions(there), *changes, *told.changes]


class Page(NamedTuple):
    """Some rows of the result, in order; `last`: there are no more."""

    rows: list[Row]
    last: bool


def _page(r: Reading, address: Address, place: dict[str, Any]) -> Page | None:
    """None where the lists have to do: the query is what fails, not the forum."""
    why: ConnectorError
    try:
        return run(r.client, address, place, ROWS)
    except (Filtered, ReadOnly) as error:
        why = error
    except (Unreachable, NotThisPlatform) as error:
        if not _is_there(r.client):
            raise
        why = error
    _log.warning("%s: Data Explorer could not be asked: %s", r.site, why.message)
    return None


def _is_there(client: Client) -> bool:
    try:
        client.get("/session/current.json")
    except ConnectorError:
        return False
    return True


def run(client: Client, address: Address, place: dict[str, Any], limit: int) -> Page:
    """One page. Raises Misconfigured; Filtered for what the database says against it."""
    params = {
        "since": place["since"],
        "after": str(place.get("after", ".")),
        "id": str(place.get("id", 0)),
        "rows": str(limit),
    }
    try:
        content = client.ask(address.run, params=json.dumps(params), limit=str(limit))
    except (Forbidden, NotFound):
        raise Misconfigured(
            f"query {address.number} of Data Explorer cannot be run.",
            where=client.site,
            hint="`ordito check` shows the query to store. An account that is no administrator needs it"
            " shared with a group that it is in; then write group/number.",
        ) from None
    rows = rows_of(content)
    if rows is None:
        raise _another(client, address)
    # A forum may give no more than its own limit at once, whatever was asked for.
    return Page(rows, last=len(rows) < min(limit, number(content.get("default_limit")) or limit))


def stored(client: Client, address: Address) -> str:
    """The query as the forum has it. Raises Refused where there is none, or not for this account."""
    return str((client.get(address.stored).get("query") or {}).get("sql") or "")


def confirm(r: Reading) -> None:
    """Raises Misconfigured if somebody has changed the stored query: its rows would look as before."""
    if r.explorer is None:
        return
    try:
        text = stored(r.client, r.explorer)
    except Refused:
        return  # a key may run it and not read it; running it tells whether it is there
    if not same(text):
        raise _another(r.client, r.explorer)


def _another(client: Client, address: Address) -> Misconfigured:
    return Misconfigured(
        f"query {address.number} of Data Explorer is not the one that is needed.",
        where=client.site,
        hint="`ordito check` shows the query to store there.",
    )


def _key(row: Row) -> str:
    return f"{row['kind']} {row['id']} {row['moment']}"


def _after(place: dict[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """The place behind these rows."""
    kept = [*place.get("seen", ()), *(_key(row) for row in rows)][-_SEEN:]
    if not rows:
        return {**place, "seen": kept}
    last = max(rows, key=lambda row: (datetime.fromisoformat(row["moment"]), row["kind"], number(row["id"])))
    return {"since": str(last["moment"]), "after": str(last["kind"]), "id": number(last["id"]), "seen": kept}


def _rested(place: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The place between runs: some minutes back, with what of them was dealt with; and not in the future, for
    which an import may have dated posts."""
    told = datetime.fromisoformat(place["since"]).replace(tzinfo=None)
    since = min(told, now.astimezone(UTC).replace(tzinfo=None))
    if "after" in place:
        since -= OVERLAP
    text = since.strftime("%Y-%m-%d %H:%M:%S.%f")
    seen = dict.fromkeys(key for key in place["seen"] if moment_of(key.split(" ", 2)[2]) >= moment_of(text))
    return {"since": text, "seen": list(seen)}


def _batches(r: Reading, rows: Sequence[Row]) -> Iterator[Batch]:
    """Members and posts first, then the topics that have to be read whole: a post that was moved away must be
    in its new topic before the old one is found to lack it."""
    told = Told()
    for row in rows:
        take_in(r, row, told)
    numbers = [n for n in {**told.topics, **told.posts} if Ref(r.site, Kind.THREAD, n) not in dict(told.gone)]
    found = {str(row["id"]): (row, names) for row, names in topic_rows(r.client, numbers)} if numbers else {}
    kept = {n: found[n] for n in found if r.kept_rows([found[n][0]])}
    stamps = r.stamps(row for row, _ in kept.values())
    records: list[Record] = []
    gone: list[tuple[Ref, datetime | None]] = []
    whole = []
    homes = {str(post["id"]): n for n, posts in told.posts.items() for post in posts}
    for n, (row, names) in kept.items():
        old, posts = stamps.get(n), told.posts.get(n, [])
        if _explained(r, row, old, posts, homes):
            records.append(r.thread(row, names, old, posts_of=Stamp.of(row)))
            records += _posts(r, row, posts)
            gone += [_deletion(r, post) for post in posts if post["deleted_at"]]
        else:
            whole.append((row, names, old, _posts(r, row, posts) if old is not None else []))
    records += [record for *_, moved in whole for record in moved]
    yield Batch(
        records=(*records, *told.people, *told.changes),
        cursor=r.state.cursor(),
        gone=(*told.gone, *gone),
        scan=r.state.scan,
        part="changes",
        done=len(rows),
    )
    for row, names, old, _ in whole:
        yield r.whole_topic(row, names, old)
    for n in numbers:
        if n not in found and n not in r.refused:
            yield from by_itself(r, n)


def _posts(r: Reading, row: Json, posts: Sequence[Json]) -> list[Record]:
    kept = [{**post, "category_id": row.get("category_id")} for post in posts]
    kept = [post for post in kept if r.scope.post(post)]
    there = [post for post in kept if post["deleted_at"] is None]
    return [*r.contributions(there), *(change for post in kept for change in r.change(post))]


def _deletion(r: Reading, post: Json) -> tuple[Ref, datetime | None]:
    """What is deleted is marked if the mirror holds it, and never read into it."""
    return Ref(r.site, Kind.CONTRIBUTION, str(post["id"])), mapping.moment(post["deleted_at"])


def _explained(
    r: Reading, row: Json, old: Stamp | None, posts: Sequence[Json], homes: Mapping[str, str]
) -> bool:
    """Whether these posts make up for all that happened to the topic's count of posts. A recovered post
    shows nowhere else, nor even there if one was moved away: `homes` are the topics that posts are in now.
    Versions differ in whether small actions count."""
    before, now = old or _NOTHING, Stamp.of(row)
    if row.get("has_accepted_answer") and not before.solved:
        return False
    n = str(row["id"])
    held = r.known.contribution_ids(n) if old is not None else frozenset()
    if any(homes.get(post, n) != n for post in held):
        return False
    all_posts = without_small = 0
    for post in posts:
        there = post["deleted_at"] is None and not post["user_deleted"]
        step = int(there) - int(_was_counted(r, post, held, before))
        if post["user_deleted"] and post["deleted_at"] is None:
            step = 0  # its text is gone, it is still counted
        if post["post_type"] != WHISPER:
            all_posts += step
            without_small += step if post["post_type"] != SMALL else 0
    return now.posts - before.posts in (all_posts, without_small)


def _was_counted(r: Reading, post: Json, held: Collection[str], before: Stamp) -> bool:
    """Of what the mirror never holds (an excluded member's), the topic's numbers tell whether it is new."""
    if r.scope.post(post):
        return str(post["id"]) in held
    return (post["post_number"] or 0) <= before.highest
