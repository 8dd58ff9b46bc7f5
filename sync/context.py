"""What every command gets: settings, store, platforms and connectors, each made on first use.

One `App` is click's context object. It is built in `cli.py`, the only place that knows the clock, the
environment and the terminal; commands take everything from here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ..config.errors import UsageError
from .output import Output

if TYPE_CHECKING:
    from ..config.model import SiteSettings
    from ..config.settings import Settings
    from ..connectors.base import Connector, Platform, World
    from ..connectors.pacing import Allowances
    from .outbox import Gate
    from .store.store import Store


_HERE = "ordito.yaml"


def _nowhere(url: str) -> None:
    """For a program that nobody watches."""


def _only_here(path: str) -> App:
    raise UsageError(f"This program cannot go on with the settings at {path}.")


@dataclass
class App:
    """The program's parts. `make_gate` is how `policies` reaches `apply` without `sync` importing it;
    `path` is where the settings are, or will be. `state`: the folder in which the processes of a machine
    share their budgets; None: each has its own."""

    load_settings: Callable[[], Settings]
    world: World
    user: str
    out: Output
    make_gate: Callable[[App], Gate]
    stdin_terminal: bool = False
    path: str = _HERE
    state: Path | None = None
    browse: Callable[[str], None] = _nowhere
    """Shows an address in a browser, where there is one with windows; else nothing happens."""
    at: Callable[[str], App] = field(default=_only_here, repr=False)
    """The same program with the settings at another path."""
    _platforms: dict[str, Platform] = field(default_factory=dict)
    _connectors: dict[str, Connector] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """Raises SettingsError."""
        return self.load_settings()

    @cached_property
    def store(self) -> Store:
        """Opened, and brought to this version's tables. Raises StoreError."""
        from .store.store import Store

        return Store.open(self.settings.store_url, now=self.now())

    @property
    def json(self) -> bool:
        return self.out.json

    def spelled(self, command: str) -> str:
        """How a person types a command for these settings: `ordito --config demo/ordito.yaml apply`."""
        return f"ordito {command}" if self.path == _HERE else f"ordito --config {quote(self.path)} {command}"

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.world.now()

    def sites(self, names: Sequence[str] = ()) -> dict[str, SiteSettings]:
        """The sites named, or all. Raises UsageError with the nearest name."""
        for name in names:
            if name not in self.settings.sites:
                close = difflib.get_close_matches(name, self.settings.sites, 1)
                all_names = ", ".join(self.settings.sites)
                hint = f"Did you mean '{close[0]}'?" if close else f"There are: {all_names}."
                raise UsageError(f"There is no site '{name}' in the settings.", hint=hint)
        return {name: site for name, site in self.settings.sites.items() if not names or name in names}

    def platform(self, site: str) -> Platform:
        """Raises UsageError for a site that is not in the settings."""
        if site not in self._platforms:
            from ..connectors.registry import CONNECTORS

            settings = self.sites([site])[site]
            self._platforms[site] = CONNECTORS[settings.connector].platform(site, settings)
        return self._platforms[site]

    def platforms(self) -> dict[str, Platform]:
        return {site: self.platform(site) for site in self.settings.sites}

    def connector(self, site: str) -> Connector:
        """Raises UsageError for a site that is not in the settings, Misconfigured without its secret."""
        if site not in self._connectors:
            from ..connectors.registry import CONNECTORS

            settings = self.sites([site])[site]
            self._connectors[site] = CONNECTORS[settings.connector].open(site, settings, self._outside)
        return self._connectors[site]

    @cached_property
    def _outside(self) -> World:
        """The world as connectors get it: with our address, and budgets shared with other runs."""
        world = replace(self.world, contact=self.settings.contact or "")
        return world if self.state is None else replace(world, allowances=self._allowances(self.state))

    def _allowances(self, state: Path) -> Allowances:
        url = self.settings.store_url
        if not url.startswith("sqlite:///"):
            from .store.paces import RowAllowance

            return lambda budget: RowAllowance(self.store, budget)
        from .allowances import shared_by_machine

        beside = Path(url.removeprefix("sqlite:///")).parent / ".ordito"
        return shared_by_machine(self.world, [state, beside], self.out.warn)

    def gate(self) -> Gate:
        return self.make_gate(self)

    def close_connectors(self) -> None:
        """Give back the connections to the sites; to be called in the thread that made them."""
        for connector in self._connectors.values():
            connector.close()
        self._connectors.clear()

    def close(self) -> None:
        """Give back connections and the store."""
        self.close_connectors()
        if "store" in self.__dict__:
            self.store.close()
