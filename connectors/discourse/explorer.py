"""Changes by Data Explorer: a query that an administrator stored on the forum tells everything that was
changed, also what bumps nothing and shows in no list, in one request for two thousand changes.

Nothing is ever stored on the forum from here. The database knows more than our account may see: of each topic
the forum's list of topics is asked, and what that does not show is left out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ...config.errors import Filtered, Forbidden, Misconfigured, NotFound, OutcomeUnknown, ReadOnly
from ..base import Batch
from ..records import Change, Kind, Record, Ref
from . import mapping, notes
from .client import Client, Json
from .dialect import topic_rows
from .query import ROWS, Address, Row, database_time, flag, number, rows_of, wire
from .reading import Reading
from .stamps import Stamp
from .topic import read_topic

_log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=5)
"""A transaction may come so much later than the times that it writes."""
_SEEN = 2000
"""So many changes of the overlap are remembered; what was forgotten is dealt with twice, without harm."""
_SMALL, _WHISPER = 3, 4
_NOTHING = Stamp(state="", posts=0, highest=0, likes=0, bumped="", last="")


@dataclass(slots=True)
class _Told:
    """One page of the result."""

    posts: dict[str, list[Json]] = field(default_factory=dict)
    """By topic."""
    topics: dict[str, None] = field(default_factory=dict)
    people: list[Record] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    gone: list[tuple[Ref, datetime | None]] = field(default_factory=list)


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
    place = r.state.explored or beginning(r.state.round_before or r.state.swept)
    while True:
        rows = _page(r, r.explorer, place)
        if rows is None:
            return False
        seen = set(place.get("seen", ()))
        yield from _batches(r, [row for row in rows if _key(row) not in seen])
        place = _after(place, rows)
        r.state.explored = place
        if len(rows) < ROWS:
            break
    r.state.explored = _rested(place)
    return True


def everything(r: Reading) -> Generator[Batch, None, bool]:
    """In a full pass: all posts of the topics that it has read, and all notes on members, from the beginning;
    whether it could be asked. What a list shows of a topic is known, so that nothing else is asked for."""
    if r.explorer is None or (r.state.at and "explored" not in r.state.at):
        return False
    first = r.scope.since or datetime(2000, 1, 1, tzinfo=UTC)
    place = r.state.at.get("explored") or beginning(first.isoformat())
    done = int(r.state.at.get("done", 0))
    while True:
        rows = _page(r, r.explorer, place)
        if rows is None:
            r.state.at = {}
            return False
        place = {**_after(place, rows), "seen": []}
        done += sum(row["kind"] == "post" for row in rows)
        r.state.at = {"explored": place, "done": done}
        yield r.batch(_of_known_topics(r, rows), "posts", done)
        if len(rows) < ROWS:
            break
    for about in r.state.abouts:
        yield from _unlisted(r, str(about))
    r.state.told_all = True
    return True


def _of_known_topics(r: Reading, rows: Sequence[Row]) -> list[Record]:
    told = _Told()
    for row in rows:
        if row["kind"] not in ("topic", "member") and not row["removed"]:
            _read(r, row, told)
    known = r.known.stamps(list(told.posts))
    posts = [post for number in known for post in told.posts[number] if r.scope.post(post)]
    there = [post for post in posts if post["deleted_at"] is None]
    changes = [change for post in posts for change in r.change(post)]
    return [*r.contributions(there), *changes, *told.changes]


def _page(r: Reading, address: Address, place: dict[str, Any]) -> list[Row] | None:
    """None where the lists have to do."""
    try:
        return run(r.client, address, place, ROWS)
    except (Filtered, ReadOnly, OutcomeUnknown) as error:
        _log.warning("%s: Data Explorer could not be asked: %s", r.site, error.message)
        return None


def run(client: Client, address: Address, place: dict[str, Any], limit: int) -> list[Row]:
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
        raise Misconfigured(
            f"query {address.number} of Data Explorer is not the one that is needed.",
            where=client.site,
            hint="`ordito check` shows the query to store there.",
        )
    return rows


def _key(row: Row) -> str:
    return f"{row['kind']} {row['id']} {row['moment']}"


def _moment(text: str) -> datetime:
    at = mapping.moment(wire(text))
    return at or datetime.fromtimestamp(0, UTC)


def _after(place: dict[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """The place behind these rows."""
    kept = [*place.get("seen", ()), *(_key(row) for row in rows)][-_SEEN:]
    if not rows:
        return {**place, "seen": kept}
    last = max(rows, key=lambda row: (datetime.fromisoformat(row["moment"]), row["kind"], number(row["id"])))
    return {"since": str(last["moment"]), "after": str(last["kind"]), "id": number(last["id"]), "seen": kept}


def _rested(place: dict[str, Any]) -> dict[str, Any]:
    """The place between runs: some minutes back, with what of them was dealt with."""
    since = datetime.fromisoformat(place["since"])
    if "after" in place:
        since -= OVERLAP
    text = since.strftime("%Y-%m-%d %H:%M:%S.%f")
    seen = dict.fromkeys(key for key in place["seen"] if _moment(key.split(" ", 2)[2]) >= _moment(text))
    return {"since": text, "seen": list(seen)}


def _batches(r: Reading, rows: Sequence[Row]) -> Iterator[Batch]:
    """Members and posts first, then the topics that have to be read whole: a post that was moved away must be
    in its new topic before the old one is found to lack it."""
    told = _Told()
    for row in rows:
        _read(r, row, told)
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
            yield from _unlisted(r, n)


def _posts(r: Reading, row: Json, posts: Sequence[Json]) -> list[Record]:
    kept = [{**post, "category_id": row.get("category_id")} for post in posts]
    kept = [post for post in kept if r.scope.post(post)]
    there = [post for post in kept if post["deleted_at"] is None]
    return [*r.contributions(there), *(change for post in kept for change in r.change(post))]


def _deletion(r: Reading, post: Json) -> tuple[Ref, datetime | None]:
    """What is deleted is marked if the mirror holds it, and never read into it."""
    return Ref(r.site, Kind.CONTRIBUTION, str(post["id"])), mapping.moment(post["deleted_at"])


def _unlisted(r: Reading, n: str) -> Iterator[Batch]:
    """A topic that no list shows, such as a category's About topic, or that is not for us."""
    try:
        view = read_topic(r.client, n)
    except (Forbidden, NotFound):
        return
    if not view.topic.get("deleted_at") and r.kept_rows([view.topic]):
        yield r.with_posts(mapping.thread(r.site, view.topic, author=view.author), view)


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
        step = int(there) - int(str(post["id"]) in held)
        if post["user_deleted"] and post["deleted_at"] is None:
            step = 0  # its text is gone, it is still counted
        if post["post_type"] != _WHISPER:
            all_posts += step
            without_small += step if post["post_type"] != _SMALL else 0
    return now.posts - before.posts in (all_posts, without_small)


