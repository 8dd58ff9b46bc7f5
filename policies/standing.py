"""Asking a wiki, where a step needs it, how the page stands: how many link to it, and may we edit it?

Edits of other pages change that, so it is not in the mirror. A plan asks about the pages that it may propose,
some at once in the order in which they come, and no further than its limits reach; `apply` asks again about
each page right before it is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..config.errors import ConnectorError
from ..connectors.base import Standing
from ..connectors.records import Kind as RecordKind
from ..connectors.records import Ref
from .kind import Candidate, Kind

Ask = Callable[[str, Sequence[str], int], Mapping[str, Standing]]
"""(site, ids of pages, how far links are counted) → how they stand; pages that are not there are left out."""

_FIRST, _MORE = 50, 500
"""Pages that are asked about together: at first, and where most of those were of no use. A connector may
need several requests for so many."""


@dataclass
class Standings:
    """The candidates of one policy, in the order in which they are decided on."""

    kind: Kind
    found: Sequence[Candidate]
    ask: Ask | None
    """None: nothing is asked, and nothing held back for it."""
    failed: dict[str, ConnectorError] = field(default_factory=dict)
    """Sites that could not be asked."""
    _known: dict[Ref, Standing | None] = field(default_factory=dict)

    def against(self, candidate: Candidate) -> tuple[str, str] | None:
        """By what, in one word, and why something is not to be done to the page; None: nothing is."""
        links = self.kind.links(candidate.item.site, candidate.step)
        if self.ask is None or links is None or candidate.item.kind != RecordKind.THREAD:
            return None
        if candidate.item not in self._known and candidate.item.site not in self.failed:
            self._learn(candidate, self.ask)
        if candidate.item.site in self.failed:
            return "unreachable", self.failed[candidate.item.site].message
        return objection(self._known.get(candidate.item), links)

    def _learn(self, first: Candidate, ask: Ask) -> None:
        """About this page and those that come after it, as many as one request holds."""
        site, links = first.item.site, 0
        most = _MORE if self._known else _FIRST
        wanted: dict[str, None] = {}
        for each in self.found[self.found.index(first) :]:
            needed = self.kind.links(site, each.step) if each.item.site == site else None
            if needed is None or each.item in self._known or each.item.kind != RecordKind.THREAD:
                continue
            links = max(links, needed)
            wanted[each.item.id] = None
            if len(wanted) == most:
                break
        try:
            answer = ask(site, list(wanted), links)
        except ConnectorError as error:
            self.failed[site] = error
            return
        self._known |= {Ref(site, RecordKind.THREAD, page): answer.get(page) for page in wanted}


def objection(standing: Standing | None, links: int) -> tuple[str, str] | None:
    """What speaks against editing a page that stands so; None as `standing`: it is not there."""
    if standing is None:
        return "gone", "the page is not there any more"
    if not standing.editable:
        return "protected", "the page is protected; our account may not edit it"
    if standing.links < links:
        found = f"{standing.links} page{'' if standing.links == 1 else 's'}"
        return "links", f"linked from {found} only; the policy asks for {links}"
    return None
