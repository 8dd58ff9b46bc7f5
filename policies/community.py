"""The mirrored sites at one moment, as policies see them: who and what matches, with values and reasons.

Sources (counts over all contributions) are computed once per community and kept in temporary tables, so
that many policies share them; a community about a single item asks the same selects about that item only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Index,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    case,
    false,
    func,
    insert,
    not_,
    null,
    or_,
    select,
    true,
)

from ..connectors.records import Kind, Ref
from ..sync.outbox import Because
from ..sync.store.times import micros
from .comparisons import AtLeast, PartlyKnown, TextIs
from .conditions import NEVER, Condition, candidates, grounds, matches, undecided
from .doubts import doubted
from .facts import FactUse, Subject
from .query import Coverage, FactQuery, everything
from .sources import FLAGS, SOURCES, WORDY, Scope, all_words
from .wording import shown

_CHUNK = 500
_AUTHOR, _THREAD = "@author", "@thread"
_TEXTS = frozenset({"key", "waiting_on", "id", "author", "thread", "kind", "parent"})
_INDEXED = {
    "by_thread": ("thread", "created_at", "author", "deleted_at", "kind", "likes", "id"),
    "by_author": ("author", "created_at", "deleted_at", "likes"),
}
"""Indexes of a site's contributions that count, with all that is read on the way through them."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site as far as the mirror knows it. `complete`: its first sync was finished."""

    site: str
    family: str
    coverage: Coverage = Coverage()
    complete: bool = True
    language: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """An item for which a condition holds, with the values of the facts that were asked for.

    `author`: of a thread or contribution, where it is known; `thread`: of a contribution.
    """

    ref: Ref
    values: Mapping[str, Any]
    because: tuple[Because, ...]
    author: Ref | None = None
    thread: Ref | None = None


