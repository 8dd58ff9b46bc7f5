"""Stale sections of a wiki's talk pages: to an archive subpage, once nobody has signed in them for long.

What `quiet` asks of a topic it asks here of a section: the last signature in it. Who is being waited for is
read the same way as on a forum: a section that nobody but its author signed, or in whose last words its
author asks again, waits for an answer and is reported.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from ...connectors.actions import Action, ArchiveThread
from ...connectors.base import Profile
from ...connectors.mediawiki.talk import LANGUAGES, TalkSection, dates_in, sections, understands
from ...connectors.mediawiki.wiki import tidy
from ...connectors.mediawiki.wikitext import objection
from ...connectors.records import Kind as RecordKind
from ...connectors.records import Ref
from ...sync.outbox import Because, State
from ...sync.store.tables import checkpoints, proposals, spaces
from ...sync.store.times import micros, moment
from ..community import Community
from ..comparisons import AgeIs, ChoiceIs
from ..conditions import All, Atom, Condition
from ..facts import find_fact
from ..kind import Candidate, Held
from ..matches import Match
from ..pages import newest_text, own_namespaces
from ..people import username
from .common import SECTIONS, split

if TYPE_CHECKING:
    from .stale import Stale

_PENDING = (State.PROPOSED, State.APPROVED, State.APPLYING)
_ARCHIVE = re.compile(r"/[^/]*archiv[^/]*$", re.IGNORECASE)
"""Subpages that are an archive already: English, Italian, German, French and Spanish begin alike."""


@dataclass(frozen=True, slots=True)
class _Old:
    """A section whose time has come; `last` (micros): the last signature in it."""

    section: TalkSection
    last: int


class TalkPages:
    """For one policy on one wiki, at the community's moment."""

    def __init__(self, kind: Stale, community: Community, site: str) -> None:
        self._kind, self._community, self._site = kind, community, site
        self._given = kind.parameters
        self._language = _content_language(community, site)
        ours = Ref(site, RecordKind.MEMBER, community.sites[site].account)
        self._account = tidy(username(community.conn, ours))
        names = dict(
            community.conn.execute(select(spaces.c.id, spaces.c.name).where(spaces.c.site == site)).all()
        )
        self._names = [names[each] for each in ("2", "3") if each in names]

    def propose(self, when: All, barred: Condition) -> Iterator[Candidate | Held]:
        """`when` as it is for whole threads: its test of `quiet` is asked of the sections."""
        quiet, waiting, rest = split(when)
        if quiet is None:
            return
        if not understands(self._language):
            known = ", ".join(LANGUAGES)
            reason = (
                f"signatures in '{self._language}' are not understood (only {known}): "
                "talk pages are left alone"
            )
            yield self._kind.held(self._site, "language", reason)
            return
        begun = Atom(find_fact("age", "thread"), quiet)
        talk = Atom(find_fact("kind", "thread"), ChoiceIs(("talk",)))
        also = [find_fact("title", "thread"), find_fact("space", "thread"), find_fact("quiet", "thread")]
        own = own_namespaces(self._community.conn, self._site)
        waits = waiting is None or not waiting.holds("community", self._community.now)
        for match in self._community.select("thread", self._site, All((*rest, begun, talk)), barred, also):
            title = str(match.values["title"])
            if match.values["space"] not in own and not _ARCHIVE.search(title):
                yield from self._page(match, title, quiet, waits)

    def _page(self, match: Match, title: str, quiet: AgeIs, waits: bool) -> Iterator[Candidate | Held]:
        now = self._community.now
        text = newest_text(self._community.conn, match.ref)
        if text is None:
            yield self._kind.held(match.ref, "text", "its text is not in the mirror")
            return
        if not any(quiet.holds(micros(at), now) for at in dates_in(text, self._language)):
            return  # nothing so old is signed there; only now is it worth taking apart
        if template := objection(text, self._account):
            yield self._kind.held(match.ref, "opt-out", f"it carries {template}")
            return
        every = sections(text, self._language, self._names)
        whole = quiet.holds(int(match.values["quiet"]), now)
        if whole and any(not each.kept and (each.unsigned or not each.signed) for each in every):
            reason = "the last words of a section carry no signature, so it is left alone"
            yield self._kind.held(match.ref, "unsigned", reason)
        old: list[_Old] = []
        waiting = False
        for section in every:
            last = self._last(section)
            if section.kept or section.unsigned or last is None or not quiet.holds(last, now):
                continue
            if waits and self._is_waiting(section):
                waiting = True
            else:
                old.append(_Old(section, last))
        if waiting:
            reason = "a section waits for an answer; silence alone never archives it"
            yield self._kind.held(match.ref, "unanswered", reason)
        most = max(0, len(every) - self._given.keep)
        yield from self._candidates(match, title, quiet, sorted(old, key=lambda each: each.last)[:most])

    def _last(self, section: TalkSection) -> int | None:
        """When somebody last signed in it; our own notices do not keep a section young."""
        people = [each.at for each in section.signed if each.author != self._account]
        times = people or [each.at for each in section.signed]
        return micros(max(times)) if times else None

    def _is_waiting(self, section: TalkSection) -> bool:
        said = [each for each in section.signed if each.author != self._account]
        if not said or "?" not in "".join(each.text for each in said if each.author == said[0].author):
            return False
        alone = all(each.author == said[0].author for each in said)
        return alone or (said[-1].author == said[0].author and "?" in said[-1].text)

    def _candidates(
        self, match: Match, title: str, quiet: AgeIs, old: list[_Old]
    ) -> Iterator[Candidate]:
        """One for each archive that sections of this page go to."""
        groups: dict[str, list[_Old]] = {}
        for each in old:
            to = archive_title(self._given.archive, title, moment(each.last).year)
            groups.setdefault(to, []).append(each)
        for to, group in groups.items():
            group = self._as_pending(match.ref, to, group)
            texts = tuple(each.section.text for each in _in_order(group, old))
            last = min(each.last for each in group)
            many = "one section" if len(group) == 1 else f"{len(group)} sections, this the oldest"
            yield Candidate(
                item=match.ref,
                occasion=hashlib.sha256("\0".join((to, *texts)).encode()).hexdigest()[:16],
                step=SECTIONS,
                because=(Because("last signature", str(quiet), f"{moment(last):%Y-%m-%d}; {many}"),),
                since=last,
                compose=partial(self._action, match.ref, to, texts),
                site=self._site,
            )  # fmt: skip

    def _action(self, page: Ref, to: str, texts: tuple[str, ...], profile: Profile) -> Action:
        return ArchiveThread(
            site=page.site, thread=page.id, sections=texts, to=to, template=self._given.archive_header
        )

    def _as_pending(self, page: Ref, to: str, group: list[_Old]) -> list[_Old]:
        """While some of them wait for a decision, those and no others: what was approved is what is done,
        and the sections that have grown old since come next."""
        rows = self._community.conn.execute(
            select(proposals.c.action).where(
                proposals.c.policy == self._kind.policy,
                proposals.c.item == str(page),
                proposals.c.step == SECTIONS,
                proposals.c.state.in_(_PENDING),
            )
        )
        for action in map(json.loads, rows.scalars()):
            pending = set(action.get("sections", ()))
            if action.get("to") == to and pending <= {each.section.text for each in group}:
                return [each for each in group if each.section.text in pending]
        return group


def archive_title(pattern: str, page: str, year: int) -> str:
    return pattern.replace("{talkpage}", page).replace("{year}", str(year))


def _in_order(group: list[_Old], old: list[_Old]) -> list[_Old]:
    return [each for each in old if each in group]


def _content_language(community: Community, site: str) -> str:
    """What signatures are written in: the wiki's own language, whatever our messages are in."""
    query = select(checkpoints.c.language).where(checkpoints.c.site == site)
    return str(community.conn.execute(query).scalar_one_or_none() or community.sites[site].language or "en")