def _read(r: Reading, row: Row, told: _Told) -> None:
    at = _moment(row["moment"])
    if row["removed"] and row["topic"] is not None:
        ref = Ref(r.site, Kind.THREAD, str(row["topic"]))
        told.gone.append((ref, mapping.moment(wire(row["removed"]))))
    elif row["kind"] == "topic" and row["topic"] is not None:
        told.topics[str(row["id"])] = None
    elif row["kind"] == "post" and row["topic"] is not None:
        post = _post(row)
        if not (r.state.no_members and (flag(row["hidden"]) or post["post_type"] == _WHISPER)):
            told.posts.setdefault(str(row["topic"]), []).append(post)
    elif r.state.no_members:
        return  # nor are the lists of members open to us
    elif row["kind"] == "log" and row["member"] is None:
        if number(row["action"]) == 1 and (ref_ := notes.deleted(r.site, row["details"])) is not None:
            told.gone.append((ref_, at))
    elif row["member"] is not None and r.scope.member(row["username"]):
        if row["kind"] == "member":
            told.people.append(mapping.member(r.site, _user(row)))
        elif (change := _change(r.site, row, at)) is not None:
            lost = change.field == "badge" and not change.on
            if not (lost and r.state.holds_on(str(change.value))):
                told.changes.append(change)


def _change(site: str, row: Row, at: datetime) -> Change | None:
    member, action, label = str(row["member"]), number(row["action"]), row["label"]
    match row["kind"]:
        case "group" if label:
            return notes.membership(site, member, str(label), action == 2, at)
        case "badge" if label:
            return notes.badge(site, member, str(label), True, at)
        case "log" if action == 14 and row["details"]:
            return notes.badge(site, member, str(row["details"]), False, at)
        case "log" if action in (2, 15):
            return notes.level(site, member, row["value"], row["details"], at)
    return None


def _post(row: Row) -> Json:
    """As the list of posts would have it."""
    likes = number(row["likes"]) or 0
    return {
        "id": number(row["id"]),
        "topic_id": number(row["topic"]),
        "user_id": number(row["member"]),
        "username": row["username"],
        "post_number": number(row["number"]),
        "reply_to_post_number": number(row["reply"]),
        "post_type": number(row["type"]),
        "action_code": row["code"],
        "raw": row["raw"] or "",
        "hidden": flag(row["hidden"]),
        "created_at": wire(row["created"]),
        "updated_at": wire(row["updated"]),
        "deleted_at": wire(row["deleted"]),
        "user_deleted": flag(row["withdrawn"]),
        "actions_summary": [{"id": mapping.LIKE, "count": likes}] if likes else [],
    }


def _user(row: Row) -> Json:
    """As the list of users would have it."""
    return {
        "id": number(row["id"]),
        "username": row["username"],
        "name": row["name"],
        "title": row["title"],
        "created_at": wire(row["created"]),
        "last_seen_at": wire(row["seen"]),
        "trust_level": number(row["trust"]),
        "admin": flag(row["admin"]),
        "moderator": flag(row["moderator"]),
        "staged": flag(row["staged"]),
        "suspended_till": wire(row["suspended"]),
        "silenced_till": wire(row["silenced"]),
    }
