"""A small community made by hand: a forum and a wiki in a store, policies, people who decide, and a clock.

What is carried out happens nowhere but here: it is written down, and messages become contributions of ours.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, insert, update

from ordito.config.durations import Duration
from ordito.config.errors import ReadOnly
from ordito.config.loader import load
from ordito.connectors.actions import Action, Reply, SendMessage
from ordito.connectors.base import Batch, Marker, Profile, Receipt, World
from ordito.connectors.records import Kind, Ref
from ordito.connectors.registry import CONNECTORS
from ordito.policies.builtin import KINDS
from ordito.policies.engine import Engine, Plan
from ordito.policies.gate import EngineGate
from ordito.policies.messages import Messages
from ordito.policies.why import Why, explain
from ordito.sync.locks import Holder, run_lock
from ordito.sync.outbox import Bench, Decision, Filters, Proposal, Report, apply, get, review, select
from ordito.sync.store import tables
from ordito.sync.store.store import Store
from ordito.sync.store.times import micros

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)

SITES = """\
sites:
  forum: {connector: discourse, url: "https://forum.example.org", username: ordito, api_key: {env: KEY}}
  wiki: {connector: mediawiki, url: "https://wiki.example.org/api.php", username: O@c, password: {env: KEY}}
"""
FREE = """\
constitution:
  limits: {per_run: 100, per_policy: 100, share: 100%}
  contact: {messages: 100, per: 7 days}
  undo_window: 0 minutes
"""
"""A constitution in nobody's way."""


