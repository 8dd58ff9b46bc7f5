"""Records for tests, with what a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ordito.connectors.records import (
    Badge,
    Change,
    Contribution,
    Group,
    Kind,
    Member,
    Space,
    Thread,
    ThreadKind,
)

SITE = "forum"
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """Midnight so many days after the first of January."""
    return START + timedelta(days=number)


def member(id: str, **fields: Any) -> Member:
    return Member(**{"site": SITE, "id": id, "username": f"user{id}", "joined_at": START, **fields})


def space(id: str, name: str, **fields: Any) -> Space:
    return Space(site=SITE, id=id, name=name, **fields)


def thread(id: str, **fields: Any) -> Thread:
    known = {"kind": ThreadKind.TOPIC, "space": "1", "title": f"Topic {id}", "author": "1"}
    state = {"created_at": START, "closed": False, "archived": False, "visible": True}
    return Thread(**{"site": SITE, "id": id, **known, **state, **fields})


def post(id: str, thread: str = "1", **fields: Any) -> Contribution:
    known = {"author": "1", "created_at": START, "text": f"Text of {id}", "size": 9, "likes": 0}
    return Contribution(**{"site": SITE, "id": id, "thread": thread, **known, **fields})


def group(name: str, *members: str, id: str = "") -> Group:
    return Group(site=SITE, id=id or name, name=name, members=frozenset(members))


def badge(name: str, **holders: datetime) -> Badge:
    """Whom it was given when: `_1=day(3)` for member 1."""
    return Badge(site=SITE, id=name, name=name, holders={k.lstrip("_"): at for k, at in holders.items()})


def change(kind: Kind, id: str, field: str, value: Any, at: datetime, on: bool = True) -> Change:
    return Change(site=SITE, kind=kind, id=id, field=field, value=value, at=at, on=on)
