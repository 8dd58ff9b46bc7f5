"""Which edits of a wiki lasted.

An edit is undone where a later revision has the text of an earlier one again: an identity revert, told by
the digests of the texts (Kittur, Suh, Pendleton and Chi, "He Says, She Says", CHI 2007; Halfaker, Kittur and
Riedl, "Don't Bite the Newbies", WikiSym 2011). It lasted when it has stood for two weeks without that. A
revision that brings an earlier text back says nothing new, and does not count either. How much of an edit's
text is still there, as WikiTrust measures it (Adler and de Alfaro, WWW 2007), would need the texts of all
revisions, which are not mirrored.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Table, Text, and_, exists, func, not_, select

from ...sync.store.tables import contributions
from ..community import Community
from ..sources import Scope, visible

STOOD = 14 * 24 * 3600 * 1_000_000
"""After so many microseconds an edit has lasted."""


def restorations(community: Community, scope: Scope) -> Table | None:
    """Of every revision that brought an earlier text of its page back: since when that text had been there,
    and when it came back. They are few, and looked for once; None where there are none."""
    key = ("restorations", scope.site)
    if key not in community.memo:
        community.memo[key] = _found(community, scope)
    found: Table | None = community.memo[key]
    return found


def _found(community: Community, scope: Scope) -> Table | None:
    c = contributions
    text, order = (c.c.thread, c.c.sha1), (c.c.created_at, c.c.id)
    same = (
        select(
            c.c.thread, c.c.id, c.c.created_at.label("back_at"),
            func.lag(c.c.created_at).over(partition_by=text, order_by=order).label("first_at"),
            func.lag(c.c.id).over(partition_by=text, order_by=order).label("first"),
        )
        .where(visible(scope), c.c.sha1.is_not(None), c.c.sha1 != "")
        .subquery("same")
    )  # fmt: skip
    rows = community.conn.execute(
        select(same.c.thread, same.c.id, same.c.first, same.c.first_at, same.c.back_at).where(
            same.c.first.is_not(None)
        )
    ).all()
    columns: list[Column[Any]] = [
        Column("thread", Text), Column("id", Text, primary_key=True), Column("first", Text),
        Column("first_at", BigInteger), Column("back_at", BigInteger),
    ]  # fmt: skip
    return community.scratch(("restored", scope.site), columns, rows) if rows else None


def lasted(scope: Scope, w: Any, restored: Table | None) -> ColumnElement[bool]:
    """Whether a contribution to a wiki is an edit that lasted."""
    stood: ColumnElement[bool] = w.c.created_at <= scope.now - STOOD
    if restored is None:
        return stood
    r, again = restored.alias("r"), restored.alias("again")
    undone = exists().where(
        and_(
            r.c.thread == w.c.thread,
            r.c.first_at <= w.c.created_at,
            r.c.first != w.c.id,
            r.c.back_at >= w.c.created_at,
            r.c.back_at <= w.c.created_at + STOOD,
            r.c.id != w.c.id,
        )
    )
    return and_(stood, not_(undone), w.c.id.not_in(select(again.c.id)))
