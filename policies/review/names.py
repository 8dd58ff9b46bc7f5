"""What people call the things that a proposal names by their ids, read from the mirror for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, Row, Table, select, tuple_

from ...connectors.records import Kind, Ref
from ...sync.store.tables import contributions, members, site_groups, spaces, threads

_TABLES: dict[str, Table] = {
    Kind.MEMBER: members,
    Kind.SPACE: spaces,
    Kind.THREAD: threads,
    Kind.CONTRIBUTION: contributions,
    Kind.GROUP: site_groups,
}
_CHUNK = 200
"""Items asked for in one statement: two parameters each, of SQLite's 999."""


@dataclass(frozen=True, slots=True)
class Names:
    """Rows of the mirror by reference; what it does not hold is named by its id."""

    rows: dict[Ref, Row[tuple[object, ...]]] = field(default_factory=dict)

    def add(self, conn: Connection, refs: Iterable[Ref]) -> None:
        """Read the rows of these items, where they are not known yet."""
        wanted = {ref for ref in refs if ref.kind in _TABLES and ref not in self.rows}
        for kind, table in _TABLES.items():
            for chunk in _chunks(sorted(ref for ref in wanted if ref.kind == kind)):
                keys = [(ref.site, ref.id) for ref in chunk]
                rows = conn.execute(select(table).where(tuple_(table.c.site, table.c.id).in_(keys)))
                self.rows.update({Ref(row.site, kind, row.id): row for row in rows})

    def get(self, ref: Ref) -> Row[tuple[object, ...]] | None:
        return self.rows.get(ref)

    def of(self, site: str, kind: Kind, id_: str) -> str:
        """A username, a title, the name of a space or group, or `post 3 in “title”`; `kind id` where it is
        not in the mirror."""
        row = self.rows.get(Ref(site, kind, id_))
        if row is None:
            return f"{kind} {id_}"
        match kind:
            case Kind.MEMBER:
                return str(row.username)
            case Kind.THREAD:
                return str(row.title)
            case Kind.CONTRIBUTION:
                post = f"post {row.position}" if row.position else f"{kind} {id_}"
                return f"{post} in “{self.of(site, Kind.THREAD, row.thread)}”"
            case _:
                return str(row.name)

    def member(self, site: str, id_: str | None) -> str:
        """A username; for people whom the platform hides, "somebody"."""
        return self.of(site, Kind.MEMBER, id_) if id_ else "somebody"


def _chunks(refs: list[Ref]) -> Iterator[list[Ref]]:
    rest = iter(refs)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
