"""The connection to one forum; see `Connector` in `connectors/base.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ...config.errors import Refused
from ..actions import Action
from ..base import Batch, Cursor, Found, Freshness, Health, Known, Marker, Profile, Receipt, World
from ..records import Ref
from . import fetch, mapping, passes, probe, profile
from .acting import Acting, Verb
from .bounds import Bounds
from .client import Client
from .freshness import freshness
from .platform import VERBS
from .query import Address
from .reading import Reading
from .scope import Scope
from .settings import DiscourseSettings
from .state import State
from .stop import halted
from .verbs import VERBS as ALL


class _Empty:
    """A mirror that holds nothing: single items are read without one."""

    def stamps(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {}

    def conversations(self) -> Sequence[str]:
        return ()

    def contribution_ids(self, thread: str) -> frozenset[str]:
        return frozenset()

    def listed(self, low: int, high: int) -> frozenset[str]:
        return frozenset()

    def spoken(self, threads: Sequence[str]) -> Mapping[str, int]:
        return {}

    def sealed(self, name: str) -> str:
        return ""


class DiscourseConnector:
    """Reads a forum, and acts there as one account."""

    verbs = VERBS

    def __init__(self, site: str, settings: DiscourseSettings, world: World) -> None:
        self.site = site
        self._settings = settings
        self._world = world
        self._client = Client(site, settings, world)
        self._acting = Acting(site, self._client, world)
        self._hidden_spaces: list[str] | None = None
        self._posts = 0
        self._by_action = {verb.action: verb for verb in ALL}
        self._by_name = {str(verb.action.__dataclass_fields__["verb"].default): verb for verb in ALL}

    def probe(self) -> Health:
        health = probe.probe(self._client, self._settings, self._world.now())
        self._posts = health.counts.get("contributions", 0)
        return health

    def changes(self, cursor: Cursor | None, known: Known) -> Iterator[Batch]:
        state, digest = self._going_on(cursor, known) or State(), Scope(self._settings).digest
        if state.bounds and state.settings != digest:
            state.hidden_spaces = self._excluded()
        state.settings, state.bounds = digest, Bounds.of(self._settings, known).document()
        return passes.changes(self._reading(state, known))

    def begins_anew(self, cursor: Cursor, known: Known) -> bool:
        return self._going_on(cursor, known) is None

    def _going_on(self, cursor: Cursor | None, known: Known) -> State | None:
        """Where the reading stands; None if the settings ask for more than was read, or nothing was."""
        state = State.load(cursor)
        if state is None or state.settings == Scope(self._settings).digest:
            return state
        now = Bounds.of(self._settings, known)
        return state if state.bounds and Bounds.load(state.bounds).cover(now) else None

    def freshness(self, cursor: Cursor, synced_at: datetime) -> Sequence[Freshness]:
        now, settings = self._world.now(), self._settings
        state = State.load(cursor) or State()
        sweep = settings.sweep.after(now) - now
        webhook, explorer = settings.webhook is not None, settings.data_explorer is not None
        return tuple(freshness(state, synced_at, sweep, webhook=webhook, explorer=explorer))

    def fetch(self, ref: Ref) -> Batch | None:
        reading = self._reading(State(hidden_spaces=self._excluded()), _Empty())
        return fetch.fetch(reading, ref)

    def _excluded(self) -> list[str]:
        """Ids of the excluded categories; one request, once, if there are any."""
        if self._hidden_spaces is None:
            scope = Scope(self._settings)
            if self._settings.exclude.spaces:
                rows = self._client.get_site_info().get("categories") or ()
                scope.learn(mapping.space(self.site, row) for row in rows)
            self._hidden_spaces = sorted(scope.hidden_spaces)
        return self._hidden_spaces

    def _reading(self, state: State, known: Known) -> Reading:
        now, query = self._world.now(), self._settings.data_explorer
        return Reading(
            site=self.site,
            client=self._client,
            world=self._world,
            scope=Scope(self._settings, state.hidden_spaces),
            state=state,
            known=known,
            sweep=self._settings.sweep.after(now) - now,
            webhook=self._settings.webhook,
            explorer=Address.parse(str(query)) if query is not None else None,
            posts=self._posts,
        )

    def profile(self, member: str) -> Profile:
        return profile.profile(self._acting.member(member), self._world.now())

    def halted(self, stop: Ref | None) -> str:
        return halted(self._acting, stop)

    def perform(self, action: Action, marker: Marker) -> Receipt:
        return self._verb(action).perform(self._acting, action, marker)

    def find(self, action: Action, marker: Marker, since: datetime) -> Found:
        return self._verb(action).find(self._acting, action, marker, since)

    def _verb(self, action: Action) -> Verb:
        verb = self._by_action.get(type(action))
        if verb is None:
            raise Refused(f"a forum has no {action.verb.replace('_', ' ')}.", where=self.site)
        return verb

    def undo(self, receipt: Receipt, marker: Marker) -> Receipt:
        return self._by_name[receipt.verb].undo(self._acting, receipt, marker)

    def statistics(self) -> Mapping[str, float]:
        return self._client.session.statistics

    def close(self) -> None:
        self._client.session.close()
