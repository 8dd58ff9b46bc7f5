"""Small random communities as plain lists of dicts, and how they get into a store.

Every dict is a row of the table of its name. A second site holds rows with the same ids, of which nothing may
ever be seen from the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from ordito.policies.query import Coverage
from ordito.sync.store import tables

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SITE = "here"
ELSEWHERE = "elsewhere"
DAY = 24 * 3600 * 1_000_000

Row = dict[str, Any]


def ago(days: float) -> int:
    """Microseconds of the moment so many days before NOW."""
    moment = NOW - timedelta(days=days)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


@dataclass
class World:
    """The rows of one community. `coverage` is what the mirror is said to lack."""

    family: str
    coverage: Coverage
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def __getitem__(self, table: str) -> list[Row]:
        return self.rows[table]

    def load(self, conn: Connection) -> None:
        """Into an empty store, inside the caller's transaction."""
        for name in ORDER:
            rows = [*self.rows[name], *_decoys(name, self.rows[name])]
            if rows:
                conn.execute(insert(tables.metadata.tables[name]), rows)


ORDER = (
    "proposals", "attempts", "members", "spaces", "threads", "contributions", "texts", "states",
    "identities", "contacts", "doings",
)  # fmt: skip


def _decoys(table: str, rows: list[Row]) -> list[Row]:
    """The same ids on the other site, where all else is different."""
    changes: dict[str, Row] = {
        "members": {"username": "decoy", "admin": True, "bot": True, "staged": True, "deleted_at": None},
        "threads": {"title": "decoy?", "closed": True, "pinned": True, "author": "1", "deleted_at": None},
        "contributions": {"created_at": ago(0.25), "author": "2", "deleted_at": None, "kind": "regular"},
        "texts": {"text": "decoy?"},
        "spaces": {"name": "decoy"},
        "states": {"value": "decoy"},
    }
    if table not in changes:
        return []
    found = [{**row, "site": ELSEWHERE, **changes[table]} for row in rows]
    if table == "states":  # all of them have one value now, and a key must be there once
        keyed = {(row["kind"], row["item"], row["field"], row["valid_from"]): row for row in found}
        return list(keyed.values())
    return found


# --- strategies -------------------------------------------------------------------------------------------

_DAYS = (0, 0.5, 1, 3, 13, 14, 29, 30, 45, 91, 120, 200, 210, 300, 365, 400)
"""Few, so that things happen at the same moment, and at the edges of durations."""

WORDS = (
    "install", "Setup help?", "STRASSE", "straße", "ﬁsh", "café", "cafe\u0301", "100%_x", "a\\b", "?", "",
)  # fmt: skip
GROUPS = ("staff", "helpers", "shadow")
LABELS = ("keep", "question", "Émile")

