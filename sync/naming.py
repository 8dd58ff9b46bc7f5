"""What people call an item: the platform's own word for it, and its name as the mirror has it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ..connectors.base import Platform
from ..connectors.records import Kind, Ref
from .store.tables import members, site_groups, spaces, threads

_NAMES = {
    Kind.MEMBER: members.c.username,
    Kind.SPACE: spaces.c.name,
    Kind.THREAD: threads.c.title,
    Kind.GROUP: site_groups.c.name,
}


def called(conn: Connection, ref: Ref, platform: Platform) -> str:
    """`user anna`, `topic “Which saw?”`, `page “Help”`; by its id where the mirror does not know it."""
    if ref.kind == "title":
        return f"{platform.words(Kind.THREAD)} “{ref.id}”"
    kind = Kind(ref.kind)
    word, name = platform.words(kind), _name(conn, ref)
    if name is None:
        return f"{word} {ref.id}"
    return f"{word} “{name}”" if kind == Kind.THREAD else f"{word} {name}"


def address(conn: Connection, ref: Ref, platform: Platform) -> str:
    """Where the item is shown to people who need not be staff; '' where that is nowhere."""
    if ref.kind == Kind.MEMBER and (name := _name(conn, ref)) is not None:
        return platform.profile(ref, name)
    return platform.url(ref)


def _name(conn: Connection, ref: Ref) -> str | None:
    kind = Kind(ref.kind)
    if kind not in _NAMES:
        return None
    table = _NAMES[kind].table
    query = select(_NAMES[kind]).where(table.c.site == ref.site, table.c.id == ref.id)
    return conn.execute(query).scalar_one_or_none()