@dataclass
class Town:
    """`members` with odd names are no matter; ids are numbers as texts. Times are given in days ago."""

    store: Store
    folder: Path
    now: datetime = NOW
    performed: list[Action] = field(default_factory=list)
    profiles: dict[Ref, Profile] = field(default_factory=dict)
    halted: str = ""
    refuses: bool = False
    """Whether its sites carry nothing out for now."""
    _ids: Any = field(default_factory=lambda: itertools.count(1000))
    _conn: Connection | None = None
    _posts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def settle(self, policies: str, constitution: str = FREE, more: str = "", sites: str = SITES) -> Town:
        """Give it settings, and what both sites have before anybody comes. May be called again."""
        path = self.folder / "ordito.yaml"
        path.write_text(f"{sites}{more}{constitution}policies:\n{policies}", encoding="utf-8")
        self.settings = load(
            path,
            {"KEY": "k"},
            kinds={name: kind.Parameters for name, kind in KINDS.items()},
            connectors={name: entry.settings() for name, entry in CONNECTORS.items()},
        )
        self.platforms = {
            name: CONNECTORS[given.connector].platform(name, given)
            for name, given in self.settings.sites.items()
        }
        own = self.folder / "messages"
        messages = Messages(own if own.is_dir() else None, self.settings.language)
        self.engine = Engine(self.settings, self.platforms, messages, self._profile, lambda: b"secret")
        with self._write() as conn:
            if conn.execute(tables.checkpoints.select()).first() is None:
                self._found(conn)
        return self

    def _found(self, conn: Connection) -> None:
        for site in ("forum", "wiki"):
            conn.execute(insert(tables.checkpoints).values(site=site, complete=True, account="1"))
            self._row(conn, "members", site=site, id="1", username="Ordito", name="", bot=True)
        for site, id, name in (("forum", "1", "Help"), ("forum", "2", "Lounge"), ("wiki", "0", ""),
                               ("wiki", "3", "User talk"), ("wiki", "4", "Club")):  # fmt: skip
            self._row(conn, "spaces", site=site, id=id, name=name, restricted=False)

    # --- who and what is there ----------------------------------------------------------------------------

    def member(self, id: str, site: str = "forum", joined: float = 1000, groups: Sequence[str] = (),
               **fields: Any) -> Ref:  # fmt: skip
        with self._write() as conn:
            self._row(conn, "members", **{
                "site": site, "id": id, "username": f"user{id}", "name": "", "joined_at": self.ago(joined),
                **fields})  # fmt: skip
        for group in groups:
            self.join(id, group, site)
        return Ref(site, Kind.MEMBER, id)

    def space(self, id: str, name: str, site: str = "forum") -> None:
        with self._write() as conn:
            self._row(conn, "spaces", site=site, id=id, name=name, restricted=False)

    def group(self, name: str, site: str = "forum", known: bool = True) -> None:
        with self._write() as conn:
            conn.execute(insert(tables.site_groups).values(
                site=site, id=name, name=name, members_known=known, scan=""))  # fmt: skip

    def join(self, member: str, group: str, site: str = "forum") -> None:
        self._state(site, "member", member, "group", group)

    def topic(self, id: str, author: str | None, *posts: tuple[str | None, float, str], space: str = "1",
              site: str = "forum", labels: Sequence[str] = (), kind: str = "topic",
              **fields: Any) -> Ref:  # fmt: skip
        """`posts`: (author, days ago, text), the first one the opening."""
        forum = site == "forum"
        flags = {name: False for name in ("closed", "archived", "pinned")} if forum else {}
        known = {"visible": True, "solved_by": "", **flags} if forum else {}
        with self._write() as conn:
            self._row(conn, "threads", **{
                "site": site, "id": id, "kind": kind, "space": space, "title": f"Topic {id}",
                "author": author, "created_at": self.ago(posts[0][1]) if posts else None, "stamp": "",
                **known, **fields})  # fmt: skip
        for label in labels:
            self._state(site, "thread", id, "label", label)
        for writer, days, text in posts:
            self.post(id, writer, days, text, site=site)
        return Ref(site, Kind.THREAD, id)

    def post(self, thread: str, author: str | None, days: float = 0, text: str = "So it is.",
             site: str = "forum", **fields: Any) -> Ref:  # fmt: skip
        id = str(next(self._ids))
        self._posts[site, thread] += 1
        position = self._posts[site, thread] if site == "forum" else None
        with self._write() as conn:
            self._row(conn, "contributions", **{
                "site": site, "id": id, "thread": thread, "author": author, "created_at": self.ago(days),
                "position": position, "kind": "regular", **fields})  # fmt: skip
            conn.execute(insert(tables.texts).values(site=site, contribution=id, text=text))
        return Ref(site, Kind.CONTRIBUTION, id)

    def link(self, *accounts: Ref, person: str = "somebody") -> None:
        with self._write() as conn:
            for who in accounts:
                row = {"site": who.site, "member": who.id, "person": person}
                conn.execute(insert(tables.identities).values(**row, state="linked", source="file", at=0))

    def change(self, item: Ref, **fields: Any) -> None:
        t = tables.metadata.tables[f"{item.kind}s"]
        with self._write() as conn:
            conn.execute(update(t).where(t.c.site == item.site, t.c.id == item.id).values(**fields))

    def opt_out(self, who: Ref) -> None:
        with self._write() as conn:
            conn.execute(insert(tables.opt_outs).values(
                site=who.site, member=who.id, how="phrase", at=micros(self.now), evidence=""))  # fmt: skip

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Whatever comes to be inside, in one transaction."""
        with self.store.write() as self._conn:
            yield
        self._conn = None

    def _write(self) -> AbstractContextManager[Connection]:
        return nullcontext(self._conn) if self._conn is not None else self.store.write()

    def ago(self, days: float) -> int:
        return micros(self.now - timedelta(days=days))

    def _state(self, site: str, kind: str, item: str, name: str, value: str) -> None:
        with self._write() as conn:
            conn.execute(insert(tables.states).values(
                site=site, kind=kind, item=item, field=name, value=value, valid_from=0,
                source="assumed"))  # fmt: skip

    @staticmethod
    def _row(conn: Connection, table: str, **fields: Any) -> None:
        flags: dict[str, Any] = {}
        if table == "members":
            flags = {name: False for name in ("admin", "moderator", "bot", "staged")}
        conn.execute(insert(tables.metadata.tables[table]).values(**{"scan": "", **flags, **fields}))

    # --- what is done -------------------------------------------------------------------------------------

    def plan(self, *names: str, **how: Any) -> Plan:
        return self.engine.plan(self.store, self.now, names, **how)

    def proposed(self, *names: str) -> list[Proposal]:
        return list(self.plan(*names).proposals)

    def approve(self, *proposals: Proposal, **how: Any) -> None:
        self.decide(Decision.APPROVED, *proposals, **how)

    def decide(self, decision: Decision, *proposals: Proposal, **how: Any) -> None:
        with self._write() as conn:
            for proposal in proposals:
                review(conn, proposal.id, decision, by="anna", now=self.now, **how)

    def get(self, proposal: Proposal) -> Proposal:
        with self.store.read() as conn:
            return get(conn, proposal.id)

    def all(self) -> list[Proposal]:
        with self.store.read() as conn:
            return list(select(conn, Filters()))

    def apply(self) -> Report:
        world = World(now=lambda: self.now, monotonic=lambda: 0.0, sleep=lambda seconds: None)
        with run_lock(self.store, Holder.here("apply", "anna"), lambda: self.now) as lock:
            bench = Bench(
                store=self.store, world=world, lock=lock, connector=self.connector,
                ingest=lambda conn, site, batch, now: None, note=lambda proposal: proposal.policy,
                say=lambda text: None, in_flight=lambda site: timedelta(0),
                undo_window=Duration(0, "minute"),
            )  # fmt: skip
            return apply(bench, self.gate())

    def gate(self) -> EngineGate:
        app: Any = SimpleNamespace(settings=self.settings, connector=self.connector)
        return EngineGate(app, self.engine)

    def run(self, *names: str) -> list[Action]:
        """Plan, approve all, apply; what was carried out."""
        before = len(self.performed)
        self.approve(*(each for each in self.proposed(*names) if each.state == "proposed"))
        self.apply()
        return self.performed[before:]

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def why(self, policy: str, item: Ref) -> Why:
        with self.store.read(scratch=True) as conn:
            found = explain(self.engine, conn, self.engine.policies[policy], item, self.now)
        assert found is not None
        return found

    def connector(self, site: str) -> Any:
        return _Connector(self, site)

    def _profile(self, who: Ref) -> Profile:
        return self.profiles.get(who, Profile())


@dataclass
class _Connector:
    town: Town
    site: str

    def halted(self, stop: Ref | None) -> str:
        return self.town.halted

    def profile(self, member: str) -> Profile:
        return self.town._profile(Ref(self.site, Kind.MEMBER, member))

    def fetch(self, ref: Ref) -> Batch:
        return Batch()

    def perform(self, action: Action, marker: Marker) -> Receipt:
        town = self.town
        if town.refuses:
            raise ReadOnly("It takes no writes.", where=self.site)
        town.performed.append(action)
        made: tuple[Ref, ...] = ()
        if isinstance(action, SendMessage):
            thread = town.topic(f"m{len(town.performed)}", "1", space="2", kind="message", site=self.site)
            made = (thread, town.post(thread.id, "1", text=action.text, site=self.site))
        elif isinstance(action, Reply):
            made = (town.post(action.thread, "1", text=action.text, site=self.site),)
        return Receipt(site=self.site, verb=action.verb, at=town.now, made=made)
