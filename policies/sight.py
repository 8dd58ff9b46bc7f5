"""What the mirror knows of each site, and what it is known to lack, as policies must take it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from ..connectors.base import Platform
from ..sync.store.tables import checkpoints, gaps, site_groups
from ..sync.store.times import micros
from .community import SiteView
from .query import Coverage

if TYPE_CHECKING:
    from ..config.settings import Settings


def views(
    conn: Connection, settings: Settings, platforms: Mapping[str, Platform]
) -> dict[str, SiteView]:
    """Every site of the settings as the mirror has it now."""
    rows = {row.site: row for row in conn.execute(select(checkpoints))}
    return {site: _view(conn, settings, platforms[site], rows.get(site)) for site in settings.sites}


def _view(conn: Connection, settings: Settings, platform: Platform, row: object) -> SiteView:
    site = settings.sites[platform.site]
    left_out = bool(site.exclude.spaces or site.exclude.labels or site.exclude.members)
    since = datetime.combine(site.since, time.min, tzinfo=UTC) if site.since else None
    coverage = Coverage(
        since=micros(since),
        excluded=left_out,
        members_excluded=bool(site.exclude.members),
        gaps=frozenset(
            conn.execute(select(gaps.c.kind).where(gaps.c.site == platform.site)).scalars()
        ),
        dark_groups=frozenset(
            conn.execute(
                select(site_groups.c.name).where(
                    site_groups.c.site == platform.site,
                    site_groups.c.members_known.is_(False),
                    site_groups.c.deleted_at.is_(None),
                )
            ).scalars()
        ),
    )
    return SiteView(
        site=platform.site,
        family=platform.family,
        coverage=coverage,
        complete=bool(getattr(row, "complete", False)),
        language=site.language or getattr(row, "language", "") or settings.language,
        account=getattr(row, "account", ""),
    )
