"""The mirrored sites at one moment, as policies see them: who and what matches, with values and reasons.

Sources (counts over all contributions) are computed once per community and kept in temporary tables, so
that many policies share them; a community about a single item asks the same selects about that item only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
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
from .area_tests import about
from .carrying import Carried
from .comparisons import AtLeast, TextIs
from .conditions import (
    NEVER,
    All,
    Condition,
    Some,
    alternatives,
    candidates,
    grounds,
    keep,
    matches,
    parts,
    undecided,
)
from .doubts import doubted
from .facts import FactUse, Subject
from .filling import MANY, fill, regrouped
from .matches import Brief, Grounds, Match
from .query import Coverage, FactQuery, everything
from .resting import Resting
from .sources import EFFORT, SOURCES, Scope
from .temporary import Temporary
from .verdicts import Row, asked_of, decide, lasting
from .wording import shown

_CHUNK = 500
_HEAD = _ID, _AUTHOR, _THREAD = "@id", "@author", "@thread"
_NOTHING = (All(()), NEVER)
@dataclass(frozen=True, slots=True)
class SiteView:
    """One site as far as the mirror knows it. `complete`: its first sync was finished."""

    site: str
    family: str
    coverage: Coverage = Coverage()
    complete: bool = True
    language: str = ""
    account: str = ""


@dataclass
class Community:
    """`now` is the moment looked at; `live`: the mirror's rows are true at it. `only`: one item."""

    conn: Connection
    sites: Mapping[str, SiteView]
    now: datetime
    live: bool = True
    only: Ref | None = None
    carried: Carried | None = None
    """What is known from earlier moments of a backtest."""
    resting: Resting | None = None
    """Of which items a backtest need not hear again in brief."""
    memo: dict[object, Any] = field(default_factory=dict)
    """What kinds have worked out about this community and may want again."""
    _temporary: dict[tuple[str, ...], Table] = field(default_factory=dict)
    _sizes: dict[tuple[Subject, str], int] = field(default_factory=dict)
    _lefts: dict[object, Table | None] = field(default_factory=dict)
    _tables: Temporary = field(init=False)

    def __post_init__(self) -> None:
        self._tables = Temporary(self.conn)

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
        query = self._query(subject, site, when, unless) if among is None else self.query(
            subject, site, only=tuple(among)
        )
        uses = _distinct([*(atom.use for atom in (*when.atoms(), *unless.atoms())), *also])
        wanted = candidates(when, unless, query, self.now)
        statement = query.select(*_relations(query), *everything(query, uses)).where(wanted)
        # SQL says of all but texts what the conditions say.
        left = keep(when, unless, _textual)
        for chunk in self._rows(query, statement, uses, left):
            for item, values in chunk.items():
                author, thread = values.pop(_AUTHOR), values.pop(_THREAD)
                yield Match(
                    Ref(site, subject, item),
                    values,
                    Grounds(partial(self.because, when, values)),
                    Ref(site, Kind.MEMBER, author) if author else None,
                    Ref(site, Kind.THREAD, thread) if thread else None,
                )

    def brief(
        self,
        subject: Subject,
        site: str,
        when: Condition,
        unless: Condition,
        uses: Sequence[FactUse],
    ) -> Iterator[Brief]:
        """As `select`, of which it says less: the values of the facts `uses` only, in their order."""
        query = self._query(subject, site, when, unless)
        wanted, left = candidates(when, unless, query, self.now), keep(when, unless, _textual)
        told = _distinct([*uses, *asked_of(left)])
        statement = self._awake(query, query.select(*_relations(query), *everything(query, told)), uses)
        statement = statement.where(wanted)
        if not any(use.fact.type in MANY or query.lower_bound(use) for use in told):
            until = len(_HEAD) + len(uses)
            for rows in self._decided(statement, told, left):
                for row in rows:
                    yield Brief(row[0], row[1], row[2], row[len(_HEAD) : until])
            return
        names = [use.name for use in uses]
        for chunk in self._rows(query, statement, told, left):
            for item, values in chunk.items():
                yield Brief(item, values[_AUTHOR], values[_THREAD], tuple(values[name] for name in names))

    def values(self, subject: Subject, ref: Ref, uses: Sequence[FactUse]) -> Mapping[str, Any] | None:
        """The facts of one item; None if it is not there."""
        query = self.query(subject, ref.site, only=(ref.id,))
        statement = query.select(*_relations(query), *everything(query, uses))
        for rows in self._rows(query, statement, uses):
            return rows.get(ref.id)
        return None

    def size(self, subject: Subject, site: str) -> int:
        """How many items of this subject a site has."""
        key = (subject, site)
        if key not in self._sizes:
            inner = FactQuery(subject, self._scope(site), self.sites[site].coverage, self.source).select()
            self._sizes[key] = self._count(inner)
        return self._sizes[key]

    def unknown(self, subject: Subject, site: str, when: Condition, unless: Condition = NEVER) -> int:
        """How many items might match, for all we know: held back because a fact is unknown."""
        query = self._query(subject, site, when, unless)
        atoms = [*when.atoms(), *unless.atoms()]
        if all(query.known(atom.use) for atom in atoms):
            return 0
        asked, barred = when.sql(query, self.now, widen=True), unless.sql(query, self.now, widen=False)
        possible = _possible(query, when, unless, self.now)
        if not any(isinstance(atom.test, TextIs) for atom in atoms):
            maybe = or_(_is_unknown(asked), _is_unknown(barred))
            return self._count(query.select().where(possible, maybe))
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
                shown(atom.use.fact, about(atom.test, values[atom.use.name]), self.now),
            )
            for atom, held in grounds(when, values, self.now)
        )

    def query(self, subject: Subject, site: str, only: tuple[str, ...] | None = None) -> FactQuery:
        """A select about a subject on a site, for those who need more than the conditions give."""
        if only is None and self._about_one(subject, site):
            only = (self.only.id,) if self.only else None
        return FactQuery(subject, self._scope(site, only), self.sites[site].coverage, self.source)

    def _about_one(self, subject: Subject, site: str) -> bool:
        return self.only is not None and (self.only.site, self.only.kind) == (site, subject)

    def _scope(self, site: str, only: tuple[str, ...] | None = None) -> Scope:
        return Scope(site, self.sites[site].family, micros(self.now), self.live, only)

    def _count(self, statement: Select[Any]) -> int:
        counted = select(func.count()).select_from(statement.subquery())
        return int(self.conn.execute(counted).scalar_one())

    def _query(self, subject: Subject, site: str, when: Condition, unless: Condition) -> FactQuery:
        """A select about the items that a condition may mean. Facts that take effort are only asked about
        what the other parts of the condition leave."""
        query = self.query(subject, site)
        efforts = sorted({self._effort(part) for part in (*parts(when), *alternatives(unless))})
        if query.scope.only is not None:
            return query
        for effort in efforts[1:]:
            easy = keep(when, unless, lambda part, most=effort: self._effort(part) < most)  # type: ignore[misc]
            key = (subject, site, easy)
            if key not in self._lefts:
                self._lefts[key] = self._left(query, easy)
            if (left := self._lefts[key]) is not None:
                scope = replace(query.scope, only=select(left.c.key), named=left.name)
                query = FactQuery(subject, scope, query.coverage, self.source)
        return query

    def _effort(self, part: Condition) -> int:
        """What the most costly fact of a part of a condition takes; nothing, if it is carried anyway."""
        names = {atom.use.fact.source for atom in part.atoms()}
        if self.carried is not None:
            names = {name for name in names if not self.carried.has(name)}
        return max((EFFORT.get(name, 0) for name in names), default=0)

    def _left(self, query: FactQuery, easy: tuple[All, Some]) -> Table | None:
        """The items that this leaves; None if they are so many that facts of all are better, as all policies
        share those."""
        possible = _possible(query, *easy, self.now)  # before the select, which joins what this needs
        left = query.select().where(possible).with_only_columns(query.base.c.id.label("key"))
        table = self._tables.compute("left", left)
        self._temporary["left", table.name] = table
        few = self._count(select(table.c.key)) * 4 <= self.size(query.subject, query.scope.site) * 3
        return table if few else None

    # --- sources ------------------------------------------------------------------------------------------

    def source(self, name: str, scope: Scope) -> FromClause:
        """A source's table: computed once, or a subquery if only some items are asked about."""
        if name == "expertise":  # not one select, and of many rows a member
            from .insight.area_scores import area_scores  # it is made of what communities tell

            return area_scores(self, scope)
        if scope.only is not None and not scope.named:
            return SOURCES[name](scope, self.source).subquery()
        if self.carried is not None and self.carried.has(name):
            return self.carried.source(name, scope, self.source)
        key: tuple[str, ...] = (name, scope.site)
        if key not in self._temporary and scope.named and name in EFFORT:
            key = (*key, scope.named)
        if key not in self._temporary:
            given = scope if len(key) > 2 else replace(scope, only=None, named="")
            self._temporary[key] = self._tables.compute(name, SOURCES[name](given, self.source))
        return self._temporary[key]

    def scratch(self, key: tuple[str, ...], columns: Sequence[Column[Any]], rows: Iterable[Any]) -> Table:
        """A temporary table of one's own, filled by whoever asks first."""
        if key not in self._temporary:
            table = self._tables.create(key[0], columns)
            given = [dict(zip(table.c.keys(), row, strict=True)) for row in rows]
            if given:
                self.conn.execute(insert(table), given)
            self._temporary[key] = table
        return self._temporary[key]

    def close(self) -> None:
        """Drop the temporary tables."""
        self._tables.close()
        self._temporary.clear()
        self._lefts.clear()

    def _awake(self, query: FactQuery, statement: Select[Any], uses: Sequence[FactUse]) -> Select[Any]:
        """Without what rests, if the values told are of the items themselves: what of others may change, as
        groups of a thread's author, wakes nothing."""
        if self.resting is None or any(use.prefix for use in uses):
            return statement
        asleep = self.resting.asleep(query.scope.site, query.subject, query.scope.now)
        return statement if asleep is None else statement.where(query.base.c.id.not_in(asleep))

    # --- rows ---------------------------------------------------------------------------------------------

    def _rows(
        self,
        query: FactQuery,
        statement: Any,
        uses: Sequence[FactUse],
        left: tuple[All, Some] = _NOTHING,
    ) -> Iterator[dict[str, dict[str, Any]]]:
        """Chunks of item id → values by the facts' names, of those that match what is `left` to decide."""
        names = [*_HEAD, *(use.name for use in uses)]
        many, asked = [use for use in uses if use.fact.type in MANY], asked_of(left)
        early = [use for use in many if use in asked]
        late = [use for use in many if use not in asked]
        bounds = [use.name for use in uses if use not in many and query.lower_bound(use)]

        def named(rows: Sequence[Row]) -> list[dict[str, Any]]:
            chunk = [dict(zip(names, row, strict=True)) for row in rows]
            for values in chunk if bounds else ():
                for name in bounds:
                    if values[name] is not None:
                        values[name] = AtLeast(values[name])
            for use in early:
                fill(self.conn, query, use, chunk)
            return chunk

        chunks: Iterable[list[dict[str, Any]]]
        if early or bounds:
            whole = map(named, self._partitions(statement))
            chunks = ([values for values in chunk if matches(*left, values, self.now)] for chunk in whole)
        else:
            chunks = map(named, self._decided(statement, uses, left))
        for chunk in regrouped(chunks, _CHUNK) if late else chunks:
            for use in late:
                fill(self.conn, query, use, chunk)
            yield {values.pop(_ID): values for values in chunk}

    def _decided(
        self, statement: Select[Any], uses: Sequence[FactUse], left: tuple[All, Some]
    ) -> Iterator[Sequence[Row]]:
        """The rows as they come, those of them that match."""
        asked, result = asked_of(left), self._partitions(statement)
        if asked:
            places = [(use.name, place) for place, use in enumerate(uses, len(_HEAD)) if use in asked]
            known = self.carried.verdicts(left) if self.carried and lasting(asked) else None
            right = decide(left, places, self.now, known)
            yield from ([row for row in rows if right(row)] for rows in result)
        else:
            yield from result

    def _partitions(self, statement: Select[Any]) -> Iterator[Sequence[Row]]:
        # An option of the statement: on the connection it would stay, and PostgreSQL would declare a cursor
        # for whatever comes next.
        return self.conn.execute(statement.execution_options(yield_per=_CHUNK)).partitions(_CHUNK)


def _textual(part: Condition) -> bool:
    """Whether a part of a condition asks for what SQL cannot decide."""
    return any(isinstance(atom.test, TextIs) for atom in part.atoms())


def _possible(query: FactQuery, when: Condition, unless: Condition, now: datetime) -> ColumnElement[bool]:
    """SQL that is true for every item that may match, for all we know."""
    asked, barred = when.sql(query, now, widen=True), unless.sql(query, now, widen=False)
    return and_(func.coalesce(asked, True), not_(func.coalesce(barred, False)))


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
