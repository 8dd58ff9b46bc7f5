"""Every connector there is, by the name that `connector:` has in the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .base import Connector, Platform, World

if TYPE_CHECKING:
    from ..config.model import SiteSettings


@dataclass(frozen=True, slots=True)
class Entry:
    """How a connector is made; nothing is imported before one of these is called.

    `in_flight`: how long after a request was sent the platform may still be carrying it out, whether or not
    anybody waits for the answer. Before that, nothing that `find` misses is certainly not done. By default it
    is longer than Discourse's workers (30 s) and the servers in front of them (60 s) give a request.
    """

    settings: Callable[[], type[SiteSettings]]
    platform: Callable[[str, Any], Platform]
    open: Callable[[str, Any, World], Connector]
    in_flight: timedelta = timedelta(seconds=65)


def _discourse_settings() -> type[SiteSettings]:
    from .discourse.settings import DiscourseSettings

    return DiscourseSettings


def _discourse_platform(site: str, settings: Any) -> Platform:
    from .discourse.platform import DiscoursePlatform

    return DiscoursePlatform(site, settings)


def _discourse(site: str, settings: Any, world: World) -> Connector:
    from .discourse.connector import DiscourseConnector

    return DiscourseConnector(site, settings, world)


def _mediawiki_settings() -> type[SiteSettings]:
    from .mediawiki.settings import MediaWikiSettings

    return MediaWikiSettings


def _mediawiki_platform(site: str, settings: Any) -> Platform:
    from .mediawiki.platform import MediaWikiPlatform

    return MediaWikiPlatform(site, settings)


def _mediawiki(site: str, settings: Any, world: World) -> Connector:
    from .mediawiki.connector import MediaWikiConnector

    return MediaWikiConnector(site, settings, world)


def _sandbox_settings() -> type[SiteSettings]:
    from .sandbox.settings import SandboxSettings

    return SandboxSettings


def _sandbox_platform(site: str, settings: Any) -> Platform:
    from .sandbox.platform import SandboxPlatform

    return SandboxPlatform(site, settings)


def _sandbox(site: str, settings: Any, world: World) -> Connector:
    from .sandbox.connector import SandboxConnector

    return SandboxConnector(site, settings, world)


CONNECTORS: dict[str, Entry] = {
    "discourse": Entry(_discourse_settings, _discourse_platform, _discourse),
    # MediaWiki gives a POST 120 s ($wgTransactionalTimeLimit).
    "mediawiki": Entry(
        _mediawiki_settings, _mediawiki_platform, _mediawiki, in_flight=timedelta(seconds=125)
    ),
    "sandbox": Entry(_sandbox_settings, _sandbox_platform, _sandbox, in_flight=timedelta(0)),
}