@dataclass
class Community:
    """`now` is the moment looked at; `live`: the mirror's rows are true at it. `only`: one item."""

    conn: Connection
    sites: Mapping[str, SiteView]
    now: datetime
    live: bool = True
    only: Ref | None = None
    later: Community | None = None
    """One at a later moment that is not closed before this one: its contributions serve for this one, too."""
    memo: dict[object, Any] = field(default_factory=dict)
    """What kinds have worked out about this community and may want again."""
    _temporary: dict[tuple[str, str], Table] = field(default_factory=dict)

    # --- asking -------------------------------------------------------------------------------------------

    def select(
        self,
        subject: Subject,
        site: str,
        when: Condition,
        unless: Condition = NEVER,
        also: Sequence[FactUse] = (),
        *,
        among: Sequence[str] | None = None,
    ) -> Iterator[Match]:
        """Every item of a site for which `when` holds and `unless` surely does not.

        `also`: facts whose values are wanted besides those of the conditions. `among`: of the items with
        these ids only, whatever the community is about.
        """
        query = self.query(subject, site, only=None if among is None else tuple(among))
        atoms = [*when.atoms(), *unless.atoms()]
        uses = _distinct([*(atom.use for atom in atoms), *also])
        wanted = candidates(when, unless, query, self.now)
        statement = query.select(*_relations(query), *everything(query, uses)).where(wanted)
        for chunk in self._rows(query, statement, uses):
            for item, values in chunk.items():
                if matches(when, unless, values, self.now):
                    author, thread = values.pop(_AUTHOR), values.pop(_THREAD)
                    yield Match(
                        Ref(site, subject, item),
                        values,
                        self.because(when, values),
                        Ref(site, Kind.MEMBER, author) if author else None,
                        Ref(site, Kind.THREAD, thread) if thread else None,
                    )

    def values(self, subject: Subject, ref: Ref, uses: Sequence[FactUse]) -> Mapping[str, Any] | None:
        """The facts of one item; None if it is not there."""
        query = self.query(subject, ref.site, only=(ref.id,))
        statement = query.select(*_relations(query), *everything(query, uses))
        for rows in self._rows(query, statement, uses):
            return rows.get(ref.id)
        return None

    def size(self, subject: Subject, site: str) -> int:
        """How many items of this subject a site has."""
        scope = Scope(site, self.sites[site].family, micros(self.now), self.live)
        query = FactQuery(subject, scope, self.sites[site].coverage, self.source)
        inner = query.select().subquery()
        return int(self.conn.execute(select(func.count()).select_from(inner)).scalar_one())

    def unknown(self, subject: Subject, site: str, when: Condition, unless: Condition = NEVER) -> int:
        """How many items might match, for all we know: held back because a fact is unknown."""
        query = self.query(subject, site)
        asked, barred = when.sql(query, self.now, widen=True), unless.sql(query, self.now, widen=False)
        atoms = [*when.atoms(), *unless.atoms()]
        possible = and_(func.coalesce(asked, True), not_(func.coalesce(barred, False)))
        if not any(isinstance(atom.test, TextIs) for atom in atoms):
            maybe = or_(_is_unknown(asked), _is_unknown(barred))
            inner = query.select().where(possible, maybe).subquery()
            return int(self.conn.execute(select(func.count()).select_from(inner)).scalar_one())
        # Texts are only decided here, and with them what the rest comes to.
        uses = _distinct(atom.use for atom in atoms)
        open_ = or_(false(), *(_is_unknown(atom.sql(query, self.now, widen=True)) for atom in atoms))
        statement = query.select(*_relations(query), *everything(query, uses)).where(possible, open_)
        return sum(
            undecided(when, unless, values, self.now)
            for chunk in self._rows(query, statement, uses)
            for values in chunk.values()
        )

    def unknown_facts(self, site: str, when: Condition, unless: Condition = NEVER) -> list[str]:
        """The facts of a condition that nobody on this site has, or that coverage makes unknown."""
        view = self.sites[site]
        cover = view.coverage
        partial = cover.since is not None or cover.excluded
        names = [
            atom.use.name
            for atom in (*when.atoms(), *unless.atoms())
            if view.family not in atom.use.fact.on
            or (partial and atom.use.fact.history)
            or doubted(atom.use.fact, cover.gaps)
        ]
        return list(dict.fromkeys(names))

    def because(self, when: Condition, values: Mapping[str, Any]) -> tuple[Because, ...]:
        """Why a condition holds: what was asked and found, in words."""
        return tuple(
            Because(
                atom.use.name,
                str(atom.test) if held else f"not {atom.test}",
                shown(atom.use.fact, values[atom.use.name], self.now),
            )
            for atom, held in grounds(when, values, self.now)
        )

    def query(self, subject: Subject, site: str, only: tuple[str, ...] | None = None) -> FactQuery:
        """A select about a subject on a site, for those who need more than the conditions give."""
        if only is None and self.only is not None and (self.only.site, self.only.kind) == (site, subject):
            only = (self.only.id,)
        scope = Scope(site, self.sites[site].family, micros(self.now), self.live, only)
        return FactQuery(subject, scope, self.sites[site].coverage, self.source)

    # --- sources ------------------------------------------------------------------------------------------

    def source(self, name: str, scope: Scope) -> FromClause:
        """A source's table: computed once, or a subquery if only some items are asked about."""
        if scope.only is not None:
            return SOURCES[name](scope).subquery()
        key = (name, scope.site)
        if key not in self._temporary:
            given = self.with_words(scope) if name in WORDY else scope
            self._temporary[key] = self._compute(name, SOURCES[name](given))
        return self._temporary[key]

    def with_words(self, scope: Scope) -> Scope:
        """With the contributions of the site that count: looked for once, as so much goes through them."""
        if self.later is not None:
            later = self.later.with_words(replace(scope, now=micros(self.later.now)))
            return replace(scope, words=later.words)
        key = ("words", scope.site)
        if key not in self._temporary:
            table = self._compute("words", all_words(scope))
            for name, columns in _INDEXED.items():
                Index(f"{table.name}_{name}", *(table.c[column] for column in columns)).create(self.conn)
            self._temporary[key] = table
        return replace(scope, words=self._temporary[key])

    def scratch(self, key: tuple[str, str], columns: Sequence[Column[Any]], rows: Iterable[Any]) -> Table:
        """A temporary table of one's own, filled by whoever asks first."""
        if key not in self._temporary:
            table = self._create(key[0], columns)
            self.conn.execute(insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
            self._temporary[key] = table
        return self._temporary[key]

    def _compute(self, name: str, statement: Select[Any]) -> Table:
        columns = [_column(c.name) for c in statement.selected_columns]
        table = self._create(name, columns)
        self.conn.execute(insert(table).from_select([c.name for c in columns], statement))
        return table

    def _create(self, name: str, columns: Sequence[Column[Any]]) -> Table:
        table = Table(
            f"facts_{name}_{len(self._temporary)}_{id(self):x}", MetaData(), *columns, prefixes=["TEMPORARY"]
        )
        table.create(self.conn)
        return table

    def close(self) -> None:
        """Drop the temporary tables."""
        for table in self._temporary.values():
            table.drop(self.conn)
        self._temporary.clear()

    # --- rows ---------------------------------------------------------------------------------------------

    def _rows(
        self, query: FactQuery, statement: Any, uses: Sequence[FactUse]
    ) -> Iterator[dict[str, dict[str, Any]]]:
        """Chunks of item id → values by the facts' names."""
        names = [_AUTHOR, _THREAD, *(use.name for use in uses)]
        # An option of the statement: on the connection it would stay, and PostgreSQL would declare a cursor
        # for whatever comes next.
        result = self.conn.execute(statement.execution_options(yield_per=_CHUNK))
        for rows in result.partitions(_CHUNK):
            chunk = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
            for use in uses:
                if use.fact.type == "set":
                    self._fill_set(query, use, chunk)
                elif query.lower_bound(use):
                    for values in chunk.values():
                        if values[use.name] is not None:
                            values[use.name] = AtLeast(values[use.name])
            yield chunk

    def _fill_set(self, query: FactQuery, use: FactUse, chunk: dict[str, dict[str, Any]]) -> None:
        """Put the set's elements in the place of its owner's id."""
        owners = {values[use.name] for values in chunk.values()} - {None}
        elements: dict[str, set[str]] = {owner: set() for owner in owners}
        for owner, name in self.conn.execute(query.elements(use, owners)):
            elements[owner].add(name)
        dark = query.coverage.dark_groups if use.fact.column == "group" else frozenset()
        for values in chunk.values():
            owner = values[use.name]
            if owner is None or query.doubts(use.fact):
                values[use.name] = None
            else:
                seen = elements[owner]
                values[use.name] = PartlyKnown(seen, dark) if dark else frozenset(seen)


def _is_unknown(condition: ColumnElement[Any]) -> ColumnElement[bool]:
    """Not by IS NULL, which binds more tightly than a NOT that the condition may begin with."""
    return case((condition, false()), (not_(condition), false()), else_=true())


def _relations(query: FactQuery) -> list[ColumnElement[Any]]:
    """Who wrote it, and in which thread, as far as the subject has that."""
    base, subject = query.base, query.subject
    author = null() if subject == "member" else base.c.author
    thread = base.c.thread if subject == "contribution" else null()
    return [author.label(_AUTHOR), thread.label(_THREAD)]


def _distinct(uses: Iterable[FactUse]) -> list[FactUse]:
    return list(dict.fromkeys(uses))


def _column(name: str) -> Column[Any]:
    if name in _TEXTS:
        return Column(name, Text, primary_key=name == "key")
    return Column(name, Boolean if name in FLAGS else BigInteger)
