"""How much a site says that it has, against what the mirror holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from ..config.model import SiteSettings
from ..connectors.base import Family, Health
from ..connectors.records import Kind, ThreadKind
from .store.rows import MIRRORED
from .store.tables import threads

_TOLERATED, _TOLERATED_SHARE = 5, 0.01
"""More may have come, or gone, between a sync and an audit."""

_EXPLAINED: Mapping[tuple[Family, Kind], str] = {
    ("forum", Kind.CONTRIBUTION): "the forum counts private messages, deleted topics and what no list shows",
    ("wiki", Kind.THREAD): "the wiki counts redirects and the pages of all namespaces, too",
    ("wiki", Kind.CONTRIBUTION): "the wiki counts edits of pages that are gone and of all namespaces, too",
}
"""Why a site's count may be greater although nothing is missing."""


@dataclass(frozen=True, slots=True)
class Count:
    """One kind of items. `why`: what explains a difference; '' where they are the same, or nothing does."""

    kind: str
    stated: int
    held: int
    why: str = ""

    @property
    def missing(self) -> bool:
        """The site has more, and nothing explains it."""
        return not self.why and self._much(self.stated - self.held)

    @property
    def left_over(self) -> bool:
        """The mirror holds what the site does not count any more."""
        return self._much(self.held - self.stated)

    def _much(self, difference: int) -> bool:
        return difference > max(_TOLERATED, self.stated * _TOLERATED_SHARE)


def compared(
    connection: Connection, site: str, family: Family, settings: SiteSettings, health: Health
) -> Iterator[Count]:
    """What the site counts and the mirror mirrors."""
    stated = health.counts
    bounded = settings.since or any((settings.exclude.spaces, settings.exclude.labels))
    for kind in (Kind.MEMBER, Kind.THREAD, Kind.CONTRIBUTION):
        plural, table = f"{kind.value}s", MIRRORED[kind.value]
        if plural not in stated:
            continue
        of: list[ColumnElement[bool]] = [table.c.site == site, table.c.deleted_at.is_(None)]
        if kind is Kind.THREAD:
            of.append(threads.c.kind != ThreadKind.MESSAGE.value)
        held = connection.scalar(select(func.count()).select_from(table).where(*of)) or 0
        why = "" if stated[plural] <= held else _EXPLAINED.get((family, kind), "")
        if kind is Kind.THREAD and stated[plural] > held and not health.sees_all:
            why = "the account may not see every part of the site"
        if settings.exclude.members or (bounded and kind is not Kind.MEMBER):
            why = "the settings leave something out"
        yield Count(plural, stated[plural], held, "" if stated[plural] == held else why)
