"""Pages of a wiki that a policy keeps: what the mirror knows of their text."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, select

from ..connectors.records import Kind, Ref
from ..sync.store.tables import checkpoints, contributions, members, spaces, texts, threads

MARKERS = ("<!-- Ordito keeps what follows; edits here are lost -->", "<!-- Ordito: end -->")
"""Around the part of a page that is ours."""

_PROJECT = "4"
"""The namespace that every wiki has under `Project:`, whatever its local name."""

_USER_TALK = "3"
_USERS = ("2", _USER_TALK)
"""User and User talk."""

_ours = members.alias("ours")
_TALK_PAGE = (
    select(threads.c.id, _ours.c.username)
    .join_from(members, spaces, and_(spaces.c.site == members.c.site, spaces.c.id == _USER_TALK))
    .join(
        threads,
        and_(
            threads.c.site == members.c.site,
            threads.c.title == spaces.c.name + ":" + members.c.username,
        ),
    )
    .join(checkpoints, checkpoints.c.site == members.c.site)
    .join(_ours, and_(_ours.c.site == members.c.site, _ours.c.id == checkpoints.c.account), isouter=True)
    .where(members.c.site == bindparam("site"), members.c.id == bindparam("member"))
    .where(threads.c.kind == "talk")  # for the index of talk pages, which leaves the others out
    .where(threads.c.space == _USER_TALK, threads.c.deleted_at.is_(None))
)
"""Somebody's own talk page, and our name there; asked of many, so put together once."""


def page_text(conn: Connection, page: Ref) -> str | None:
    """The newest mirrored text of a page named by its title; None if there is no such page."""
    t = threads
    titles = [page.id, *_local(conn, page)]
    found = conn.execute(
        select(t.c.id).where(t.c.site == page.site, t.c.title.in_(titles), t.c.deleted_at.is_(None))
    ).scalar()
    if found is None:
        return None
    return newest_text(conn, Ref(page.site, Kind.THREAD, found)) or ""


def newest_text(conn: Connection, page: Ref) -> str | None:
    """The newest mirrored text of a page; None if there is none."""
    c = contributions
    newest = (
        select(texts.c.text)
        .join_from(c, texts, and_(texts.c.site == c.c.site, texts.c.contribution == c.c.id))
        .where(c.c.site == page.site, c.c.thread == page.id, c.c.deleted_at.is_(None))
        .order_by(c.c.created_at.desc(), c.c.id.desc())
        .limit(1)
    )
    return conn.execute(newest).scalar_one_or_none()


def own_namespaces(conn: Connection, site: str) -> frozenset[str]:
    """The names of the namespaces in which everybody has pages of their own, which are theirs."""
    query = select(spaces.c.name).where(spaces.c.site == site, spaces.c.id.in_(_USERS))
    return frozenset(conn.execute(query).scalars())


def _local(conn: Connection, page: Ref) -> list[str]:
    prefix, colon, rest = page.id.partition(":")
    if not colon or prefix.casefold() != "project":
        return []
    query = select(spaces.c.name).where(spaces.c.site == page.site, spaces.c.id == _PROJECT)
    name = conn.execute(query).scalar_one_or_none()
    return [f"{name}:{rest}"] if name else []


def objection_of(conn: Connection, who: Ref) -> str:
    """The template on somebody's own talk page, as the mirror has it, by which they want nothing of us at
    all: `{{nobots}}` and its like. '' if there is none, and on a forum."""
    row = conn.execute(_TALK_PAGE, {"site": who.site, "member": who.id}).first()
    text = newest_text(conn, Ref(who.site, Kind.THREAD, row.id)) if row is not None else None
    if row is None or text is None or "bots" not in text.casefold():
        return ""
    from ..connectors.mediawiki.wikitext import objection  # with a parser that forums do not need

    return objection(text, row.username or "")


def block(text: str, markers: tuple[str, str]) -> str | None:
    """What stands between the markers, without the line breaks next to them; None if they are not there."""
    _, opened, rest = text.partition(markers[0])
    inner, closed, _ = rest.partition(markers[1])
    return inner.strip("\n") if opened and closed else None
