"""How many pages link to a page, and whether our account may edit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ..base import Standing
from .client import Client, Json

_USER = 2
_ROWS = "max"
"""Rows of an answer about many pages."""
_FEW = 4
"""Answers that are read for many pages together, before those not decided yet are asked for one by one."""


@dataclass(frozen=True, slots=True)
class Standings:
    """One request for 50 pages (500 with the bot flag), as a rule. Redirects do not count as links, nor
    what is linked through them; talk pages and users' own pages neither."""

    client: Client

    def of(self, pages: Sequence[str], links: int) -> dict[str, Standing]:
        size = self.client.wiki.pages_per_request
        found: dict[str, Standing] = {}
        for start in range(0, len(pages), size):
            found |= self._some(pages[start : start + size], links)
        return found

    def _some(self, pages: Sequence[str], links: int) -> dict[str, Standing]:
        counts: dict[str, int] = {}
        editable: dict[str, bool] = {}
        answers = self._answers(pages, links)
        more: object = None
        for answer in islice(answers, _FEW):
            more = answer.get("continue")
            for page in answer["query"].get("pages", ()):
                if page.get("missing"):
                    continue
                number = str(page["pageid"])
                editable[number] = bool(page.get("actions", {}).get("edit", editable.get(number, True)))
                counts[number] = counts.get(number, 0) + len(page.get("linkshere", ()))
        if more:
            for number in (each for each in counts if counts[each] < links):
                page = next(self._answers([number], links))["query"]["pages"][0]
                counts[number] = len(page.get("linkshere", ()))
        return {each: Standing(counts[each], editable[each]) for each in counts}

    def _answers(self, pages: Sequence[str], links: int) -> Iterator[Json]:
        """All answers about these pages; of a page asked for alone, the first says enough."""
        further: Json = {}
        while True:
            answer = self.client.query(
                pageids=list(pages),
                prop="info|linkshere" if links else "info",
                intestactions="edit",
                lhprop="pageid" if links else None,
                lhshow="!redirect" if links else None,
                lhnamespace=self._content if links else None,
                lhlimit=None if not links else links if len(pages) == 1 else _ROWS,
                **further,
            )
            yield answer
            if not (further := answer.get("continue") or {}):
                return

    @property
    def _content(self) -> list[str]:
        """Namespaces whose pages are written for readers."""
        spaces = self.client.wiki.namespaces
        return [str(each) for each in sorted(spaces) if each >= 0 and each % 2 == 0 and each != _USER]
