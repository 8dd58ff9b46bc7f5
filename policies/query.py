"""From conditions to one select: the subject's rows, joined with the sources that the facts need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    null,
    or_,
    select,
)

from ..sync.store.states import value_at
from ..sync.store.tables import contributions, members, spaces, states, texts, threads
from .doubts import doubted
from .facts import Fact, FactUse, Subject
from .sources import COUNTERS, FLAGS, Scope, SourceTable, open_threads, visible


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the mirror of a site is known to lack; it makes facts unknown instead of wrong.

    `since`: the history before is not there (micros). `excluded`: something is left out on purpose, so
    counts are only at least so much. `members_excluded`: what some members wrote is not there either.
    `gaps`: kinds of changes that the last audit found missing. `dark_groups`: groups whose members the
    platform does not show us.
    """

    since: int | None = None
    excluded: bool = False
    members_excluded: bool = False
    gaps: frozenset[str] = frozenset()
    dark_groups: frozenset[str] = frozenset()


@dataclass
class FactQuery:
    """A select about one subject on one site. Facts are joined when they are first asked for.

    It is the `Columns` that conditions compile against.
    """

    subject: Subject
    scope: Scope
    coverage: Coverage
    source: SourceTable
    _tables: dict[str, FromClause] = field(default_factory=dict)
    _joined: FromClause | None = None

    def __post_init__(self) -> None:
        base = {"member": members, "thread": threads, "contribution": contributions}[self.subject]
        self._tables[""] = base
        self._joined = base

    @property
    def base(self) -> Any:
        """The subject's own table."""
        return self._tables[""]

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """The ids of all items there at the moment, with these columns; add conditions with `where`."""
        assert self._joined is not None  # noqa: S101 (set in __post_init__)
        statement = select(self.base.c.id, *columns).select_from(self._joined).where(self._present())
        if self.scope.only is not None:
            statement = statement.where(self.base.c.id.in_(self.scope.only))
        return statement

    def _present(self) -> ColumnElement[bool]:
        b, now = self.base, self.scope.now
        if self.subject == "thread":
            return open_threads(self.scope)
        if self.subject == "contribution":
            return visible(self.scope)
        gone = or_(b.c.deleted_at.is_(None), b.c.deleted_at > now)
        return and_(b.c.site == self.scope.site, gone, or_(b.c.joined_at.is_(None), b.c.joined_at <= now))

    # --- Columns ------------------------------------------------------------------------------------------

    def value(self, use: FactUse) -> ColumnElement[Any]:
        """The fact's column; NULL where it is unknown."""
        fact = use.fact
        if self.scope.family not in fact.on:
            return null()
        column = self._own(use) if fact.source == fact.subject else self._from_source(use)
        return self._covered(use, column)

    def has(self, use: FactUse, names: Sequence[str]) -> ColumnElement[Any]:
        """Membership in any of the groups, or any of the labels."""
        base = self._table(use.prefix, use.fact.subject)
        mine = self._in_force(use.fact, states.c.item == base.c.id)
        found = exists().where(*mine, states.c.value.in_(names))
        if self.doubts(use.fact):
            return null()
        if use.fact.column == "group" and self.coverage.dark_groups.intersection(names):
            return case((found, True), else_=null())
        return case((base.c.id.is_(None), null()), (found, True), else_=False)

    def lower_bound(self, use: FactUse) -> bool:
        return self.coverage.excluded and use.fact.counts

    def doubts(self, fact: Fact) -> bool:
        """Whether an audit has found that changes of this fact are missing."""
        return doubted(fact, self.coverage.gaps)

    def known(self, use: FactUse) -> bool:
        """Whether the fact is surely known of every item."""
        fact = use.fact
        if use.prefix or self.scope.family not in fact.on or self.doubts(fact):
            return False
        if fact.type == "set":
            return fact.column != "group" or not self.coverage.dark_groups
        own = fact.source == fact.subject and fact.column in self.base.c and not fact.history
        return own and not self.base.c[fact.column].nullable

    def score(self, use: FactUse, area: str | None) -> ColumnElement[Any]:
        """A member's score in an area (folded name), or the best one; 0 where there is none."""
        base, table = self._table(use.prefix, use.fact.subject), self._scores(use)
        best = select(func.max(table.c.score)).where(table.c.key == base.c.id)
        if area is not None:
            best = best.where(table.c.area == area)
        known = func.coalesce(best.scalar_subquery(), 0.0)
        return self._covered(use, case((base.c.id.is_(None), null()), else_=known))

    def scores(self, use: FactUse, owners: Collection[str]) -> Select[Any]:
        """(owner's id, area's name, score) of all areas of these owners, the best of each name."""
        table = self._scores(use)
        return select(table.c.key, table.c.name, table.c.score).where(table.c.key.in_(owners))

    def _scores(self, use: FactUse) -> FromClause:
        name = ".".join((*use.prefix, "@" + use.fact.source))
        if name not in self._tables:  # not joined: a member has many
            scope = self.scope if not use.prefix else self._scope_of(use)
            self._tables[name] = self.source(use.fact.source, scope)
        return self._tables[name]

    def owner(self, use: FactUse) -> ColumnElement[Any]:
        """The id of the item whose set it is, or whose scores; NULL where there is none, or they are
        unknown."""
        column: ColumnElement[Any] = self._table(use.prefix, use.fact.subject).c.id
        return column if use.fact.type == "set" else self._covered(use, column)

    def elements(self, use: FactUse, owners: Collection[str]) -> Select[Any]:
        """(owner's id, name) of every element of these owners' sets."""
        return select(states.c.item, states.c.value).where(
            *self._in_force(use.fact, states.c.item.in_(owners))
        )

    def _in_force(self, fact: Fact, item: ColumnElement[bool]) -> list[ColumnElement[bool]]:
        now = self.scope.now
        return [
            states.c.site == self.scope.site,
            states.c.kind == fact.subject,
            item,
            states.c.field == fact.column,
            states.c.valid_from <= now,
            or_(states.c.valid_to.is_(None), states.c.valid_to > now),
        ]

    # --- joins --------------------------------------------------------------------------------------------

    def _table(self, prefix: tuple[str, ...], subject: Subject) -> Any:
        """The row of the subject that a prefix leads to, joined on first use."""
        name = ".".join(prefix)
        if name in self._tables:
            return self._tables[name]
        outer = self._table(prefix[:-1], self._subject_of(prefix[:-1]))
        table: Any = (members if subject == "member" else threads).alias(name.replace(".", "_"))
        key = outer.c.author if prefix[-1] == "author" else outer.c.thread
        self._join(name, table, and_(table.c.site == self.scope.site, table.c.id == key))
        return table

    def _subject_of(self, prefix: tuple[str, ...]) -> Subject:
        if not prefix:
            return self.subject
        return "member" if prefix[-1] == "author" else "thread"

    def _join(self, name: str, table: FromClause, on: ColumnElement[bool]) -> None:
        assert self._joined is not None  # noqa: S101 (set in __post_init__)
        self._tables[name] = table
        self._joined = self._joined.outerjoin(table, on)

    def _from_source(self, use: FactUse) -> ColumnElement[Any]:
        base = self._table(use.prefix, use.fact.subject)
        name = ".".join((*use.prefix, "@" + use.fact.source))
        if name not in self._tables:
            scope = self.scope if not use.prefix else self._scope_of(use)
            table = self.source(use.fact.source, scope).alias(name.replace(".", "_").replace("@", "of_"))
            self._join(name, table, table.c.key == base.c.id)
        found = self._tables[name].c
        column: ColumnElement[Any] = found[use.fact.column]
        if use.fact.column in COUNTERS:
            column = func.coalesce(column, 0)
        elif use.fact.column in FLAGS:
            column = case((found.key.is_(None), False), else_=column)
        return case((base.c.id.is_(None), null()), else_=column) if use.prefix else column

    def _scope_of(self, use: FactUse) -> Scope:
        """Of a prefixed fact, when only some items are asked about: those that the prefix leads to."""
        if self.scope.only is None:
            return self.scope
        base = {"thread": threads, "contribution": contributions}[self.subject]
        ids = select(base.c.author if use.prefix[-1] == "author" and len(use.prefix) == 1 else base.c.thread)
        ids = ids.where(base.c.site == self.scope.site, base.c.id.in_(self.scope.only))
        if len(use.prefix) == 2:
            ids = select(threads.c.author).where(threads.c.site == self.scope.site, threads.c.id.in_(ids))
        return self.scope.within(ids, ".".join(use.prefix))

    # --- the subject's own columns ------------------------------------------------------------------------

    def _own(self, use: FactUse) -> ColumnElement[Any]:
        b, fact, now = self._table(use.prefix, use.fact.subject), use.fact, self.scope.now
        match fact.subject, fact.column:
            case "member", "suspended":
                return case((b.c.id.is_(None), null()), else_=func.coalesce(b.c.suspended_until > now, False))
            case "member", "silenced":
                return case((b.c.id.is_(None), null()), else_=func.coalesce(b.c.silenced_until > now, False))
            case "member", "trust_level":
                return self._column(b, fact) if self.scope.live else cast(self._past(fact, b), BigInteger)
            case "member", "title":
                return self._column(b, fact) if self.scope.live else self._past(fact, b)
            case "thread", "solved":
                return self._column(b, fact, "solved_by") != ""
            case "thread", "space_name":
                return self._space_name(use, b)
            case "thread", "closed" | "archived" | "visible" if not self.scope.live:
                return self._past(fact, b) == "true"
            case "contribution", "text":
                return self._text(b)
            case "contribution", "edited":
                return func.coalesce(b.c.updated_at > b.c.created_at, False)
            case _:
                return self._column(b, fact)

    @staticmethod
    def _column(base: Any, fact: Fact, name: str = "") -> ColumnElement[Any]:
        column: ColumnElement[Any] = base.c[name or fact.column]
        return column

    def _past(self, fact: Fact, base: Any) -> ColumnElement[Any]:
        """What a state was at the moment, as text; NULL where it is unknown."""
        today = self._column(base, fact)
        return value_at(self.scope.site, fact.subject, fact.column, base.c.id, today, self.scope.now)

    def _space_name(self, use: FactUse, thread: Any) -> ColumnElement[Any]:
        name = ".".join((*use.prefix, "@space"))
        if name not in self._tables:
            table: Any = spaces.alias(name.replace(".", "_").replace("@", "its_"))
            self._join(name, table, and_(table.c.site == self.scope.site, table.c.id == thread.c.space))
        column: ColumnElement[Any] = self._tables[name].c.name
        return column

    def _text(self, contribution: Any) -> ColumnElement[Any]:
        if "@text" not in self._tables:  # no subject leads to a contribution, so there is only one
            same = and_(texts.c.site == self.scope.site, texts.c.contribution == contribution.c.id)
            self._join("@text", texts, same)
        column: ColumnElement[Any] = texts.c.text
        return column

    # --- coverage -----------------------------------------------------------------------------------------

    def _covered(self, use: FactUse, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The column, made NULL for the items about which the mirror does not know enough."""
        fact, cover = use.fact, self.coverage
        if self.doubts(fact):
            return null()
        if not fact.history:
            return column
        if cover.members_excluded if fact.subject == "thread" else cover.excluded and not fact.counts:
            return null()
        if cover.since is None:
            return column
        base = self._table(use.prefix, fact.subject)
        begun = base.c.joined_at if fact.subject == "member" else base.c.created_at
        return case((begun >= cover.since, column), else_=null())


def everything(query: FactQuery, uses: Sequence[FactUse]) -> list[ColumnElement[Any]]:
    """The columns of all facts, labelled by name, in the order of `uses`; of a set or scores, the owner's
    id."""
    return [
        (query.owner(use) if use.fact.type in ("set", "scores") else query.value(use)).label(use.name)
        for use in uses
    ]

