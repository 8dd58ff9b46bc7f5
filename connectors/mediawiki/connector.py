"""The connection to one wiki."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..actions import Action, ArchiveThread
from ..base import Batch, Cursor, Found, Freshness, Health, Known, Marker, Profile, Receipt, Standing, World
from ..http import PoliteSession
from ..records import Ref
from . import excluded
from .client import Client
from .convert import Converter
from .fetch import Fetch
from .freshness import freshness
from .passes import Passes, rereads_within
from .people import People
from .platform import VERBS, MediaWikiPlatform
from .probe import health, sample
from .settings import MediaWikiSettings
from .standing import Standings
from .writing.archive import TalkArchive
from .writing.editing import Editor
from .writing.verbs import Verbs


class MediaWikiConnector:
    """See `Connector` in `connectors/base.py`. Signs in at the first request, not before."""

    def __init__(self, site: str, settings: MediaWikiSettings, world: World) -> None:
        self.site = site
        self.verbs: frozenset[type[Action]] = VERBS
        self._settings = settings
        self._world = world
        self._session = PoliteSession(
            site, world=world, url=settings.url, requests_per_minute=settings.requests_per_minute
        )
        self.client = Client(
            site, settings.url, settings.username, settings.password.reveal(), self._session, world
        )
        self._convert = Converter(site, settings, self.client)
        self._people = People(self.client, self._convert)
        self._editor = Editor(self.client, settings, site, world)
        self._verbs = Verbs(self._editor, self._people, MediaWikiPlatform(site, settings), world)

    def probe(self) -> Health:
        found = sample(self.client, self._settings)
        wiki = self.client.wiki
        if not wiki.user:  # a wiki that takes no edits lets nobody sign in
            name = self._settings.username.partition("@")[0]
            users = self.client.query(list="users", ususers=name)["query"]["users"]
            wiki = replace(wiki, user=name, user_id=int(users[0].get("userid", 0)))
        known = health(wiki, self._settings, self.site, found)
        return replace(known, findings=(*known.findings, *excluded.findings(self.client, self._settings)))

    def changes(self, cursor: Cursor | None, known: Known) -> Iterator[Batch]:
        return Passes(self.client, self._convert, known, self._world, self._settings).run(cursor)

    def begins_anew(self, cursor: Cursor, known: Known) -> bool:
        return False

    def freshness(self, cursor: Cursor, synced_at: datetime) -> Sequence[Freshness]:
        return tuple(freshness(cursor, synced_at, rereads_within(self._settings, self._world.now())))

    def fetch(self, ref: Ref) -> Batch | None:
        return Fetch(self.client, self._convert).one(ref)

    def profile(self, member: str) -> Profile:
        return self._people.profile(member)

    def standing(self, threads: Sequence[str], links: int) -> Mapping[str, Standing]:
        return Standings(self.client).of(threads, links)

    def halted(self, stop: Ref | None) -> str:
        return self._editor.trial_over() or self._people.halted(stop)

    def perform(self, action: Action, marker: Marker) -> Receipt:
        return self._verbs.perform(action, marker)

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        return self._verbs.find(action, marker, since)

    def take_back(self, action: Action, marker: Marker) -> None:
        if isinstance(action, ArchiveThread) and action.to:
            TalkArchive(self._editor).take_back(action, marker)

    def undo(self, receipt: Receipt, marker: Marker) -> Receipt:
        return self._verbs.undo(receipt, marker)

    def statistics(self) -> Mapping[str, float]:
        return self._session.statistics

    def close(self) -> None:
        self._session.close()
