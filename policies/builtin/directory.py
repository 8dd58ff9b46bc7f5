"""The directory: the experts, on a page of a wiki, between two comments; as a rule those who agreed to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ...connectors.actions import EditText
from ...connectors.base import Platform
from ...connectors.records import Kind as RecordKind
from ...connectors.records import Ref
from ...sync.outbox import Because, State
from ...sync.store.tables import proposals
from .. import phrases
from ..community import Community
from ..insight.area_sums import Areas
from ..insight.expertise import Expert, evidence_of
from ..kind import Candidate, Tools
from ..pages import MARKERS, block, page_text

STEP = "directory"
_LISTED = "listed"
_BETWEEN = " · "
"""Between names in a reason; no platform allows it in a name."""


def links(
    tools: Tools, community: Community, platform: Platform, expert: Expert, areas: Areas
) -> list[str]:
    """The evidence as links in the markup of `platform`, which may be another than the expert's."""
    own = tools.platforms[expert.member.site]
    return [
        platform.link(title, own.url(Ref(expert.member.site, RecordKind.CONTRIBUTION, contribution)))
        for contribution, title in evidence_of(community, expert, areas)
    ]


@dataclass(frozen=True, slots=True)
class Directory:
    """The page of one policy."""

    policy: str
    page: Ref
    areas: Areas
    tools: Tools
    asked: bool
    """Whether who is listed was asked before, and agreed."""

    def listed_before(self, community: Community) -> Callable[[Expert], bool]:
        """Whether somebody stands on the page as we wrote it last."""
        p = proposals
        last = (
            select(p.c.because)
            .where(p.c.policy == self.policy, p.c.item == str(self.page), p.c.step == STEP)
            .where(p.c.state == State.APPLIED)
            .order_by(p.c.id.desc())
            .limit(1)
        )
        because = community.conn.execute(last).scalar_one_or_none() or "[]"
        listed = {
            (each["fact"], name)
            for each in json.loads(because)
            if each["condition"] == _LISTED
            for name in each["value"].split(_BETWEEN)
        }
        return lambda expert: (expert.area, expert.username) in listed

    def candidate(self, community: Community, experts: Sequence[Expert]) -> Candidate | None:
        """The page as it should be; None where it is so."""
        page, platform = self.page, self.tools.platforms[self.page.site]
        text = self._text(community, platform, experts)
        whole = page_text(community.conn, page)
        current = block(whole, MARKERS) if whole is not None else None
        if current == text or (not experts and current is None):
            return None
        names: dict[str, list[str]] = {}
        for expert in experts:
            names.setdefault(expert.area, []).append(expert.username)
        who = "experts who agreed" if self.asked else "experts"
        reasons = [Because(area, _LISTED, _BETWEEN.join(found)) for area, found in sorted(names.items())]
        return Candidate(
            item=page,
            occasion=hashlib.sha256(text.encode()).hexdigest()[:16],
            step=STEP,
            because=(Because(who, "differ from the page", str(len(experts))), *reasons),
            since=0,
            compose=lambda profile: EditText(
                site=page.site, title=page.id, text=text, markers=MARKERS, expected=_expected(whole),
                summary=self.policy,
            ),
            site=page.site,
        )  # fmt: skip

    def _text(self, community: Community, platform: Platform, experts: Sequence[Expert]) -> str:
        language = self.tools.language(platform.site)
        areas: dict[str, list[dict[str, Any]]] = {}
        for expert in experts:
            own = self.tools.platforms[expert.member.site]
            name = platform.link(expert.username, own.profile(expert.member, expert.username))
            cited = links(self.tools, community, platform, expert, self.areas)
            areas.setdefault(expert.area, []).append({"mention": name, "evidence": cited})
        values = {
            "areas": [
                {"name": platform.escape(area), "experts": found} for area, found in sorted(areas.items())
            ],
            "why": phrases.why("directory" if self.asked else "directory, unasked", language),
            "stop": phrases.stop("page", language, phrase=self.tools.phrase),
        }
        return self.tools.messages.render("directory", language, platform.markup, values).text.strip()


def _expected(whole: str | None) -> str | None:
    """What `EditText` compares: the block; '' on a page without one; None if there is no page."""
    return None if whole is None else (block(whole, MARKERS) or "")
