"""Areas that `expertise:` names and nobody has: each would count as 0, silently, so it is said.

An area is what the mirror has as a tag or a category of a forum, or as a category of a wiki. Of a site that
was never read to the end nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from ..config.words import suggestion
from ..connectors.records import Kind as RecordKind
from ..sync.store.tables import checkpoints, spaces, states
from .area_tests import ScoresAre
from .check import Row
from .comparisons import fold

if TYPE_CHECKING:
    from .engine import Engine
    from .kind import Kind


def unknown_areas(engine: Engine, conn: Connection, kinds: Iterable[Kind]) -> list[Row]:
    """A warning for each area that no site of a policy has, at its place, with the nearest one there is."""
    known: dict[str, dict[str, str] | None] = {}
    found: list[Row] = []
    for kind in kinds:
        named = dict.fromkeys(_named(engine, kind))
        if not named:
            continue
        on = kind.parameters.on
        for site in on:
            if site not in known:
                known[site] = _areas(conn, site, engine.platforms[site].family)
        there = [areas for site in on if (areas := known[site]) is not None]
        if len(there) < len(on):
            continue
        every = {folded: name for areas in there for folded, name in areas.items()}
        forum = any(engine.platforms[site].family == "forum" for site in on)
        what = "tag or category" if forum else "category"
        found += [
            Row(
                "warning",
                engine.settings.where("policies", kind.policy, "when", "expertise", area),
                f"{kind.policy} looks for expertise in '{area}', which is no {what} on {' or '.join(on)}: "
                "it counts as 0 for everybody.",
                suggestion(area, sorted(every.values()), empty="There are none yet."),
            )
            for area in named
            if fold(area) not in every
        ]
    return found


def _named(engine: Engine, kind: Kind) -> Iterator[str]:
    for site in kind.parameters.on:
        for condition in kind.conditions(engine.platforms[site].family):
            for atom in condition.atoms():
                if isinstance(atom.test, ScoresAre):
                    yield from (area for area, _ in atom.test.tests if area is not None)


def _areas(conn: Connection, site: str, family: str) -> dict[str, str] | None:
    """Folded name → name of a site's areas; None where it was never read to the end."""
    complete = conn.execute(select(checkpoints.c.complete).where(checkpoints.c.site == site)).scalar()
    if not complete:
        return None
    s = states.c
    labels = select(s.value).where(
        s.site == site, s.kind == RecordKind.THREAD, s.field == "label", s.valid_to.is_(None)
    )
    names = set(conn.execute(labels.distinct()).scalars())
    if family == "forum":
        here = select(spaces.c.name).where(spaces.c.site == site, spaces.c.deleted_at.is_(None))
        names.update(conn.execute(here).scalars())
    return {fold(name): name for name in sorted(names)}