days = st.sampled_from(_DAYS)
moments = days.map(ago)
maybe_moments = st.none() | moments


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A community of a few people and threads."""
    family = draw(st.sampled_from(["forum", "forum", "wiki"]))
    rows: dict[str, list[Row]] = {name: [] for name in ORDER}
    world = World(family, draw(_coverages()), rows)
    forum = family == "forum"
    member_ids = [str(n) for n in range(1, draw(st.integers(1, 5)) + 1)]
    rows["members"] = [draw(_member(id, forum)) for id in member_ids]
    rows["spaces"] = [
        {"site": SITE, "id": id, "name": name, "restricted": False, "scan": ""}
        for id, name in (("1", "Lounge"), ("3", "User talk"))
    ]
    people = st.none() | st.sampled_from([*member_ids, "99"])  # 99 is not mirrored
    thread_ids = [str(n) for n in range(1, draw(st.integers(0, 4)) + 1)]
    rows["threads"] = [draw(_thread(id, forum, people, rows["members"])) for id in thread_ids]
    if thread_ids:
        for number in range(draw(st.integers(0, 9))):
            draw(_contribution(str(number + 1), forum, people, world))
    for row in rows["threads"]:
        if row["solved_by"]:
            row["solved_by"] = draw(st.sampled_from(["1", "2", "3", "", "777"]))
    _states(draw, world)
    _outbox(draw, world, member_ids)
    return world


_MISSED = (
    "contributions", "edits", "deletions", "likes", "threads", "titles", "moves", "labels", "states",
    "solutions", "members", "renames", "roles", "groups", "trust levels", "member titles", "suspensions",
)  # fmt: skip


@st.composite
def _coverages(draw: st.DrawFn) -> Coverage:
    if draw(st.booleans()):
        return Coverage()
    return Coverage(
        since=draw(st.none() | moments),
        excluded=draw(st.booleans()),
        members_excluded=draw(st.booleans()),
        gaps=draw(st.just(frozenset()) | st.frozensets(st.sampled_from(_MISSED), max_size=3)),
        dark_groups=draw(st.sampled_from([frozenset(), frozenset({"shadow"})])),
    )


@st.composite
def _member(draw: st.DrawFn, id: str, forum: bool) -> Row:
    flag = st.sampled_from([False, False, False, True])
    return {
        "site": SITE, "id": id, "username": draw(st.sampled_from([f"user{id}", f"Straße{id}"])), "name": "",
        "joined_at": draw(maybe_moments),
        "last_seen_at": draw(maybe_moments) if forum else None,
        "trust_level": draw(st.none() | st.integers(0, 4)) if forum else None,
        "admin": draw(flag), "moderator": draw(flag), "bot": draw(flag), "staged": draw(flag),
        "suspended_until": draw(st.none() | st.sampled_from([ago(-5), ago(5), ago(250)])),
        "silenced_until": draw(st.none() | st.sampled_from([ago(-5), ago(5)])) if forum else None,
        "title": draw(st.none() | st.sampled_from(WORDS)) if forum else None,
        "deleted_at": draw(st.sampled_from([None, None, None, ago(10), ago(250)])), "scan": "",
    }  # fmt: skip


@st.composite
def _thread(draw: st.DrawFn, id: str, forum: bool, people: Any, members: list[Row]) -> Row:
    flag = st.sampled_from([None, False, False, True]) if forum else st.none()
    number = st.none() | st.integers(0, 12) if forum else st.none()
    talk = not forum and draw(st.booleans())
    kinds = ("topic", "topic", "topic", "message") if forum else (("talk",) if talk else ("page",))
    title = f"User talk:{draw(st.sampled_from(members))['username']}" if talk else None
    return {
        "site": SITE, "id": id, "kind": draw(st.sampled_from(kinds)),
        "space": "3" if talk else draw(st.sampled_from([None, "1", "8"])),
        "title": title or draw(st.sampled_from(WORDS)),
        "author": draw(people), "created_at": draw(maybe_moments), "last_activity_at": None,
        "closed": draw(flag), "archived": draw(flag), "visible": draw(flag), "pinned": draw(flag),
        "views": draw(number), "likes": draw(number),
        "solved_by": draw(st.sampled_from([None, "", "?"])) if forum else None,
        "stamp": "", "deleted_at": draw(st.sampled_from([None, None, None, None, ago(10), ago(250)])),
        "scan": "",
    }  # fmt: skip


@st.composite
def _contribution(draw: st.DrawFn, id: str, forum: bool, people: Any, world: World) -> None:
    """With its text; what is in a deleted thread is deleted with it, as the mirror does it."""
    thread = draw(st.sampled_from(world["threads"]))
    kinds = ("regular",) * 5 + (("moderator", "small", "whisper") if forum else ("minor", "regular"))
    created = draw(moments)
    ends = [end for end in (draw(st.sampled_from([None, None, None, ago(2), ago(220)])), thread["deleted_at"])
            if end is not None]  # fmt: skip
    world["contributions"].append({
        "site": SITE, "id": id, "thread": thread["id"], "author": draw(people), "created_at": created,
        "updated_at": draw(st.sampled_from([None, created, created + DAY])),
        "position": int(id) if forum else None,
        "parent": draw(st.none() | st.sampled_from(["1", "2", "3"])), "parent_position": None,
        "likes": draw(st.none() | st.integers(0, 9)) if forum else None,
        "size": draw(st.none() | st.integers(0, 40)),
        "sha1": draw(st.sampled_from([None, "", "a", "b"])), "kind": draw(st.sampled_from(kinds)),
        "deleted_at": min(ends) if ends else None, "scan": "",
    })  # fmt: skip
    if draw(st.booleans()):
        world["texts"].append({"site": SITE, "contribution": id, "text": draw(st.sampled_from(WORDS))})


def _states(draw: st.DrawFn, world: World) -> None:
    for member in world["members"]:
        _set(draw, world, "member", member["id"], "group", GROUPS)
        if world.family == "forum":
            _history(draw, world, "member", member, "trust_level", ("0", "2", "4"))
            _history(draw, world, "member", member, "title", WORDS[:3])
    for thread in world["threads"]:
        _set(draw, world, "thread", thread["id"], "label", LABELS)
        if world.family == "forum":
            for name in ("closed", "archived", "visible"):
                _history(draw, world, "thread", thread, name, ("true", "false"))


def _set(draw: st.DrawFn, world: World, kind: str, item: str, name: str, values: tuple[str, ...]) -> None:
    for value in draw(st.lists(st.sampled_from(values), unique=True)):
        times = sorted(set(draw(st.lists(moments, min_size=1, max_size=3))))
        for start, end in zip(times[::2], [*times[1::2], None], strict=False):
            world["states"].append(_state(kind, item, name, value, start, end))


def _history(
    draw: st.DrawFn, world: World, kind: str, row: Row, name: str, values: tuple[str, ...]
) -> None:
    """None at all, or intervals without holes of which the last one says what the row says."""
    if draw(st.integers(0, 2)):
        return
    starts = sorted(set(draw(st.lists(moments, min_size=1, max_size=3))))
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        value = draw(st.sampled_from(values))
        world["states"].append(_state(kind, row["id"], name, value, start, end))
    row[name] = int(value) if name == "trust_level" else value if name == "title" else value == "true"


def _state(kind: str, item: str, name: str, value: str, start: int, end: int | None) -> Row:
    return {"site": SITE, "kind": kind, "item": item, "field": name, "value": value, "valid_from": start,
            "valid_to": end, "source": "observed"}  # fmt: skip


def _outbox(draw: st.DrawFn, world: World, member_ids: list[str]) -> None:
    rows = world.rows
    rows["proposals"] = [
        {"id": 1, "policy": "p", "site": SITE, "item": f"{SITE}:thread:1", "occasion": "once", "step": "x",
         "verb": "reply", "action": "{}", "because": "[]", "state": "applied", "created_at": 0,
         "changed_at": 0, "edited": False, "rearmed": False}
    ]  # fmt: skip
    outcomes = st.sampled_from([None, "done", "not_done", "unsettled"])
    written = draw(st.lists(st.tuples(st.sampled_from(member_ids), moments, outcomes), max_size=4))
    rows["attempts"] = [
        {"id": number, "proposal": 1, "doing": "perform", "by": "x", "token": str(number), "started_at": 0,
         "outcome": outcome}
        for number, (_, _, outcome) in enumerate([("", 0, "done"), *written], start=1)
    ]  # fmt: skip
    rows["contacts"] = [
        {"attempt": number, "site": SITE, "member": member, "at": at}
        for number, (member, at, _) in enumerate(written, start=2)
    ]
    ours = draw(st.lists(st.sampled_from(["1", "2", "3"]), unique=True, max_size=2))
    rows["doings"] = [{"site": SITE, "kind": "contribution", "id": id, "attempt": 1} for id in ours]
    if draw(st.integers(0, 4)) == 0:
        rows["doings"].append({"site": SITE, "kind": "thread", "id": "1", "attempt": 1})
    for member in draw(st.lists(st.sampled_from(member_ids), unique=True)):
        for site, id in ((SITE, member), (draw(st.sampled_from([SITE, ELSEWHERE])), "other" + member)):
            rows["identities"].append({
                "site": site, "member": id, "person": "p" + member, "source": "file", "at": 0,
                "state": draw(st.sampled_from(["linked", "linked", "suggested", "refused"])),
            })  # fmt: skip


# --- conditions -------------------------------------------------------------------------------------------

numbers = st.integers(-1, 6).map(str) | st.builds(
    "{} {}".format, st.sampled_from([">", ">=", "<", "<=", "="]), st.integers(0, 12)
) | st.tuples(st.integers(0, 3), st.integers(3, 12)).map(lambda pair: f"{pair[0]}..{pair[1]}") | st.integers(
    0, 4
) | st.just("> 1.5")  # fmt: skip
_durations = [
    "0 days", "14 days", "30 days", "200 days", "1 month", "6 months", "1 year", "12 hours", "3 weeks",
]  # fmt: skip
ages = st.builds("{} {}".format, st.sampled_from([">", ">=", "<", "<="]), st.sampled_from(_durations))
_texts = st.sampled_from([word for word in WORDS if word] + ["user1", "strasse2", "Lounge", "FISH", "CAFÉ"])
_one_or_more = _texts | st.lists(_texts, min_size=1, max_size=2)
texts = (
    _one_or_more
    | st.fixed_dictionaries({"contains": _one_or_more})
    | st.sampled_from(["(?i)install|setup", "^a", r"\?$", "e\u0301", "%_"]).map(lambda one: {"matches": one})
)


def sets(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    some = st.sampled_from([*names, "nobody"]) | st.lists(st.sampled_from(names), min_size=1, max_size=2)
    mapping = st.fixed_dictionaries({}, optional={"any": some, "all": some, "none": some}).filter(bool)
    return some | mapping


def conditions(subject: str, facts: dict[str, Any], depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """Documents of conditions on `subject`; `facts`: name with prefix → the catalogue's entry."""
    tests = {name: _test(fact) for name, fact in facts.items()}
    atom = st.sampled_from(sorted(tests)).flatmap(lambda name: st.fixed_dictionaries({name: tests[name]}))
    mappings = st.lists(atom, max_size=2).map(_merged)
    for _ in range(depth):
        inner = mappings
        nested = st.fixed_dictionaries({}, optional={
            "any": st.lists(inner, min_size=1, max_size=2),
            "all": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        })  # fmt: skip
        mappings = st.tuples(nested, st.lists(atom, max_size=2).map(_merged)).map(lambda two: two[0] | two[1])
    return mappings


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: test for part in parts for name, test in part.items()}


def _test(fact: Any) -> st.SearchStrategy[Any]:
    match fact.type:
        case "number":
            return numbers
        case "age":
            return ages
        case "boolean":
            return st.booleans()
        case "choice":
            chosen = st.sampled_from(fact.choices)
            return chosen | st.lists(chosen, min_size=1, max_size=2)
        case "scores":
            areas = st.sampled_from([*LABELS, "KEEP", "lounge", "User talk", "nowhere"])
            return numbers | st.dictionaries(areas, numbers, min_size=1, max_size=2)
        case "set":
            return sets(GROUPS if fact.name == "groups" else LABELS)
        case _:
            return texts
