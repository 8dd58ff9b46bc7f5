"""What all views of the review page share: the program behind it, where it is, and who may come in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from flask import current_app, g

from ....config.errors import Misconfigured
from ....connectors.base import Batch
from ....connectors.discourse.settings import DiscourseSettings
from ....connectors.records import Ref
from ..deciding import Reviewer
from .connect import Connect
from .failures import Failures
from .rights import Rights
from .sign_ins import Person, SignIns

if TYPE_CHECKING:
    from ....sync.context import App

PATIENCE = 30.0
"""Seconds that somebody waits for a site before they are told so."""
BACK = "/sign-in/forum/back"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_KEY = "ordito"
_T = TypeVar("_T")


@dataclass
class Page:
    """`base`: the page's own address, without a slash at its end.

    Connectors belong to one thread, `platforms`: they keep connections and a pace that threads cannot share.
    """

    app: App
    base: str
    sign_ins: SignIns
    connect: Connect | None
    rights: Rights
    platforms: ThreadPoolExecutor
    failures: Failures = field(default_factory=Failures)

    @classmethod
    def make(cls, app: App, base: str) -> Page:
        """Raises Misconfigured where signing in with the forum is set up and cannot work."""
        platforms = ThreadPoolExecutor(1, thread_name_prefix="platforms")
        sign_ins = SignIns(app.store)

        def fetch(ref: Ref) -> Batch | None:
            return platforms.submit(lambda: app.connector(ref.site).fetch(ref)).result(PATIENCE)

        return cls(
            app=app,
            base=base,
            sign_ins=sign_ins,
            connect=_connect(app, base, sign_ins),
            rights=Rights(fetch, frozenset(app.settings.review.groups)),
            platforms=platforms,
        )

    @property
    def https(self) -> bool:
        return self.base.startswith("https:")

    @property
    def path(self) -> str:
        """Of the page's address: '' at the root of its host."""
        return urlsplit(self.base).path

    @property
    def hosts(self) -> frozenset[str]:
        """The names by which it may be asked for; any other one is the doing of somebody else's page."""
        host = urlsplit(self.base).hostname or ""
        return LOOPBACK if host in LOOPBACK else frozenset({host})

    def now(self) -> datetime:
        return self.app.now()

    def on_platforms(self, do: Callable[[], _T], timeout: float) -> _T:
        """Do what needs connectors. Raises TimeoutError if it takes more seconds; it goes on then."""
        return self.platforms.submit(do).result(timeout)

    def close(self) -> None:
        """Wait for what the platforms are asked, and give their connections back."""
        self.platforms.submit(self.app.close_connectors).result()
        self.platforms.shutdown()


def page() -> Page:
    """That of the request."""
    found: Page = current_app.extensions[_KEY]
    return found


def person() -> Person:
    """Who is signed in."""
    found: Person = g.person
    return found


def reviewer() -> Reviewer:
    return Reviewer(page().app.store, person().name)


def _connect(app: App, base: str, sign_ins: SignIns) -> Connect | None:
    settings = app.settings.review
    if settings.site is None or settings.secret is None:
        return None
    site = app.settings.sites[settings.site]
    if not isinstance(site, DiscourseSettings):
        raise Misconfigured(
            f"'{settings.site}' is not a Discourse forum, and people cannot sign in with it.",
            where=app.settings.where("review", "site"),
            hint="Name a Discourse forum, or leave 'site' and 'secret' out and use links: --invite NAME",
        )
    return Connect(settings.site, site.base, settings.secret.reveal(), base + BACK, sign_ins)
