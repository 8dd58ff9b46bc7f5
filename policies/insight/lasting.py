"""Which edits of a wiki lasted.

An edit is undone where a later revision has the text of an earlier one again: an identity revert, told by
the digests of the texts (Kittur, Suh, Pendleton and Chi, "He Says, She Says", CHI 2007; Halfaker, Kittur and
Riedl, "Don't Bite the Newbies", WikiSym 2011). It lasted when it has stood for two weeks without that. A
revision that brings an earlier text back says nothing new, and does not count either. How much of an edit's
text is still there, as WikiTrust measures it (Adler and de Alfaro, WWW 2007), would need the texts of all
revisions, which are not mirrored.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, Text, and_, func, select

from ...sync.store.states import chunks
from ...sync.store.tables import contributions
from ..community import Community
from ..sources import Scope, visible

STOOD = 14 * 24 * 3600 * 1_000_000
"""After so many microseconds an edit has lasted."""
_CHUNK = 1000

Revision = tuple[str, int, str, str | None]
"""Page, time, id, and the digest of the text, where it is known."""


def fleeting(community: Community, scope: Scope) -> Table | None:
    """The revisions of a wiki that were undone or brought an earlier text back. They are few, and looked for
    once; None where there are none."""
    key = ("fleeting", scope.site)
    if key not in community.memo:
        community.memo[key] = _found(community, scope)
    found: Table | None = community.memo[key]
    return found


def _found(community: Community, scope: Scope) -> Table | None:
    c = contributions
    revisions = select(c.c.thread, c.c.created_at, c.c.id, c.c.sha1).where(visible(scope))
    found: set[str] = set()
    for pages in chunks(community.conn.execute(_returning(scope)).scalars()):
        some = revisions.where(c.c.thread.in_(pages)).order_by(c.c.thread, c.c.created_at, c.c.id)
        result = community.conn.execute(some.execution_options(yield_per=_CHUNK))
        rows = chain.from_iterable(result.partitions())
        found.update(id_ for _, page in groupby(rows, key=itemgetter(0)) for id_ in _of_page(list(page)))
    columns = [Column("id", Text, primary_key=True)]
    return community.scratch(("fleeting", scope.site), columns, zip(sorted(found))) if found else None


def _returning(scope: Scope) -> Select[Any]:
    """The pages, few of all, that had the same text more than once.

    An index has no digests, and looking for them row after row takes ten times as long as going through the
    table in its own order: the ids say so, and the offset keeps the grouping from asking for another order.
    """
    c = contributions
    in_order = select(c.c.thread, c.c.sha1).where(visible(scope), c.c.sha1 != "", c.c.id > "").offset(0)
    text = in_order.subquery("text")
    return select(text.c.thread).group_by(text.c.thread, text.c.sha1).having(func.count() > 1).distinct()


def _of_page(revisions: Sequence[Revision]) -> Iterator[str]:
    """Of one page's revisions, in the order of time."""
    times = [at for _, at, _, _ in revisions]
    latest: dict[str, tuple[int, str]] = {}
    for _, at, id_, digest in revisions:
        if not digest:
            continue
        if digest in latest:
            first_at, first = latest[digest]
            yield id_
            between = slice(bisect_left(times, max(first_at, at - STOOD)), bisect_right(times, at))
            yield from (undone for _, _, undone, _ in revisions[between] if undone not in (first, id_))
        latest[digest] = (at, id_)


def lasted(scope: Scope, w: Any, fleeting: Table | None) -> ColumnElement[bool]:
    """Whether a contribution to a wiki is an edit that lasted."""
    stood: ColumnElement[bool] = w.c.created_at <= scope.now - STOOD
    return stood if fleeting is None else and_(stood, w.c.id.not_in(select(fleeting.c.id)))
