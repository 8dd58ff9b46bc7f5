"""The engine of an App: its settings, platforms, messages, and profiles through its connectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..connectors.base import Linking, Profile, Standing
from ..connectors.records import Ref
from .engine import Engine
from .gate import EngineGate
from .messages import Messages

if TYPE_CHECKING:
    from ..sync.context import App


def make_engine(app: App) -> Engine:
    """Profiles are read once per member and run."""
    known: dict[Ref, Profile] = {}

    def profile(who: Ref) -> Profile:
        if who not in known:
            known[who] = app.connector(who.site).profile(who.id)
        return known[who]

    def standing(site: str, pages: Sequence[str], links: int) -> Mapping[str, Standing]:
        connector = app.connector(site)
        return connector.standing(pages, links) if isinstance(connector, Linking) else {}

    return Engine(
        app.settings, app.platforms(), make_messages(app), profile, lambda: app.store.secret, standing
    )


def make_messages(app: App) -> Messages:
    """The shipped messages, and before them the admin's own beside the settings."""
    own = app.settings.folder / "messages"
    return Messages(own if own.is_dir() else None, app.settings.language)


def make_gate(app: App) -> EngineGate:
    return EngineGate(app, make_engine(app))
